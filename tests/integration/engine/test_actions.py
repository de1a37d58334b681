"""Actions on devices as rows: one of a kind at a time, handed out, reported on, ended whatever happens."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from services.common.context import Context
from services.common.database.columns import now
from services.common.errors import ApiError, Conflict, InvalidInput, NotFound, NotOffered
from services.common.events.envelope import Envelope
from services.common.events.inbox import Inbox
from services.common.log import MASK
from services.common.resource.writes import Write
from services.common.rpc.reply import Reply
from services.isp import action_batches, actions
from services.isp.contract import CONTRACT
from services.isp.domain import action
from services.isp.service import REPORTS
from tests.integration.engine.world import BOTH, DEM, PIM, ROOT, Json, World, refused

EXECUTOR = "lab"


def done(world: World, work: Callable[[Write], Reply], who: Context = PIM) -> Json:
    with world.engine.writing(who) as write:
        reply = work(write)
    return json.loads(reply.body)


def ask(world: World, cpe: Any, kind: str = "reboot", who: Context = PIM, **body: Any) -> Json:
    """The action, as the answer to its request shows it."""
    return done(world, lambda write: actions.request(write, str(cpe), kind, body), who)["action"]


def cancel(world: World, id_: int, who: Context = PIM) -> Json:
    return done(world, lambda write: actions.cancel(write, str(id_)), who)["action"]


def bulk(world: World, who: Context = PIM, **body: Any) -> Json:
    return done(world, lambda write: action_batches.request(write, {"kind": "reboot", **body}), who)


def report(world: World, id_: int, state: str, attempt: int = 1, **more: Any) -> None:
    """What an executor says, through the inbox as it arrives."""
    number = next(world.numbers)
    event = Envelope(
        id=f"report-{number}",
        source=EXECUTOR,
        type="action.reported",
        subject=f"actions/{id_}",
        sequence=number,
        realm="pim",
        time=now().isoformat(),
        dataschema="urn:krill:lab:action.reported:1",
        data={"action": id_, "attempt": attempt, "state": state, **more},
    )
    Inbox(world.engine, REPORTS).take([event])
    held = [row["error"] for row in world.rows("held")]
    assert not held, held[0]


def later(seconds: float) -> dt.datetime:
    return now() + dt.timedelta(seconds=seconds)


def tend(world: World, seconds: float = 0) -> None:
    """What the passing of so many seconds brings."""
    while actions.tend(world.engine, later(seconds)):
        pass


def row(world: World, id_: int) -> Json:
    return world.rows("actions", id=id_)[0]


def states(world: World, id_: int) -> list[str]:
    """What was published about an action, in order; each event has a number of its own."""
    events = world.events(f"actions/{id_}")
    assert [one[1] for one in events] == sorted({one[1] for one in events})
    return [type_.removeprefix("action.") for type_, _ in events]


# ---- one action -------------------------------------------------------------------------------


def test_an_action_is_written_and_handed_out_at_once(stocked: World) -> None:
    cpe = stocked.subscriber(external_id="crm-7")
    made = ask(stocked, cpe["cpename"], "cwmp_diagnostic", diagnostic="ping", host="192.0.2.1")
    assert (made["state"], made["attempts"], made["cpe"]) == ("dispatched", 1, cpe["id"])
    assert made["requested_by"] == PIM.user
    event = stocked.rows("outbox", subject=f"actions/{made['id']}")[0]
    assert (event["type"], event["sequence"], event["realm"]) == ("action.dispatched", 1, "pim")
    assert event["data"]["external_id"] == "crm-7"
    assert event["data"]["sn"] == cpe["sn"]
    assert event["data"]["parameters"] == {"diagnostic": "ping", "host": "192.0.2.1"}
    CONTRACT.catalogue[event["type"]](**event["data"])
    assert stocked.rows("audit", resource="actions")[0]["object_repr"] == f"cwmp_diagnostic {cpe['cpename']}"
    assert stocked.related("cpes", cpe["id"], "actions", PIM)[0]["id"] == made["id"]


def test_two_equal_requests_in_flight_are_one_action(stocked: World) -> None:
    cpe = stocked.subscriber()["id"]
    first = ask(stocked, cpe)
    assert ask(stocked, cpe, who=ROOT)["id"] == first["id"]
    assert ask(stocked, cpe, "factory")["id"] != first["id"]
    assert states(stocked, first["id"]) == ["dispatched"]
    report(stocked, first["id"], "succeeded")
    assert ask(stocked, cpe)["id"] != first["id"]


def test_ten_equal_requests_at_once_are_one_action(stocked: World) -> None:
    cpe = stocked.subscriber()["id"]
    with ThreadPoolExecutor(10) as pool:
        found = set(pool.map(lambda _: ask(stocked, cpe)["id"], range(10)))
    assert len(found) == 1
    assert len(stocked.rows("actions")) == len(stocked.rows("outbox", type="action.dispatched")) == 1


def test_a_cpe_of_another_realm_does_not_exist(stocked: World) -> None:
    cpe = stocked.subscriber()
    for key in (cpe["id"], cpe["cpename"]):
        with pytest.raises(NotFound):
            ask(stocked, key, who=DEM)
    errors = refused(
        done, stocked, lambda write: actions.request_by_body(write, {"cpe": cpe["id"], "kind": "reboot"}), DEM
    )
    assert errors == {"cpe": [f'Invalid pk "{cpe["id"]}" - object does not exist.']}
    made = ask(stocked, cpe["id"])
    with pytest.raises(NotFound):
        cancel(stocked, made["id"], DEM)
    assert stocked.count("actions", DEM) == 0
    assert len(stocked.rows("actions")) == 1


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        ({"line_profile": "bitstream:adamo"}, "reprovision", "bitstream"),
        ({"model": "PLAIN"}, "reconfig", "no_tr069"),
        ({"model": "PLAIN"}, "cwmp_diagnostic", "no_tr069"),
        ({"model": "MUTE"}, "cwmp_diagnostic", "no_diagnostics"),
        ({"bridge": True}, "reconfig", "bridge"),
        ({"disable_provision": True}, "unprovision", "disable_provision"),
        ({"disable_reconfig": True}, "reconfig", "disable_reconfig"),
    ],
)
def test_what_a_device_does_not_offer_is_refused_and_not_linked(
    stocked: World, values: Json, kind: str, reason: str
) -> None:
    stocked.model("PLAIN", tr069=False)
    stocked.model("MUTE")
    cpe = stocked.subscriber(**values)
    body: Json = {"diagnostic": "ping", "host": "192.0.2.1"} if kind == "cwmp_diagnostic" else {}
    with pytest.raises(NotOffered) as caught:
        ask(stocked, cpe["id"], kind, **body)
    assert caught.value.extra == {"reason": reason}
    assert cpe["cpename"] in str(caught.value)
    assert f"/{kind}" not in json.dumps(cpe["_links"]["actions"])
    assert stocked.rows("actions") == []
    ask(stocked, cpe["id"])
    assert "reboot" in cpe["_links"]["actions"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ([], {"non_field_errors"}),
        ({}, {"cpe", "kind"}),
        ({"cpe": 1, "kind": "explode"}, {"kind"}),
        ({"cpe": 1, "kind": ["reboot"]}, {"kind"}),
        ({"cpe": True, "kind": "reboot"}, {"cpe"}),
        ({"cpe": {}, "kind": "reboot"}, {"cpe"}),
        ({"cpe": 1, "kind": "reboot", "parameters": 3}, {"parameters"}),
        ({"cpe": 1, "kind": "reboot", "parameters": {"x": 1}}, {"x"}),
        ({"cpe": 1, "kind": "reboot", "timeout": 0}, {"timeout"}),
        ({"cpe": 1, "kind": "reboot", "timeout": 3601}, {"timeout"}),
        ({"cpe": 1, "kind": "reboot", "colour": 1}, {"colour"}),
        ({"cpe": 99, "kind": "reboot"}, {"cpe"}),
        ({"cpe": "no\0ne", "kind": "reboot"}, {"cpe"}),
    ],
)
def test_a_malformed_request_says_what_is_wrong(stocked: World, body: Any, fields: set[str]) -> None:
    stocked.subscriber()
    assert set(refused(done, stocked, lambda write: actions.request_by_body(write, body))) == fields
    assert stocked.rows("actions") == []


def test_an_action_outlives_its_cpe(stocked: World) -> None:
    cpe = stocked.subscriber()
    made = ask(stocked, cpe["id"])
    stocked.delete("cpes", cpe["id"])
    report(stocked, made["id"], "succeeded")
    assert stocked.get("actions", made["id"])["cpename"] == cpe["cpename"]
    assert states(stocked, made["id"]) == ["dispatched", "succeeded"]


# ---- what executors report ----------------------------------------------------------------------


def test_an_action_that_goes_well(stocked: World) -> None:
    made = ask(stocked, stocked.subscriber()["id"])["id"]
    report(stocked, made, "running", lease=10)
    assert stocked.get("actions", made)["state"] == "running"
    report(stocked, made, "succeeded", result={"SuccessCount": 4})
    shown = stocked.get("actions", made)
    assert (shown["state"], shown["result"], shown["error"]) == ("succeeded", {"SuccessCount": 4}, None)
    assert shown["finished"]
    assert shown["lease"] is None
    assert states(stocked, made) == ["dispatched", "running", "succeeded"]
    told = stocked.rows("outbox", type="action.succeeded")[0]["data"]
    assert (told["result"], told["requested_by"]) == ({"SuccessCount": 4}, PIM.user)


@pytest.mark.parametrize("state", ["failed", "cancelled", "unknown"])
def test_an_action_that_does_not(stocked: World, state: str) -> None:
    made = ask(stocked, stocked.subscriber()["id"])["id"]
    report(stocked, made, state, error="The device refused.", more_than_is_known="x")
    shown = stocked.get("actions", made)
    assert (shown["state"], shown["error"]) == (state, "The device refused.")
    assert states(stocked, made) == ["dispatched", state]


def test_what_is_reported_too_late_is_noted_and_changes_nothing(stocked: World) -> None:
    made = ask(stocked, stocked.subscriber()["id"])["id"]
    report(stocked, made, "running", attempt=2)
    assert row(stocked, made)["state"] == "dispatched"
    report(stocked, made, "succeeded")
    report(stocked, made, "succeeded")
    report(stocked, made, "failed", error="no")
    shown = stocked.get("actions", made)
    assert (shown["state"], shown["error"]) == ("succeeded", None)
    assert [(one["attempt"], one["state"]) for one in shown["late"]] == [
        *((2, "running"), (1, "succeeded"), (1, "failed"))
    ]
    assert states(stocked, made) == ["dispatched", "succeeded"]
    for _ in range(actions.MOST_LATE):
        report(stocked, made, "running")
    assert len(row(stocked, made)["late"]) == actions.MOST_LATE


def test_a_report_on_an_action_that_never_was_is_kept_for_the_operator(stocked: World) -> None:
    with pytest.raises(AssertionError, match="NotFound"):
        report(stocked, 99, "running")
    assert stocked.rows("held")[0]["state"] == "waiting"


# ---- what time does -----------------------------------------------------------------------------


def test_what_nobody_takes_times_out_at_its_deadline(stocked: World) -> None:
    made = ask(stocked, stocked.subscriber()["id"], timeout=600)["id"]
    tend(stocked, 500)
    assert row(stocked, made)["state"] == "dispatched"
    tend(stocked, 602)
    assert row(stocked, made)["state"] == "timed_out"
    assert row(stocked, made)["open_key"] is None
    assert states(stocked, made) == ["dispatched", "timed_out"]


def test_the_setting_overrides_the_deadlines_of_the_kinds(stocked: World) -> None:
    made = ask(stocked.another(action_timeout=2.0), stocked.subscriber()["id"])["id"]
    tend(stocked, 4)
    assert row(stocked, made)["state"] == "timed_out"


def test_a_lease_that_is_renewed_holds(stocked: World) -> None:
    made = ask(stocked, stocked.subscriber()["id"])["id"]
    report(stocked, made, "running", lease=5)
    report(stocked, made, "running", lease=100)
    tend(stocked, 40)
    assert row(stocked, made)["state"] == "running"
    assert states(stocked, made) == ["dispatched", "running"]
    tend(stocked, 102)
    assert row(stocked, made)["state"] == "unknown"


def test_a_lease_is_not_over_before_its_renewal_could_be_heard(
    stocked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """We, the broker or the database were away: what was reported meanwhile is still to come."""
    going, late = (ask(stocked, stocked.subscriber()["id"], timeout=60 * n)["id"] for n in (2, 1))
    for made in (going, late):
        report(stocked, made, "running", lease=5)
    with monkeypatch.context() as patch:
        patch.setattr(stocked.engine, "hearing", lambda: 1.0)
        tend(stocked, 20)
        assert row(stocked, going)["state"] == row(stocked, late)["state"] == "running"
        tend(stocked, 70)
        assert (row(stocked, going)["state"], row(stocked, late)["state"]) == ("running", "unknown")
    report(stocked, going, "succeeded")
    tend(stocked, 80)
    assert states(stocked, going) == ["dispatched", "running", "succeeded"]


def test_a_lost_attempt_is_repeated_only_where_the_driver_allows_it(stocked: World) -> None:
    once = ask(stocked, stocked.subscriber()["id"])["id"]
    again = ask(stocked, stocked.subscriber()["id"], "reconfig")["id"]
    report(stocked, once, "running", lease=1)
    for attempt in (1, 2, 3):
        report(stocked, again, "running", attempt=attempt, lease=1, repeatable=True)
        tend(stocked, 5)
    assert states(stocked, once) == ["dispatched", "running", "unknown"]
    assert states(stocked, again) == [*("dispatched", "running") * 3, "unknown"]
    handed = stocked.rows("outbox", type="action.dispatched", subject=f"actions/{again}")
    assert [one["data"]["attempt"] for one in handed] == [1, 2, 3]


def test_the_deadline_ends_what_still_runs(stocked: World) -> None:
    made = ask(stocked, stocked.subscriber()["id"], timeout=10)["id"]
    report(stocked, made, "running", lease=3600, repeatable=True)
    tend(stocked, 12)
    assert row(stocked, made)["state"] == "unknown"
    assert row(stocked, made)["error"] == action.ERRORS["unknown"]


def test_no_action_is_open_after_its_deadline_whatever_was_reported(stocked: World) -> None:
    made = [ask(stocked, stocked.subscriber()["id"], "reconfig", timeout=20)["id"] for _ in range(12)]
    told: list[tuple[str, Json]] = [
        *(("running", {"lease": 5}), ("running", {"lease": 5, "repeatable": True}), ("running", {})),
        *(("succeeded", {}), ("failed", {}), ("unknown", {})),
    ]
    for id_, (state, more) in zip(made, [*told, *told], strict=True):
        report(stocked, id_, state, **more)
    bulk(stocked, kind="factory", all=True, timeout=20)
    for seconds in (0, 5, 10, 15, 22):
        tend(stocked, seconds)
    assert {one["state"] for one in stocked.rows("actions")} <= set(action.ENDED)
    assert all(one["due"] is None and one["finished"] for one in stocked.rows("actions"))


def test_of_two_sweepers_one_does_it(stocked: World) -> None:
    made = [ask(stocked, stocked.subscriber()["id"], timeout=1)["id"] for _ in range(30)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: tend(stocked, 5), range(4)))
    tend(stocked, 5)
    assert len(stocked.rows("outbox", type="action.timed_out")) == len(made)


def test_with_nothing_due_there_is_nothing_to_do(stocked: World) -> None:
    ask(stocked, stocked.subscriber()["id"])
    before = stocked.everything()
    assert actions.tend(stocked.engine) is False
    assert stocked.everything() == before


# ---- cancel -----------------------------------------------------------------------------------


def test_what_was_handed_out_is_asked_to_end_once(stocked: World) -> None:
    made = ask(stocked, stocked.subscriber()["id"])["id"]
    assert cancel(stocked, made)["cancel_requested"] is True
    assert cancel(stocked, made)["state"] == "dispatched"
    assert states(stocked, made) == ["dispatched", "cancel_requested"]
    report(stocked, made, "cancelled")
    assert states(stocked, made) == ["dispatched", "cancel_requested", "cancelled"]
    with pytest.raises(Conflict, match="it is cancelled"):
        cancel(stocked, made)


def test_what_goes_on_all_the_same_ends_as_it_ends(stocked: World) -> None:
    made = ask(stocked, stocked.subscriber()["id"])["id"]
    report(stocked, made, "running", lease=5, repeatable=True)
    cancel(stocked, made)
    report(stocked, made, "succeeded")
    assert row(stocked, made)["state"] == "succeeded"


def test_what_is_no_longer_wanted_is_not_tried_again(stocked: World) -> None:
    made = ask(stocked, stocked.subscriber()["id"], "reconfig")["id"]
    report(stocked, made, "running", lease=1, repeatable=True)
    cancel(stocked, made)
    tend(stocked, 5)
    assert row(stocked, made)["state"] == "unknown"


# ---- bulk -------------------------------------------------------------------------------------


def test_a_bulk_action_reaches_those_that_the_filter_finds_and_that_offer_it(stocked: World) -> None:
    stocked.model("PLAIN", tr069=False)
    there = [stocked.subscriber(topology="NAP-7")["id"] for _ in range(3)]
    for values in ({"model": "PLAIN"}, {"bridge": True}, {"disable_reconfig": True}):
        stocked.subscriber(topology="NAP-7", **values)
    stocked.subscriber(topology="NAP-8")
    stocked.subscriber("dem", topology="NAP-7")
    joined = ask(stocked, there[0], "reconfig")["id"]
    dry = bulk(stocked, kind="reconfig", filter={"topology": "NAP-7"}, dry_run=True)
    skipped = {"no_tr069": 1, "bridge": 1, "disable_reconfig": 1}
    numbers = {"matched": 6, "offered": 3, "joined": 1, "skipped": skipped}
    assert {name: dry[name] for name in numbers} == numbers
    assert dry["ids"] == there
    assert stocked.rows("action_batches") == []
    batch = bulk(stocked, kind="reconfig", filter={"topology": "NAP-7"})
    assert {name: batch[name] for name in numbers} == numbers
    assert batch["states"] == {"requested": 2}
    assert batch["realms"] == ["pim"]
    tend(stocked)
    shown = stocked.get("action-batches", batch["id"], PIM)
    assert shown["states"] == {"dispatched": 2}
    of_batch = stocked.related("action-batches", batch["id"], "actions", PIM)
    assert {one["cpe"] for one in of_batch} == set(there[1:])
    assert states(stocked, of_batch[0]["id"]) == ["dispatched"]
    assert row(stocked, joined)["batch"] is None


def test_a_bulk_action_does_not_keep_the_password_that_it_was_asked_by(stocked: World) -> None:
    stocked.subscriber(wifi_password="invented-word", topology="NAP-9")
    seeing = replace(PIM, secrets=True)
    given = {"wifi_password__startswith": "invented", "wifi_password": "invented-word", "search": "NAP-9"}
    hidden = {**given, "wifi_password__startswith": MASK, "wifi_password": MASK}
    for dry_run in (True, False):
        batch = bulk(stocked, seeing, filter=given, dry_run=dry_run)
        assert (batch["matched"], batch["filter"]) == (1, hidden)
    assert stocked.get("action-batches", batch["id"], PIM)["filter"] == hidden


def test_a_bulk_action_is_seen_by_those_of_all_its_realms_only(stocked: World) -> None:
    for realm in ("pim", "dem"):
        stocked.subscriber(realm)
    batch = bulk(stocked, BOTH, filter={"tech": "gpon"})
    assert batch["realms"] == ["dem", "pim"]
    assert stocked.get("action-batches", batch["id"], BOTH)["matched"] == 2
    for who in (PIM, DEM):
        with pytest.raises(NotFound):
            stocked.get("action-batches", batch["id"], who)
        with pytest.raises(NotFound):
            done(stocked, lambda write: action_batches.cancel(write, str(batch["id"])), who)


def test_cancelling_a_bulk_action_ends_what_was_not_handed_out(
    stocked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        stocked.subscriber()
    batch = bulk(stocked, all=True)["id"]
    monkeypatch.setattr(actions, "AT_ONCE", 2)
    actions.tend(stocked.engine)
    shown = done(stocked, lambda write: action_batches.cancel(write, str(batch)))
    assert shown["states"] == {"cancelled": 3, "dispatched": 2}
    assert shown["cancelled"] is True
    tend(stocked)
    assert stocked.get("action-batches", batch)["states"] == {"cancelled": 3, "dispatched": 2}
    assert len(stocked.rows("outbox", type="action.cancelled")) == 3


def test_single_actions_can_be_cancelled_before_they_are_handed_out(stocked: World) -> None:
    stocked.subscriber()
    bulk(stocked, all=True)
    made = stocked.rows("actions")[0]["id"]
    assert cancel(stocked, made)["state"] == "cancelled"
    tend(stocked)
    assert states(stocked, made) == ["cancelled"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"filter"}),
        ({"filter": {}}, {"filter"}),
        ({"filter": []}, {"filter"}),
        ({"filter": {"tech": "gpon"}, "all": True}, {"all"}),
        ({"filter": {"teck": "gpon"}}, {"teck"}),
        ({"filter": {"limit": 3}}, {"limit"}),
        ({"filter": {"attrs": "id"}}, {"attrs"}),
        ({"filter": {"id": "x"}}, {"id"}),
        ({"filter": {"tech": {"a": 1}}}, {"tech"}),
        ({"filter": {"wifi_password": "x"}}, {"wifi_password"}),
        ({"kind": None, "all": True}, {"kind"}),
        ({"kind": "explode", "all": True}, {"kind"}),
        ({"kind": "cwmp_diagnostic", "all": True}, {"diagnostic"}),
        ({"all": True, "max": 0}, {"max"}),
        ({"all": True, "max": 20_001}, {"max"}),
        ({"all": True, "max": 1}, {"max"}),
        ({"all": True, "dry_run": "perhaps"}, {"dry_run"}),
        ({"all": True, "dry_run": None}, {"dry_run"}),
        ({"all": None}, {"all", "filter"}),
        ({"all": True, "timeout": "x"}, {"timeout"}),
        ({"all": True, "colour": "red"}, {"colour"}),
    ],
)
def test_a_malformed_bulk_action_reaches_nobody(stocked: World, body: Json, fields: set[str]) -> None:
    for _ in range(2):
        stocked.subscriber()
    assert set(refused(bulk, stocked, **body)) == fields
    assert stocked.rows("actions") == stocked.rows("action_batches") == []


def test_more_matches_than_allowed_are_told(stocked: World) -> None:
    for _ in range(3):
        stocked.subscriber()
    with pytest.raises(InvalidInput) as caught:
        bulk(stocked, filter={"tech": "gpon"}, max=2)
    assert caught.value.errors["max"][0].startswith("3 CPEs match, more than the 2 allowed")
    assert bulk(stocked, filter={"tech": ["gpon", "docsis"], "access": True}, max=3)["matched"] == 3


def test_a_filter_that_finds_nobody_makes_an_empty_batch(stocked: World) -> None:
    batch = bulk(stocked, filter={"topology": "NAP-9"})
    assert (batch["matched"], batch["states"], batch["realms"]) == (0, {}, ["pim"])


def test_counts_stay_right(stocked: World) -> None:
    cpe = stocked.subscriber()["id"]
    made = ask(stocked, cpe)["id"]
    bulk(stocked, kind="factory", all=True)
    assert stocked.tallied()["actions", "pim"] == 2
    count = lambda state: stocked.engine.list(PIM, "actions", [("state", state)]).meta["count"]  # noqa: E731
    assert count("dispatched") == 1
    report(stocked, made, "succeeded")
    assert (count("dispatched"), count("succeeded")) == (0, 1)


# ---- asks -------------------------------------------------------------------------------------


def test_a_change_travels_with_what_it_asks(stocked: World) -> None:
    cpe = stocked.subscriber(tv_profile="__catv")
    stocked.patch("cpes", cpe["id"], {"access": False, "active": False})
    told = stocked.rows("outbox", type="cpe.updated")[-1]["data"]
    assert told["asks"] == ["rf_off", "tv_off", "session_disconnect", "internet_off", "monitoring"]
    CONTRACT.catalogue["cpe.updated"](**told)
    port = stocked.related("cpes", cpe["id"], "potses")[0]["id"]
    stocked.patch("potses", port, {"cli": "968000001"})
    told = stocked.rows("outbox", type="pots.updated")[-1]["data"]
    assert told["asks"] == ["provision", "sip", "monitoring"]
    stocked.patch("cpes", cpe["id"], {"disable_provision": True})
    stocked.patch("potses", port, {"cli": "968000002"})
    assert stocked.rows("outbox", type="pots.updated")[-1]["data"]["asks"] == ["sip", "monitoring"]
    stocked.delete("cpes", cpe["id"])
    assert "monitoring_off" in stocked.rows("outbox", type="cpe.deleted")[-1]["data"]["asks"]


def test_no_error_of_an_action_is_one_of_ours() -> None:
    assert issubclass(NotOffered, ApiError)
    assert (NotOffered.status, NotOffered.code) == (409, "action_not_offered")
