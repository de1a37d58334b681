"""Operations that begin something: what only looks does not act, and who wants to may wait for the end.

A waiter asks the service now and then, in short reads, so that it holds no worker there; here it holds a
thread, of which only so many may wait.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import orjson
from flask import Request

from gateway.call import Answer, Call
from gateway.handlers.reads import printable
from gateway.routes import ROOT
from services.common.contract import WAIT, Operation, Outcome
from services.common.errors import ApiError, Busy, InvalidInput
from services.common.rpc.reply import Reply

FIRST_PAUSE, LAST_PAUSE, GROWTH = 0.1, 0.5, 1.5
NO_STORE = {"Cache-Control": "no-store"}

LOOKING_AHEAD = {"Purpose": "prefetch", "Sec-Purpose": "prefetch", "X-Moz": "prefetch"}
"""Headers of a request that nobody made: `prefetch` is what each begins with."""


def only_looks(request: Request) -> bool:
    """Whether a request that would act must not: HEAD, or a browser that reads ahead."""
    return request.method == "HEAD" or (
        request.method == "GET"
        and any(
            request.headers.get(name, "").strip().lower().startswith(word)
            for name, word in LOOKING_AHEAD.items()
        )
    )


def looked(call: Call) -> Answer:
    """An empty answer where acting would have found something to act on. Raises `NotFound`."""
    resource = call.action.resource
    if resource is not None:
        arguments = {"resource": resource.name, "key": call.key, "parameters": [("attrs", "id")]}
        app = call.action.contract.name
        call.platform.call(app, "get", arguments, call.context_for(app), read=True)
    return Answer(b"", 204, headers=dict(NO_STORE))


def asked(call: Call, operation: Operation) -> Any:
    """What the operation is to do: the body, or the members of it that the query of an acting GET names.
    Of nothing clients make `null` or, in PHP, `[]`."""
    if not (operation.acts and call.request.method == "GET"):
        return {} if call.body in (None, []) else call.body
    assert operation.request is not None
    return {name: value for name, value in call.parameters if name in operation.request["properties"]}


def patience(call: Call, operation: Operation) -> float:
    """The seconds that the request wants to wait for the end."""
    given = [value for name, value in call.parameters if name == "wait"]
    if operation.outcome is None or not given:
        return 0.0
    try:
        seconds = float(given[-1])
    except ValueError:
        seconds = math.nan
    if not WAIT["minimum"] <= seconds <= WAIT["maximum"]:
        raise InvalidInput({"wait": [f"Seconds from {WAIT['minimum']} to {WAIT['maximum']}."]})
    return seconds


def answered(call: Call, operation: Operation, reply: Reply, seconds: float) -> Answer:
    """The service's answer; of what has an outcome the one that it has by then."""
    status, body = reply.meta.get("status", 200), reply.body
    headers = dict(NO_STORE) if operation.acts else {}
    if ignored := reply.meta.get("ignored"):
        headers["X-Ignored-Parameters"] = printable(ignored)
    about = reply.meta.get("about")
    if about is not None and status in (201, 202):
        headers["Location"] = f"{ROOT}/{call.action.contract.name}/{about[0]}/{about[1]}"
    outcome = operation.outcome
    if outcome is not None and about is not None and seconds:
        try:
            with call.platform.patient():
                row = _awaited(call, outcome, about[1], seconds)
        except Busy:
            row = None  # what was begun is told all the same
        if row is not None:
            word = b"ok" if orjson.loads(row)[outcome.by] in outcome.good else b"ko"
            body = b'{"result":"%b",%b:%b}' % (word, orjson.dumps(outcome.member), row)
            status = 200
            headers.pop("Location")
    return Answer(body, status, headers=headers)


def _awaited(call: Call, outcome: Outcome, key: Any, seconds: float) -> bytes | None:
    """The row once it has ended; None when it has not by then."""
    platform, app = call.platform, call.action.contract.name
    end, pause = time.monotonic() + seconds, FIRST_PAUSE
    arguments = {"resource": outcome.resource, "key": str(key), "parameters": []}
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(pause, left))
        pause = min(GROWTH * pause, LAST_PAUSE)
        context = replace(call.context_for(app).within(platform.settings.deadline), patient=False)
        try:
            row = platform.call(app, "get", arguments, context, read=True).body
        except ApiError as error:
            if error.status < 500:
                raise
            continue  # it was begun, and may be looked at again in a moment
        if orjson.loads(row)[outcome.by] in (*outcome.good, *outcome.bad):
            return row
    return None
