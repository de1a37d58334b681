"""The rules of an action: its states, who offers it, what it needs."""

from __future__ import annotations

import datetime as dt
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.actions import ActionReported
from services.isp.contract import CONTRACT
from services.isp.domain import action
from services.isp.domain.action import Device

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
FINE = Device(
    is_bitstream=False,
    tr069=True,
    diagnostics=True,
    bridge=False,
    disable_provision=False,
    disable_reconfig=False,
)


def row(state: str, **values: Any) -> dict[str, Any]:
    later = NOW + dt.timedelta(seconds=60)
    usual = {"attempts": 1, "repeatable": False, "cancel_requested": False, "lease": None, "deadline": later}
    return {"state": state, **usual, **values}


# ---- states -----------------------------------------------------------------------------------


def test_every_state_is_reached_from_the_first_and_leads_to_an_end() -> None:
    reached, fresh = {action.REQUESTED}, {action.REQUESTED}
    while fresh:
        fresh = {after for state in fresh for after in action.TRANSITIONS[state]} - reached
        reached |= fresh
    assert reached == set(action.TRANSITIONS)
    assert set(action.ENDED) == {"succeeded", "failed", "timed_out", "cancelled", "unknown"}
    for state in set(action.STATES) - set(action.ENDED):
        assert set(action.TRANSITIONS[state]) & set(action.ENDED), state


def test_an_ended_action_stays_as_it_is() -> None:
    late = NOW + dt.timedelta(days=1)
    for state in action.ENDED:
        assert action.overdue(row(state, lease=NOW), late) is None
        for told in get_args(ActionReported.model_fields["state"].annotation):
            assert not action.takes(row(state), 1, told)


@pytest.mark.parametrize("state", action.STATES)
@pytest.mark.parametrize("told", get_args(ActionReported.model_fields["state"].annotation))
def test_a_report_leads_only_where_the_table_says(state: str, told: str) -> None:
    taken = action.takes(row(state), 1, told)
    assert taken == (told in action.TRANSITIONS[state] or (state, told) == ("running", "running"))
    assert not action.takes(row(state, attempts=2), 1, told)


def test_each_state_has_its_event() -> None:
    told = {one.removeprefix("action.") for one in CONTRACT.catalogue if one.startswith("action.")}
    assert told == set(action.STATES) - {action.REQUESTED} | {"cancel_requested"}


moments = st.integers(-100, 100).map(lambda seconds: NOW + dt.timedelta(seconds=seconds))


@given(
    state=st.sampled_from(action.STATES),
    attempts=st.integers(1, 5),
    repeatable=st.booleans(),
    cancel=st.booleans(),
    deadline=moments,
    lease=st.none() | moments,
)
def test_time_moves_an_action_along_the_table_and_past_no_deadline(
    state: str,
    attempts: int,
    repeatable: bool,
    cancel: bool,
    deadline: dt.datetime,
    lease: dt.datetime | None,
) -> None:
    facts = {"attempts": attempts, "repeatable": repeatable, "cancel_requested": cancel}
    found = action.overdue(row(state, **facts, deadline=deadline, lease=lease), NOW)
    assert found is None or found in action.TRANSITIONS[state]
    if deadline <= NOW and state not in action.ENDED:
        assert found in action.ENDED
    if state == "running" and found == "dispatched":
        assert repeatable
        assert attempts < action.MOST_ATTEMPTS
        assert not cancel


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (row("requested"), "dispatched"),
        (row("requested", deadline=NOW), "timed_out"),
        (row("dispatched"), None),
        (row("dispatched", deadline=NOW), "timed_out"),
        (row("dispatched", deadline=NOW, attempts=2), "unknown"),  # the first attempt may have done it
        (row("running", lease=NOW + dt.timedelta(seconds=1)), None),
        (row("running", lease=NOW), "unknown"),
        (row("running", lease=NOW, repeatable=True), "dispatched"),
        (row("running", lease=NOW, repeatable=True, attempts=3), "unknown"),
        (row("running", lease=NOW, repeatable=True, cancel_requested=True), "unknown"),
        (row("running", lease=NOW, repeatable=True, deadline=NOW), "unknown"),
        (row("running", deadline=NOW), "unknown"),
    ],
)
def test_what_ran_out_of_time(facts: dict[str, Any], expected: str | None) -> None:
    assert action.overdue(facts, NOW) == expected


# ---- offers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, set(action.KINDS)),
        ({"is_bitstream": True}, {"reboot", "factory", "reconfig", "cwmp_diagnostic"}),
        ({"tr069": False}, {"reboot", "factory", "reprovision", "unprovision"}),
        ({"tr069": None, "diagnostics": None}, {"reboot", "factory", "reprovision", "unprovision"}),
        ({"diagnostics": False}, set(action.KINDS) - {"cwmp_diagnostic"}),
        ({"bridge": True}, {"reboot", "factory", "reprovision", "unprovision"}),
        ({"disable_provision": True}, {"reboot", "factory", "reconfig", "cwmp_diagnostic"}),
        ({"disable_reconfig": True}, set(action.KINDS) - {"reconfig"}),
    ],
)
def test_a_device_offers_what_it_can(facts: dict[str, Any], expected: set[str]) -> None:
    device = FINE._replace(**facts)
    assert set(action.offered(device)) == expected
    for kind in action.KINDS:
        assert (action.refusal(kind, device) is None) == (kind in expected)


def test_every_refusal_can_be_met_and_has_a_reason_of_its_own() -> None:
    facts = {
        "bitstream": {"is_bitstream": True},
        "no_tr069": {"tr069": False},
        "no_diagnostics": {"diagnostics": False},
    }
    for one in action.REFUSALS:
        device = FINE._replace(**facts.get(one.reason, {one.reason: True}))
        for kind in one.kinds:
            assert action.refusal(kind, device) is one
    assert len(set(action.REASONS)) == len(action.REFUSALS)


# ---- parameters ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "given_", "wrong"),
    [
        ("reboot", {}, set()),
        ("reboot", {"host": "192.0.2.1"}, {"host"}),
        ("cwmp_diagnostic", {}, {"diagnostic"}),
        ("cwmp_diagnostic", {"diagnostic": "dance"}, {"diagnostic"}),
        ("cwmp_diagnostic", {"diagnostic": ["ping"]}, {"diagnostic"}),
        ("cwmp_diagnostic", {"diagnostic": "ping"}, {"host"}),
        ("cwmp_diagnostic", {"diagnostic": "ping", "host": ""}, {"host"}),
        ("cwmp_diagnostic", {"diagnostic": "ping", "host": "a b"}, {"host"}),
        ("cwmp_diagnostic", {"diagnostic": "ping", "host": "x\n"}, {"host"}),
        ("cwmp_diagnostic", {"diagnostic": "ping", "host": "2001:db8::1", "wan": "WAN 1"}, set()),
        ("cwmp_diagnostic", {"diagnostic": "download"}, set()),
        ("cwmp_diagnostic", {"diagnostic": "wifi_neighboring"}, set()),
        ("cwmp_diagnostic", {"diagnostic": "wifi_neighboring", "wan": "1"}, {"wan"}),
        ("cwmp_diagnostic", {"diagnostic": "ping", "host": "example.net", "size": 9}, {"size"}),
    ],
)
def test_what_each_kind_needs(kind: str, given_: dict[str, Any], wrong: set[str]) -> None:
    kept, errors = action.parameters(kind, given_)
    assert set(errors) == wrong
    if not wrong:
        assert kept == given_


def test_equal_actions_have_one_key_and_others_another() -> None:
    key = action.open_key(1, "cwmp_diagnostic", {"diagnostic": "ping", "host": "192.0.2.1"})
    assert key == action.open_key(1, "cwmp_diagnostic", {"host": "192.0.2.1", "diagnostic": "ping"})
    others = {
        action.open_key(2, "cwmp_diagnostic", {"diagnostic": "ping", "host": "192.0.2.1"}),
        action.open_key(1, "cwmp_diagnostic", {"diagnostic": "ping", "host": "192.0.2.2"}),
        action.open_key(1, "reboot", {}),
    }
    assert key not in others
    assert len(others) == 3
