-- Runs through the prepared requests and looks at the status and the length of every answer.
-- Argument: a file whose first line is the Authorization header's value (may be empty), then one
-- "length path" per line.

local threads = {}
local allowed = {}
local requests = {}
local turn = 0
bad = 0
sample = ""

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  local file = assert(io.open(arguments[1], "r"))
  local token = file:read("*l")
  local headers = {}
  if token ~= "" then headers["Authorization"] = token end
  for line in file:lines() do
    local length, path = line:match("^(%d+) (.+)$")
    allowed[tonumber(length)] = true
    table.insert(requests, wrk.format("GET", path, headers))
  end
  file:close()
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function response(status, headers, body)
  if status ~= 200 or not allowed[#body] then
    bad = bad + 1
    sample = status .. " with " .. #body .. " bytes"
  end
end

function done(summary, latency)
  local wrong, what = 0, ""
  for _, thread in ipairs(threads) do
    wrong = wrong + thread:get("bad")
    if thread:get("sample") ~= "" then what = thread:get("sample") end
  end
  local e = summary.errors
  local broken = e.connect + e.read + e.write + e.timeout
  io.write(string.format(
    '\n{"requests":%d,"microseconds":%d,"wrong":%d,"sample":"%s","broken":%d,"p50":%.3f,"p99":%.3f}\n',
    summary.requests, summary.duration, wrong, what, broken,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
