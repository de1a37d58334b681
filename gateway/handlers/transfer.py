"""Import of CSV and NDJSON: read as it arrives, in chunks that are committed one by one.

Each line stands alone: a bad one is reported with its number and reason, good ones are kept. An
import has a name; sending the same file again under the same name goes on after the last line that
was committed, so that a cut connection loses nothing and doubles nothing.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import uuid
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

import orjson

from gateway import bodies, idempotency
from gateway.call import Answer, Call
from gateway.handlers.writes import write_context
from services.common.contract import Resource
from services.common.errors import InvalidInput, MalformedBody, UnsupportedMediaType
from services.common.fields import Boolean
from services.common.resource.progress import marked
from services.common.resource.representation import from_cell

CHUNK = 100
LONGEST_NAME = 64
LONGEST_LINE = 1024 * 1024
CHUNK_SECONDS = 30.0
_TOO_LONG = f"A line may have {LONGEST_LINE} characters."
CSV, NDJSON = ("text/csv",), ("application/x-ndjson", "application/jsonl", "application/ndjson")

Line = tuple[int, Any]
"""The line's number, and its object or, when it cannot be read, `[{"error": text, "cut": bool}]`. A line that
was cut off by the end of the file does not count as done, nor one after which nothing was read (`unread`):
the whole file may be sent again."""


def import_(call: Call) -> Answer:
    """200: `{"id", "lines", "created", "failed", "errors": [{"line", "errors"}], "complete"}`."""
    resource = call.action.resource
    assert resource is not None
    parameters = _parameters(call)
    name = parameters["id"] or _named(call) or uuid.uuid4().hex
    texts = Texts(_texts(call))
    lines = _lines(call, texts, resource)
    progress: dict[str, Any] = {}
    while True:
        chunk, ended = _chunk(lines, texts)
        arguments = {
            "resource": resource.name,
            "name": name,
            "lines": chunk,
            "dry_run": parameters["dry_run"],
        }
        call.still()
        context = write_context(call).within(CHUNK_SECONDS)
        reply = call.platform.call(call.action.contract.name, "import_lines", arguments, context)
        progress = (
            _added(progress, orjson.loads(reply.body)) if parameters["dry_run"] else orjson.loads(reply.body)
        )
        if ended:
            complete = not (chunk and marked(chunk[-1][1], "unread"))
            return Answer.json({"id": name, **progress, "complete": complete})


def _named(call: Call) -> str | None:
    """The import's name after its idempotency key: the same request again goes on where it was."""
    key = idempotency.key_of(call)
    return key if key is None or len(key) <= LONGEST_NAME else hashlib.sha256(key.encode()).hexdigest()


def _added(before: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """The sum of two dry chunks, which leave no progress behind to be told."""
    summed = {key: before[key] + value if key in before else value for key, value in more.items()}
    return {**summed, "lines": more["lines"] or before.get("lines", 0)}


def _parameters(call: Call) -> dict[str, Any]:
    given = call.request.args
    unknown = sorted(set(given) - {"id", "dry_run"})
    errors = {name: ["Unknown parameter."] for name in unknown}
    name = given.get("id", "")
    if len(name) > LONGEST_NAME or not name.isprintable():
        errors["id"] = [f"Ensure this field has no more than {LONGEST_NAME} printable characters."]
    if errors:
        raise InvalidInput(errors)
    try:
        return {"id": name, "dry_run": Boolean(name="dry_run").clean(given.get("dry_run", False))}
    except ValueError as error:
        raise InvalidInput({"dry_run": [str(error)]}) from None


class Texts:
    """The lines of the body; `taken`: the characters of those that were read."""

    def __init__(self, texts: Iterator[str]) -> None:
        self._texts = texts
        self.taken = 0

    def __iter__(self) -> Iterator[str]:
        for text in self._texts:
            self.taken += len(text)
            yield text


def _chunk(lines: Iterator[Line], texts: Texts) -> tuple[list[Line], bool]:
    """What is committed together next: `CHUNK` lines, or fewer when they are long; and whether there are no
    more."""
    chunk, begun = [], texts.taken
    for line in lines:
        chunk.append(line)
        if len(chunk) == CHUNK or texts.taken - begun >= LONGEST_LINE:
            return chunk, False
    return chunk, True


def _lines(call: Call, texts: Texts, resource: Resource) -> Iterator[Line]:
    bodies.require_utf8(call.request)
    mimetype = call.request.mimetype
    if mimetype in CSV:
        return _csv(texts, resource)
    if mimetype in NDJSON:
        return _ndjson(texts)
    raise UnsupportedMediaType(f'Unsupported media type "{mimetype}"; send text/csv or application/x-ndjson.')


def _texts(call: Call) -> Iterator[str]:
    """The body's lines with their ends, as they arrive, without a byte order mark before them. Only a line
    feed ends a line."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    pending = ""
    try:
        for block in bodies.blocks(call.request):
            *whole, pending = (pending + decoder.decode(block)).split("\n")
            yield from (f"{line}\n" for line in whole)
            if len(pending) > LONGEST_LINE:
                raise MalformedBody(_TOO_LONG)
        pending += decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise MalformedBody("The file is not UTF-8.") from None
    if pending:
        yield pending


def _ndjson(texts: Texts) -> Iterator[Line]:
    for number, text in enumerate(texts, 1):
        if not text.strip():
            continue
        try:
            yield number, bodies.loads(text.encode())
        except MalformedBody as error:
            yield number, [{"error": str(error), "cut": not text.endswith("\n")}]


def _csv(texts: Texts, resource: Resource) -> Iterator[Line]:
    last: deque[str] = deque(maxlen=1)
    begun = 0

    def noting() -> Iterator[str]:
        for text in texts:
            if texts.taken - begun > LONGEST_LINE:  # quoted cells may have lines of their own
                raise MalformedBody(_TOO_LONG)
            last.append(text)
            yield text

    reader = csv.reader(noting(), strict=True)
    try:
        header = [name.strip() for name in next(reader)]
    except (StopIteration, csv.Error):
        raise InvalidInput({"non_field_errors": ["The first line must name the columns."]}) from None
    known = {name for one in resource.fields for name in (one.name, *one.aliases)}
    if unknown := [name for name in header if name not in known]:
        raise InvalidInput({name or "non_field_errors": ["Unknown column."] for name in unknown})
    if repeated := [name for name, times in Counter(header).items() if times > 1]:
        raise InvalidInput({name: ["The column is there twice."] for name in repeated})
    while True:
        number, begun = reader.line_num + 1, texts.taken
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            ended = "end of data" in str(error)
            # Of several lines: where the last cell ends, and with it where the next line begins, is unknown.
            lost = reader.line_num > number and not ended
            told = f"CSV parse error - {error}{'; what follows was not read' if lost else ''}"
            yield number, [{"error": told, "cut": ended or lost, "unread": lost}]
            if lost:
                return
            continue
        if not cells:
            continue
        if len(cells) != len(header):
            unended = bool(last) and not last[-1].endswith("\n")
            yield number, [{"error": f"Expected {len(header)} columns, found {len(cells)}.", "cut": unended}]
            continue
        yield number, {name: from_cell(cell) for name, cell in zip(header, cells, strict=True) if cell != ""}
