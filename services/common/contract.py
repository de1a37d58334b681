"""What a service declares about itself: resources, relations, operations. Pure data.

From one `Contract` come the RPC methods' behaviour, the SQL, the gateway's routes, permissions,
validation errors, joins, the OpenAPI document and the test matrix. The gateway knows a service by
its contract alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from services.common.fields import Field, Members, Reference

if TYPE_CHECKING:
    from services.common.events.event import Event

VERBS = ("view", "add", "change", "delete")


@dataclass(frozen=True, kw_only=True)
class InRealm:
    """A row belongs to the realm named in its `column`; with `shared`, a row without one is for all."""

    column: str = "realm"
    shared: bool = False


@dataclass(frozen=True, kw_only=True)
class SharedWith:
    """A row is for every realm, or only for those in its `Members` field `field`."""

    field: str = "realms"


@dataclass(frozen=True, kw_only=True)
class Within:
    """A row is visible when it has realms (`Members` field) and all of them are the caller's."""

    field: str = "realms"


@dataclass(frozen=True, kw_only=True)
class Through:
    """A row is visible where the one is that its `Reference` `field` names."""

    field: str


@dataclass(frozen=True, kw_only=True)
class OwnedBy:
    """A row belongs to one user: nobody else sees it, whatever his realms."""

    column: str = "user_id"


@dataclass(frozen=True, kw_only=True)
class Everyone:
    """Rows without a realm: every user with the permission sees them."""


Scoping = InRealm | SharedWith | Within | Through | OwnedBy | Everyone


@dataclass(frozen=True, kw_only=True)
class Relation:
    """`/{resource}/{key}/{name}` and, when `joined`, `joins=<name>`.

    `to`: the resource on the other side, `service.resource` when another service owns it.
    `by`: the `Reference` here (to-one), or the field over there that points here (to-many).
    `omit`: members left out when embedded by a join. `paged`: the sub-resource answers in pages.
    """

    name: str
    to: str
    by: str
    many: bool = False
    joined: bool = True
    served: bool = True
    paged: bool = True
    omit: tuple[str, ...] = ()
    sort: str = "id"
    cascade: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What becomes of what an operation began: a row of `resource` of the same service, which the answer
    holds as `member`. It has ended once the row's member `by` is one of `good` or `bad`. Such an operation
    takes `wait`: seconds to wait for the end before answering.
    """

    resource: str
    member: str
    by: str
    good: tuple[str, ...]
    bad: tuple[str, ...]


WAIT: dict[str, Any] = {"type": "number", "minimum": 0, "maximum": 30}
"""The query parameter `wait` of operations with an `Outcome`."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Something else than reading and writing rows: `/{resource}/{key}/{path}`, or for an operation of the
    whole app `/{app}/{path}`; the path is the name when none is given. It may hold places,
    `olts/<olt>/onus/status`, which the RPC method gets as `places={"olt": "oltNorte"}`; a place that is `key`
    comes as `key`. What stands there word for word wins over a place, and over a row's key.

    The service's RPC method is `<singular>_<name>` (of an app: `<name>`). `permission`: one of `VERBS` on the
    resource's model (of an app: the whole `app.verb_model`), None: any user. `anonymous`: nobody need be
    logged in. `request`, `response`: JSON Schemas (None: no body). `parameters`, `places`: query parameters
    and places, name → JSON Schema; a place that does not fit its `pattern` or `enum` is 404. `remembered`:
    false where the answer holds what nobody may keep, so that it is not given again to the same idempotency
    key. `acts`: a GET does it too, with the members of the body as query parameters; what only looks (HEAD, a
    browser's prefetch) does not. `outcome`: where to see what becomes of it. `seconds`: how long it may take,
    where that is longer than a request may otherwise.
    """

    name: str
    verbs: tuple[str, ...]
    permission: str | None = "change"
    path: str = ""
    doc: str = ""
    request: dict[str, Any] | None = None
    response: dict[str, Any] | None = None
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[str, dict[str, Any]] = field(default_factory=dict)
    statuses: tuple[int, ...] = (200, 400, 404)
    anonymous: bool = False
    aliases: tuple[str, ...] = ()
    staff: bool = False
    acts: bool = False
    outcome: Outcome | None = None
    remembered: bool = True
    seconds: float | None = None

    def changes(self, verb: str) -> bool:
        """Whether this verb of it may change something."""
        return verb != "GET" or self.acts


@dataclass(frozen=True, kw_only=True)
class Legacy:
    """The resource as API v1 shows it: `/api/{name}/`, bare lists, without the members in `omit`."""

    name: str
    omit: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LegacyNested:
    """A v1 list below a detail that answers in pages with its own older column set."""

    parent: str
    name: str
    relation: str
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource: `fields` in wire order; `model` the permission model; `keys` tried in this order.

    `methods`: verbs on the collection and on a detail. `rules`: dotted name of the module of plain
    functions with its behaviour. `alias`: also served without the app segment (`/api/v2/cpes/`).
    `where`: fixed column values that every row of this resource has. `paths`: other places of the collection
    below `/api/v2/`. `staff`: for staff only; `staff_writes`: changed by staff only. `permitted`: false
    where every user may (his own things).
    `once`: write-only members that the answer to a row's creation shows, and nothing else ever.
    `logs`: has a `logs` sub-resource, what was done to a row. `events`: writes are published. `asks`: what
    its changes may ask of the network, in the order in which it is done; the function `asks` of the rules
    says what a change does ask. `detailed`: false where an operation answers for one row.
    """

    name: str
    singular: str
    model: str
    table: str
    fields: tuple[Field, ...]
    title: str = ""
    doc: str = ""
    scoping: Scoping = field(default_factory=InRealm)
    keys: tuple[str, ...] = ("id",)
    sort: tuple[str, ...] = ("id",)
    methods: tuple[str, ...] = ("GET", "POST", "PUT", "PATCH", "DELETE")
    paged: bool = True
    relations: tuple[Relation, ...] = ()
    operations: tuple[Operation, ...] = ()
    legacy: Legacy | None = None
    nested: tuple[LegacyNested, ...] = ()
    alias: bool = False
    paths: tuple[str, ...] = ()
    rules: str | None = None
    label: tuple[str, ...] = ("id",)
    where: tuple[tuple[str, Any], ...] = ()
    staff: bool = False
    staff_writes: bool = False
    permitted: bool = True
    once: tuple[str, ...] = ()
    events: bool = False
    asks: tuple[str, ...] = ()
    bulk: bool = True
    imported: bool = False
    logs: bool = False
    textual_id: bool = False
    detailed: bool = True

    @cached_property
    def by_name(self) -> dict[str, Field]:
        return {one.name: one for one in self.fields}

    @cached_property
    def related(self) -> dict[str, Relation]:
        return {one.name: one for one in self.relations}

    @property
    def upsert(self) -> str | None:
        """The member by which `?upsert=` finds the row of a body: its key in another system."""
        return "external_id" if "external_id" in self.keys else None

    @property
    def collection_methods(self) -> tuple[str, ...]:
        return tuple(m for m in ("GET", "POST") if m in self.methods)

    @property
    def detail_methods(self) -> tuple[str, ...]:
        return tuple(m for m in ("GET", "PUT", "PATCH", "DELETE") if m in self.methods and self.detailed)

    @cached_property
    def writable(self) -> tuple[Field, ...]:
        return tuple(one for one in self.fields if one.writable)

    @cached_property
    def tallied(self) -> bool:
        """Whether its writes keep count of its rows per realm; pick lists and audits are made otherwise."""
        return isinstance(self.scoping, InRealm) and not self.where and bool(self.writable)

    def references(self) -> Iterator[Reference]:
        return (one for one in self.fields if isinstance(one, Reference))

    def members(self) -> Iterator[Members]:
        return (one for one in self.fields if isinstance(one, Members))

    def emitted(self, level: int) -> tuple[Field, ...]:
        """The members that a representation has when nobody asks for particular ones."""
        return tuple(one for one in self.fields if one.since <= level and not one.write_only)


@dataclass(frozen=True, kw_only=True)
class Extension:
    """A relation that this service adds to a resource of another service, in that one's URLs and joins.

    `target`: `service.resource`. `relation.to` is a resource here, whose field `relation.by` holds the
    member `on` of the target's rows.
    """

    target: str
    relation: Relation
    on: str = "id"


@dataclass(frozen=True, kw_only=True)
class Answering:
    """A read `/{resource}/{key}/{name}` of a resource of another service, which this one answers for the rows
    whose member `on` is `value`.

    `target`: `service.resource`. The RPC method is `<singular>_<name>(<singular>={…}, parameters)`, with the
    members `needs` of the row, secrets blank. `paths`: other places of the collection, below
    `/api/v2/`. `response`, `statuses`, `seconds`, `doc`: as in an `Operation`.
    """

    target: str
    name: str
    on: str
    value: str
    needs: tuple[str, ...]
    response: dict[str, Any]
    paths: tuple[str, ...] = ()
    statuses: tuple[int, ...] = (200, 404)
    seconds: float | None = None
    doc: str = ""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A service: `name` is its RPC name and the app segment of its URLs, `title` its menu entry. The group
    `APP: <name>` lets into it, and `APP: <group>` where the real product calls it so. `events`: the classes
    of its events besides those of its resources."""

    name: str
    title: str
    group: str = ""
    resources: tuple[Resource, ...] = ()
    operations: tuple[Operation, ...] = ()
    extensions: tuple[Extension, ...] = ()
    answers: tuple[Answering, ...] = ()
    events: tuple[type[Event], ...] = ()
    doc: str = ""

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The names behind `APP:` of the groups that let in."""
        return (self.name, self.group) if self.group else (self.name,)

    @cached_property
    def catalogue(self) -> dict[str, type[Event]]:
        """Every event class of the service, by type."""
        from services.common.events import event  # which is made of the declarations here

        found: dict[str, type[Event]] = {}
        for resource in self.resources:
            if resource.events:
                found |= event.of_resource(resource)
        return found | {one.type: one for one in self.events}

    def publishes(self, pattern: str) -> bool:
        """Whether there are events of this type, or with `cpe.*` of any whose type begins so."""
        if pattern.endswith(".*"):
            return any(one.startswith(pattern.removesuffix("*")) for one in self.catalogue)
        return pattern in self.catalogue

    @cached_property
    def by_name(self) -> dict[str, Resource]:
        return {one.name: one for one in self.resources}

    def children_of(self, resource: str) -> list[tuple[Resource, Reference]]:
        """The resources with a reference to `resource`, and that reference."""
        return [(other, ref) for other in self.resources for ref in other.references() if ref.to == resource]
