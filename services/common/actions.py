"""What the services that run actions report, all in the same words, each on its own exchange."""

from __future__ import annotations

from typing import Any, Literal

from services.common.events.event import Event


class ActionReported(Event):
    """How an attempt at an action fares. `running` holds for `lease` seconds, and is reported again before
    they are over; `repeatable`: the driver says that doing it twice does no harm. `unknown`: it began, and
    whether it was done cannot be told any more. `cancelled`: it had not begun."""

    type = "action.reported"
    subject = "actions"
    doc = "How an attempt at an action fares, as who runs it sees it."

    action: int
    attempt: int
    state: Literal["running", "succeeded", "failed", "cancelled", "unknown"]
    repeatable: bool = False
    lease: int | None = None
    result: dict[str, Any] | list[Any] | None = None
    error: str | None = None
