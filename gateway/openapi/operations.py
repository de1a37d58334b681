"""One operation object per verb and path: summary, parameters, body, answers, by the kind of its action."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.bodies import FORMS
from gateway.idempotency import REPLAYED
from gateway.openapi import answers, bulk, parameters, schemas
from gateway.openapi.names import component, operation_id, tag
from gateway.openapi.schemas import NULL, any_of, ref
from gateway.routes import WRITES, Action, Route
from services.common.contract import WAIT, Contract, Resource
from services.common.fields import Json
from services.common.resource.reads import CSV, NDJSON
from services.common.settings import Settings

NOTHING: Json = {"enum": [None, []]}
BODY_ERRORS = (400, 413, 415)

UNCHANGED = answers.answer("What the client has is still right.", shown=("ETag",))

Parts = tuple[list[Json], Json | None, dict[int, Json], tuple[int, ...]]
"""Parameters, request body, good answers by status, statuses of the errors."""


class Operations:
    """Makes operations. `known`: the parameters among the components, by name."""

    def __init__(self, settings: Settings, known: dict[str, Json], routes: list[Route]) -> None:
        self.settings = settings
        self.known = known
        self.routes = {route.rule: route for route in routes}
        self._kinds: dict[str, Callable[[Route, str, Action], Parts]] = {
            "list": self._list,
            "create": self._create,
            "get": self._get,
            "update": self._update,
            "delete": self._delete,
            "related": self._related,
            "foreign": self._related,
            "answering": self._answering,
            "bulk_create": self._bulk,
            "bulk_update": self._bulk,
            "bulk_delete": self._bulk,
            "import": self._import,
            "logs": self._logs,
            "operation": self._operation,
            "index": self._index,
        }

    def of(self, route: Route, verb: str, action: Action) -> Json:
        """The operation object of one cell of the route table."""
        given, body, good, failed = self._kinds[action.kind](route, verb, action)
        statuses = {*failed, *answers.EVERYWHERE, *(() if action.anonymous else answers.PROTECTED)}
        if _named(action, verb):
            given = [*given, ref("idempotency-key", "parameters")]
        if _remembered(action, verb):
            statuses |= {409, 422}
            for status, one in good.items():
                if status < 300:
                    one["headers"][REPLAYED] = ref(REPLAYED, "headers")
        operation: Json = {
            "operationId": operation_id(route, verb, action),
            "tags": [tag(action)],
            "summary": summary(action, verb),
            "responses": answers.responses(good, statuses),
        }
        if description := _description(action):
            operation["description"] = description
        if given:
            operation["parameters"] = given
        if body is not None:
            operation["requestBody"] = body
        if action.anonymous:
            operation["security"] = []
        if deprecated(action):
            operation["deprecated"] = True
        return operation

    # ---- kinds --------------------------------------------------------------------------------

    def _list(self, route: Route, verb: str, action: Action) -> Parts:
        contract, resource = _resource(action)
        bare = action.legacy or not resource.paged
        return self._rows(contract, resource, [], bare=bare, exported=True)

    def _get(self, route: Route, verb: str, action: Action) -> Parts:
        given = [*self._key(action), *self._shown(action), ref("if-none-match", "parameters")]
        failed = (400, 404, *self._ambiguous(action.resource))
        return given, None, {200: self._row(action), 304: UNCHANGED}, failed

    def _create(self, route: Route, verb: str, action: Action) -> Parts:
        contract, resource = _resource(action)
        one = ref(component(contract, resource, "Create"))
        body = _body(one, required=_demands(resource))
        made = ref(component(contract, resource))
        if resource.once:
            shown = {name: resource.by_name[name].schema() for name in resource.once}
            note = f"What is only shown here: {', '.join(resource.once)}."
            made = {"allOf": [made, {"type": "object", "description": note, "properties": shown}]}
        good = {201: self._row(action, "The new row.", "Location", schema=made)}
        if links := self._links(route):
            good[201]["links"] = links
        if resource.bulk:
            body["content"][answers.JSON] = {"schema": any_of(one, bulk.several(one))}
            good |= _bulk_answers()
        if resource.upsert is not None:
            changed = any_of(ref(component(contract, resource)), ref("BulkAnswer"))
            good[200] = answers.answer("The row that was there; of several, what became of each.", changed)
        given = [ref(f"{component(contract, resource)}.attrs", "parameters"), *self._upsert(action)]
        return given, body, good, (*BODY_ERRORS, 409)

    def _update(self, route: Route, verb: str, action: Action) -> Parts:
        contract, resource = _resource(action)
        whole = verb == "PUT"
        changes = ref(component(contract, resource, "Update"))
        schema = schemas.replace(resource, changes) if whole else changes
        body = _body(schema, required=whole and _demands(resource))
        attrs = ref(f"{component(contract, resource)}.attrs", "parameters")
        given = [*self._key(action), attrs, ref("if-match", "parameters")]
        return given, body, {200: self._row(action)}, (*BODY_ERRORS, 404, 409, 412)

    def _delete(self, route: Route, verb: str, action: Action) -> Parts:
        given = [*self._key(action), ref("if-match", "parameters")]
        good = answers.answer("It is gone, and what belongs to it.")
        return given, None, {204: good}, (400, 404, 409, 412)

    def _related(self, route: Route, verb: str, action: Action) -> Parts:
        relation, target = action.relation, action.target
        if relation is None or target is None:
            raise ValueError(f"{route.rule} has no relation")
        own = action.kind == "related"
        failed = (404, *self._ambiguous(action.resource))
        if relation.many:
            given, body, good, more = self._rows(
                *target, self._key(action), bare=own and not relation.paged, exported=own
            )
            return given, body, good, (*failed, *more)
        given = [*self._key(action), *parameters.shown(*target, self.known)]
        one = ref(component(*target))
        if not own:
            return (
                given,
                None,
                {200: answers.answer("The row, if there is one.", any_of(one, NULL))},
                (400, *failed),
            )
        given.append(ref("if-none-match", "parameters"))
        good = {200: answers.answer("The row on the other side.", one, shown=("ETag",)), 304: UNCHANGED}
        return given, None, good, (400, *failed)

    def _answering(self, route: Route, verb: str, action: Action) -> Parts:
        declared = [one for _, one in action.answers]
        shapes = [one.response for one in declared]
        body = any_of(*(one for index, one in enumerate(shapes) if one not in shapes[:index]))
        failed = {status for one in declared for status in one.statuses if status >= 400}
        good = {200: answers.answer("As it is now.", body)}
        return self._key(action), None, good, (*failed, *self._ambiguous(action.resource))

    def _rows(
        self, contract: Contract, resource: Resource, given: list[Json], *, bare: bool, exported: bool
    ) -> Parts:
        """A list: in pages, or the bare array."""
        name = component(contract, resource)
        body = {"type": "array", "items": ref(name)} if bare else ref(f"{name}Page")
        given = [*given, *parameters.listed(contract, resource, self.known, paged=not bare)]
        given += [ref(one, "parameters") for one in (*(("format",) if exported else ()), "if-none-match")]
        others = answers.exported(resource.title or resource.singular) if exported else {}
        good = answers.answer("The rows.", body, shown=("ETag", "X-Ignored-Parameters"), **others)
        return given, None, {200: good, 304: UNCHANGED}, (400,)

    def _bulk(self, route: Route, verb: str, action: Action) -> Parts:
        contract, resource = _resource(action)
        schema = {
            "bulk_create": lambda: bulk.create(contract, resource),
            "bulk_update": lambda: bulk.update(contract, resource),
            "bulk_delete": bulk.delete,
        }[action.kind]()
        body = {"required": True, "content": {answers.JSON: {"schema": schema}}}
        given = [ref("atomic", "parameters"), ref("dry-run", "parameters")]
        if action.kind == "bulk_create":
            given += self._upsert(action)
        return given, body, _bulk_answers(), (409, 413, 415)

    def _import(self, route: Route, verb: str, action: Action) -> Parts:
        content = {kind: {"schema": {"type": "string"}} for kind in (CSV, NDJSON)}
        good = answers.answer("What became of the lines; good ones are kept.", ref("ImportAnswer"))
        given = [ref("import-id", "parameters"), ref("dry-run", "parameters")]
        return given, {"required": True, "content": content}, {200: good}, (*BODY_ERRORS, 409)

    def _logs(self, route: Route, verb: str, action: Action) -> Parts:
        given = [*self._key(action), *(ref(name, "parameters") for name in parameters.PAGING)]
        return given, None, {200: answers.answer("Newest first.", ref("LogEntryPage"))}, (400, 404, 409)

    def _operation(self, route: Route, verb: str, action: Action) -> Parts:
        declared = action.operation
        if declared is None:
            raise ValueError(f"{route.rule} has no operation")
        given = self._key(action) if route.detail else []
        given += [parameters.place(name, declared.places.get(name)) for name in route.places]
        query = dict(declared.parameters)
        needed: list[str] = []
        if declared.outcome is not None:
            query["wait"] = WAIT
        if declared.acts and verb == "GET" and declared.request is not None:
            query |= declared.request["properties"]
            needed = declared.request.get("required", [])
        given += [
            {"name": name, "in": "query", "schema": one} | ({"required": True} if name in needed else {})
            for name, one in query.items()
        ]
        body = None
        if declared.request is not None and verb in ("POST", "PUT", "PATCH"):
            required = bool(declared.request.get("required"))
            schema = any_of(declared.request, NOTHING) if declared.acts and not required else declared.request
            body = _body(schema, required=required)
        taken = BODY_ERRORS if body is not None else ()
        good: dict[int, Json] = {}
        for status in declared.statuses:
            if status < 300:
                body_of = declared.response if status != 204 else None
                doc, shown = ("Begun.", ("Location",)) if status == 202 else ("Done.", ())
                good[status] = answers.answer(doc, body_of, shown=shown)
            elif status < 400:
                good[status] = answers.answer("Go there.", shown=("Location",))
        if declared.acts and verb == "GET":
            good[204] = answers.answer("A browser only looked ahead: nothing was done.")
        return given, body, good, (*declared.statuses, *taken, *self._ambiguous(action.resource))

    def _index(self, route: Route, verb: str, action: Action) -> Parts:
        body = {"type": "object", "additionalProperties": {"type": "string", "format": "uri"}}
        return [], None, {200: answers.answer("Name → address.", body)}, ()

    # ---- parts --------------------------------------------------------------------------------

    def _key(self, action: Action) -> list[Json]:
        contract, resource = _resource(action)
        return [ref(f"{component(contract, resource)}.key", "parameters")]

    def _shown(self, action: Action) -> list[Json]:
        return parameters.shown(*_resource(action), self.known)

    def _upsert(self, action: Action) -> list[Json]:
        name = f"{component(*_resource(action))}.upsert"
        return [ref(name, "parameters")] if name in self.known else []

    def _row(self, action: Action, doc: str = "The row.", *shown: str, schema: Json | None = None) -> Json:
        one = schema or ref(component(*_resource(action)))
        return answers.answer(doc, one, shown=("ETag", "X-Ignored-Parameters", *shown))

    def _ambiguous(self, resource: Resource | None) -> tuple[int, ...]:
        return (409,) if resource is not None and len(resource.keys) > 1 else ()

    def _links(self, route: Route) -> dict[str, Any]:
        """What can be done with a new row next."""
        detail = self.routes.get(f"{route.rule}<key>/")
        if detail is None:
            return {}
        ids = [operation_id(detail, verb, action) for verb, action in detail.actions.items()]
        return {one: {"operationId": one, "parameters": {"key": "$response.body#/id"}} for one in ids}


def _named(action: Action, verb: str) -> bool:
    """Whether the client may name the request, to send it again."""
    return action.kind == "import" or _remembered(action, verb)


def _remembered(action: Action, verb: str) -> bool:
    """Whether the answer to a named request is kept."""
    if action.operation is not None:
        return action.operation.remembered and not action.anonymous and action.operation.changes(verb)
    return verb in WRITES and action.kind != "import"


def summary(action: Action, verb: str) -> str:
    """One line on what the operation does."""
    title = action.resource.title or action.resource.singular if action.resource else action.contract.title
    if action.operation is not None:
        return action.operation.name.replace("_", " ").replace("-", " ").capitalize()
    if action.relation is not None:
        return f"{title}: {action.relation.name.replace('-', ' ')}"
    if action.answers:
        return f"{title}: {action.answers[0][1].name.replace('-', ' ')}"
    return {
        "list": f"{title}: list",
        "create": f"{title}: create",
        "get": f"{title}: read",
        "update": f"{title}: {'replace' if verb == 'PUT' else 'change'}",
        "delete": f"{title}: delete",
        "bulk_create": f"{title}: create many",
        "bulk_update": f"{title}: change many",
        "bulk_delete": f"{title}: delete many",
        "import": f"{title}: import",
        "logs": f"{title}: what was done to it",
        "index": f"Index of {title or 'the API'}",
    }[action.kind]


def deprecated(action: Action) -> bool:
    """API v1, and operations whose text says so in its first word."""
    return action.legacy or (action.operation is not None and action.operation.doc.startswith("Deprecated"))


def _description(action: Action) -> str:
    answering = action.answers[0][1] if action.answers else None
    docs = [(action.operation or answering or action.resource or action.contract).doc]
    if answering is not None:
        docs.append(f"For a {answering.on} that is {' or '.join(one.value for _, one in action.answers)}.")
    if action.permission:
        docs.append(f"Needs the permission `{action.permission}`.")
    if action.staff:
        docs.append("For staff only.")
    if action.legacy:
        docs.append("API v1: use v2.")
    return " ".join(doc for doc in docs if doc)


def _resource(action: Action) -> tuple[Contract, Resource]:
    if action.resource is None:
        raise ValueError(f"{action.kind} without a resource")
    return action.contract, action.resource


def _bulk_answers() -> dict[int, Json]:
    refused = any_of(ref("BulkAnswer"), ref("FieldErrors"), ref("Error400"))
    return {
        200: answers.answer("What became of each item.", ref("BulkAnswer")),
        400: answers.answer("The request is malformed, or `atomic` and an item failed.", refused),
    }


def _demands(resource: Resource) -> bool:
    return any(one.required for one in resource.writable)


def _body(schema: Json, *, required: bool) -> Json:
    return {"required": required, "content": {kind: {"schema": schema} for kind in (answers.JSON, *FORMS)}}
