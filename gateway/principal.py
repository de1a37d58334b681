"""Who is asking: identity, permissions and realms, as one immutable value.

Group names come in three families: `APP: <app>` lets into an application, `HG: <host group>` shows
a host group of monitoring, `realm:<realm><tech>` a realm's hosts of one technology.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.common.context import Scope


@dataclass(frozen=True, slots=True)
class Principal:
    """`permissions` are effective ones (own and of the groups), as `app.action_model`."""

    id: int
    username: str
    is_staff: bool = False
    is_superuser: bool = False
    realms: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    details: dict[str, object] = field(default_factory=dict, compare=False)

    @property
    def apps(self) -> frozenset[str]:
        return family(self.groups, "APP:")

    @property
    def hostgroups(self) -> frozenset[str]:
        return family(self.groups, "HG:")

    @property
    def realm_technologies(self) -> frozenset[str]:
        return family(self.groups, "realm:")

    def enters(self, *apps: str) -> bool:
        """Whether a group of one of these lets him in."""
        return self.is_superuser or not self.apps.isdisjoint(apps)

    def may(self, permission: str) -> bool:
        return self.is_superuser or permission in self.permissions

    def covers(self, former: Principal) -> bool:
        """Whether he may all that he might as `former`."""
        return self.is_superuser or (
            not former.is_superuser
            and self.is_staff >= former.is_staff
            and self.realms >= former.realms
            and self.permissions >= former.permissions
            and self.groups >= former.groups
        )

    @property
    def scope(self) -> Scope:
        return Scope(self.realms, everything=self.is_superuser)


def family(groups: Iterable[str], prefix: str) -> frozenset[str]:
    """What follows the prefix in the names that have it."""
    return frozenset(name[len(prefix) :].strip() for name in groups if name.startswith(prefix))
