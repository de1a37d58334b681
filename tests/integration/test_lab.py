"""The lab's faults, switched on while it runs: each action ends in the state that is the honest one."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from deploy.lab.executor import service
from deploy.lab.executor.faults import Fault, Faults
from deploy.lab.executor.service import EXIT, OVER_TR069, OWNED, wants
from services.common.executing.executor import DIED
from services.isp.domain import action
from tests.servers import Real, Server, Session

SLACK = 20.0
"""Seconds after its deadline by which an action has ended: two for the clock, the rest for a busy machine."""

AWAY = 9.0
"""Seconds in which the lease that an executor has of an action runs out."""

Switch = Callable[..., None]


def switched(data: Path) -> Iterator[Switch]:
    """Switches faults on; they are off again afterwards."""
    file = data / "lab-faults.json"

    def on(*faults: dict[str, Any]) -> None:
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(faults))
        fresh.rename(file)

    yield on
    file.unlink(missing_ok=True)


@pytest.fixture
def switch(server: Server) -> Iterator[Switch]:
    yield from switched(server.data)


def subscriber(session: Session) -> int:
    customer = session.post("/api/v2/isp/customers/", json={"name": "Eva"}).json()["id"]
    sn = f"HWTC{time.time_ns() % 2**32:08x}"
    body = {"customer": customer, "model": "HG8245H", "tech": "voip", "sn": sn}
    made: int = session.post("/api/v2/isp/cpes/", json=body).json()["id"]
    return made


def ask(session: Session, cpe: int, kind: str = "reboot", timeout: int = 60) -> str:
    """Where to look."""
    answer = session.post(f"/api/v2/isp/cpes/{cpe}/{kind}", json={"timeout": timeout})
    assert answer.status_code == 202, answer.text
    return answer.headers["Location"]


def until(session: Session, location: str, *states: str, seconds: float = 60 + SLACK) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while True:
        found: dict[str, Any] = session.get(location).json()
        if found["state"] in states:
            return found
        assert time.monotonic() < end, found
        time.sleep(0.05)


# ---- both ways of running -----------------------------------------------------------------------


def test_faults_end_honestly(server: Server, switch: Switch) -> None:
    session = server.session("own")
    names = ("refuses", "twice", "silent", "hangs", "slow")
    cpes = {name: subscriber(session) for name in names}
    # Long enough for a busy machine to see that it goes on, and to begin what has a deadline.
    seconds, patience = 5, 10
    switch(*({"fault": name, "cpe": cpe, "seconds": seconds} for name, cpe in cpes.items()))
    began = time.monotonic()
    short = dict.fromkeys(("silent", "hangs"), patience)
    asked = {name: ask(session, cpe, timeout=short.get(name, 60)) for name, cpe in cpes.items()}
    until(session, asked["slow"], "running")
    refused = until(session, asked["refuses"], *action.ENDED)
    assert (refused["state"], refused["error"]) == ("failed", "The device refused.")
    assert until(session, asked["slow"], *action.ENDED)["state"] == "succeeded"
    assert time.monotonic() - began >= seconds
    assert until(session, asked["silent"], *action.ENDED)["state"] == "timed_out"
    assert until(session, asked["hangs"], *action.ENDED)["state"] == "unknown"
    assert time.monotonic() - began < patience + SLACK
    twice = until(session, asked["twice"], *action.ENDED)
    end = time.monotonic() + 60
    while not twice["late"]:
        assert time.monotonic() < end, twice
        twice = session.get(asked["twice"]).json()
    assert (twice["state"], [one["state"] for one in twice["late"]]) == ("succeeded", ["succeeded"])
    switch()
    assert until(session, ask(session, cpes["refuses"]), *action.ENDED)["state"] == "succeeded"


def test_waiting_ends_with_the_action_or_with_the_patience(server: Server, switch: Switch) -> None:
    session = server.session("own")
    bad, slow = subscriber(session), subscriber(session)
    switch({"fault": "refuses", "cpe": bad}, {"fault": "slow", "cpe": slow, "seconds": 20})
    answer = session.post(f"/api/v2/isp/cpes/{bad}/reboot?wait=30", timeout=60)
    assert answer.status_code == 200
    assert (answer.json()["result"], answer.json()["action"]["state"]) == ("ko", "failed")
    began = time.monotonic()
    answer = session.get(f"/api/v2/isp/cpes/{slow}/reboot?wait=0.5", timeout=60)
    assert 0.5 <= time.monotonic() - began < 20
    assert (answer.status_code, answer.json()["result"]) == (202, "ok")
    assert "Location" in answer.headers


# ---- the executor as a process of its own ---------------------------------------------------------


@pytest.fixture
def switch_real(real: Real) -> Iterator[Switch]:
    yield from switched(real.data)


def test_an_executor_that_dies_in_the_middle_tells_the_truth(real: Real, switch_real: Switch) -> None:
    session = real.session("own")
    cpes = {kind: subscriber(session) for kind in ("reboot", "reconfig")}
    asked: dict[str, str] = {}
    for kind, cpe in cpes.items():
        switch_real({"fault": "dies", "kind": kind, "cpe": cpe})
        asked[kind] = ask(session, cpe, kind)
        assert real.children["lab"].wait(60) == EXIT
        assert session.get(asked[kind]).json()["state"] in ("dispatched", "running")
        switch_real()  # while nobody speaks for it it may be handed over anew: no attempt dies of that again
        real.start_lab()
    reboot = until(session, asked["reboot"], *action.ENDED)
    assert reboot["state"] == "unknown"
    assert reboot["error"] in (DIED, action.ERRORS[action.UNKNOWN]), "whoever of the two sees it first"
    assert until(session, asked["reconfig"], *action.ENDED)["state"] == "succeeded"


def test_an_action_that_ends_while_isp_is_away_keeps_its_end(real: Real, switch_real: Switch) -> None:
    session = real.session("own")
    cpe = subscriber(session)
    switch_real({"fault": "slow", "cpe": cpe, "seconds": 2})
    asked = ask(session, cpe, timeout=600)
    until(session, asked, "running")
    isp = real.children["isp"]
    os.kill(isp.pid, signal.SIGKILL)
    isp.wait()
    try:
        time.sleep(AWAY)
    finally:
        real.start_service()
    real.wait()
    ended = until(session, asked, *action.ENDED)
    assert (ended["state"], ended["late"]) == ("succeeded", None)


def test_what_is_cancelled_while_nobody_takes_it_ends_when_somebody_does(real: Real) -> None:
    session = real.session("own")
    lab = real.children["lab"]
    os.kill(lab.pid, signal.SIGKILL)
    lab.wait()
    try:
        wanted, unwanted = (ask(session, subscriber(session)) for _ in range(2))
        answer = session.post(f"{unwanted}/cancel")
        assert (answer.status_code, answer.json()["action"]["cancel_requested"]) == (202, True)
    finally:
        real.start_lab()
    assert until(session, unwanted, *action.ENDED)["state"] in ("cancelled", "succeeded")
    assert until(session, wanted, *action.ENDED)["state"] == "succeeded"
    refused = session.post(f"{unwanted}/cancel")
    assert refused.status_code == 409


# ---- what is the lab's --------------------------------------------------------------------------


def test_it_runs_what_no_service_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "OWNED", frozenset({"isp", "gpon"}))
    for kind in action.KINDS:
        assert wants({"kind": kind, "tech": "ethernet"})
        assert wants({"kind": kind, "tech": "gpon"}) == (kind in OVER_TR069)


def test_the_services_that_are_built_are_known() -> None:
    assert "isp" in OWNED
    assert "common" not in OWNED


# ---- the list of faults -----------------------------------------------------------------------


RUN: dict[str, object] = {"action": 7, "attempt": 1, "cpe": 350, "cpename": "pim0350", "kind": "reboot"}


@pytest.mark.parametrize(
    ("fault", "meets"),
    [
        ({"fault": "slow"}, True),
        ({"fault": "slow", "cpe": 350}, True),
        ({"fault": "slow", "cpe": "pim0350", "kind": "reboot"}, True),
        ({"fault": "slow", "cpe": 351}, False),
        ({"fault": "slow", "kind": "factory"}, False),
        ({"fault": "slow", "rate": 0}, False),
    ],
)
def test_a_fault_meets_the_runs_that_it_names(fault: dict[str, Any], meets: bool) -> None:
    assert Fault(**fault).meets(RUN) is meets


def test_a_rate_meets_its_share_and_the_same_runs_again() -> None:
    fault = Fault(fault="refuses", rate=0.3)
    first = [fault.meets({**RUN, "action": number}) for number in range(1000)]
    assert 200 < sum(first) < 400
    assert first == [fault.meets({**RUN, "action": number}) for number in range(1000)]


def test_faults_are_read_again_when_their_file_changes(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    faults = Faults(str(file))
    assert faults.of(RUN) is None
    file.write_text('[{"fault": "slow", "seconds": 2}]')
    found = faults.of(RUN)
    assert found is not None
    assert (found.fault, found.seconds) == ("slow", 2)
    file.write_text('[{"fault": "slow"')
    assert faults.of(RUN) is found  # half written: what was known holds
    file.unlink()
    assert faults.of(RUN) is None


def test_faults_may_stand_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRILL_LAB_FAULTS", '[{"fault": "twice"}]')
    found = Faults.from_environment(tmp_path).of(RUN)
    assert found is not None
    assert found.fault == "twice"
    monkeypatch.setenv("KRILL_LAB_FAULTS", '[{"fault": "sings"}]')
    with pytest.raises(ValidationError, match="sings"):
        Faults.from_environment(tmp_path).of(RUN)
