"""One request on its way through the gateway, and what it is answered with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import Request

from gateway.principal import Principal
from gateway.routes import Action, Route
from services.common.context import Context
from services.common.errors import NotAuthenticated, PermissionDenied
from services.common.resource.representation import dumps
from services.common.rpc.reply import Reply

if TYPE_CHECKING:
    from gateway.platform import Platform

JSON = "application/json"
MOST_OF_ANYBODY = 64 * 1024
"""Bytes of the body of who is not logged in: what its value takes up here may be twenty times as much."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` as it goes out; `stream` instead of it for what does not fit into memory."""

    body: bytes = b""
    status: int = 200
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    stream: Any = None

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> Answer:
        return cls(dumps(value), status, headers=headers)


class Call:
    """`parameters`: the query string as pairs. `key`: the row's key in the path, `places`: what else is named
    there. `context`: scope and deadline. `replayed`: the answer was given before, to the same request with
    the same key.
    """

    def __init__(
        self,
        platform: Platform,
        request: Request,
        route: Route,
        action: Action,
        principal: Principal | None,
        context: Context,
        key: str | None,
        places: dict[str, str],
    ) -> None:
        self.platform = platform
        self.request = request
        self.route = route
        self.action = action
        self.principal = principal
        self.context = context
        self.key = key
        self.places = places
        self.replayed = False

    @cached_property
    def parameters(self) -> list[tuple[str, str]]:
        return list(self.request.args.items(multi=True))

    @cached_property
    def user(self) -> Principal:
        """The one who is logged in."""
        if self.principal is None:
            raise NotAuthenticated()
        return self.principal

    def still(self) -> None:
        """For what goes on for as long as the client likes: raises when the user is gone, or has lost any of
        the rights that he had when it began."""
        if not self.platform.accounts.authenticator.person(self.user.id).principal.covers(self.user):
            raise PermissionDenied()

    @cached_property
    def body(self) -> Any:
        """The request body as JSON values, from JSON or a form. Raises `MalformedBody`,
        `UnsupportedMediaType`.
        """
        from gateway.bodies import parsed

        limit = self.platform.settings.max_body
        return parsed(self.request, limit if self.principal else min(limit, MOST_OF_ANYBODY))

    def noted(self, reply: Reply) -> Reply:
        """The reply of a write; whether it was given before goes into the answer's headers."""
        self.replayed = bool(reply.meta.get("replayed"))
        return reply

    def context_for(self, app: str) -> Context:
        """The context of a call to `app`: whether secrets show is decided per app."""
        may = self.principal is not None and self.principal.may(f"{app}.view_secret")
        return self.context if may == self.context.secrets else replace(self.context, secrets=may)
