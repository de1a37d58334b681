"""The route table: every path and verb of the API, derived from the contracts alone.

Flask's rules, the `Allow` headers, permissions, the OpenAPI document and the test matrix are all
made from this one table. Adding a service adds rows, never code here.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import services
from services.common.contract import Answering, Contract, LegacyNested, Operation, Relation, Resource

ROOT = "/api/v2"
LEGACY_ROOT = "/api"
WRITES = {"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete"}
PLACE = re.compile(r"<([a-z_]+)>")


@dataclass(frozen=True, kw_only=True)
class Action:
    """What one verb on one path does.

    `kind` names the handler. `permission` is `app.action_model`, None where being logged in is
    enough. `anonymous`: nobody need be logged in. `below`: the app of the path, which lets in as well as that
    of the contract.
    """

    kind: str
    contract: Contract
    resource: Resource | None = None
    relation: Relation | None = None
    operation: Operation | None = None
    answers: tuple[tuple[Contract, Answering], ...] = ()
    nested: LegacyNested | None = None
    target: tuple[Contract, Resource] | None = None
    permission: str | None = None
    staff: bool = False
    anonymous: bool = False
    legacy: bool = False
    below: str = ""

    @property
    def reads(self) -> bool:
        return self.kind in ("list", "get", "related", "logs", "index")

    def seconds(self, usual: float) -> float:
        """How long it may take: `usual`, or longer where a contract says so."""
        said = (self.operation, *(one for _, one in self.answers))
        return max(usual, *(one.seconds for one in said if one and one.seconds), usual)


@dataclass(frozen=True)
class Route:
    """`rule` ends with a slash that requests may leave out; `<key>` stands for a row's key, other names in
    brackets for the places of an operation."""

    rule: str
    actions: dict[str, Action] = field(default_factory=dict)

    @property
    def allow(self) -> str:
        verbs = [verb for verb in ("GET", "POST", "PUT", "PATCH", "DELETE") if verb in self.actions]
        return ", ".join([*verbs, *(["HEAD"] if "GET" in verbs else []), "OPTIONS"])

    @property
    def anonymous(self) -> bool:
        """Whether nobody need be logged in for anything here."""
        return all(one.anonymous for one in self.actions.values())

    @property
    def detail(self) -> bool:
        return "<key>" in self.rule

    @property
    def places(self) -> list[str]:
        return [name for name in PLACE.findall(self.rule) if name != "key"]


def discovered() -> list[Contract]:
    """The contracts of all services that are there, found by folder."""
    packages = (
        one.name for one in pkgutil.iter_modules(services.__path__) if one.ispkg and one.name != "common"
    )
    modules = [f"services.{name}.contract" for name in sorted(packages)]
    return [importlib.import_module(one).CONTRACT for one in modules if importlib.util.find_spec(one)]


def table(contracts: Iterable[Contract]) -> list[Route]:
    """All routes, in the order of the contracts. Raises ValueError when two have the same paths."""
    contracts = list(contracts)
    resources = {f"{one.name}.{each.name}": (one, each) for one in contracts for each in one.resources}
    routes: dict[str, Route] = {}

    def put(rule: str, verb: str, action: Action) -> None:
        routes.setdefault(rule, Route(rule)).actions[verb] = action

    for contract in contracts:
        for operation in contract.operations:
            for path in (operation.path or operation.name, *operation.aliases):
                rule = f"{ROOT}/{contract.name}/{path}/".replace("///", "/")  # "/" is the app itself
                for verb in operation.verbs:
                    put(rule, verb, _of_app(contract, operation))
        for resource in contract.resources:
            for base in _bases(contract, resource):
                below = base.removeprefix(f"{ROOT}/").partition("/")[0]
                for rule, verb, action in _resource(contract, resource, base, resources):
                    put(rule, verb, replace(action, below=below))
            for rule, verb, action in _legacy(contract, resource, resources):
                put(rule, verb, action)
        for extension in contract.extensions:
            if extension.target in resources:
                owner, extended = resources[extension.target]
                for base in _bases(owner, extended):
                    target = resources[f"{contract.name}.{extension.relation.to}"]
                    action = Action(
                        kind="foreign",
                        contract=owner,
                        resource=extended,
                        relation=extension.relation,
                        target=target,
                        permission=permission(contract, target[1], "view"),
                    )
                    put(f"{base}<key>/{extension.relation.name}/", "GET", action)
        for one in contract.answers:
            if one.target in resources:
                owner, extended = resources[one.target]
                for base in (*_bases(owner, extended), *(f"{ROOT}/{path}/" for path in one.paths)):
                    rule = f"{base}<key>/{one.name}/"
                    put(rule, "GET", _answering(owner, extended, contract, one, routes.get(rule)))
        home = f"{ROOT}/{contract.name}/"
        if home not in routes or "GET" not in routes[home].actions:
            put(home, "GET", Action(kind="index", contract=contract))
    put(f"{ROOT}/", "GET", Action(kind="index", contract=Contract(name="", title="")))
    _distinct(routes)
    return list(routes.values())


def _distinct(rules: Iterable[str]) -> None:
    shapes: dict[str, str] = {}
    for rule in rules:
        other = shapes.setdefault(PLACE.sub("<>", rule), rule)
        if other != rule:
            raise ValueError(f"{rule} and {other} are the same paths")


def permission(contract: Contract, resource: Resource, action: str) -> str | None:
    return f"{contract.name}.{action}_{resource.model}" if resource.permitted else None


def _bases(contract: Contract, resource: Resource) -> Iterator[str]:
    yield f"{ROOT}/{contract.name}/{resource.name}/"
    if resource.alias:
        yield f"{ROOT}/{resource.name}/"
    for path in resource.paths:
        yield f"{ROOT}/{path}/"


def _of_app(contract: Contract, operation: Operation) -> Action:
    return Action(
        kind="operation",
        contract=contract,
        operation=operation,
        permission=operation.permission,
        anonymous=operation.anonymous,
        staff=operation.staff,
    )


def _answering(
    owner: Contract, resource: Resource, contract: Contract, one: Answering, there: Route | None
) -> Action:
    """With those that other contracts have put `there` already."""
    if unknown := {one.on, *one.needs} - resource.by_name.keys():
        raise ValueError(f"{one.target} has no {', '.join(sorted(unknown))}")
    others = there.actions["GET"].answers if there else ()
    if any((other.on, other.value) == (one.on, one.value) for _, other in others):
        raise ValueError(f"two services answer {one.name} of {one.target} for {one.on} {one.value}")
    return Action(
        kind="answering",
        contract=owner,
        resource=resource,
        answers=(*others, (contract, one)),
        permission=permission(owner, resource, "view"),
    )


def _resource(
    contract: Contract, resource: Resource, base: str, resources: dict[str, tuple[Contract, Resource]]
) -> Iterator[tuple[str, str, Action]]:
    def action(kind: str, verb: str, **more: object) -> Action:
        allowed = permission(contract, resource, verb)
        staff = resource.staff or (resource.staff_writes and verb != "view")
        return Action(
            kind=kind,
            contract=contract,
            resource=resource,
            permission=allowed,
            staff=staff,
            **more,  # type: ignore[arg-type]
        )

    kinds = {"GET": "list", "POST": "create"}
    for verb in resource.collection_methods:
        yield base, verb, action(kinds[verb], WRITES.get(verb, "view"))
    kinds = {"GET": "get", "PUT": "update", "PATCH": "update", "DELETE": "delete"}
    for verb in resource.detail_methods:
        yield f"{base}<key>/", verb, action(kinds[verb], WRITES.get(verb, "view"))
    if resource.bulk:
        for verb, kind in (("POST", "bulk_create"), ("PATCH", "bulk_update"), ("DELETE", "bulk_delete")):
            if verb in resource.methods:
                yield f"{base}bulk/", verb, action(kind, WRITES[verb])
    if resource.imported:
        yield f"{base}import/", "POST", action("import", "add")
    for relation in resource.relations:
        target = resources[f"{contract.name}.{relation.to}"]
        if relation.served:
            more = {"relation": relation, "target": target}
            found = action("related", "view", **more)
            yield f"{base}<key>/{relation.name}/", "GET", found
    if resource.logs:
        yield f"{base}<key>/logs/", "GET", action("logs", "view")
    for operation in resource.operations:
        for verb in operation.verbs:
            found = action("operation", operation.permission or "view", operation=operation)
            yield f"{base}<key>/{operation.path or operation.name}/", verb, found


def _legacy(
    contract: Contract, resource: Resource, resources: dict[str, tuple[Contract, Resource]]
) -> Iterator[tuple[str, str, Action]]:
    if resource.legacy is not None:
        base = f"{LEGACY_ROOT}/{resource.legacy.name}/"
        for rule, verb, found in _resource(contract, resource, base, resources):
            if rule in (base, f"{base}<key>/"):
                yield rule, verb, replace(found, legacy=True)
    for nested in resource.nested:
        target = contract.by_name[resource.related[nested.relation].to]
        yield (
            f"{LEGACY_ROOT}/{nested.parent}/<key>/{nested.name}/",
            "GET",
            Action(
                kind="related",
                contract=contract,
                resource=resource,
                relation=resource.related[nested.relation],
                target=(contract, target),
                nested=nested,
                permission=permission(contract, resource, "view"),
                legacy=True,
            ),
        )
