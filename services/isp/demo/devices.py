"""Invented CPEs: one row of `cpes` from its number, realm, model, customer and town."""

from __future__ import annotations

import datetime as dt
from random import Random

from services.isp.demo.catalogue import (
    LINE_PROFILES,
    SPEEDS,
    TV_PROFILES,
    WHOLESALE_OWNERS,
    WIFI_PROFILES,
    Model,
)
from services.isp.demo.draws import Row, instant, later, near, pick, scattered, secret
from services.isp.demo.people import Town, address

NUCOM_WAN_OFFSET = 2
"""A Nucom device's WAN address is its own plus two."""


def cpe(random: Random, number: int, realm: str, model: Model, customer: int, town: Town, when: float) -> Row:
    """A row of `cpes` with id `number`, created at `when` (seconds since the epoch), without voice yet."""
    internal_id = f"{realm}{number:04d}"
    gpon = model.tech == "gpon"
    wifi = model.wifi > 0 and random.random() < 0.4
    pppoe = model.tech != "voip" and random.random() < 0.2
    own_address = random.random() < 0.3
    located = random.random() < 0.35
    updated = instant(later(random, when))
    speeds = SPEEDS.get(model.tech)
    nucom = model.vendor == "Nucom"
    # A locally administered address (IEEE 802): it belongs to no manufacturer.
    mac = f"02{scattered(number, 40):010x}" if nucom or model.tech not in ("gpon", "voip") else None
    row: Row = {
        "id": number,
        "internal_id": internal_id,
        "customer_id": customer,
        "model_id": model.id,
        "profile_id": pick(random, speeds) if speeds else None,
        "access": True,
        "active": True,
        "bridge": model.is_router and random.random() < 0.03,
        "disable_provision": random.random() < 0.01,
        "disable_reconfig": random.random() < 0.01,
        "enable_notifications": random.random() < 0.04,
        "external_voip": model.pots > 0 and random.random() < 0.02,
        "is_bitstream": False,
        "probe": random.random() < 0.005,
        "tech": model.tech,
        "address_profile": None,
        "fixed_address": None,
        "line_profile": pick(random, LINE_PROFILES[realm]) if gpon else None,
        "tv_profile": pick(random, TV_PROFILES) if gpon and random.random() < 0.15 else None,
        "voip_profile": None,
        "wifi_profile": pick(random, WIFI_PROFILES) if wifi else None,
        "expiration_date": None,
        "expiration_applied": None,
        "sn": f"{model.vendor_id.encode('ascii').hex()}{scattered(number, 32):08x}" if gpon else None,
        "dsn": None,
        "mac": mac,
        "mtamac": f"06{scattered(number, 40):010x}" if model.tech == "docsis" else None,
        "wanmac": f"{int(mac, 16) + NUCOM_WAN_OFFSET:012x}" if mac and nucom else None,
        "remote_id": None,
        "me_vlan": 100 + number % 400 if model.tech == "ethernet" else None,
        "lan_cidr": "192.168.1.1/24" if model.is_router and random.random() < 0.1 else None,
        "notes": "Instalado en fachada." if random.random() < 0.08 else "",
        "pppoe_username": f"{internal_id}@fibra.example" if pppoe else None,
        "pppoe_password": secret(random, 10) if pppoe else "",
        "wifi_ssid": f"Fibra-{scattered(number, 16):04X}" if wifi else "",
        "wifi_password": secret(random, 12) if wifi else "",
        "topology": f"NAP-{town.code}-{number % 240 + 1:03d}" if gpon and random.random() < 0.7 else "",
        "tech_updated": updated if random.random() < 0.8 else None,
        "voice_ports": "",
        "address": address(random) if own_address else "",
        "city": town.city if own_address else "",
        "country": "Spain" if own_address else None,
        "locality": "",
        "latitude": near(random, town.latitude) if located else None,
        "longitude": near(random, town.longitude) if located else None,
        "postalcode": town.postalcode if own_address else None,
        "external_id": internal_id if random.random() < 0.3 else None,
        "realm": realm,
        "created": instant(when),
        "updated": updated,
    }
    if model.tech != "voip":
        _give_address(random, row)
    if gpon and random.random() < 0.04:
        _put_on_another_network(random, row)
    if model.vendor == "ZTE":
        _pair_by_device_serial(random, row)
    _give_standing(random, row)
    return row


def _give_address(random: Random, row: Row) -> None:
    chance = random.random()
    if chance < 0.04:
        # Shared address space (RFC 6598), 100.64.0.0/10.
        host = scattered(row["id"], 22)
        row["address_profile"] = "fixed"
        row["fixed_address"] = f"100.{64 + (host >> 16)}.{host >> 8 & 255}.{host & 255}"
    elif chance < 0.9:
        row["address_profile"] = "public" if chance < 0.3 else "nat"


def _put_on_another_network(random: Random, row: Row) -> None:
    """A bitstream CPE; it may have no speed of ours."""
    row["is_bitstream"] = True
    row["line_profile"] = f"bitstream:{pick(random, WHOLESALE_OWNERS)}"
    row["remote_id"] = f"WS{row['id']:010d}"
    row["topology"] = ""
    if random.random() < 0.3:
        row["profile_id"] = None


def _pair_by_device_serial(random: Random, row: Row) -> None:
    """Some devices show a placeholder as GPON serial number: only the device serial tells them apart."""
    row["dsn"] = f"zte0q{scattered(row['id'], 40):010x}"
    if random.random() < 0.2:
        row["sn"] = f"{row['sn'][:8]}00000000"


def _give_standing(random: Random, row: Row) -> None:
    """Nine in ten are in order; the others have expired, will expire, do not pay or have left."""
    chance, days = random.random(), random.random()
    if chance < 0.02:
        day = dt.date(2024, 1, 1) + dt.timedelta(days=int(days * 900))
        row.update(expiration_date=day, expiration_applied=day, access=False)
    elif chance < 0.05:
        row["expiration_date"] = dt.date(2028, 1, 1) + dt.timedelta(days=int(days * 1400))
    elif chance < 0.08:
        row["access"] = False
    elif chance < 0.1:
        row.update(access=False, active=False)
