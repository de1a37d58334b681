"""From a CPE in the books to its ONU on an OLT and away again, on the lab's SNMP and command line."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from sqlalchemy import insert, update

from deploy.lab.network.plan import OnuPlan
from deploy.local.postgres import Postgres
from services.common.context import Context, Scope
from services.common.errors import InvalidInput, NotFound, PermissionDenied
from services.common.resource.engine import Engine
from services.gpon import converging, devices, doing, models
from services.gpon.converging import AT_ONCE, Session, Sessions
from services.gpon.domain import provisioning
from services.gpon.domain.provisioning import MANAGEMENT
from tests.integration.databases import away
from tests.integration.gpon.conftest import BOTH, NORTH, PATIENCE, SOUTH, Network, onu, plugged
from tests.servers import eventually


def vlans(network: Network, sn: str, name: str = NORTH) -> list[int]:
    found = network.on_olt(sn, name)
    return [] if found is None else sorted(one.service_vlan for one in found.service_ports)


def telephone(network: Network, cpe: dict, number: str | None) -> None:
    port = network.isp.page("potses", cpe=str(cpe["id"]))[0]
    network.isp.patch("potses", port["id"], {"cli": number})


def online(network: Network, number: int) -> tuple[OnuPlan, dict]:
    """An ONU that is provisioned and was seen online, and its CPE."""
    one = onu(number)
    plugged(network, one)
    cpe = network.subscriber(one.sn)
    network.settle()
    network.until(lambda: network.rows("onus", status="online"))
    return one, cpe


@BOTH
def test_a_subscriber_s_life(network: Network):
    one = onu(1)
    plugged(network, one)
    assert network.events(one.sn) == ["onu.discovered"]
    cpe = network.subscriber(one.sn)
    telephone(network, cpe, "910000001")
    network.settle()
    row = network.provisioning(cpe["id"])
    assert (row["state"], row["due"], row["step"]) == (provisioning.APPLIED, None, None)
    assert vlans(network, one.sn) == [933, 934, 1100]
    found = network.on_olt(one.sn)
    assert found.desc == cpe["internal_id"]
    network.until(lambda: [row for row in network.rows("onus") if row["status"] == "online"])
    stored = network.rows("onus")[0]
    assert (stored["cpe"], stored["realm"], stored["position"]) == (cpe["id"], "pim", row["position"])
    assert stored["dnatt"] == pytest.approx(stored["dntx"] - stored["dnrx"], abs=0.006)
    assert stored["upatt"] == pytest.approx(stored["uptx"] - stored["uprx"], abs=0.006)
    assert network.rows("unconfigured") == []

    network.isp.patch("cpes", cpe["id"], {"access": False})
    network.settle()
    assert vlans(network, one.sn) == [933, 934]

    network.isp.delete("cpes", cpe["id"])
    network.settle()
    assert network.on_olt(one.sn) is None
    assert network.rows("provisionings") == []
    assert network.events(one.sn) == [
        "onu.discovered",
        "onu.added",
        "onu.service_added",
        "onu.service_added",
        "onu.service_added",
        "onu.changed",
        "onu.provisioned",
        "onu.online",
        "onu.service_removed",
        "onu.service_removed",
        "onu.service_removed",
        "onu.removed",
    ]
    sequences = [row["sequence"] for row in network.rows("outbox", subject=f"onus/{one.sn}")]
    assert sequences == sorted(set(sequences))


def test_who_waits_is_brought_in_when_he_is_heard(network: Network):
    one = onu(2)
    cpe = network.subscriber(one.sn)
    network.settle()
    assert network.provisioning(cpe["id"])["state"] == provisioning.WAITING
    plugged(network, one)
    network.settle()
    assert network.provisioning(cpe["id"])["state"] == provisioning.APPLIED


def test_nothing_is_sent_when_nothing_differs(network: Network):
    one = onu(3)
    plugged(network, one)
    cpe = network.subscriber(one.sn)
    network.settle()
    told = network.events(one.sn)
    network.isp.patch("cpes", cpe["id"], {"notes": "nothing that matters here"})
    network.settle()
    assert network.events(one.sn) == told


def test_profiles_and_traffic_tables_may_be_told_by_their_numbers(network: Network):
    one = onu(33)
    network.patch_olt(network.olt()["id"], {"line_profile": "10", "service_profile": "20"})
    with network.engine.database.write() as connection:
        management = models.services.c.service == MANAGEMENT
        by_number = {"inbound": "10", "outbound": "11"}
        connection.execute(update(models.services).where(management).values(**by_number))
    plugged(network, one)
    cpe = network.subscriber(one.sn)
    network.settle()
    row = network.provisioning(cpe["id"])
    assert (row["state"], row["error"]) == (provisioning.APPLIED, None)
    have = network.on_olt(one.sn)
    assert (have.line_profile, have.service_profile) == ("residential", "business")
    assert (have.service_ports[0].inbound, have.service_ports[0].outbound) == ("management", "voip")
    told = network.events(one.sn)
    network.look(cpe["id"])
    assert network.events(one.sn) == told  # nothing is left to do
    network.patch_olt(network.olt()["id"], {"line_profile": "40"})
    network.settle()
    assert network.on_olt(one.sn).line_profile == "ftth"
    assert network.provisioning(cpe["id"])["state"] == provisioning.APPLIED


def test_who_was_on_an_olt_that_is_deleted_waits(network: Network):
    one, other = onu(34), onu(35)
    plugged(network, one, south=(other,))
    gone, still = network.subscriber(one.sn), network.subscriber(other.sn)
    network.settle()
    south = network.olt(SOUTH)
    root = Context(scope=Scope(everything=True), user="root")
    network.engine.delete(root, "olts", str(south["id"]))
    network.hear_ours()
    network.settle()
    row = network.provisioning(still["id"])
    assert (row["state"], row["olt_id"], row["position"]) == (provisioning.WAITING, None, None)
    assert network.provisioning(gone["id"])["state"] == provisioning.APPLIED
    names = [name for name in south if name not in ("realms", "zone")]
    with network.engine.database.write() as connection:  # for those who come after this test
        connection.execute(insert(models.olts).values(**{name: south[name] for name in names}))
    network.read(SOUTH)
    network.settle()
    assert network.provisioning(still["id"])["state"] == provisioning.APPLIED


def test_another_speed_changes_the_internet_port_alone(network: Network):
    one = onu(4)
    plugged(network, one)
    cpe = network.subscriber(one.sn)
    network.settle()
    before = {port.service_vlan: port.id for port in network.on_olt(one.sn).service_ports}
    network.isp.patch("cpes", cpe["id"], {"profile": network.speed("300M", "100M")})
    network.settle()
    after = {port.service_vlan: port for port in network.on_olt(one.sn).service_ports}
    assert after[933].id == before[933]
    assert (after[1100].inbound, after[1100].outbound) == ("100M", "300M")
    assert network.events(one.sn)[-2:] == ["onu.service_removed", "onu.service_added"]


def test_disable_provision_leaves_it_alone_whatever_happens(network: Network):
    one, other = onu(5), onu(6)
    plugged(network, one, other)
    cpe = network.subscriber(one.sn)
    network.settle()
    network.isp.patch("cpes", cpe["id"], {"disable_provision": True})
    network.isp.patch("cpes", cpe["id"], {"access": False})
    network.settle()
    assert vlans(network, one.sn) == [933, 1100]
    row = network.provisioning(cpe["id"])
    assert (row["state"], row["reason"]) == (provisioning.BLOCKED, provisioning.DISABLED)
    network.isp.delete("cpes", cpe["id"])
    network.settle()
    assert vlans(network, one.sn) == [933, 1100]
    never = network.subscriber(other.sn, disable_provision=True)
    network.settle()
    assert network.on_olt(other.sn) is None
    assert network.provisioning(never["id"])["reason"] == provisioning.DISABLED


def test_an_olt_that_is_disabled_is_not_written_to_until_it_is_enabled(network: Network):
    one = onu(7)
    plugged(network, one)
    cpe = network.subscriber(one.sn)
    olt = network.olt()
    with network.engine.database.write() as connection:
        connection.execute(update(models.olts).values(disable_provision=True))
    network.settle()
    assert network.provisioning(cpe["id"])["reason"] == provisioning.OLT_DISABLED
    assert network.on_olt(one.sn) is None
    network.patch_olt(olt["id"], {"disable_provision": False})
    network.settle()
    assert network.provisioning(cpe["id"])["state"] == provisioning.APPLIED


def test_another_vlan_map_reaches_those_who_are_on_it(network: Network):
    one = onu(18)
    plugged(network, one)
    network.subscriber(one.sn)
    network.settle()
    assert vlans(network, one.sn) == [933, 1100]
    (internet,) = network.rows("services", service="internet")
    root = Context(scope=Scope(everything=True), user="root")
    network.engine.update(root, "services", str(internet["id"]), {"service_vlan": 1101}, partial=True)
    network.hear_ours()
    network.settle()
    assert vlans(network, one.sn) == [933, 1101]


def test_a_realm_has_a_vlan_map_of_its_own(network: Network):
    ours, theirs = onu(19), onu(20)
    plugged(network, ours, theirs)
    internet = {"line_profile": "", "service": "internet", "gem": 2, "user_vlan": 1021}
    staff = Context(scope=Scope(frozenset({"pim"})), user="staff")
    network.answer(network.engine.create(staff, "services", {**internet, "service_vlan": 1200}))
    network.subscriber(ours.sn)
    network.subscriber(theirs.sn, realm="dem")
    network.settle()
    assert (vlans(network, ours.sn), vlans(network, theirs.sn)) == ([1200], [933, 1100])


@BOTH
def test_staff_of_a_realm_writes_its_own_vlan_map_and_nothing_that_all_share(network: Network):
    engine = network.engine
    root, pim, dem = (
        Context(scope=Scope(frozenset(realms), everything=not realms)) for realms in ((), ("pim",), ("dem",))
    )
    common = str(network.rows("services", service="internet")[0]["id"])
    allowed = network.answer(engine.create(root, "validations", {"model": "HG8245H"}))
    with pytest.raises(PermissionDenied):
        engine.update(pim, "services", common, {"service_vlan": 1300}, partial=True)
    with pytest.raises(PermissionDenied):
        engine.delete(pim, "services", common)
    with pytest.raises(PermissionDenied):
        engine.create(pim, "validations", {"model": "HG8247H"})
    with pytest.raises(PermissionDenied):
        engine.delete(pim, "validations", str(allowed["id"]))

    row = {"line_profile": "ftth", "service": "internet", "gem": 5, "user_vlan": None, "service_vlan": 1300}
    mine = network.answer(engine.create(pim, "services", row))
    assert mine["realms"] == ["pim"]
    assert network.answer(engine.create(dem, "services", row))["realms"] == ["dem"]
    assert network.answer(engine.create(root, "services", row))["realms"] == []
    for who, realms in ((pim, ["pim"]), (root, ["pim", "sur"]), (root, [])):
        with pytest.raises(InvalidInput) as clash:
            engine.create(who, "services", {**row, "realms": realms})
        assert clash.value.body == {"user_vlan": ["Service with this user_vlan already exists."]}
    with pytest.raises(NotFound):
        engine.delete(dem, "services", str(mine["id"]))
    again = {**row, "service_vlan": 1301}
    assert (
        network.answer(engine.update(pim, "services", str(mine["id"]), again, partial=False))["service_vlan"]
        == 1301
    )


def test_bitstream_and_placeholders_are_not_ours(network: Network):
    theirs = network.subscriber("48575443aabb0008", line_profile="bitstream:other")
    nobody = network.subscriber("4857544300000000")
    network.settle()
    assert network.provisioning(theirs["id"])["reason"] == provisioning.BITSTREAM
    assert network.provisioning(nobody["id"])["reason"] == provisioning.PLACEHOLDER


def test_an_onu_that_was_moved_to_another_pon_follows(network: Network):
    one = onu(9, "0/1/0")
    plugged(network, one)
    cpe = network.subscriber(one.sn)
    network.settle()
    network.until(lambda: network.rows("onus", status="online"))
    network.lab.plug(_plan(north=[onu(9, "0/1/3")]))
    network.until(lambda: network.rows("unconfigured", sn=one.sn))
    network.settle()
    assert network.on_olt(one.sn).position.fsp == "0/1/3"
    row = network.provisioning(cpe["id"])
    assert (row["state"], row["position"].partition("-")[0]) == (provisioning.APPLIED, "0/1/3")
    assert vlans(network, one.sn) == [933, 1100]


def test_an_onu_that_was_moved_to_another_olt_goes_from_the_first(network: Network):
    one, cpe = online(network, 10)
    network.lab.plug(_plan(south=[one]))
    network.until(lambda: network.rows("unconfigured", sn=one.sn), NORTH, SOUTH)
    network.until(lambda: network.rows("onus", sn=one.sn, status="offline"), NORTH)
    network.settle()
    assert network.on_olt(one.sn, NORTH) is None
    assert network.on_olt(one.sn, SOUTH) is not None
    assert network.provisioning(cpe["id"])["state"] == provisioning.APPLIED


def test_a_serial_that_two_olts_hear_is_nobody_s_until_one_is_gone(network: Network):
    one = onu(11)
    plugged(network, one, south=(one,))
    network.until(lambda: len(network.rows("unconfigured", sn=one.sn)) == 2, NORTH, SOUTH)
    cpe = network.subscriber(one.sn)
    network.settle()
    assert network.provisioning(cpe["id"])["reason"] == provisioning.DUPLICATE
    assert network.on_olt(one.sn, NORTH) is None
    network.lab.plug(_plan(north=[one]))
    network.until(lambda: len(network.rows("unconfigured", sn=one.sn)) == 1, NORTH, SOUTH)
    network.settle()
    assert network.provisioning(cpe["id"])["state"] == provisioning.APPLIED


def test_an_onu_that_another_olt_hears_before_the_first_has_lost_it_follows(network: Network):
    one, cpe = online(network, 19)
    network.lab.plug(_plan(south=[one]))
    network.until(lambda: network.rows("unconfigured", sn=one.sn), SOUTH)
    network.settle()
    assert network.provisioning(cpe["id"])["reason"] == provisioning.DUPLICATE
    network.until(lambda: network.rows("onus", sn=one.sn, status="offline"), NORTH)
    network.settle()
    assert network.provisioning(cpe["id"])["state"] == provisioning.APPLIED
    assert (network.on_olt(one.sn, NORTH), network.on_olt(one.sn, SOUTH) is None) == (None, False)


def test_a_swapped_device_leaves_nothing_of_the_old_one(network: Network):
    old, new = onu(12), onu(13)
    plugged(network, old, new)
    network.isp.engine.settings = network.isp.settings.model_copy(update={"serial_number_required": False})
    cpe = network.subscriber(old.sn)
    network.settle()
    assert network.on_olt(old.sn) is not None
    network.isp.patch("cpes", cpe["id"], {"sn": new.sn})
    network.settle()
    assert network.on_olt(old.sn) is None
    assert network.on_olt(new.sn) is not None


@pytest.mark.parametrize("kind", [doing.UNPROVISION, doing.REPROVISION])
def test_what_is_asked_for_while_a_cpe_is_worked_on_is_done_after_it(
    network: Network, kind: str, monkeypatch: pytest.MonkeyPatch
):
    one = onu(20)
    plugged(network, one)
    cpe = network.subscriber(one.sn)
    row, save = None, Session.save

    def asked(session: Session) -> None:
        nonlocal row
        save(session)
        if row is None:
            row = network.provisioning(cpe["id"])
            change = {"held": True} if kind == doing.UNPROVISION else {"held": False, "redo": True}
            doing._change(network.engine, row["id"], change)

    monkeypatch.setattr(Session, "save", asked)
    network.settle()
    network.settle()
    assert (network.on_olt(one.sn) is None) == (kind == doing.UNPROVISION)
    steps = ["onu.removed"] if kind == doing.UNPROVISION else ["onu.removed", "onu.added"]
    added = [kind for kind in network.events(one.sn) if kind in ("onu.removed", "onu.added")]
    assert added == ["onu.added", *steps]


@pytest.mark.parametrize("network", ["postgres"], indirect=True)
def test_what_is_asked_for_outlives_a_database_that_was_away(network: Network, postgres: Postgres):
    one = onu(23)
    plugged(network, one)
    cpe = network.subscriber(one.sn)
    network.settle()
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(doing.do, network.engine, doing.REPROVISION, sn=one.sn, cpe=cpe["id"])
        network.until(lambda: network.provisioning(cpe["id"])["redo"])
        with away(postgres, network.engine.database):
            wait([asked], timeout=2)
        network.settle()
        assert asked.result(60)["olt"] == NORTH


def test_an_onu_that_is_neither_on_the_olt_nor_heard_waits(network: Network):
    one, cpe = online(network, 21)
    network.lab.plug(_plan())
    network.until(lambda: network.rows("onus", sn=one.sn, status="offline"))
    with devices.writer(network.olt()) as writer:  # somebody else, by hand
        found = network.on_olt(one.sn)
        for port in found.service_ports:
            writer.delete_service_port(port.id)
        writer.delete(found.position, found.onu_id)
    network.look(cpe["id"])
    row = network.provisioning(cpe["id"])
    assert (row["state"], row["position"]) == (provisioning.WAITING, None)


def test_a_command_that_changes_nothing_is_not_sent_again_and_again(
    network: Network, monkeypatch: pytest.MonkeyPatch
):
    one = onu(22)
    plugged(network, one)
    sent, do = [], Session.do

    def told(session: Session, step: provisioning.Step) -> dict:
        sent.append(step.name)
        return do(session, step) if step.name != provisioning.PROFILES else dict(step.detail)

    monkeypatch.setattr(Session, "do", told)
    cpe = network.subscriber(one.sn)
    network.settle()
    sent.clear()
    network.patch_olt(network.olt()["id"], {"line_profile": "residential"})
    network.settle()
    assert network.provisioning(cpe["id"])["state"] == provisioning.FAILED
    assert sent == [provisioning.PROFILES]


def test_an_olt_that_is_slow_holds_up_its_own_cpes_alone(network: Network, monkeypatch: pytest.MonkeyPatch):
    north, south = network.olt(NORTH)["id"], network.olt(SOUTH)["id"]
    made = [{"cpe": number, "olt_id": north, "due": 1} for number in range(1, AT_ONCE + 2)]
    made.append({"cpe": AT_ONCE + 2, "olt_id": south, "due": 2})
    same = {
        "cpename": "pim",
        "realm": "pim",
        "state": "pending",
        "drift": [],
        "applied": {},
        "former_sns": [],
    }
    with network.engine.database.write() as connection:
        connection.execute(insert(models.provisionings), [same | one for one in made])
    hangs, reached = threading.Event(), threading.Event()

    def slowly(engine: Engine, id_: int, sessions: Sessions) -> None:
        if id_ in mine:
            reached.set()
        else:
            hangs.wait(PATIENCE)

    mine = {row["id"] for row in network.rows("provisionings", olt_id=south)}
    monkeypatch.setattr(converging, "converge", slowly)
    monkeypatch.setattr(Sessions, "look", lambda self: None)
    converger = converging.Converger(lambda olt_id, seconds: None)

    def begun() -> bool:
        converger._round(network.engine)
        return reached.wait(0.1)

    try:
        eventually(begun)
    finally:
        hangs.set()
        eventually(lambda: not converger._olts)  # its threads must not meet the real `converge`


def test_an_olt_with_an_old_backup_is_brought_up_to_date(network: Network):
    one = onu(14)
    plugged(network, one)
    cpe = network.subscriber(one.sn)
    network.settle()
    with devices.writer(network.olt()) as writer:  # what a backup of yesterday does
        found = network.on_olt(one.sn)
        for port in found.service_ports:
            writer.delete_service_port(port.id)
    network.look(cpe["id"])
    assert vlans(network, one.sn) == [933, 1100]
    with devices.writer(network.olt()) as writer:
        found = network.on_olt(one.sn)
        for port in found.service_ports:
            writer.delete_service_port(port.id)
        writer.delete(found.position, found.onu_id)
    network.until(lambda: network.rows("unconfigured", sn=one.sn))
    network.settle()
    assert vlans(network, one.sn) == [933, 1100]


def test_without_a_speed_there_is_no_half_made_service(network: Network):
    one = onu(15)
    plugged(network, one)
    cpe = network.subscriber(one.sn, profile=None)
    network.settle()
    row = network.provisioning(cpe["id"])
    assert (row["state"], row["reason"]) == (provisioning.BLOCKED, "no_profile")
    assert network.on_olt(one.sn) is None


def test_what_could_not_be_done_is_shown_as_drift(network: Network):
    one = onu(16)
    plugged(network, one)
    cpe = network.subscriber(one.sn)
    with network.fault({"fault": "resets", "device": NORTH, "command": "service-port"}):
        network.settle()
        row = network.provisioning(cpe["id"])
        assert (row["state"], row["drift"]) == (provisioning.FAILED, ["native_vlan", "service_ports"])
        assert network.events(one.sn)[-1] == "onu.provision_failed"
    network.settle()
    row = network.provisioning(cpe["id"])
    assert (row["state"], row["drift"]) == (provisioning.APPLIED, [])
    assert vlans(network, one.sn) == [933, 1100]


def test_an_olt_that_reboots_in_the_middle_ends_up_complete(network: Network):
    """It forgets what was not saved: an ONU that was put in, and half of its service."""
    one = onu(17)
    plugged(network, one)
    cpe = network.subscriber(one.sn)
    with network.fault({"fault": "resets", "device": NORTH, "command": "service-port", "took": True}):
        network.settle()
        assert vlans(network, one.sn) != [933, 1100]
    with network.fault({"fault": "reboot", "device": NORTH, "seconds": 1.0}):
        network.settle()
    network.until(lambda: network.on_olt(one.sn) or network.rows("unconfigured", sn=one.sn))
    network.settle()
    assert network.provisioning(cpe["id"])["state"] == provisioning.APPLIED
    assert vlans(network, one.sn) == [933, 1100]
    assert network.events(one.sn).count("onu.added") == 2


def _plan(north: list | None = None, south: list | None = None):
    from deploy.lab.network.plan import OltPlan, Plan

    return Plan(
        registration=0.2,
        olts=[OltPlan(name=NORTH, onus=north or []), OltPlan(name=SOUTH, onus=south or [])],
    )
