"""Rows to query: the same in every database, with nulls, ties, capitals, accents and wildcards in them.

What a query should find is said here in plain Python, from the rows as the API shows them.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from collections import Counter
from decimal import Decimal
from typing import Any

from services.common.contract import Resource
from services.common.fields import Boolean, Coordinate, DateTime, Field, Integer, Number, Reference, Text
from services.isp.contract import CONTRACT
from tests.integration.engine.world import ROOT, World

CPES = 60
WORDS = (
    "",
    "Calle Mayor",
    "calle mayor",
    "ÑUÑOA",
    "ñuñoa",
    "Ávila",
    "100%",
    "100_",
    "a/b",
    "A_B",
    "x%y",
    "Zürich",
    "null",
    "=1",
    "Coslada, Madrid",
)
TRUE, FALSE = "true", "off"

Row = dict[str, Any]


def stock(world: World) -> World:
    """Fill an empty database."""
    dice = random.Random(7)

    def words() -> str:
        return dice.choice(WORDS)

    def maybe(value: Any) -> Any:
        return None if dice.random() < 0.3 else value

    def flag() -> bool:
        return dice.random() < 0.5

    def moment() -> dt.datetime:
        return dt.datetime(2024, 3, 30, 22, tzinfo=dt.UTC) + dt.timedelta(minutes=30 * dice.randrange(8))

    def place(number: int) -> Row:
        return {
            "address": words(),
            "city": words(),
            "country": maybe(words()),
            "locality": words(),
            "latitude": maybe(Decimal(dice.randrange(-3, 4)) / 2),
            "longitude": maybe(Decimal(dice.randrange(-1799, 1800)) / 10),
            "postalcode": maybe(dice.choice(["30100", "28-013", ""])),
            "external_id": maybe(f"{words()}{number}"),
            "realm": dice.choice(["dem", "pim"]),
            "created": moment(),
            "updated": moment(),
        }

    models = [
        {
            "id": f"M{n}",
            "label": words(),
            "vendor": words(),
            "tech": dice.choice(["gpon", "docsis"]),
            "pots": n % 3,
            "is_router": flag(),
            "tr069": flag(),
            "diagnostics": flag(),
            "avatar": maybe(f"HG{n}"),
        }
        for n in range(5)
    ]
    profiles = [
        {
            "id": n,
            "name": words() or "x",
            "label": maybe(words()),
            "tech": maybe("gpon"),
            "downstream": f"{n}M",
            "upstream": "1M",
            "internet_access": flag(),
            "updated": moment(),
        }
        for n in range(1, 5)
    ]
    contexts = [{"id": n, "name": f"{words()}{n}", "realm": dice.choice(["dem", "pim"])} for n in range(1, 5)]
    customers = [
        {"id": n, "name": words() or "x", "surname": words(), "comment": words(), **place(n)}
        for n in range(1, 26)
    ]
    cpes: list[Row] = []
    potses: list[Row] = []
    for n in range(1, CPES + 1):
        owner = dice.choice(customers)
        cpes.append(
            place(n)
            | {
                "id": n,
                "internal_id": f"{owner['realm']}{n:04d}",
                "customer_id": owner["id"],
                "realm": owner["realm"],
                "model_id": dice.choice(models)["id"],
                "profile_id": maybe(dice.randrange(1, 5)),
                **{
                    name: flag()
                    for name in (
                        "access",
                        "active",
                        "bridge",
                        "disable_provision",
                        "disable_reconfig",
                        "enable_notifications",
                        "external_voip",
                        "is_bitstream",
                        "probe",
                    )
                },
                "tech": dice.choice(["gpon", "docsis", "wimax"]),
                "address_profile": maybe(dice.choice(["nat", "public"])),
                "fixed_address": maybe(f"100.64.99.{n % 7}"),
                "line_profile": maybe(words()),
                "tv_profile": maybe(words()),
                "voip_profile": maybe(words()),
                "wifi_profile": maybe(words()),
                "expiration_date": maybe(dt.date(2024, 2, 27) + dt.timedelta(days=n % 5)),
                "sn": maybe(f"48575443{n:08x}"),
                "dsn": maybe(words().lower()),
                "mac": maybe(f"{n:012x}"),
                "mtamac": maybe(f"{n % 9:012x}"),
                "wanmac": maybe(f"{n % 4:012x}"),
                "remote_id": maybe(words()),
                "me_vlan": maybe(n % 6 + 1),
                "lan_cidr": maybe("192.168.1.1/24"),
                "notes": words(),
                "pppoe_username": maybe(words()),
                "pppoe_password": words(),
                "wifi_ssid": words(),
                "wifi_password": words(),
                "topology": words(),
                "tech_updated": maybe(moment()),
            }
        )
        potses += [
            {
                "id": len(potses) + port,
                "cpe_id": n,
                "order": port,
                "realm": owner["realm"],
                "cli": maybe(f"9{n:04d}{port}"),
                "context_id": maybe(dice.randrange(1, 5)),
                "dtmf": dice.choice(["auto", "info"]),
                "label": maybe(words()),
                "language": maybe("es"),
                "username": maybe(words()),
                "password": maybe(words()),
                "pbx_extension": flag(),
                "voicemail": flag(),
                "voicemail_password": maybe("1234"),
                "billing_profile": maybe(words()),
                "custom_digitmap": maybe(words()),
                "updated": moment(),
            }
            for port in range(1, n % 3 + 1)
        ]
    picks: list[Row] = [
        {
            "id": n,
            "list": dice.choice(["line-profiles", "cities"]),
            "name": words() or "x",
            "label": words(),
            "realm": dice.choice([None, "dem", "pim"]),
        }
        for n in range(1, 13)
    ]
    audit: list[Row] = [
        {
            "id": n,
            "time": moment(),
            "user": maybe(words()),
            "action": n % 3 + 1,
            "resource": "cpes",
            "model": "cpe",
            "object_id": str(n),
            "object_repr": words(),
            "realm": dice.choice(["dem", "pim"]),
            "changes": {},
        }
        for n in range(1, 13)
    ]
    world.insert("models", models)
    world.insert("cpe_profiles", profiles)
    world.insert("contexts", contexts)
    world.insert("customers", customers)
    world.insert("cpes", cpes)
    world.insert("potses", potses)
    world.insert("pick_lists", picks)
    world.insert("audit", audit)
    tables = {"customers": customers, "cpes": cpes, "potses": potses, "contexts": contexts}
    counts = Counter((name, row["realm"]) for name, rows in tables.items() for row in rows)
    world.insert(
        "tally", [{"resource": r, "realm": m, "rows": n, "writes": 1} for (r, m), n in counts.items()]
    )
    return world


def shown(world: World, resource: Resource) -> list[Row]:
    """Every row with every member that may be filtered."""
    names = ",".join(one.name for one in resource.fields if one.filtered)
    reply = world.engine.list(ROOT, resource.name, [("attrs", f"id,{names}"), ("limit", "1000")])
    return json.loads(reply.body)


def typed(field: Field, value: Any) -> Any:
    """A member's JSON value as Python compares it."""
    if value is None:
        return None
    if isinstance(field, DateTime):
        return dt.datetime.fromisoformat(value)
    if isinstance(field, Coordinate):
        return Decimal(value)
    if isinstance(field, Number):
        return float(value)
    return dt.date.fromisoformat(value) if field.kind == "date" else value


def meant(field: Field, text: str) -> Any:
    """What the text of a query parameter stands for; valid texts only."""
    if text == "null" or (text == "" and not isinstance(field, Text)):
        return None
    if isinstance(field, Boolean):
        return text == TRUE
    if isinstance(field, Integer) or (isinstance(field, Reference) and not field.textual):
        return int(text)
    if isinstance(field, Text) and field.normalize is not None:
        try:
            return field.normalize(text)
        except ValueError:
            return text
    if isinstance(field, Text) and text.lower() in field.choices:
        return text.lower()
    return typed(field, text)


def holds(field: Field, operator: str, text: str, value: Any) -> bool:
    """Whether a row with this value is among those that `<field>__<operator>=<text>` asks for."""
    if operator == "isnull":
        return (value is None) == (text == TRUE)
    if operator in ("icontains", "contains", "startswith"):
        return (
            value is not None
            and {
                "icontains": lambda: text.lower() in value.lower(),
                "contains": lambda: text in value,
                "startswith": lambda: value.startswith(text),
            }[operator]()
        )
    if operator in ("", "in", "ne"):
        fold = isinstance(field, Text) and not field.case_matters

        def folded(one: Any) -> Any:
            return one.lower() if fold and one is not None else one

        parts = [*text.split(","), text] if isinstance(field, Text) else text.split(",")
        among = folded(value) in [folded(meant(field, part)) for part in parts]
        return among != (operator == "ne")
    bound = meant(field, text)
    if value is None or bound is None:
        return False
    return {"gt": value > bound, "gte": value >= bound, "lt": value < bound, "lte": value <= bound}[operator]


def ordered(rows: list[Row], keys: list[tuple[Field, bool]]) -> list[Any]:
    """The ids in the order of these keys (field, descending): nulls last going up, first going down."""
    rows = sorted(rows, key=lambda row: row["id"])
    for field, descending in reversed(keys):
        values = {row["id"]: typed(field, row[field.name]) for row in rows}
        missing = [row for row in rows if values[row["id"]] is None]
        present = [row for row in rows if values[row["id"]] is not None]
        present.sort(key=lambda row, values=values: values[row["id"]], reverse=descending)  # type: ignore[misc]
        rows = missing + present if descending else present + missing
    return [row["id"] for row in rows]


def filterable(resource: Resource) -> list[Field]:
    return [one for one in resource.fields if one.filtered]


RESOURCES = [
    CONTRACT.by_name[n]
    for n in ("customers", "cpes", "potses", "cpe-profiles", "models", "contexts", "line-profiles", "audit")
]
