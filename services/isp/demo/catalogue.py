"""What there is before the first subscriber: models, speed profiles, contexts and pick lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final, NamedTuple

from sqlalchemy import Table

from services.isp import models as tables
from services.isp.demo.draws import Row
from services.isp.demo.people import TOWNS

REALMS: Final = ("pim", "cpe", "swt")
WHOLESALE_OWNERS: Final = ("adamo", "onivia")
ISSUED: Final = dt.datetime(2018, 1, 8, 9, 0, tzinfo=dt.UTC)


class Model(NamedTuple):
    """A device model. `vendor_id` begins its serial numbers (ITU-T G.984.3), in ASCII."""

    id: str
    vendor: str
    tech: str
    pots: int
    ethernet: int
    wifi: int
    is_router: bool
    tr069: bool
    diagnostics: bool
    avatar: str | None
    vendor_id: str = ""
    realms: tuple[str, ...] = ()


MODELS: Final = {
    model.id: model
    for model in (
        Model("HG8245H", "Huawei", "gpon", 2, 4, 1, True, True, True, "HG4201", "HWTC"),
        Model("HG8245Q2", "Huawei", "gpon", 2, 4, 1, True, True, True, "HG4201", "HWTC"),
        Model("HS8145V", "Huawei", "gpon", 1, 4, 1, True, True, True, "HG4101", "HWTC"),
        Model("HS8546V2", "Huawei", "gpon", 1, 4, 1, True, True, True, "HG4101", "HWTC"),
        Model("HG8010H", "Huawei", "gpon", 0, 1, 0, False, False, False, "HG1000", "HWTC"),
        Model("F680", "ZTE", "gpon", 2, 4, 1, True, True, True, "HG4201", "ZTEG"),
        Model("NUOP151", "Nucom", "gpon", 0, 1, 0, False, False, False, "HG1000", "NUCM"),
        Model("NC8000W", "Nucom", "gpon", 2, 4, 1, True, True, False, "HG4201", "NUCM"),
        Model("ONU", "ACME", "gpon", 0, 1, 0, True, True, False, "HG1000", "ACME"),
        Model("EPC3928AD", "Cisco", "docsis", 2, 4, 1, True, False, False, None, realms=("cpe", "swt")),
        Model("RB750GR3", "MikroTik", "ethernet", 0, 5, 0, True, False, False, None),
        Model("B535-232", "Huawei", "lte", 1, 4, 1, True, True, False, None),
        Model("SOFTPHONE", "ACME", "voip", 1, 0, 0, False, False, False, None),
    )
}

_MIX: Final = {
    "pim": {
        "HG8245H": 28, "HG8245Q2": 16, "HS8145V": 14, "HS8546V2": 12, "HG8010H": 5, "F680": 12, "NUOP151": 2,
        "NC8000W": 4, "ONU": 1, "RB750GR3": 2, "B535-232": 2, "SOFTPHONE": 4,
    },
    "cpe": {
        "HG8245H": 24, "HG8245Q2": 20, "HS8145V": 10, "HS8546V2": 16, "HG8010H": 6, "F680": 10, "NUOP151": 2,
        "ONU": 1, "EPC3928AD": 3, "RB750GR3": 3, "B535-232": 3, "SOFTPHONE": 3,
    },
    "swt": {
        "HG8245H": 20, "HS8145V": 10, "F680": 8, "NC8000W": 6, "HG8010H": 3, "EPC3928AD": 40, "RB750GR3": 6,
        "B535-232": 5, "SOFTPHONE": 3,
    },
}  # fmt: skip

INVENTORY: Final = {
    realm: [MODELS[name] for name, weight in mix.items() for _ in range(weight)]
    for realm, mix in _MIX.items()
}
"""Per realm, models as often as they occur there: a uniform draw gives the realm's mix."""


class Profile(NamedTuple):
    id: int
    name: str
    tech: str | None
    downstream: str
    upstream: str
    internet_access: bool = True
    realms: tuple[str, ...] = ()


PROFILES: Final = (
    Profile(1, "50M Docsis", "docsis", "50M", "5M", realms=("cpe", "swt")),
    Profile(2, "200M Docsis", "docsis", "200M", "20M", realms=("cpe", "swt")),
    Profile(3, "50M Simetricos", "gpon", "50M", "50M"),
    Profile(4, "100M Simetricos", "gpon", "100M", "100M"),
    Profile(5, "300M Simetricos", "gpon", "300M", "300M"),
    Profile(6, "500M Simetricos", "gpon", "500M", "500M"),
    Profile(7, "600M Simetricos", "gpon", "600M", "600M"),
    Profile(8, "1000M Simetricos", "gpon", "1000M", "1000M"),
    Profile(9, "4G 30M", "lte", "30M", "10M"),
    Profile(10, "Empresas 1000M", "ethernet", "1000M", "1000M"),
    Profile(11, "Solo voz", "gpon", "1M", "1M", internet_access=False),
)

SPEEDS: Final = {
    tech: [profile.id for profile in PROFILES if profile.tech == tech and profile.internet_access]
    for tech in ("gpon", "docsis", "lte", "ethernet")
}

_CONTEXT_NAMES = ("LCR-normal", "LCR-nacionales", "nacionales", "impago")

CONTEXTS: Final = {
    (realm, name): number
    for number, (realm, name) in enumerate(((realm, name) for realm in REALMS for name in _CONTEXT_NAMES), 1)
}
"""(realm, name) → id."""

LINE_PROFILES: Final = {
    "pim": ("residential", "residential_coslada", "business"),
    "cpe": ("residential", "business"),
    "swt": ("residential", "cdata", "business"),
}

TV_PROFILES: Final = ("iptv", "catv", "catv_iptv")
VOIP_PROFILES: Final = {"pim": "asteriskcoslada", "cpe": "asterisk1", "swt": "asterisk2"}
WIFI_PROFILES: Final = ("dual_band", "band_2_4ghz", "guest_network")

# list → (name, label, realm); the realm is null where the choice is for all.
_PICKS: Final[dict[str, list[tuple[str, str, str | None]]]] = {
    "line-profiles": [
        ("residential", "Residential", None),
        ("business", "Business", None),
        ("residential_coslada", "Residential, Coslada", "pim"),
        ("cdata", "Cdata OLTs", "swt"),
        *((f"bitstream:{owner}", f"Over the network of {owner.title()}", None) for owner in WHOLESALE_OWNERS),
    ],
    "address-profiles": [("public", "Public", None), ("nat", "CG-NAT", None), ("fixed", "Fixed", None)],
    "tv-profiles": [(name, name.replace("_", " + ").upper(), None) for name in TV_PROFILES],
    "voip-profiles": [(name, name.title(), realm) for realm, name in VOIP_PROFILES.items()],
    "wifi-profiles": [(name, name.replace("_", " ").capitalize(), None) for name in WIFI_PROFILES],
    "cities": [(town.city, town.city, realm) for realm, towns in TOWNS.items() for town in towns],
    "countries": [(name, name, None) for name in ("Spain", "Andorra", "France", "Portugal")],
}


def rows() -> Iterator[tuple[Table, list[Row]]]:
    """The catalogue, table by table, each after those that it refers to."""
    yield tables.models, [_model(model) for model in MODELS.values()]
    yield (
        tables.model_realms,
        [{"model_id": model.id, "realm": realm} for model in MODELS.values() for realm in model.realms],
    )
    yield tables.cpe_profiles, [_profile(profile) for profile in PROFILES]
    yield (
        tables.cpe_profile_realms,
        [{"cpe_profile_id": profile.id, "realm": realm} for profile in PROFILES for realm in profile.realms],
    )
    yield (
        tables.contexts,
        [{"id": number, "name": name, "realm": realm} for (realm, name), number in CONTEXTS.items()],
    )
    picks = [(list_, *pick) for list_, choices in _PICKS.items() for pick in choices]
    yield (
        tables.pick_lists,
        [
            {"id": number, "list": list_, "name": name, "label": label, "realm": realm}
            for number, (list_, name, label, realm) in enumerate(picks, 1)
        ],
    )


def _model(model: Model) -> Row:
    row = model._asdict()
    del row["vendor_id"], row["realms"]
    return {**row, "label": f"{model.id} ({model.vendor})", "catv": 0}


def _profile(profile: Profile) -> Row:
    row = profile._asdict()
    del row["realms"]
    return {**row, "label": None, "updated": ISSUED}
