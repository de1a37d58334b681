"""What the toy declares: power meters, which it hangs on isp's CPEs and customers."""

from __future__ import annotations

from services.common.contract import Contract, Extension, Relation, Resource
from services.common.fields import Integer, Text

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
)

CONTRACT = Contract(
    name="toy",
    title="Toy",
    resources=(METERS,),
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
