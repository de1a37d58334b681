"""The rows that the product's public API overview shows, at the ids it shows them.

Nothing else of the demo data is captured. A user of realm pim gets the overview's answers from these.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

REALM: Final = "pim"
MODEL: Final = "HG8245H"
"""Model of every captured CPE: two telephone ports, TR-069."""

REALM_SIZE: Final = 158
"""CPEs of the realm in a demo of the default size."""

PAGE_OFFSET: Final = 42
PAGE_IDS: Final = (119, 121, 123)
"""Sorted by id, the realm's CPEs have these ids at this offset; the ids between are other realms'."""

_2022_12_17 = dt.datetime.fromisoformat("2022-12-17T23:00:01+01:00")
_2019_11_08 = dt.datetime.fromisoformat("2019-11-08T15:57:08+01:00")

CUSTOMER_OF: Final = {74: 65, 350: 27}
PORT_IDS: Final = {74: (138, 139)}
"""Captured CPE → ids of its telephone ports. No port of a captured CPE has a CLI."""

CUSTOMERS: Final[dict[int, dict[str, Any]]] = {
    27: {},
    65: {
        "name": "Incredulo",
        "surname": "Trotamundos",
        "comment": "",
        "address": "Calle Bolivia nº 21 3ºB",
        "city": "Coslada, Madrid",
        "country": "Spain",
        "locality": "",
        "latitude": None,
        "longitude": None,
        "postalcode": None,
        "external_id": None,
        "created": _2019_11_08,
        "updated": _2019_11_08,
    },
}
"""Customer → what was captured of it; the rest is invented."""

_PLAIN: Final[dict[str, Any]] = {
    "access": True,
    "active": True,
    "bridge": False,
    "disable_provision": False,
    "disable_reconfig": False,
    "enable_notifications": False,
    "expiration_applied": None,
    "expiration_date": None,
    "external_voip": False,
    "is_bitstream": False,
    "line_profile": None,
    "probe": False,
    "remote_id": None,
    "voip_profile": None,
}

CPES: Final[dict[int, dict[str, Any]]] = {
    74: {**_PLAIN, "created": _2019_11_08, "line_profile": "residential", "profile_id": 8},
    350: {
        **_PLAIN,
        "address": "",
        "address_profile": None,
        "city": "",
        "country": None,
        "created": _2022_12_17,
        "dsn": None,
        "external_id": None,
        "fixed_address": None,
        "lan_cidr": None,
        "latitude": None,
        "locality": "",
        "longitude": None,
        "mac": None,
        "me_vlan": None,
        "mtamac": None,
        "notes": "",
        "postalcode": None,
        "pppoe_password": "",
        "pppoe_username": None,
        "profile_id": 7,
        "sn": "0000deadbeef0000",
        "tech_updated": None,
        "topology": "",
        "tv_profile": None,
        "updated": _2022_12_17,
        "wanmac": None,
        "wifi_password": "",
        "wifi_profile": None,
        "wifi_ssid": "",
    },
}
"""CPE → what was captured of it, in a plain state where nothing was; the rest is invented."""
