"""From a CPE in the books to a modem on the cable and back, over HTTP alone, both ways of running: a CMTS of
the lab, its modems, and the TFTP server that gives them what docsis wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from deploy.lab.network import invent
from deploy.lab.network.invent import Subscriber
from deploy.lab.network.starter import RunningLab
from tests.servers import Server, Session, eventually

NAME = "cmtsContract"
API = "/api/v2/docsis"
MAC, OTHER = "02c0ffee0000", "02c0ffee0001"

Json = dict[str, Any]


@pytest.fixture(scope="module")
def lab(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """One CMTS, whose modems fetch the files that this server writes."""
    folder = tmp_path_factory.mktemp("cable")
    (server.data / "docsis").mkdir(exist_ok=True)
    (folder / "docsis").symlink_to(server.data / "docsis")
    modems = [
        Subscriber(f"cpe{n}", mac, "CM500", down=10_000_000, up=1_000_000)
        for n, mac in enumerate((MAC, OTHER))
    ]
    plan = invent.lab((), modems, registration=0.5)
    plan.olts = []
    plan.cmtss[0].name = NAME
    with RunningLab(folder, plan) as running:
        yield running


@pytest.fixture(scope="module")
def admin(server: Server) -> Session:
    return server.session("admin")


@pytest.fixture(scope="module")
def cmts(admin: Session, lab: RunningLab) -> Iterator[Json]:
    """Known to docsis, which has read it once."""
    reached = lab.device(NAME)
    body = {
        "name": NAME,
        "address": reached["address"],
        "snmp_port": reached["snmp_port"],
        "snmp_community": reached["community"],
        "snmp_write_community": reached["write_community"],
        "modem_port": reached["modem_port"],
        "modem_community": reached["modem_community"],
        "modem_write_community": reached["modem_community"],
        "shared_secret": "invented-secret",
        "realms": ["pim"],
    }
    made = admin.post(f"{API}/cmtss/", json=body)
    assert made.status_code == 201, made.text
    assert not {"snmp_community", "shared_secret", "modem_community"} & made.json().keys()
    eventually(lambda: len(modems(admin)) == 2)
    yield made.json()
    assert admin.delete(f"{API}/cmtss/{NAME}/").status_code == 204


def modems(admin: Session, **parameters: str) -> list[Json]:
    answer = admin.get(f"{API}/cable-modems/", params={"cmts": NAME, **parameters})
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["results"]
    return found


def modem(admin: Session, mac: str) -> Json:
    answer = admin.get(f"{API}/cable-modems/{mac}", timeout=30)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def provisioning(admin: Session, cpe: Json) -> Json | None:
    rows = admin.get(f"{API}/provisionings/", params={"cpe": str(cpe["id"])}).json()["results"]
    return rows[0] if rows else None


def applied(admin: Session, cpe: Json) -> bool:
    row = provisioning(admin, cpe)
    return row is not None and row["state"] == "applied"


def test_a_cmts_is_there_with_what_it_has(admin: Session, cmts: Json) -> None:
    shown = admin.get(f"{API}/cmtss/{NAME}").json()
    assert (shown["vendor"], shown["state"]) == ("Casa Systems", "up")
    assert sum(shown["cable_modems"].values()) == 2
    (domain,) = admin.get(f"{API}/cmtss/{NAME}/mac-domains/").json()
    assert admin.get(f"{API}/cmtss/{NAME}/mac-domains/{domain['ifindex']}/").json() == domain
    for name in ("fiber-nodes", "downstreams", "upstreams"):
        assert admin.get(f"{API}/cmtss/{NAME}/{name}", params={"refresh": "true"}, timeout=30).json()
    assert admin.get(f"{API}/cmtss/{NAME}/upstreams/1/").status_code == 404
    assert len(admin.get(f"{API}/cmtss/{cmts['id']}/cable-modems/").json()["results"]) == 2


def test_both_spellings_of_a_mac_are_one_modem(admin: Session, cmts: Json) -> None:
    spelled = bytes.fromhex(OTHER).hex(":")
    # It may be read anew between the two.
    eventually(lambda: (found := modems(admin, mac=OTHER)) and found == modems(admin, mac=spelled))
    first = eventually(lambda: (told := modem(admin, OTHER))["poll"] == "success" and told)
    assert (first["mac"], first["poll"], first["state"]) == (spelled, "success", "online")
    assert modem(admin, spelled)["id"] == first["id"]
    assert (
        admin.get(f"{API}/cmtss/{NAME}/cable-modems/{spelled.upper()}/", timeout=30).json()["mac"] == spelled
    )
    assert admin.get(f"{API}/cable-modems/02c0ffee9999/").status_code == 404
    channel = first["upstream"][0]["itf_name"]
    assert OTHER in [one["mac"].replace(":", "") for one in modems(admin, upstream=channel)]
    assert modems(admin, upstream=channel[:-1]) == []
    below = admin.get(f"{API}/cmtss/{NAME}/cable-modems/", params={"upstream": channel, "mac": OTHER})
    assert below.json()["count"] == 1


def test_an_upstream_is_moved(admin: Session, cmts: Json) -> None:
    up = admin.get(f"{API}/cmtss/{NAME}/upstreams/").json()[0]
    path = f"{API}/cmtss/{NAME}/upstreams/{up['ifindex']}/"
    for freq in (up["freq"] + 200_000, up["freq"]):
        answer = admin.patch(path, json={"freq": freq}, timeout=30)
        assert (answer.status_code, answer.json()["freq"]) == (200, freq)
    assert admin.patch(path, json={"freq": 1}).status_code == 400
    assert admin.patch(path, json={}).status_code == 400


def test_a_modem_is_reset(admin: Session, cmts: Json) -> None:
    eventually(lambda: modem(admin, OTHER)["poll"] == "success")
    answer = admin.post(f"{API}/cable-modems/{OTHER}/reset/", params={"wait": "30"}, timeout=40)
    assert (answer.status_code, answer.json()["result"]) == (200, "ok"), answer.text
    eventually(lambda: (modem(admin, OTHER)["uptime"] or 10**6) < 60)


def test_from_the_books_to_the_modem_and_back(admin: Session, cmts: Json) -> None:
    admin.post("/api/v2/isp/models/", json={"id": "CM500", "tech": "docsis", "vendor": "Northlight"})
    speed = {"name": "contract 40M", "downstream": "40M", "upstream": "4M"}
    profile = admin.post("/api/v2/isp/cpe-profiles/", json=speed).json()["id"]
    customer = admin.post("/api/v2/isp/customers/", json={"name": "Ana", "realm": "pim"}).json()["id"]
    body = {"customer": customer, "model": "CM500", "mac": MAC, "profile": profile, "realm": "pim"}
    cpe = admin.post("/api/v2/isp/cpes/", json=body).json()
    assert "id" in cpe, cpe
    path = f"/api/v2/isp/cpes/{cpe['id']}/"
    eventually(lambda: applied(admin, cpe))
    # A look at a modem is kept for seconds, and may be of before it started anew.
    found = eventually(
        lambda: (
            (told := modem(admin, MAC))["poll"] == "success" and 40_000_000 in told["downstream_sfs"] and told
        )
    )
    assert (found["state"], found["cpe"], found["realm"]) == ("online", cpe["id"], "pim")

    told = admin.get(f"{path}info", timeout=30).json()
    assert (told["state"], told["registration"]["host"]) == ("up", NAME)
    done = admin.post(f"{path}reboot", params={"wait": "30"}, timeout=40)
    assert done.json()["result"] == "ok", done.text

    eventually(lambda: modem(admin, MAC)["poll"] == "success")
    assert admin.patch(path, json={"access": False}).status_code == 200
    eventually(lambda: modem(admin, MAC)["state"] == "blocked")
    assert admin.delete(path).status_code == 204
    eventually(lambda: provisioning(admin, cpe) is None)
    eventually(lambda: modem(admin, MAC)["cpe"] is None)

    def told_of() -> list[Json]:
        answer = admin.get(f"{API}/events/", params={"limit": "1000", "type": "modem.*"})
        found: list[Json] = answer.json()["results"]
        return [one for one in found if one["data"].get("mac", "").replace(":", "") == MAC]

    eventually(lambda: {"modem.blocked", "modem.provisioned"} <= {one["type"] for one in told_of()})
    mine = told_of()
    assert [one["type"] for one in mine].count("modem.blocked") == 1
    first = next(one for one in mine if one["type"] == "modem.provisioned")
    assert first["data"]["downstream"] == 40_000_000
    states = [one["data"]["state"] for one in mine if one["type"] != "modem.provisioned"]
    assert all(before != after for before, after in pairwise(states))


def test_a_silent_cmts_is_told_as_it_is(admin: Session, cmts: Json, lab: RunningLab) -> None:
    lab.faults({"fault": "silent", "device": NAME})
    try:
        path = f"{API}/cmtss/{NAME}/upstreams/?refresh=true"
        told = eventually(
            lambda: (answer := admin.get(path, timeout=40)).status_code == 504 and answer.json()
        )
        assert (told["code"], told["device"]) == ("device_silent", NAME)
        eventually(lambda: admin.get(f"{API}/cmtss/{NAME}/").json()["state"] == "down")
    finally:
        lab.faults()
