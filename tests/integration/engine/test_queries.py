"""The query grammar: on both databases a query finds what plain Python finds in the same rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.local.postgres import Postgres
from services.common.contract import Resource
from services.common.errors import InvalidInput
from services.common.fields import Boolean, Field, Text
from services.common.resource.query import (
    MOST_ATTRS,
    MOST_FILTERS,
    MOST_JOINS,
    MOST_SORTS,
    MOST_VALUES,
    SUFFIXES,
)
from services.isp.contract import CONTRACT
from tests.integration.engine import library
from tests.integration.engine.conftest import migrated
from tests.integration.engine.library import FALSE, RESOURCES, TRUE, WORDS, filterable, holds, ordered, typed
from tests.integration.engine.world import BOTH, NOBODY, PIM, ROOT, World

OPERATORS = ("", *SUFFIXES)
TEXT_ONLY = ("contains", "icontains", "startswith")

by_name = pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.name)


@pytest.fixture(scope="module")
def shelves(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[World]]:
    """The same rows on both databases; nothing here writes."""
    urls = [f"sqlite:///{tmp_path_factory.mktemp('library') / 'isp.db'}", postgres.create_database("library")]
    worlds = [library.stock(World(migrated(url))) for url in urls]
    yield worlds
    for world in worlds:
        world.database.close()


@pytest.fixture(scope="module")
def rows(shelves: list[World]) -> dict[str, list[dict[str, Any]]]:
    """What the API shows of every resource, which is the same on both."""
    found = [{one.name: library.shown(world, one) for one in RESOURCES} for world in shelves]
    assert found[0] == found[1]
    assert len(found[0]["cpes"]) == library.CPES
    return found[0]


def asked(field: Field, operator: str) -> str:
    return f"{field.name}__{operator}" if operator else field.name


def possible(field: Field) -> tuple[str, ...]:
    return tuple(one for one in OPERATORS if one not in TEXT_ONLY or isinstance(field, Text))


def wire(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# ---- every filter, every sort key ----------------------------------------------------------------


@by_name
def test_every_member_is_filtered_by_every_suffix(
    resource: Resource, shelves: list[World], rows: dict[str, list[dict[str, Any]]]
) -> None:
    mine = rows[resource.name]
    for field in filterable(resource):
        values = [wire(row[field.name]) for row in mine if row[field.name] is not None]
        middle = sorted(values)[len(values) // 2] if values else "null"
        for operator in possible(field):
            text = TRUE if operator == "isnull" else f"{middle},null" if operator == "in" else middle
            wanted = [
                row["id"] for row in mine if holds(field, operator, text, typed(field, row[field.name]))
            ]
            for world in shelves:
                got = world.ids(resource.name, **{asked(field, operator): text})
                assert sorted(got) == sorted(wanted), (world.dialect, asked(field, operator), text)


@by_name
def test_every_sort_key_gives_one_order_with_nulls_last_going_up_and_first_going_down(
    resource: Resource, shelves: list[World], rows: dict[str, list[dict[str, Any]]]
) -> None:
    for field in filterable(resource):
        for descending in (False, True):
            wanted = ordered(rows[resource.name], [(field, descending)])
            for world in shelves:
                got = world.ids(resource.name, sort=f"-{field.name}" if descending else field.name)
                assert got == wanted, (world.dialect, field.name, descending)


def texts_for(field: Field, values: list[Any]) -> st.SearchStrategy[str]:
    known = st.sampled_from([wire(v) for v in values] or ["null"])
    if isinstance(field, Boolean):
        return st.sampled_from([TRUE, FALSE, "null"])
    if isinstance(field, Text):
        pieces = known.flatmap(lambda text: st.integers(0, len(text)).map(lambda at: text[at : at + 3]))
        return known | known.map(str.swapcase) | pieces | st.sampled_from([*WORDS, "%", "_", "/", "", "ñ"])
    return known | st.just("null")


@st.composite
def filters(
    draw: st.DrawFn, rows: dict[str, list[dict[str, Any]]]
) -> tuple[Resource, list[tuple[Field, str, str]]]:
    resource = draw(st.sampled_from(RESOURCES))
    chosen = []
    for _ in range(draw(st.integers(1, 3))):
        field = draw(st.sampled_from(filterable(resource)))
        operator = draw(st.sampled_from(possible(field)))
        values = [row[field.name] for row in rows[resource.name] if row[field.name] is not None]
        one = texts_for(field, values)
        if operator == "isnull":
            text = draw(st.sampled_from([TRUE, FALSE]))
        elif operator in ("", "in", "ne"):
            text = ",".join(draw(st.lists(one, min_size=1, max_size=4)))
        else:
            text = draw(one)
        chosen.append((field, operator, text))
    return resource, chosen


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_filters_find_what_python_finds(
    shelves: list[World], rows: dict[str, list[dict[str, Any]]], data: st.DataObject
) -> None:
    resource, chosen = data.draw(filters(rows))
    wanted = [
        row["id"]
        for row in rows[resource.name]
        if all(
            holds(field, operator, text, typed(field, row[field.name])) for field, operator, text in chosen
        )
    ]
    pairs = [(asked(field, operator), text) for field, operator, text in chosen]
    for world in shelves:
        reply = world.engine.list(
            ROOT, resource.name, [*pairs, ("attrs", "id"), ("limit", "1000"), ("sort", "id")]
        )
        assert [row["id"] for row in json.loads(reply.body)] == sorted(wanted), world.dialect
        assert reply.meta["count"] == len(wanted)
        assert reply.meta["ignored"] == []


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_several_sort_keys_give_one_order(
    shelves: list[World], rows: dict[str, list[dict[str, Any]]], data: st.DataObject
) -> None:
    resource = data.draw(st.sampled_from(RESOURCES))
    keys = data.draw(
        st.lists(
            st.tuples(st.sampled_from(filterable(resource)), st.booleans()),
            min_size=1,
            max_size=4,
            unique_by=lambda k: k[0].name,
        )
    )
    sort = ",".join(f"-{field.name}" if descending else field.name for field, descending in keys)
    wanted = ordered(rows[resource.name], keys)
    for world in shelves:
        assert world.ids(resource.name, sort=sort) == wanted, world.dialect


# ---- search --------------------------------------------------------------------------------------


def searched(resource: Resource, row: dict[str, Any], term: str) -> bool:
    texts = [row[one.name] for one in resource.fields if one.searched and row[one.name] is not None]
    return any(term.lower() in text.lower() for text in texts) or str(row["id"]) == term


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_search_finds_every_term_somewhere(
    shelves: list[World], rows: dict[str, list[dict[str, Any]]], data: st.DataObject
) -> None:
    resource = data.draw(st.sampled_from(RESOURCES))
    term = st.sampled_from(
        [
            "mayor",
            "MAYOR",
            "ñuñ",
            "ÁVILA",
            "100%",
            "100_",
            "%",
            "_",
            "/",
            "a_b",
            "zÜr",
            "7",
            "12",
            "dem00",
            "4857",
        ]
    )
    terms = data.draw(st.lists(term, min_size=1, max_size=2))
    wanted = [row["id"] for row in rows[resource.name] if all(searched(resource, row, one) for one in terms)]
    for world in shelves:
        assert sorted(world.ids(resource.name, search="  ".join(terms))) == sorted(wanted), world.dialect


@pytest.mark.parametrize(
    "term", ["HWTC0000000b", "hwtc0000000B", "485754430000000B", "00:00:00:00:00:0b", "0000.0000.000B"]
)
def test_search_takes_a_device_number_in_any_of_its_forms(
    shelves: list[World], rows: dict[str, list[dict[str, Any]]], term: str
) -> None:
    mac = ":" in term or "." in term
    stored = "00000000000b" if mac else "485754430000000b"
    wanted = [
        r["id"]
        for r in rows["cpes"]
        if stored in (r["mac"] or "", r["sn"] or "") or (mac and r["mtamac"] == stored)
    ]
    assert wanted, "the library has such a device"
    for world in shelves:
        assert world.ids("cpes", search=term) == wanted
    for world in shelves:
        name = "mac" if mac else "sn"
        assert world.ids("cpes", **{name: term}) == [r["id"] for r in rows["cpes"] if r[name] == stored]


def test_a_comma_parts_the_terms_of_a_search(
    shelves: list[World], rows: dict[str, list[dict[str, Any]]]
) -> None:
    row = next(one for one in rows["customers"] if one["surname"])
    name, surname = row["name"].split()[0], row["surname"].split()[0]
    for world in shelves:
        found = world.ids("customers", search=f"{surname}, {name}")
        assert row["id"] in found
        assert found == world.ids("customers", search=f"{surname} {name}")


@pytest.mark.parametrize("text", ["GPON", "Gpon", "gpon,DOCSIS"])
def test_a_filter_by_one_of_a_closed_set_ignores_letter_case(
    shelves: list[World], rows: dict[str, list[dict[str, Any]]], text: str
) -> None:
    wanted = [row["id"] for row in rows["cpes"] if row["tech"] in text.lower().split(",")]
    assert wanted
    for world in shelves:
        assert world.ids("cpes", tech=text) == wanted


# ---- what is refused -----------------------------------------------------------------------------


def errors(
    shelves: list[World], resource: str, pairs: list[tuple[str, str]], who: Any = ROOT
) -> dict[str, list[str]]:
    """What both databases say is wrong."""
    found = []
    for world in shelves:
        with pytest.raises(InvalidInput) as caught:
            world.engine.list(who, resource, pairs)
        found.append(caught.value.errors)
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("id", "x", "A valid integer is required."),
        ("id", "1,x", "A valid integer is required."),
        ("id__gt", "1,2", "A valid integer is required."),
        ("id", "9" * 50, "A valid integer is required."),
        ("me_vlan__lt", "1.5", "A valid integer is required."),
        ("access", "maybe", "Must be a valid boolean."),
        ("mac__isnull", "maybe", "Must be a valid boolean."),
        ("mac__isnull", "", "Must be a valid boolean."),
        ("created__gt", "yesterday", "Datetime has wrong format."),
        ("expiration_date", "2024-13-01", "Date has wrong format."),
        ("latitude", "north", "A valid number is required."),
        ("latitude__gt", "91", "Ensure this value is between -90 and 90."),
        ("customer", "abc", "Incorrect type."),
        ("notes", "a\0b", "Null characters are not allowed."),
        ("notes__icontains", "\0", "Null characters are not allowed."),
        ("search", "\0", "Null characters are not allowed."),
        ("sort", "nothing", '"nothing" is not a sort key.'),
        ("sort", "_links", '"_links" is not a sort key.'),
        (
            "joins",
            "nothing",
            '"nothing" is not a relation; known relations: customer, model, potses, profile.',
        ),
        ("id", ",".join("1" * (MOST_VALUES + 1)), f"No more than {MOST_VALUES} values are allowed."),
        ("attrs", ",".join(f"a{n}" for n in range(MOST_ATTRS + 1)), f"No more than {MOST_ATTRS} attributes"),
        ("joins", ",".join(f"j{n}" for n in range(MOST_JOINS + 1)), f"No more than {MOST_JOINS} joins"),
        ("sort", ",".join(f"s{n}" for n in range(MOST_SORTS + 1)), f"No more than {MOST_SORTS} sort keys"),
    ],
)
def test_a_malformed_value_is_refused_by_the_name_of_its_parameter(
    shelves: list[World], name: str, text: str, message: str
) -> None:
    found = errors(shelves, "cpes", [(name, text)])
    assert list(found) == [name]
    assert found[name][0].startswith(message)


def test_too_many_filters_are_refused(shelves: list[World]) -> None:
    assert errors(shelves, "cpes", [("id__gt", "1")] * (MOST_FILTERS + 1)) == {
        "non_field_errors": [f"No more than {MOST_FILTERS} filters are allowed."]
    }


def test_as_many_values_as_are_allowed_are_compared(shelves: list[World]) -> None:
    for world in shelves:
        assert world.count("cpes", id=",".join(str(n) for n in range(1, MOST_VALUES + 1))) == library.CPES


SECRETS = [(r, f) for r in RESOURCES for f in r.fields if f.secret]


@pytest.mark.parametrize(("resource", "field"), SECRETS, ids=lambda one: one.name)
def test_a_secret_is_no_key_for_who_may_not_see_it(
    shelves: list[World], resource: Resource, field: Field
) -> None:
    for world in shelves:
        everyone = world.ids(resource.name, BOTH)
        for operator in ("", *SUFFIXES):
            reply = world.engine.list(BOTH, resource.name, [(asked(field, operator), "true")])
            assert reply.meta["count"] == len(everyone)
            assert reply.meta["ignored"] == [asked(field, operator)]
    assert errors(shelves, resource.name, [("sort", field.name)], BOTH) == {
        "sort": [f'"{field.name}" is not a sort key.']
    }


def test_secrets_are_not_searched(shelves: list[World], rows: dict[str, list[dict[str, Any]]]) -> None:
    assert len(SECRETS) == 4
    assert not any(field.searched for _, field in SECRETS)


def test_a_secret_is_shown_blank_but_a_missing_one_as_missing(
    shelves: list[World], rows: dict[str, list[dict[str, Any]]]
) -> None:
    for world in shelves:
        seen = {row["password"] for row in world.page("potses", BOTH, limit="1000")}
        assert seen == {None, ""}
        assert {row["password"] for row in rows["potses"]} > {None, "100%"}


# ---- the rest of the grammar ---------------------------------------------------------------------


def test_unknown_parameters_and_members_are_ignored_and_told(shelves: list[World]) -> None:
    pairs = [
        ("colour", "red"),
        ("mac__like", "x"),
        ("id__icontains", "1"),
        ("attrs", "id,size"),
        ("_links", "x"),
    ]
    for world in shelves:
        reply = world.engine.list(PIM, "cpes", pairs)
        assert reply.meta["ignored"] == ["colour", "mac__like", "id__icontains", "_links", "attrs=size"]
        assert set(json.loads(reply.body)[0]) == {"id"}


def test_a_leading_equals_sign_is_no_part_of_a_list(shelves: list[World]) -> None:
    for world in shelves:
        row = world.page("cpes", attrs="=id", joins="=customer,potses")[0]
        assert list(row) == ["id", "customer", "potses"]


def test_attrs_come_in_the_order_of_the_resource_and_only_those(shelves: list[World]) -> None:
    for world in shelves:
        assert list(world.page("cpes", attrs="tr069,potses,id")[0]) == ["id", "tr069", "potses"]
        assert "potses" not in world.page("cpes")[0]
        assert list(world.page("cpes", attrs="")[0]) == list(world.page("cpes")[0])


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("2024-03-31T01:00:00 02:00", "2024-03-30T23:00:00Z"),
        ("2024-03-31T00:00:00", "2024-03-30T23:00:00Z"),
        ("2024-03-31T03:30:00", "2024-03-31T01:30:00Z"),
    ],
)
def test_a_time_without_offset_is_local_and_a_lost_plus_sign_is_found(
    shelves: list[World], text: str, plain: str
) -> None:
    for world in shelves:
        found = world.ids("cpes", created__gte=text)
        assert found == world.ids("cpes", created__gte=plain)
        assert 0 < len(found) < library.CPES


def test_a_repeated_filter_narrows(shelves: list[World]) -> None:
    for world in shelves:
        reply = world.engine.list(
            ROOT, "cpes", [("id__gt", "3"), ("id__gt", "5"), ("id__lte", "7"), ("attrs", "id")]
        )
        assert json.loads(reply.body) == [{"id": 6}, {"id": 7}]


@pytest.mark.parametrize(
    ("limit", "offset", "got"),
    [
        ("3", "2", 3),
        ("0", "0", 10),
        ("-1", "0", 10),
        ("x", "x", 10),
        ("5000", "0", 60),
        ("", "", 10),
        ("7", "58", 2),
        ("5", "60", 0),
        ("5", "9" * 30, 0),
        ("٣", "0", 10),
    ],
)
def test_pages_by_offset(shelves: list[World], limit: str, offset: str, got: int) -> None:
    for world in shelves:
        reply = world.engine.list(ROOT, "cpes", [("limit", limit), ("offset", offset), ("attrs", "id")])
        assert len(json.loads(reply.body)) == got
        assert reply.meta["count"] == library.CPES


def test_joins_embed_what_the_relation_leads_to(
    shelves: list[World], rows: dict[str, list[dict[str, Any]]]
) -> None:
    for world in shelves:
        listed = world.page("cpes", attrs="id", joins="customer,profile,potses,model", limit="1000")
        for row, plain in zip(listed, rows["cpes"], strict=True):
            assert row["customer"]["id"] == plain["customer"]
            assert "_links" not in row["customer"]
            assert (row["profile"] and row["profile"]["id"]) == plain["profile"]
            assert row["model"]["id"] == plain["model"]
            ports = [
                one["id"]
                for one in sorted(rows["potses"], key=lambda p: p["order"])
                if one["cpe"] == row["id"]
            ]
            assert [one["id"] for one in row["potses"]] == ports
            assert not any("cpe" in one for one in row["potses"])


def test_who_has_no_realm_sees_nothing(shelves: list[World]) -> None:
    for world in shelves:
        for resource in CONTRACT.resources:
            assert world.page(resource.name, NOBODY) == []
            assert world.count(resource.name, NOBODY) == 0


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**63 - 1])
def test_a_number_that_no_row_can_have_is_no_error(shelves: list[World], number: int) -> None:
    for world in shelves:
        assert world.ids("cpes", me_vlan=str(number)) == []
        assert world.count("cpes", me_vlan__ne=str(number)) == library.CPES
        assert len(world.ids("potses", order__lt=str(number))) == (world.count("potses") if number > 0 else 0)


def test_times_are_compared_to_the_fraction_of_a_second(shelves: list[World]) -> None:
    for world in shelves:
        moment = max(row["created"] for row in world.page("cpes", attrs="created", limit="1000"))
        after = moment.replace("+", ".5+")
        for operator, kept in (
            ("", False),
            ("__gte", False),
            ("__gt", False),
            ("__lt", True),
            ("__lte", True),
        ):
            assert (world.count("cpes", **{f"created{operator}": after}) == library.CPES) == kept, operator


def test_times_of_any_age_are_compared(shelves: list[World]) -> None:
    for world in shelves:
        assert world.count("cpes", created__gt="0500-01-01T00:00:00Z") == library.CPES
        assert world.count("cpes", created__lt="9998-01-01T00:00:00Z") == library.CPES


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "-5", "1.5", "1e9"]
)
def test_what_is_no_time_in_every_zone_is_refused(shelves: list[World], text: str) -> None:
    assert list(errors(shelves, "cpes", [("created__gt", text)])) == ["created__gt"]
