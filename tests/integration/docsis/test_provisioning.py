"""From the books to the modem: configuration files, restarts, and what is left alone."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

import pytest

from deploy.local.postgres import Postgres
from services.common.errors import ServiceUnavailable
from services.common.executing.executor import Refused
from services.docsis import converging, desire, doing, files
from services.docsis.converging import Converger
from services.docsis.domain import configuration
from tests.integration.databases import away
from tests.integration.docsis.network import CMTS, SECRET, Network
from tests.integration.docsis.recordings import ANA, EVA, LUIS
from tests.integration.engine.world import ROOT

FILE = f"{ANA.mac}.cm"
RESET_NOW = "1.3.6.1.2.1.69.1.1.3.0"


def colons(mac: str) -> str:
    return bytes.fromhex(mac).hex(":")


@pytest.fixture(autouse=True)
def _not_restarted(network: Network) -> None:
    with network.agents.open("modem") as snmp:
        snmp.set(RESET_NOW, 2)


def is_reset(network: Network) -> bool:
    """Whether the modem was told to restart since this was asked last."""
    with network.agents.open("modem") as snmp:
        found = snmp.get(RESET_NOW) == {RESET_NOW: 1}
        snmp.set(RESET_NOW, 2)
    return found


def restarted(network: Network) -> None:
    """The modems are up again, since just now, and whatever waits for that is due."""
    network.play("network", modem_community="modem-restarted")
    network.mark("provisionings", changed=int(time.time() * 1000) - 5_000, due=0)


def provisioning(network: Network, cpe: dict[str, Any]) -> dict[str, Any]:
    return network.rows("provisionings", cpe=cpe["id"])[0]


def says(network: Network, type_: int, name: str = FILE) -> list[Any]:
    found = network.file(name)
    assert found is not None
    assert found.intact
    assert found.is_ours(SECRET.encode())
    return [one.value for one in found.of(type_)]


def rate(network: Network, type_: int, name: str = FILE) -> int:
    (flow,) = says(network, type_, name)
    return next(int.from_bytes(one.content, "big") for one in flow if one.type == 8)


def brought(network: Network, **values: Any) -> dict[str, Any]:
    """Ana's CPE, with its modem up with its file."""
    network.cmts(realms=["pim"])
    network.poll()
    cpe = network.subscriber(ANA.mac, **values)
    network.settle()
    restarted(network)
    network.converge()
    is_reset(network)
    return cpe


# ---- a CPE comes ---------------------------------------------------------------------------------------


def test_a_new_cpe_gets_its_file_and_its_modem_is_restarted_with_it(network: Network) -> None:
    network.cmts(realms=["pim"])
    network.poll()
    cpe = network.subscriber(ANA.mac)
    network.settle()
    assert network.files == [FILE]
    assert says(network, configuration.NETWORK_ACCESS) == [b"\1"]
    assert (rate(network, configuration.DOWNSTREAM_FLOW), rate(network, configuration.UPSTREAM_FLOW)) == (
        *(100_000_000,),
        20_000_000,
    )
    assert says(network, configuration.MAX_CPE) == [b"\x10"]
    assert is_reset(network)
    row = provisioning(network, cpe)
    assert (row["state"], row["reason"], row["file"], row["applied_at"]) == (
        "written",
        "restarting",
        FILE,
        None,
    )
    assert network.events("modem.provisioned") == []
    restarted(network)
    network.converge()
    row = provisioning(network, cpe)
    assert (row["state"], row["due"], row["applied_at"] is not None) == ("applied", None, True)
    assert not is_reset(network)
    network.mark("provisionings", due=0)
    network.converge()
    assert network.events("modem.provisioned") == [("modem.provisioned", colons(ANA.mac))]
    (shown,) = network.page("provisionings")
    assert (shown["cmts"], shown["wanted"]["downstream"], shown["mac"]) == (
        CMTS,
        100_000_000,
        colons(ANA.mac),
    )


def test_a_cpe_whose_modem_is_not_up_gets_its_file_and_nobody_is_asked(network: Network) -> None:
    network.cmts()
    network.poll()
    cpe = network.subscriber(EVA.mac)
    network.settle()
    row = provisioning(network, cpe)
    assert (row["state"], row["due"], network.files) == ("written", None, [f"{EVA.mac}.cm"])
    network.play("network-later", modem_community="modem-restarted")
    network.mark("provisionings", changed=int(time.time() * 1000) - 5_000)
    network.poll()
    assert provisioning(network, cpe)["due"] is not None
    network.converge()
    assert provisioning(network, cpe)["state"] == "applied"
    assert not is_reset(network)


def test_before_its_modem_was_seen_a_file_is_signed_for_the_only_cmts(network: Network) -> None:
    network.cmts()
    cpe = network.subscriber("0a00000000ff")
    network.settle()
    assert (provisioning(network, cpe)["state"], network.files) == ("written", ["0a00000000ff.cm"])


def test_which_of_two_cmtss_signs_is_known_once_the_modem_is_seen(network: Network) -> None:
    network.cmts()
    network.cmts("cmtsSur", shared_secret="invented-other")
    cpe = network.subscriber(ANA.mac)
    network.settle()
    row = provisioning(network, cpe)
    assert (row["state"], row["reason"], network.files) == ("waiting", "no_cmts", [])
    network.poll()
    network.converge()
    assert provisioning(network, cpe)["cmts_id"] == network.id_of()
    assert says(network, configuration.NETWORK_ACCESS) == [b"\1"]


def test_another_modem_for_a_cpe_is_another_file(network: Network) -> None:
    cpe = brought(network)
    network.isp.patch("cpes", cpe["id"], {"mac": LUIS.mac})
    network.settle()
    assert network.files == [f"{LUIS.mac}.cm"]
    (luis,) = network.page("cable-modems", mac=LUIS.mac)
    (ana,) = network.page("cable-modems", mac=ANA.mac)
    assert (luis["cpe"], ana["cpe"]) == (cpe["id"], None)


def test_cpes_of_other_technologies_are_none_of_ours(network: Network) -> None:
    network.cmts()
    network.isp.model("HG8245H")
    network.isp.subscriber("pim")
    network.settle()
    assert network.rows("provisionings") == []


# ---- a CPE changes ----------------------------------------------------------------------------------------


def test_an_unpaid_cpe_forwards_nothing_until_it_is_paid(network: Network) -> None:
    cpe = brought(network)
    network.play("network", modem_community="modem")
    for access in (False, True):
        network.isp.patch("cpes", cpe["id"], {"access": access})
        network.settle()
        assert says(network, configuration.NETWORK_ACCESS) == [bytes((access,))]
        assert is_reset(network)


def test_a_change_that_is_none_of_the_modems_restarts_nobody(network: Network) -> None:
    cpe = brought(network)
    before = network.file(FILE)
    network.isp.patch("cpes", cpe["id"], {"notes": "calls on Mondays", "address": "Calle Real 1"})
    network.settle()
    assert network.file(FILE) == before
    assert not is_reset(network)
    assert provisioning(network, cpe)["state"] == "applied"


def test_another_speed_of_a_profile_reaches_all_that_have_it(network: Network) -> None:
    cpe = brought(network)
    other = network.subscriber(LUIS.mac)
    network.settle()
    network.isp.patch("cpe-profiles", cpe["profile"], {"downstream": "300M"})
    network.settle()
    for name in (FILE, f"{LUIS.mac}.cm"):
        assert rate(network, configuration.DOWNSTREAM_FLOW, name) == 300_000_000
    assert other["profile"] == cpe["profile"]


def test_a_speed_that_cannot_be_read_leaves_the_modem_as_it_is(network: Network) -> None:
    cpe = brought(network)
    before = network.file(FILE)
    network.isp.patch("cpe-profiles", cpe["profile"], {"downstream": "very fast"})
    network.settle()
    row = provisioning(network, cpe)
    assert (row["state"], row["error"]) == ("failed", '"very fast" is not a speed, such as 20M.')
    assert network.file(FILE) == before


def test_what_is_not_ours_to_provision_is_left_alone(network: Network) -> None:
    network.cmts()
    network.poll()
    cpe = network.subscriber(ANA.mac, disable_provision=True)
    network.settle()
    row = provisioning(network, cpe)
    assert (row["state"], row["reason"], network.files) == ("left", "disable_provision", [])
    network.isp.patch("cpes", cpe["id"], {"disable_provision": False})
    network.engine.update(ROOT, "cmtss", CMTS, {"disable_provision": True}, partial=True)
    network.settle()
    assert provisioning(network, cpe)["reason"] == "cmts_disabled"
    assert not is_reset(network)


def test_who_was_on_a_cmts_that_is_deleted_waits(network: Network) -> None:
    cpe = brought(network)
    assert provisioning(network, cpe)["state"] == "applied"
    network.engine.delete(ROOT, "cmtss", CMTS)
    network.hear_ours()
    network.converge()
    row = provisioning(network, cpe)
    assert (row["state"], row["reason"], row["cmts_id"]) == ("waiting", "no_cmts", None)


def test_another_secret_of_a_cmts_is_another_signature(network: Network) -> None:
    cpe = brought(network)
    network.engine.update(ROOT, "cmtss", CMTS, {"shared_secret": "invented-other"}, partial=True)
    network.hear_ours()
    network.converge()
    found = network.file(FILE)
    assert found is not None
    assert found.is_ours(b"invented-other")
    assert provisioning(network, cpe)["state"] == "written"


# ---- a CPE goes -------------------------------------------------------------------------------------------


def test_a_deleted_cpe_leaves_nothing_and_its_modem_restarts_without(network: Network) -> None:
    cpe = brought(network)
    network.play("network", modem_community="modem")
    network.isp.delete("cpes", cpe["id"])
    network.settle()
    assert (network.files, network.rows("provisionings")) == ([], [])
    assert is_reset(network)
    (ana,) = network.page("cable-modems", mac=ANA.mac)
    assert ana["cpe"] is None


def test_a_mac_that_another_cpe_has_by_now_keeps_its_file(network: Network) -> None:
    first = brought(network)
    network.isp.delete("cpes", first["id"])
    second = network.subscriber(ANA.mac)
    network.hear()
    network.converge()
    network.converge()
    assert network.files == [FILE]
    assert [row["cpe"] for row in network.rows("provisionings")] == [second["id"]]


# ---- what goes wrong
# ----------------------------------------------------------------------------------------


def test_while_isp_is_away_nothing_is_decided(network: Network) -> None:
    network.cmts()
    cpe = network.subscriber(ANA.mac)
    network.hear()
    network.books.away = ServiceUnavailable()
    with pytest.raises(ServiceUnavailable):
        network.converge()
    assert (provisioning(network, cpe)["state"], network.files) == ("pending", [])
    network.books.away = None
    network.converge()
    assert network.files == [FILE]


def test_a_modem_that_does_not_answer_is_tried_again_later(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converging, "FIRST_PAUSE", 300_000)  # no second time before we have looked
    network.cmts(modem_community="nobody")
    network.poll()
    cpe = network.subscriber(ANA.mac)
    network.hear()
    work = Converger()
    network.eventually(lambda: not work(network.engine) and provisioning(network, cpe)["attempts"] == 1)
    row = provisioning(network, cpe)
    assert row["error"] == "The device did not answer in time."
    assert row["due"] > int(time.time() * 1000)
    assert network.files == [FILE]


class Killed(BaseException):
    """The worker's process ends here."""


@pytest.mark.parametrize("place", ["write", "_write_file", "_is_old", "restart", "_again", "_applied"])
def test_a_worker_killed_anywhere_leaves_what_the_next_one_finishes(
    network: Network, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Killed before and after each step; in the end there is one file, and one restart more than none."""
    network.cmts(realms=["pim"])
    network.poll()
    cpe = network.subscriber(ANA.mac)
    network.hear()
    owner: Any = files if place == "write" else converging
    step = getattr(owner, place)
    for after in (False, True):

        def dies(*arguments: Any, after: bool = after, **named: Any) -> Any:
            if after:
                step(*arguments, **named)
            raise Killed

        monkeypatch.setattr(owner, place, dies)
        with suppress(Killed):
            network.converge()
        monkeypatch.setattr(owner, place, step)
        network.mark("provisionings", due=0)
    network.converge()
    assert network.files == [FILE]
    assert says(network, configuration.NETWORK_ACCESS) == [b"\1"]
    restarted(network)
    network.converge()
    assert provisioning(network, cpe)["state"] == "applied"
    assert network.events("modem.provisioned") == [("modem.provisioned", colons(ANA.mac))]


def test_a_file_is_whole_or_the_one_before(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = network.engine.settings
    files.write(settings, "a.cm", b"one")

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("services.docsis.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write(settings, "a.cm", b"other")
    assert [one.name for one in files.folder(settings).iterdir()] == ["a.cm"]
    assert (files.folder(settings) / "a.cm").read_bytes() == b"one"


# ---- actions
# ------------------------------------------------------------------------------------------------


def settling(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """The converger beside an action, without its threads."""

    def work(_: float) -> None:
        network.converge()

    monkeypatch.setattr("services.docsis.doing.time.sleep", work)


def test_unprovision_forbids_traffic_and_reprovision_gives_it_back(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpe = brought(network)
    settling(network, monkeypatch)
    network.play("network", modem_community="modem")
    told = doing.perform(network.run("unprovision", cpe))
    assert told == {"cmts": CMTS, "file": FILE, "state": "written"}
    assert says(network, configuration.NETWORK_ACCESS) == [b"\0"]
    assert is_reset(network)
    network.play("network", modem_community="modem")
    doing.perform(network.run("reprovision", cpe))
    assert says(network, configuration.NETWORK_ACCESS) == [b"\1"]
    assert is_reset(network)


def test_reprovision_restarts_a_modem_that_has_its_file_already(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpe = brought(network)
    network.play("network", modem_community="modem")
    settling(network, monkeypatch)
    doing.perform(network.run("reprovision", cpe))
    assert is_reset(network)


def test_a_change_of_the_cpe_ends_an_unprovision(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    cpe = brought(network)
    settling(network, monkeypatch)
    doing.perform(network.run("unprovision", cpe))
    network.isp.patch("cpes", cpe["id"], {"notes": "paid"})
    network.settle()
    assert says(network, configuration.NETWORK_ACCESS) == [b"\1"]


@pytest.mark.parametrize("network", ["on_server"], indirect=True)
def test_an_action_outlives_a_database_that_was_away(network: Network, postgres: Postgres) -> None:
    cpe = brought(network)
    network.play("network", modem_community="modem")
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(doing.perform, network.run("reprovision", cpe))
        network.eventually(lambda: bool(network.rows("provisionings")[0]["stale"]), 60)
        with away(postgres, network.engine.database):
            wait([asked], timeout=2)
        network.converge()
        assert asked.result(60)["file"] == FILE
    assert is_reset(network)


def test_an_action_on_what_is_left_alone_says_so(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    network.cmts()
    cpe = network.subscriber(ANA.mac, disable_provision=True)
    network.settle()
    settling(network, monkeypatch)
    with pytest.raises(Refused, match="It is left alone: disable_provision"):
        doing.perform(network.run("reprovision", cpe))
    with pytest.raises(Refused, match="not known here"):
        doing.perform(network.run("reprovision", {**cpe, "id": 999}))


# ---- what no event told
# ---------------------------------------------------------------------------------------


def test_a_census_finds_what_no_event_told(network: Network) -> None:
    network.cmts()
    kept = network.subscriber(ANA.mac)
    network.hear()
    lost = network.subscriber(LUIS.mac)
    network.isp.delete("cpes", kept["id"])
    desire.census()(network.engine)
    network.converge()
    assert [row["cpe"] for row in network.rows("provisionings")] == [lost["id"]]
    assert network.files == [f"{LUIS.mac}.cm"]


def test_modems_that_were_at_work_before_we_were_are_not_restarted_for_their_first_file(
    network: Network,
) -> None:
    network.cmts(realms=["pim"])
    network.poll()
    cpe = network.subscriber(ANA.mac)
    desire.census()(network.engine)
    network.converge()
    row = provisioning(network, cpe)
    assert (row["state"], row["reason"], network.files) == ("written", "adopted", [FILE])
    assert not is_reset(network)
    network.isp.patch("cpes", cpe["id"], {"access": False})
    network.settle()
    assert is_reset(network)


def test_events_twice_late_and_out_of_order_end_the_same(network: Network) -> None:
    network.cmts()
    cpe = network.subscriber(ANA.mac)
    network.isp.patch("cpes", cpe["id"], {"access": False})
    network.hear()
    network.forget_heard()
    network.hear()
    network.converge()
    assert len(network.rows("provisionings")) == 1
    assert says(network, configuration.NETWORK_ACCESS) == [b"\0"]
