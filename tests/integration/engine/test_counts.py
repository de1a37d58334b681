"""Counters: what they say is what there is, after any writes, in every process."""

from __future__ import annotations

import json
import random
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.common.database.tally import FOLD_ABOVE
from services.common.errors import ApiError
from tests.integration.engine.world import BOTH, DEM, NOBODY, PIM, ROOT, World

ACTS = (
    "customer",
    "cpe",
    "rename",
    "line",
    "delete customer",
    "delete cpe",
    "bulk",
    "dry bulk",
    "import",
    "broken",
    "compact",
    "context",
)


def act(world: World, what: str, dice: random.Random) -> None:
    """One write of this kind on something that is there, if anything is."""
    customers, cpes = world.ids("customers"), world.ids("cpes")
    realm = dice.choice(["pim", "dem"])
    if what == "customer" or not customers:
        world.customer(realm)
    elif what == "cpe":
        world.cpe(dice.choice(customers))
    elif what == "rename":
        world.patch("customers", dice.choice(customers), {"name": dice.choice("abc")})
    elif what == "line" and world.ids("potses"):
        world.patch("potses", dice.choice(world.ids("potses")), {"label": dice.choice("abc")})
    elif what == "delete customer":
        world.delete("customers", dice.choice(customers))
    elif what == "delete cpe" and cpes:
        world.delete("cpes", dice.choice(cpes))
    elif what in ("bulk", "dry bulk"):
        items = [{"name": "a", "realm": realm}, {"name": ""}, {"name": "b", "realm": "pim"}]
        world.engine.bulk_create(
            ROOT, "customers", items, atomic=dice.random() < 0.3, dry_run=what == "dry bulk"
        )
    elif what == "import":
        lines = [(n, {"name": dice.choice(["a", ""]), "realm": realm}) for n in range(1, 5)]
        world.engine.import_lines(ROOT, "customers", f"i{next(world.numbers)}", lines)
    elif what == "broken":
        with pytest.raises(ApiError):
            world.cpe(dice.choice(customers), sn="nonsense")
    elif what == "compact":
        world.engine.compact()
    elif what == "context":
        world.create("contexts", {"name": f"c{next(world.numbers)}", "realm": realm})


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(ACTS), min_size=1, max_size=12), st.integers(0, 99))
def test_the_counters_say_what_there_is_after_any_writes(stocked: World, acts: list[str], seed: int) -> None:
    dice = random.Random(seed)
    elsewhere = stocked.another()
    for what in acts:
        act(stocked, what, dice)
        for world in (stocked, elsewhere):
            assert world.count("customers", name="a") == sum(
                r["name"] == "a" for r in stocked.rows("customers")
            )
            assert world.count("potses", PIM, label="a") == len(
                stocked.rows("potses", realm="pim", label="a")
            )
    assert stocked.tallied() == stocked.counted()
    assert stocked.count("cpes") == len(stocked.rows("cpes"))
    for who, realms in ((PIM, ["pim"]), (DEM, ["dem"]), (BOTH, ["dem", "pim"]), (NOBODY, [])):
        assert stocked.count("customers", who) == sum(r["realm"] in realms for r in stocked.rows("customers"))


def test_folding_the_counters_leaves_their_sums(stocked: World) -> None:
    for n in range(FOLD_ABOVE + 1):
        stocked.customer("pim" if n else "dem", name="abc"[n % 3])
    tallied, counted = stocked.tallied(), stocked.count("customers", PIM, name="a")
    state = sum(row["writes"] for row in stocked.rows("tally", resource="customers"))
    stocked.customer("pim", name="c")
    stocked.engine.compact()
    assert len(stocked.rows("tally", resource="customers", realm="pim")) == 1
    assert len(stocked.rows("tally", resource="customers", realm="dem")) == 1
    assert stocked.tallied() == tallied | {("customers", "pim"): tallied["customers", "pim"] + 1}
    assert sum(row["writes"] for row in stocked.rows("tally", resource="customers")) == state + 1
    assert stocked.count("customers", PIM, name="a") == counted


def test_a_filtered_count_is_right_after_a_write_elsewhere(stocked: World) -> None:
    elsewhere = stocked.another()
    cpe = stocked.subscriber(city="Murcia")
    assert [w.count("cpes", city="murcia") for w in (stocked, elsewhere)] == [1, 1]
    elsewhere.patch("cpes", cpe["id"], {"city": "Cádiz"})
    assert [w.count("cpes", city="murcia") for w in (stocked, elsewhere)] == [0, 0]
    stocked.delete("cpes", cpe["id"])
    assert [w.count("cpes", city="cádiz") for w in (stocked, elsewhere)] == [0, 0]


def test_a_count_that_depends_on_another_resource_follows_its_writes(stocked: World) -> None:
    elsewhere = stocked.another()
    context = stocked.create("contexts", {"name": "impago", "realm": "pim"})["id"]
    port = stocked.related("cpes", stocked.subscriber()["id"], "potses")[0]["id"]
    stocked.patch("potses", port, {"context": context})
    assert elsewhere.count("potses", contextname="impago") == 1
    assert elsewhere.count("cpes", tr069="true") == 1
    stocked.patch("contexts", context, {"name": "otro"})
    stocked.patch("models", "HG8245H", {"tr069": False})
    assert elsewhere.count("potses", contextname="impago") == 0
    assert elsewhere.count("cpes", tr069="true") == 0


def test_a_filtered_count_is_not_shared_between_scopes(stocked: World) -> None:
    stocked.customer("pim", name="a")
    stocked.customer("dem", name="b")  # as many writes as in the other realm
    counts = [stocked.count("customers", who, name="a") for who in (ROOT, BOTH, PIM, DEM, NOBODY)]
    assert counts == [1, 1, 1, 0, 0]


def test_counts_follow_joins_and_are_within_the_scope(stocked: World) -> None:
    profile = stocked.create("cpe-profiles", {"name": "100M", "downstream": "1", "upstream": "1"})["id"]
    for realm in ("pim", "pim", "dem"):
        stocked.subscriber(realm, profile=profile)
    assert [stocked.get("cpe-profiles", profile, who)["cpes_count"] for who in (ROOT, PIM, DEM)] == [3, 2, 1]


def in_threads(calls: list[Any]) -> list[Any]:
    """What each call answers or raises, all started at once."""
    results: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(place: int) -> None:
        start.wait()
        try:
            results[place] = calls[place]()
        except ApiError as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_writers_at_once_are_all_counted(stocked: World) -> None:
    customer = stocked.customer()

    def writer(name: str) -> None:
        for n in range(6):
            made = stocked.cpe(customer, "SOFTPHONE", sn=None, external_id=f"{name}{n}")["id"]
            if n % 3 == 0:
                stocked.delete("cpes", made)
            if n == 2:
                stocked.engine.compact()

    assert in_threads([lambda name=name: writer(name) for name in "abcde"]) == [None] * 5
    assert stocked.tallied() == stocked.counted()
    assert stocked.count("cpes") == 20


def test_folding_at_once_counts_nothing_twice(on_postgres: World) -> None:
    on_postgres.insert(
        "tally", [{"resource": "customers", "realm": "pim", "rows": 1, "writes": 1}] * (FOLD_ABOVE * 3)
    )
    calls = [on_postgres.engine.compact] * 4 + [lambda: on_postgres.customer() and None] * 2
    assert in_threads(calls) == [None] * 6
    assert on_postgres.tallied() == {("customers", "pim"): FOLD_ABOVE * 3 + 2}


@pytest.mark.parametrize("tries", [8])
def test_of_patches_with_one_version_exactly_one_wins(stocked: World, tries: int) -> None:
    key = stocked.customer()
    calls = [
        lambda n=n: stocked.patch("customers", key, {"name": f"n{n}"}, versions=[1])["name"]
        for n in range(tries)
    ]
    results = in_threads(calls)
    won = [one for one in results if isinstance(one, str)]
    assert [stocked.get("customers", key)["name"]] == won
    assert {getattr(one, "status", None) for one in results} == {None, 412}
    assert stocked.events(f"customers/{key}") == [("customer.created", 1), ("customer.updated", 2)]


def test_patches_of_different_members_at_once_are_all_kept(stocked: World) -> None:
    key = stocked.customer()
    members = ("surname", "address", "city", "comment", "country", "postalcode")
    results = in_threads([lambda m=m: stocked.patch("customers", key, {m: "1"})[m] for m in members])
    assert results == ["1"] * len(members)
    row = stocked.get("customers", key)
    assert [row[m] for m in members] == results
    assert [number for _, number in stocked.events(f"customers/{key}")] == list(range(1, len(members) + 2))


def test_one_of_two_rows_with_one_mac_is_refused_in_words(stocked: World) -> None:
    customer = stocked.customer()
    calls = [lambda: stocked.cpe(customer, "BRIDGE", sn=None, mac="7483c2e419be")["mac"]] * 4
    results = in_threads(calls)
    assert sorted(getattr(one, "status", 201) for one in results) == [201, 400, 400, 400]
    assert (
        json.loads(json.dumps([one.body for one in results if not isinstance(one, str)]))
        == [{"mac": ["CPE with this mac already exists."]}] * 3
    )
    assert stocked.tallied() == stocked.counted()
