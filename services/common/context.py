"""Who asks, within which realms, and until when: the context that travels with every call.

Scope is deny by default: a context without realms sees nothing. It is built by the gateway (or by
a service for its own timers) and is carried in message headers, never in arguments.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Scope:
    """The realms a caller may see. `everything` skips the realm filter on reads (superuser);
    `realms` are then the realms that exist, so that a write still cannot invent one."""

    realms: frozenset[str] = frozenset()
    everything: bool = False

    def allows(self, realm: str) -> bool:
        return realm in self.realms or (self.everything and not self.realms)


@dataclass(frozen=True, slots=True)
class Context:
    """`deadline` is in seconds of `time.monotonic()` of this process. `idempotency_key`: what the client
    calls this request, in case it sends it again; `fingerprint`: what it asks for, so that another request
    under the same key is noticed. `patient`: it may take longer than requests do."""

    scope: Scope = field(default_factory=Scope)
    user: str | None = None
    user_id: int | None = None
    secrets: bool = False
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    traceparent: str | None = None
    idempotency_key: str | None = None
    fingerprint: str = ""
    patient: bool = False
    deadline: float = field(default_factory=lambda: time.monotonic() + 5.0)

    @property
    def keyed(self) -> bool:
        """Whether the answer to this request is to be remembered."""
        return self.idempotency_key is not None and self.user_id is not None

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.deadline - time.monotonic())

    def within(self, seconds: float) -> Context:
        """The same context with `seconds` from now as its deadline."""
        return replace(self, deadline=time.monotonic() + seconds)

    def to_wire(self) -> dict[str, Any]:
        """JSON-able; the deadline travels as what is left of it, since clocks differ between hosts."""
        return {
            "realms": sorted(self.scope.realms),
            "everything": self.scope.everything,
            "user": self.user,
            "user_id": self.user_id,
            "secrets": self.secrets,
            "request_id": self.request_id,
            "traceparent": self.traceparent,
            "idempotency_key": self.idempotency_key,
            "fingerprint": self.fingerprint,
            "patient": self.patient,
            "remaining": round(self.remaining, 3),
        }

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> Context:
        return cls(
            scope=Scope(frozenset(wire["realms"]), bool(wire["everything"])),
            user=wire["user"],
            user_id=wire["user_id"],
            secrets=bool(wire["secrets"]),
            request_id=wire["request_id"],
            traceparent=wire["traceparent"],
            idempotency_key=wire["idempotency_key"],
            fingerprint=wire.get("fingerprint", ""),
            patient=bool(wire.get("patient")),
            deadline=time.monotonic() + float(wire["remaining"]),
        )
