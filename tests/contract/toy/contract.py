"""What the toy declares: power meters, which it hangs on isp's CPEs and customers."""

from __future__ import annotations

from typing import Any

from services.common.contract import Contract, Extension, Operation, Relation, Resource
from services.common.cpe_info import info_of
from services.common.fields import Integer, Text

_TOLD = {"type": "object", "required": ["method", "places", "keyed"]}


def _operation(
    name: str, path: str, *verbs: str, permission: str = "toy.view_meter", **more: Any
) -> Operation:
    """Answers what the service got."""
    return Operation(name=name, path=path, verbs=verbs, permission=permission, response=_TOLD, **more)


METERS = Resource(
    name="meters",
    singular="meter",
    model="meter",
    table="meters",
    title="Meter",
    fields=(
        Integer(name="id", read_only=True, minimum=1),
        Integer(name="cpe", null=True),
        Text(name="customer_key", null=True, max_length=64, folded=False),
        Text(name="label", required=True, max_length=64, searched=True),
        Text(name="pin", null=True, max_length=64, secret=True),
        Text(name="realm", max_length=32, blank="refuse", create_only=True, folded=False),
    ),
    operations=(_operation("hand", "dials/<dial>/hand", "GET", permission="view"),),
)

CONTRACT = Contract(
    name="toy",
    title="Toy",
    resources=(METERS,),
    operations=(
        _operation(
            "dial",
            "sites/<site>/rows/<row>/dial",
            *("GET", "POST", "PUT", "PATCH", "DELETE"),
            request={"type": "object"},
            places={"row": {"pattern": "^[0-9]+$", "description": "counted from the door"}},
        ),
        _operation("any_dial", "sites/any/rows/<row>/dial", "GET", places={"row": {"enum": ["7"]}}),
        _operation("meter_dials", "meters/<meter>/dials/all", "GET"),
        _operation("site", "sites/<site>", "GET"),
        _operation("reading", "sites/<site>/reading", "GET", seconds=20.0),
    ),
    answers=(info_of("voip", needs=("id", "internal_id", "tech", "mac", "pppoe_password")),),
    extensions=(
        Extension(
            target="isp.cpes",
            relation=Relation(name="meters", to="meters", by="cpe", many=True, omit=("cpe", "realm")),
        ),
        Extension(
            target="isp.customers",
            relation=Relation(name="meter", to="meters", by="customer_key", omit=("customer_key", "realm")),
            on="external_id",
        ),
    ),
)
