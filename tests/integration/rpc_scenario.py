"""One list of calls, run over every transport: `python -m tests.integration.rpc_scenario local|amqp` prints
what came of each as JSON, from a green process. Without `green` first, `outcomes` runs in any thread."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    from services.common.rpc import green

    green.patch()

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from services.common.context import Context, Scope
from services.common.errors import ApiError
from services.common.rpc.client import Client

AS = Context(
    Scope(frozenset({"pim", "pam"})),
    user="ana",
    user_id=7,
    secrets=True,
    request_id="r-1",
    idempotency_key="k",
)
CSV = {"content_type": "text/csv; charset=utf-8"}
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("toy", "echo", {}),
    ("toy", "echo", {"a": 1, "b": [None, True, 1.5, {"ñ": "漢字 \u2028 \U0001f41f"}], "c": "\\\"\n\x00"}),
    ("other", "echo", {"a": 1}),
    ("toy", "raw", {"body": '{"spaces":   [1, 2]}', "meta": {"n": 1, "content_type": "application/json"}}),
    ("toy", "raw", {"body": "", "meta": {"status": 204}}),
    ("toy", "raw", {"body": "null", "meta": {}}),
    ("toy", "raw", {"body": "id,name\n1,\"Ñandú, S.L.\"\n", "meta": CSV}),
    ("toy", "raw", {"body": "", "meta": CSV}),
    ("toy", "raw", {"body": '{"id":1}\n{"id":2}\n', "meta": {"content_type": "application/x-ndjson"}}),
    ("toy", "raw", {"body": "[" + ",".join(["1234567890"] * 50_000) + "]", "meta": {"count": 50_000}}),
    ("toy", "who", {}),
    ("toy", "fail", {"how": "missing"}),
    ("toy", "fail", {"how": "invalid"}),
    ("toy", "fail", {"how": "throttled"}),
    ("toy", "fail", {"how": "defect"}),
    ("toy", "fail", {"how": "nothing"}),
    ("toy", "fail", {"how": "bytes"}),
    ("toy", "fail", {"unknown_argument": 1}),
    ("toy", "no_such_method", {}),
    ("nobody", "echo", {}),
    ("toy", "use", {"database": "there"}),
    ("toy", "use", {"database": "away"}),
    ("toy", "use", {"database": "broken"}),
    ("toy", "use", {"database": "teardown"}),
    ("toy", "sleep", {"seconds": 0.6}),
    ("toy", "echo", {"after": "all of that"}),
]  # fmt: skip


def outcomes(client: Client) -> list[Any]:
    found = []
    for service, method, arguments in CALLS:
        try:
            reply = client.call(service, method, arguments, AS.within(0.3 if method == "sleep" else 5))
        except ApiError as error:
            body = (
                {**error.body, "detail": ...} if error.status == 503 and service == "nobody" else error.body
            )
            body = {name: member for name, member in body.items() if member is not ...}
            found.append([type(error).__name__, error.status, body, error.headers])
        else:
            answer: Any = reply.body.decode()
            if method == "who":
                answer = orjson.loads(answer)
                assert 0 < answer.pop("left") <= 5
            found.append([answer, reply.meta])
    return found


def concurrent_sleeps(client: Client) -> float:
    """Seconds that ten calls that sleep one second each take together."""
    began = time.monotonic()
    under_way = [client.start("toy", "sleep", {"seconds": 1}, Context().within(20)) for _ in range(10)]
    for pending in under_way:
        pending.result()
    return time.monotonic() - began


def mixed(client: Client, threads: int = 16, calls: int = 500) -> int:
    """How many of the calls got another call's answer."""

    def run(thread: int) -> int:
        wrong = 0
        for number in range(calls):
            mine, fails = {"thread": thread, "number": number, "pad": "x" * (number % 97)}, number % 10 == 7
            try:
                if fails:
                    client.call("toy", "fail", {"how": "missing"}, Context())
                    wrong += 1
                elif number % 3:
                    wrong += orjson.loads(client.call("toy", "echo", mine, Context()).body) != mine
                else:
                    wrong += orjson.loads(client.call("other", "echo", mine, Context()).body) != {
                        "other": mine
                    }
            except ApiError as error:
                wrong += not (fails and error.code == "not_found")
        return wrong

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(run, range(threads)))


def main(transport: str) -> None:
    from services.common import log
    from services.common.rpc.amqp import AmqpClient
    from services.common.rpc.runner import embed
    from services.common.settings import Settings
    from tests.integration.rpc_toy import Other, Toy

    settings = Settings()
    log.configure(settings, "scenario")
    client: Client = (
        embed([Toy, Other], settings) if transport == "local" else AmqpClient(settings.amqp or "")
    )
    result = {
        "outcomes": outcomes(client),
        "sleeps": concurrent_sleeps(client),
        "wrong": mixed(client, calls=100),
    }
    result["ticked"] = orjson.loads(client.call("toy", "ticked", {}, Context()).body)
    began = time.monotonic()
    client.close()
    result["closed"] = time.monotonic() - began
    try:
        client.call("toy", "echo", {}, Context())
    except ApiError as error:
        result["after"] = error.code
    print(orjson.dumps(result).decode())


if __name__ == "__main__":
    main(sys.argv[1])
