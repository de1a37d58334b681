"""From a CRM's customer to light on a fibre and back, over HTTP alone, both ways of running, on an OLT of the
lab."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest
import requests

from deploy.lab.network.plan import OltPlan, OnuPlan, Plan
from deploy.lab.network.starter import RunningLab
from services.common.cpe_info import INFO
from services.common.types import serial_number
from tests.servers import Server, Session, eventually

NAME = "oltContract"
API = "/api/v2/gpon"
ONE, TWO = "48575443c0de0001", "48575443c0de0002"
FSP = "0/1/3"
PON = f"{API}/olts/{NAME}/frames/0/slots/01/ports/03"

Json = dict[str, Any]


@pytest.fixture(scope="module")
def lab(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    onus = [OnuPlan(sn=sn, fsp=FSP) for sn in (ONE, TWO)]
    plan = Plan(registration=0.3, olts=[OltPlan(name=NAME, onus=onus)])
    with RunningLab(tmp_path_factory.mktemp("fibre"), plan) as running:
        yield running


@pytest.fixture(scope="module")
def admin(server: Server) -> Session:
    return server.session("admin")


@pytest.fixture(scope="module")
def olt(admin: Session, lab: RunningLab) -> Iterator[Json]:
    """Known to gpon, which has read it once; its VLAN map has rows of its own."""
    reached = lab.device(NAME)
    body = {
        "name": NAME,
        "address": reached["address"],
        "snmp_port": reached["snmp_port"],
        "snmp_community": reached["community"],
        "ssh_port": reached["ssh_port"],
        "ssh_username": reached["user"],
        "ssh_password": reached["password"],
        "line_profile": "ftth",
        "service_profile": "ftth",
        "realms": ["pim"],
    }
    made = admin.post(f"{API}/olts/", json=body)
    assert made.status_code == 201, made.text
    assert not {"snmp_community", "ssh_password"} & made.json().keys()
    rows = [
        {"service": "management", "gem": 1, "service_vlan": 933, "user_vlan": 20, "inbound": "management"},
        {"service": "internet", "gem": 2, "service_vlan": 1100, "user_vlan": 1021},
        {"service": "telephony", "gem": 3, "service_vlan": 934, "user_vlan": 1024, "inbound": "voip"},
    ]
    for row in rows:
        table = row.get("inbound", "")
        values = {**row, "line_profile": "contract", "inbound": table, "outbound": table}
        assert admin.post(f"{API}/services/", json=values).status_code == 201
    eventually(lambda: {one["sn"] for one in waiting(admin)} >= {ONE, TWO})
    yield made.json()
    assert admin.delete(f"{API}/olts/{NAME}/").status_code == 204


def waiting(admin: Session, **parameters: str) -> list[Json]:
    answer = admin.get(f"{API}/unconfigured/", params={"olt": NAME, **parameters}, timeout=30)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["results"]
    return found


def ask(who: Session, path: str, status: int = 200, **parameters: str) -> Any:
    answer = who.get(path, params=parameters, timeout=40)
    assert answer.status_code == status, answer.text
    return answer.json()


def user(admin: Session, server: Server, realm: str, *groups: str) -> Session:
    """Somebody new of these groups, logged in."""
    known = ask(admin, "/api/v2/auth/groups/", limit="100")["results"]
    body = {
        "username": f"{realm}-{time.time_ns()}",
        "password": "Correct-horse-7",
        "realms": [realm],
        "groups": [one["id"] for one in known if one["name"] in groups],
    }
    assert admin.post("/api/v2/auth/users/", json=body).status_code == 201
    return server.session(str(body["username"]))


def vlans(admin: Session, sn: str) -> list[int]:
    return sorted(port["service_vlan"] for port in ask(admin, f"{API}/onus/{sn}/")["service_ports"])


@pytest.fixture
def subscriber(admin: Session) -> Iterator[Callable[..., Json]]:
    """Makes a CPE with this serial. It does not outlive its test: all others would fail with that one."""
    cpes: list[int] = []

    def make(sn: str, realm: str = "pim", **values: Any) -> Json:
        customer = admin.post("/api/v2/isp/customers/", json={"name": "Ana", "realm": realm}).json()
        profiles = admin.get("/api/v2/isp/cpe-profiles/", params={"downstream": "100M"}).json()["results"]
        if not profiles:
            speed = {"name": "Contract 100", "downstream": "100M", "upstream": "50M"}
            profiles = [admin.post("/api/v2/isp/cpe-profiles/", json=speed).json()]
        body = {"customer": customer["id"], "model": "HG8245H", "sn": sn, "profile": profiles[0]["id"]}
        made = admin.post("/api/v2/isp/cpes/", json={**body, "line_profile": "contract", **values})
        assert made.status_code == 201, made.text
        cpes.append(made.json()["id"])
        return dict(made.json())

    yield make
    for one in cpes:
        assert admin.delete(f"/api/v2/isp/cpes/{one}/").status_code in (204, 404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("text", "non_field_errors"),
        ([1], "non_field_errors"),
        ({"cpe": 1e30}, "cpe"),
        ({"cpe": "9" * 30}, "cpe"),
        ({"cpe": {}}, "cpe"),
        ({"force": "perhaps"}, "force"),
        ({"forced": True}, "forced"),
    ],
)
def test_a_malformed_wish_to_enable_is_refused(admin: Session, olt: Json, body: Any, field: str) -> None:
    (first, *_) = waiting(admin)
    answer = admin.post(f"{API}/unconfigured/{first['id']}/enable/", json=body)
    assert (answer.status_code, set(answer.json())) == (400, {field})


def test_the_group_that_lets_in_may_be_called_as_in_the_real_product(
    admin: Session, server: Server, olt: Json
) -> None:
    session = user(admin, server, "pim", "APP: gpon_provision")
    assert NAME in [one["name"] for one in ask(session, f"{API}/olts/")["results"]]
    assert "gpon" in [one["id"] for one in ask(session, "/api/v2/me/apps/")]


def test_installers_find_those_that_wait_below_a_path_of_their_own(admin: Session, olt: Json) -> None:
    found = ask(admin, "/api/v2/installer/gpon/unconfigured/", olt=NAME)["results"]
    assert {one["id"] for one in found} == {one["id"] for one in waiting(admin)} != set()


def test_installers_need_no_more_than_their_own_group_for_it(
    admin: Session, server: Server, olt: Json
) -> None:
    fitter = user(admin, server, "pim", "APP: installer")
    path = "/api/v2/installer/gpon/unconfigured/"
    found = ask(fitter, path, olt=NAME)["results"]
    assert {one["id"] for one in found} == {one["id"] for one in waiting(admin)} != set()
    for other in (f"{API}/unconfigured/", f"{API}/olts/", f"{PON}/onus/status/"):
        ask(fitter, other, 403)
    assert fitter.post(f"{path}{found[0]['id']}/enable/").status_code == 403
    assert ask(user(admin, server, "swt", "APP: installer"), path, olt=NAME)["results"] == []
    ask(user(admin, server, "pim", "APP: isp"), path, 403)


def test_the_way_of_a_subscriber(admin: Session, olt: Json, subscriber: Callable[..., Json]) -> None:
    since = admin.get(f"{API}/events/", params={"after": "latest"}).json()["next"]
    cpe = subscriber(ONE)
    port = admin.get("/api/v2/isp/potses/", params={"cpe": cpe["id"]}).json()["results"][0]
    number = f"91{cpe['id']:07d}"
    assert admin.patch(f"/api/v2/isp/potses/{port['id']}/", json={"cli": number}).status_code == 200

    def told() -> Any:
        row = ask(admin, f"{API}/provisionings/", cpe=str(cpe["id"]))["results"]
        return row and row[0]["state"] == "applied" and 934 in vlans(admin, ONE) and row[0]

    row = eventually(told)
    assert row["position"].partition("-")[0] == FSP
    eventually(lambda: ONE not in {one["sn"] for one in waiting(admin)})

    info = eventually(lambda: up(ask(admin, f"/api/v2/isp/cpes/{cpe['id']}/info")))
    jsonschema.validate(info, INFO)
    assert info["registration"]["tags"] == [f"{NAME}-{FSP}", NAME]
    assert info["services"]["txrx"]["output"].startswith("dnrx=-")
    for path in ("monitoring/cpes", "cpes"):
        assert ask(admin, f"/api/v2/{path}/{cpe['internal_id']}/info")["registration"] == info["registration"]
    eventually(lambda: "onu.online" in {one["type"] for one in events(admin, since)})

    done = admin.post(f"/api/v2/isp/cpes/{cpe['id']}/reboot?wait=30", timeout=40).json()
    assert (done["result"], done["action"]["state"]) == ("ok", "succeeded")
    assert done["action"]["result"] == {"olt": NAME, "position": row["position"]}

    assert vlans(admin, ONE) == [933, 934, 1100]
    assert admin.patch(f"/api/v2/isp/cpes/{cpe['id']}/", json={"access": False}).status_code == 200
    eventually(lambda: vlans(admin, ONE) == [933, 934])

    assert admin.delete(f"/api/v2/isp/cpes/{cpe['id']}/").status_code == 204
    eventually(lambda: admin.get(f"{API}/onus/{ONE}/", timeout=30).status_code == 404)
    eventually(lambda: "onu.removed" in {one["type"] for one in events(admin, since)})
    log = events(admin, since)
    steps = [
        one["type"] for one in log if one["type"].startswith(("onu.added", "onu.service", "onu.removed"))
    ]
    assert steps == [
        *("onu.added", "onu.service_added", "onu.service_added", "onu.service_added"),
        *("onu.service_removed", "onu.service_removed", "onu.service_removed", "onu.removed"),
    ]
    numbers = [one["sequence"] for one in log]
    assert numbers == sorted(set(numbers))
    assert {one["realm"] for one in log} == {"pim"}


def up(info: Json) -> Json | None:
    return info if info["state"] == "up" and info["services"]["txrx"]["output"] else None


def events(admin: Session, after: str) -> list[Json]:
    found = ask(admin, f"{API}/events/", after=after, subject=f"onus/{ONE}", limit="1000")["results"]
    return list(found)


def test_the_rows_of_a_pon(admin: Session, olt: Json, subscriber: Callable[..., Json]) -> None:
    cpe = subscriber(TWO)
    found = eventually(lambda: [one for one in ask(admin, f"{PON}/onus/status/") if online(one, TWO)])
    assert {
        *("onu_id", "type", "sn", "desc", "status", "registration_state", "last_up_time", "last_down_time"),
        *("dnrx", "uptx", "monitored", "olt", "fsp", "id", "ips", "last_down_cause"),
    } <= found[0].keys()
    assert (found[0]["desc"], found[0]["monitored"]) == (cpe["internal_id"], True)
    unpadded = PON.replace("/slots/01/ports/03", "/slots/1/ports/3")
    assert [one["sn"] for one in ask(admin, f"{unpadded}/onus/status", refresh="false")] == [TWO]
    levels = ask(admin, f"{PON}/onus/txrx/", refresh="true")[0]
    assert levels["dnatt"] == pytest.approx(levels["dntx"] - levels["dnrx"], abs=0.006)
    assert levels["upatt"] == pytest.approx(levels["uptx"] - levels["uprx"], abs=0.006)
    assert levels["pondesv"] == 0.0
    traffic = ask(admin, f"{PON}/onus/bandwidth/")[0]
    assert traffic["dnbw"] > 0
    assert ask(admin, f"{API}/olts/{NAME}/onus/report/")[0]["sn"] == TWO
    detail = ask(admin, f"{API}/onus/HWTCc0de0002/")
    assert (detail["sn"], detail["status"], detail["cpe"]["id"]) == (TWO, "up", cpe["id"])
    frames = ask(admin, f"{API}/olts/{NAME}/frames/")
    assert frames[0]["frame"] == "0"
    port = ask(admin, PON + "/")
    assert (port["service"], port["onus"]["online"]) == ("onug-olt0/01/03", 1)
    assert ask(admin, f"{API}/olts/{NAME}/mismatches/") == []
    assert [one["sn"] for one in ask(admin, f"{API}/olts/{NAME}/provisioned/")] == [TWO]
    for wrong in (f"{API}/olts/{NAME}/frames/0/slots/9/ports/9/onus/status/", f"{API}/olts/nobody/frames/"):
        ask(admin, wrong, 404)
    task = admin.post(f"{API}/olts/{NAME}/snapshot-full/")
    assert task.status_code == 202, task.text
    eventually(lambda: ask(admin, f"{API}/tasks/{task.json()['task_id']}/")["status"] == "done")
    again = admin.post(f"{API}/onus/{TWO}/reprovision/")
    assert again.status_code == 202, again.text
    eventually(lambda: ask(admin, f"{API}/tasks/{again.json()['task_id']}/")["status"] == "done")
    assert vlans(admin, TWO) == [933, 1100]
    assert admin.delete(f"/api/v2/isp/cpes/{cpe['id']}/").status_code == 204
    eventually(lambda: admin.get(f"{API}/onus/{TWO}/", timeout=30).status_code == 404)


def online(row: Json, sn: str) -> bool:
    return bool(row["sn"] == sn and row["status"] == "online" and row["dnrx"] is not None)


def test_what_another_realm_sees_of_it(
    admin: Session, server: Server, olt: Json, subscriber: Callable[..., Json]
) -> None:
    theirs = user(admin, server, "swt", "APP: gpon", "APP: isp")
    cpe = subscriber(ONE)
    eventually(lambda: ask(admin, f"{API}/provisionings/", cpe=str(cpe["id"]), state="applied")["results"])
    for path in ("olts", "onus", "unconfigured", "alarms", "provisionings", "registrations", "tasks"):
        found = ask(theirs, f"{API}/{path}/", limit="1000")
        assert NAME not in json.dumps(found), path
        assert serial_number(ONE) not in json.dumps(found), path
    for path in (f"{PON}/onus/status/", f"{API}/onus/{ONE}/", f"{API}/olts/{NAME}/"):
        ask(theirs, path, 404)
    ask(theirs, f"/api/v2/isp/cpes/{cpe['id']}/info", 404)
    assert ONE not in json.dumps(ask(theirs, f"{API}/events/", limit="1000"))
    assert theirs.post(f"{API}/onus/{ONE}/reboot/").status_code == 404
    assert admin.delete(f"/api/v2/isp/cpes/{cpe['id']}/").status_code == 204
    eventually(lambda: admin.get(f"{API}/onus/{ONE}/", timeout=30).status_code == 404)


def test_a_device_that_fails_is_named(
    admin: Session, lab: RunningLab, olt: Json, subscriber: Callable[..., Json]
) -> None:
    cpe = subscriber(ONE)
    eventually(lambda: ask(admin, f"{API}/provisionings/", cpe=str(cpe["id"]), state="applied")["results"])

    def read() -> requests.Response:
        return admin.get(f"{PON}/onus/status/", params={"refresh": "true"}, timeout=40)

    try:
        lab.faults({"fault": "silent", "device": NAME})
        told = eventually(lambda: (answer := read()).status_code == 504 and answer.json())
        assert (told["code"], told["device"]) == ("device_silent", NAME)
        info = ask(admin, f"/api/v2/isp/cpes/{cpe['id']}/info")
        assert (info["state"], info["registration"]["host"]) == ("down", NAME)
        lab.faults({"fault": "wrong_password", "device": NAME})
        done = admin.post(f"/api/v2/isp/cpes/{cpe['id']}/reboot?wait=30", timeout=40).json()
        assert (done["result"], done["action"]["state"]) == ("ko", "failed")
        assert NAME in done["action"]["error"]
    finally:
        lab.faults()
    eventually(lambda: read().ok)
    eventually(lambda: ask(admin, f"{API}/olts/{NAME}/")["state"] == "up")
    assert admin.delete(f"/api/v2/isp/cpes/{cpe['id']}/").status_code == 204
    eventually(lambda: admin.get(f"{API}/onus/{ONE}/", timeout=30).status_code == 404)
