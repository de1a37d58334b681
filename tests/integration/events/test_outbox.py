"""Numbers that skip nothing, the feed within a scope, pruning: on both databases."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from services.common.context import Context, Scope
from services.common.database import engine
from services.common.database.columns import now
from services.common.database.engine import Database
from services.common.database.lead import Lead
from services.common.errors import CursorExpired
from services.common.events import feed
from services.common.events.outbox import Outbox
from services.isp.contract import CONTRACT
from services.isp.models import metadata
from tests.integration.engine.world import BOTH, DEM, NOBODY, PIM, ROOT, SETTINGS, World

EVERYTHING = Scope(everything=True)


def outbox_of(world: World) -> Outbox:
    return Outbox("isp", metadata, world.database)


def url_of(world: World) -> str:
    return world.database.engine.url.render_as_string(hide_password=False)


def backend(database: Database) -> int:
    """The server's process of the connection that was given back last."""
    with database.read() as connection:
        return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


def sent_long_ago(world: World, outbox: Outbox) -> None:
    """All that was published so far, forty days back."""
    outbox.number()
    outbox.mark_sent(outbox.unsent())
    with world.database.write() as connection:
        connection.execute(update(metadata.tables["outbox"]).values(sent_at=now() - timedelta(days=40)))


def subjects(outbox: Outbox, after: int = 0, who: Context = ROOT, **narrowed: object) -> list[str]:
    found, _ = outbox.after(after, who.scope, **narrowed)  # type: ignore[arg-type]
    return [one.event.subject for one in found]


def test_only_numbered_events_are_read_and_each_once(world: World) -> None:
    outbox = outbox_of(world)
    first = world.customer()
    assert subjects(outbox) == []
    assert outbox.number() == 1
    assert outbox.number() == 0
    second = world.customer()
    outbox.number()
    assert subjects(outbox) == [f"customers/{first}", f"customers/{second}"]
    _, reached = outbox.after(0, EVERYTHING, limit=1)
    assert subjects(outbox, reached) == [f"customers/{second}"]


def test_a_transaction_that_commits_late_is_not_skipped(on_postgres: World) -> None:
    """It takes its position first and commits last: who goes by positions would never see it."""
    world, outbox = on_postgres, outbox_of(on_postgres)
    with world.engine.writing(ROOT) as write:
        late = write.add(world.engine.resource("customers"), {"name": "Late", "realm": "pim"})["id"]
        write.unit.flush()
        early = world.customer()
        outbox.number()
        found, reached = outbox.after(0, EVERYTHING)
        assert [one.event.subject for one in found] == [f"customers/{early}"]
    outbox.number()
    positions = {row["subject"]: row["position"] for row in world.rows("outbox")}
    assert positions[f"customers/{late}"] < positions[f"customers/{early}"]
    assert subjects(outbox, reached) == [f"customers/{late}"]


def test_a_reader_misses_nothing_while_many_write_and_number(world: World) -> None:
    """Writers and numberers at once, a reader that only ever goes on from where he was."""
    writers, each = 4, 25
    ended = threading.Event()

    def write(number: int) -> None:
        key = world.customer(external_id=f"w{number}")
        for n in range(each):
            world.patch("customers", key, {"comment": str(n)})

    def number() -> None:
        while not ended.is_set():
            outbox_of(world).number()

    outbox, seen, at = outbox_of(world), [], 0
    end = time.monotonic() + 60
    with ThreadPoolExecutor() as pool:
        work = [pool.submit(number) for _ in range(2)] + [pool.submit(write, n) for n in range(writers)]
        while len(seen) < writers * (each + 1) and time.monotonic() < end:
            found, at = outbox.after(at, EVERYTHING, limit=7)
            seen += found
        ended.set()
        for one in work:
            one.result()
    assert [one.event.id for one in seen] == [row["id"] for row in sorted(world.rows("outbox"), key=_number)]
    for subject in {one.event.subject for one in seen}:
        sequence = [one.event.sequence for one in seen if one.event.subject == subject]
        assert sequence == sorted(set(sequence))


def _number(row: dict[str, int]) -> int:
    return row["number"]


def test_a_number_that_another_process_gave_meanwhile_stays(on_postgres: World) -> None:
    """It saw the event without a number, waited for the other, and must not number it again."""
    world, outbox = on_postgres, outbox_of(on_postgres)
    outbox.number()
    subject = f"customers/{world.customer()}"
    with ThreadPoolExecutor() as pool:
        with world.database.write() as other:
            other.execute(update(outbox.sequencer).values(last=41))
            waiting = pool.submit(outbox.number)
            _until_somebody_waits(world)
            other.execute(update(outbox.table).values(number=41))
        assert waiting.result() == 0
    assert [(row["subject"], row["number"]) for row in world.rows("outbox")] == [(subject, 41)]
    later = f"customers/{world.customer()}"
    assert outbox.number() == 1
    assert subjects(outbox, 41) == [later]


def _until_somebody_waits(world: World) -> None:
    end = time.monotonic() + 30
    here = "datname = current_database()"  # others of this run work on this server too
    blocked = text(f"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND {here}")
    while not world.database.reading(lambda one: one.execute(blocked).scalar()):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_each_sees_the_events_of_his_realms_and_of_what_all_share(stocked: World) -> None:
    outbox = outbox_of(stocked)
    stocked.customer("pim")
    stocked.customer("dem")
    body = {"name": "100M", "downstream": "1", "upstream": "1"}
    shared = stocked.create("cpe-profiles", body)["id"]
    ours = stocked.create("cpe-profiles", {**body, "realms": ["dem"]})["id"]
    outbox.number()

    def realms(who: Context) -> set[str]:
        return {one.event.realm for one in outbox.after(0, who.scope)[0]}

    def profiles(who: Context) -> set[str]:
        return {one for one in subjects(outbox, 0, who) if one.startswith("cpe-profiles/")}

    assert realms(PIM) == {"pim", ""}
    assert realms(DEM) == {"dem", ""}
    assert realms(BOTH) == realms(ROOT) == {"pim", "dem", ""}
    assert realms(NOBODY) == {""}
    assert profiles(PIM) == profiles(NOBODY) == {f"cpe-profiles/{shared}"}
    assert profiles(DEM) == {f"cpe-profiles/{shared}", f"cpe-profiles/{ours}"}


def test_each_is_told_of_his_own_realms_only(stocked: World) -> None:
    outbox = outbox_of(stocked)
    body = {"name": "100M", "downstream": "1", "upstream": "1", "realms": ["dem", "pim"]}
    stocked.create("cpe-profiles", body)
    outbox.number()

    def realms(who: Context) -> list[Any]:
        (found,), _ = outbox.after(0, who.scope, types=["cpe_profile.*"])
        return found.event.data["realms"]

    assert (realms(PIM), realms(DEM), realms(BOTH)) == (["pim"], ["dem"], ["dem", "pim"])
    assert realms(ROOT) == ["dem", "pim"]


def test_the_feed_is_narrowed_by_type_and_subject(stocked: World) -> None:
    outbox = outbox_of(stocked)
    cpe = stocked.subscriber()
    stocked.patch("cpes", cpe["id"], {"notes": "x"})
    outbox.number()
    mine = f"cpes/{cpe['id']}"
    assert subjects(outbox, types=["cpe.*"]) == [mine, mine]
    assert subjects(outbox, types=["cpe.updated"]) == [mine]
    assert len(subjects(outbox, types=["customer.created", "pots.*"])) == 3
    assert subjects(outbox, subject=mine) == [mine, mine]
    assert subjects(outbox, types=["cp_.*"]) == []


def test_a_page_of_events_that_are_not_shown_still_goes_on(stocked: World) -> None:
    """Events of a row that all realms share are read and left out when it names other realms."""
    outbox = outbox_of(stocked)
    body = {"name": "100M", "downstream": "1", "upstream": "1", "realms": ["dem"]}
    for _ in range(5):
        stocked.create("cpe-profiles", body)
    key = stocked.customer("pim")
    outbox.number()
    at, seen = 0, []
    for _ in range(12):
        found, at = outbox.after(at, PIM.scope, types=["cpe_profile.*", "customer.*"], limit=1)
        seen += [one.event.subject for one in found]
    assert seen == [f"customers/{key}"]


def test_old_sent_events_are_forgotten_from_the_oldest_on(world: World) -> None:
    outbox = outbox_of(world)
    for _ in range(4):
        world.customer()
    outbox.number()
    table = metadata.tables["outbox"]

    def sent(number: int, days: int) -> None:
        with world.database.write() as connection:
            when = now() - timedelta(days=days)
            connection.execute(update(table).where(table.c.number == number).values(sent_at=when))

    for number, days in ((1, 40), (2, 40), (4, 40)):
        sent(number, days)
    assert outbox.prune(30, before=2) == 1
    assert outbox.pruned() == 1
    assert outbox.prune(30) == 1
    assert outbox.pruned() == 2
    assert [row["number"] for row in world.rows("outbox")] == [3, 4], "one that is not sent stays"
    sent(3, 40)
    assert outbox.prune(30) == 2
    assert (outbox.pruned(), outbox.last()) == (4, 4)
    world.customer()
    outbox.number()
    assert [row["number"] for row in world.rows("outbox")] == [5], "numbers go on"


def test_a_reader_from_before_what_is_gone_is_told_so(world: World) -> None:
    outbox = outbox_of(world)
    keys = [world.customer() for _ in range(3)]
    outbox.number()
    outbox.mark_sent(outbox.unsent())
    table = metadata.tables["outbox"]
    with world.database.write() as connection:
        old = update(table).where(table.c.number <= 2).values(sent_at=now() - timedelta(days=40))
        connection.execute(old)
    assert outbox.prune(30) == 2

    def subjects_after(**query: str) -> list[str]:
        reply = feed.read(CONTRACT, outbox, ROOT, list(query.items()))
        return [one["subject"] for one in json.loads(reply.body)["results"]]

    with pytest.raises(CursorExpired):
        subjects_after(after=feed.cursor("isp", 1))
    assert subjects_after(after=feed.cursor("isp", 2)) == subjects_after() == [f"customers/{keys[2]}"]


def test_what_is_gone_is_told_also_when_older_events_are_needed_again(world: World) -> None:
    """A webhook that is enabled again has its old position."""
    outbox = outbox_of(world)
    for _ in range(3):
        world.customer()
    sent_long_ago(world, outbox)
    assert outbox.prune(30) == 3
    assert outbox.prune(30, before=2) == 0
    assert outbox.pruned() == 3


def test_what_is_gone_is_told_between_two_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a row with a name the last event stays, before what has gone."""
    monkeypatch.setattr("services.common.events.outbox.PRUNED_AT_ONCE", 2)
    outbox = outbox_of(world)
    world.model("X")
    for _ in range(3):
        world.customer()
    sent_long_ago(world, outbox)
    assert outbox.prune(30, named=("models",)) == 2
    assert [row["number"] for row in world.rows("outbox")] == [1, 4]
    assert outbox.pruned() == 3
    assert outbox.prune(30, named=("models",)) == 1
    assert outbox.pruned() == 4


def test_the_last_event_of_a_row_with_a_name_stays_so_that_its_sequence_goes_on(world: World) -> None:
    outbox = outbox_of(world)
    world.model("X")
    world.delete("models", "X")
    sent_long_ago(world, outbox)
    assert outbox.prune(30, named=("models",)) == 1
    assert outbox.prune(30, named=("models",)) == 0
    world.model("X")
    assert world.events("models/X") == [("model.deleted", 2), ("model.created", 3)]


def test_only_one_holds_a_lock_of_the_database_at_a_time(world: World) -> None:
    inside, most = [0], [0]

    def work() -> None:
        with world.database.exclusive("test") as had:
            assert had
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.02)
            inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(5)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert most == [1]
    with world.database.exclusive("test"), world.database.exclusive("test", wait=False) as had:
        assert not had
    with world.database.exclusive("test", wait=False) as had:
        assert had


def test_a_machine_that_vanishes_gives_its_locks_up_soon(on_postgres: World) -> None:
    """Each end asks the other whether it is there; the system's own first question comes after two hours."""
    options = ("KEEPIDLE", "KEEPINTVL", "KEEPCNT", "USER_TIMEOUT")
    with on_postgres.database.read() as connection:
        told = [
            connection.exec_driver_sql(f"SHOW tcp_keepalives_{name}").scalar()
            for name in ("idle", "interval", "count")
        ]
        driver: Any = connection.connection.driver_connection
        with socket.socket(fileno=os.dup(driver.fileno())) as ours:
            found = [ours.getsockopt(socket.IPPROTO_TCP, getattr(socket, f"TCP_{one}")) for one in options]
    assert (told, found) == (["10", "3", "3"], [10, 3, 3, 10_000])


def test_a_process_that_stands_still_loses_its_locks(
    on_postgres: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is stopped (SIGSTOP) would let nobody's events go. Connections that hold no lock stay."""
    monkeypatch.setattr(engine, "FROZEN", 4000)
    database, other = on_postgres.database, Database(url_of(on_postgres), SETTINGS)
    other.check()  # it has its connection before the time runs
    with database.held("test", wait=False) as lives:
        assert lives is not None
        assert lives()
        with other.exclusive("test", wait=False) as had:
            assert not had
        with other.exclusive("test") as had:
            assert had
            assert not lives()
    before = backend(other)
    time.sleep(5)
    assert backend(other) == before
    other.close()


def test_who_leads_notices_that_its_lock_is_gone(on_postgres: World) -> None:
    """The connection that holds it dies alone: queries on others go on, and another process takes over."""
    first, second = Lead("test"), Lead("test")
    other = Database(url_of(on_postgres), SETTINGS)
    mine = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    held = text(f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND {mine}")
    assert (first.had(on_postgres.database), second.had(other)) == (True, False)
    assert first.had(on_postgres.database), "it goes on"
    with other.read() as connection:
        assert connection.execute(held).scalars().all() == [True]
    end = time.monotonic() + 60
    while not second.had(other):  # once the server has ended the connection
        assert time.monotonic() < end
        time.sleep(0.01)
    assert not first.had(on_postgres.database)
    second.lost()
    assert first.had(on_postgres.database)
    first.lost()
    other.close()


@pytest.mark.parametrize("number", [0, 3])
def test_depth_and_lag_are_of_what_was_not_sent(world: World, number: int) -> None:
    outbox = outbox_of(world)
    for _ in range(number):
        world.customer()
    depth, lag = outbox.depth()
    assert depth == number
    assert 0 <= lag < 30
    outbox.number()
    if number:
        outbox.mark_sent(outbox.unsent())
    assert outbox.depth() == (0, 0.0)
