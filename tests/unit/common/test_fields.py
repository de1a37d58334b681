"""Fields and bodies: REST framework's messages; null, blank and missing members; who may write what."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common import types
from services.common.contract import Resource
from services.common.errors import InvalidInput
from services.common.fields import (
    Boolean,
    Coordinate,
    Date,
    DateTime,
    Document,
    Field,
    Integer,
    Members,
    Number,
    Reference,
    Text,
)
from services.common.resource.body import cleaned

REQUIRED, NOT_NULL, NOT_BLANK = (
    "This field is required.",
    "This field may not be null.",
    "This field may not be blank.",
)


def resource(*fields: Field) -> Resource:
    return Resource(name="things", singular="thing", model="thing", table="things", fields=fields)


def made(field: Field, body: Any) -> dict[str, Any]:
    return cleaned(resource(field), body, None, partial=False, secrets=True)


def changed(
    field: Field, body: Any, old: Any, *, partial: bool = True, secrets: bool = True
) -> dict[str, Any]:
    return cleaned(resource(field), body, {field.name: old}, partial=partial, secrets=secrets)


def refused(field: Field, value: Any) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        made(field, {"f": value})
    return caught.value.errors["f"]


# ---- messages ------------------------------------------------------------------------------------

INTEGER = Integer(name="f", minimum=1, maximum=4094)
REFERENCE = Reference(name="f", to="things")
TEXT = Text(name="f", max_length=3, default="")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (INTEGER, "x", "A valid integer is required."),
        (INTEGER, 1.5, "A valid integer is required."),
        (INTEGER, "--5", "A valid integer is required."),
        (INTEGER, True, "A valid integer is required."),
        (INTEGER, [1], "A valid integer is required."),
        (INTEGER, float("inf"), "A valid integer is required."),
        (INTEGER, "9" * 50, "A valid integer is required."),
        (INTEGER, 0, "Ensure this value is greater than or equal to 1."),
        (INTEGER, "4095", "Ensure this value is less than or equal to 4094."),
        (INTEGER, None, NOT_NULL),
        (Boolean(name="f"), "maybe", "Must be a valid boolean."),
        (Boolean(name="f"), "", "Must be a valid boolean."),
        (Boolean(name="f"), 2, "Must be a valid boolean."),
        (Boolean(name="f"), [], "Must be a valid boolean."),
        (Boolean(name="f"), None, NOT_NULL),
        (TEXT, "four", "Ensure this field has no more than 3 characters."),
        (TEXT, True, "Not a valid string."),
        (TEXT, ["a"], "Not a valid string."),
        (Text(name="f"), 1e29, "Not a valid string."),  # as JSON reads 30 digits
        (Text(name="f"), float(2**64), "Not a valid string."),
        (Text(name="f"), float(-(2**63)), "Not a valid string."),
        (TEXT, {"a": 1}, "Not a valid string."),
        (TEXT, "a\0b", "Null characters are not allowed."),
        (Text(name="f", blank="refuse"), " ", NOT_BLANK),
        (Text(name="f", blank="refuse"), None, NOT_NULL),
        (Text(name="f", choices=("a", "b")), "c", '"c" is not a valid choice.'),
        (
            Date(name="f"),
            "2024-02-30",
            "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.",
        ),
        (
            Date(name="f"),
            "2024-W01-1",
            "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.",
        ),
        (Date(name="f"), 20240101, "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."),
        (Coordinate(name="f", bound=90), "91", "Ensure this value is between -90 and 90."),
        (Coordinate(name="f"), True, "A valid number is required."),
        (Coordinate(name="f"), [], "A valid number is required."),
        (
            Text(name="f", normalize=types.device_name),
            "olt/1",
            "Enter letters, digits, dots, hyphens and underscores.",
        ),
        (Text(name="f", normalize=types.network_address), "a b", "Enter a host name or an IP address."),
        (Number(name="f"), "nan", "A valid number is required."),
        (Number(name="f"), "1e999", "A valid number is required."),
        (Number(name="f"), False, "A valid number is required."),
        (REFERENCE, "abc", "Incorrect type. Expected pk value, received str."),
        (REFERENCE, "1_0", "Incorrect type. Expected pk value, received str."),
        (REFERENCE, {"id": 1}, "Incorrect type. Expected pk value, received dict."),
        (REFERENCE, True, "Incorrect type. Expected pk value, received bool."),
        (REFERENCE, 0, 'Invalid pk "0" - object does not exist.'),
        (REFERENCE, 2**63, f'Invalid pk "{2**63}" - object does not exist.'),
        (Reference(name="f", to="things", textual=True), " ", NOT_BLANK),
        (
            Members(name="f", table="t", mine="a", theirs="b"),
            5,
            'Expected a list of items but got type "int".',
        ),
        (Document(name="f"), "text", "Expected a JSON object or array."),
        (
            Document(name="f", limit=10),
            {"a": "long enough"},
            "Ensure this document has no more than 10 bytes.",
        ),
        (Document(name="f"), {"a": "\0"}, "Null characters are not allowed."),
    ],
    ids=lambda value: value.kind if isinstance(value, Field) else repr(value)[:24],
)
def test_what_is_wrong_is_said_in_the_words_of_rest_framework(field: Field, value: Any, message: str) -> None:
    assert refused(field, value) == [message]


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        5,
        "1700000000",
        "-5",
        "1.5",
        "0001-01-01T00:00:00Z",
        "",
        "2024-13-01T00:00:00",
        ["2024-01-01T00:00:00Z"],
    ],
)
def test_what_is_no_time_is_refused(value: Any) -> None:
    assert refused(DateTime(name="f"), value)[0].startswith("Datetime has wrong format.")


@pytest.mark.parametrize("body", [[], "text", 5, None, True])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        made(TEXT, body)
    name = type(body).__name__
    assert caught.value.errors == {
        "non_field_errors": [f"Invalid data. Expected a dictionary, but got {name}."]
    }


def test_every_wrong_member_is_named() -> None:
    things = resource(
        Integer(name="a"), Integer(name="b"), Text(name="c", required=True), Text(name="d", default="")
    )
    with pytest.raises(InvalidInput) as caught:
        cleaned(things, {"a": "x", "b": None, "d": "fine"}, None, partial=False, secrets=True)
    assert set(caught.value.errors) == {"a", "b", "c"}


# ---- accepted spellings --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "stored"),
    [
        (INTEGER, "42", 42),
        (INTEGER, " 42 ", 42),
        (INTEGER, 42.0, 42),
        (INTEGER, "42.00 ", 42),
        (Boolean(name="f"), "true", True),
        (Boolean(name="f"), "ON", True),
        (Boolean(name="f"), 1, True),
        (Boolean(name="f"), "0", False),
        (Boolean(name="f"), "No", False),
        (TEXT, "  ab ", "ab"),
        (TEXT, 12, "12"),
        (TEXT, 1.5, "1.5"),
        (Text(name="f"), 2**64 - 1, "18446744073709551615"),
        (Text(name="f", normalize=types.mac), "74:83:C2:E4:19:BE", "7483c2e419be"),
        (Date(name="f"), " 2024-02-29 ", dt.date(2024, 2, 29)),
        (Date(name="f"), "2024-2-9", dt.date(2024, 2, 9)),
        (Coordinate(name="f", bound=90), 38.01248671, Decimal("38.0124867")),
        (Number(name="f"), "-27.5", -27.5),
        (REFERENCE, "7", 7),
        (Members(name="f", table="t", mine="a", theirs="b", textual=True), "b, a,,b", ["a", "b"]),
        (Members(name="f", table="t", mine="a", theirs="b"), ["2", 1, 2], [1, 2]),
        (Document(name="f"), {"a": [1]}, {"a": [1]}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Field) else repr(value),
)
def test_forms_and_json_spell_the_same_values(field: Field, value: Any, stored: Any) -> None:
    assert made(field, {"f": value}) == {"f": stored}


moments = st.datetimes(
    min_value=dt.datetime(1970, 1, 2),  # noqa: DTZ001
    max_value=dt.datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-14 * 4, 14 * 4).map(
        lambda quarters: dt.timezone(dt.timedelta(minutes=15 * quarters))
    ),
)


@given(moments)
def test_a_plus_sign_that_a_query_string_made_a_blank_is_read_as_one(moment: dt.datetime) -> None:
    field = DateTime(name="f")
    text = moment.isoformat()
    assert field.parse(text) == field.parse(text.replace("+", " ")) == moment


# ---- null, blank, missing ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "stored"),
    [
        (Text(name="f", default=""), ""),
        (Text(name="f", null=True), ""),
        (Text(name="f", null=True, blank="null"), None),
        (Integer(name="f", null=True), None),
        (Coordinate(name="f", null=True), None),
        (Date(name="f", null=True), None),
        (Reference(name="f", to="things", null=True), None),
        (Members(name="f", table="t", mine="a", theirs="b"), []),
    ],
    ids=lambda value: getattr(value, "kind", repr(value)),
)
def test_an_empty_text_stands_for_nothing(field: Field, stored: Any) -> None:
    assert made(field, {"f": ""}) == {"f": stored}


def test_null_in_a_text_that_is_never_null_is_an_empty_text() -> None:
    assert made(Text(name="f", default=""), {"f": None}) == {"f": ""}


def test_null_is_kept_where_it_is_allowed() -> None:
    assert made(Text(name="f", null=True), {"f": None}) == {"f": None}


def test_a_missing_member_has_its_default_on_creation_only() -> None:
    field = Boolean(name="f", default=True)
    assert made(field, {}) == {"f": True}
    assert changed(field, {}, False) == {}
    assert changed(field, {}, False, partial=False) == {}


def test_a_required_member_is_asked_for_except_by_a_patch() -> None:
    field = Text(name="f", required=True)
    with pytest.raises(InvalidInput) as on_creation:
        made(field, {})
    with pytest.raises(InvalidInput) as on_put:
        changed(field, {}, "x", partial=False)
    assert on_creation.value.errors == on_put.value.errors == {"f": [REQUIRED]}
    assert changed(field, {}, "x") == {}


def test_a_default_list_is_not_shared_between_rows() -> None:
    field = Members(name="f", table="t", mine="a", theirs="b")
    made(field, {})["f"].append("x")
    assert made(field, {}) == {"f": []}


# ---- who may write what --------------------------------------------------------------------------


def test_unknown_and_read_only_members_are_ignored() -> None:
    things = resource(Text(name="a", default=""), Text(name="b", read_only=True))
    body = {"a": "x", "b": "y", "z": {}, "_links": {}}
    assert cleaned(things, body, None, partial=False, secrets=True) == {"a": "x"}


def test_an_alias_names_the_member_and_its_own_name_wins() -> None:
    field = Text(name="f", aliases=("old_name",), required=True)
    assert made(field, {"old_name": "a"}) == {"f": "a"}
    assert made(field, {"old_name": "a", "f": "b"}) == {"f": "b"}


def test_a_create_only_member_may_be_sent_back_but_not_changed() -> None:
    field = Text(name="f", create_only=True)
    assert made(field, {"f": "a"}) == {"f": "a"}
    assert changed(field, {"f": "a"}, "a") == {}
    with pytest.raises(InvalidInput) as caught:
        changed(field, {"f": "b"}, "a")
    assert caught.value.errors == {"f": ["This field cannot be changed."]}


SECRET = Text(name="f", default="", secret=True)


def test_a_secret_that_was_shown_blank_is_not_wiped_by_sending_it_back() -> None:
    assert changed(SECRET, {"f": ""}, "s3cret", partial=False, secrets=False) == {}


def test_who_sees_secrets_may_blank_them() -> None:
    assert changed(SECRET, {"f": ""}, "s3cret", secrets=True) == {"f": ""}


def test_who_does_not_see_secrets_may_set_them() -> None:
    assert changed(SECRET, {"f": "new"}, "s3cret", secrets=False) == {"f": "new"}


ANY: st.SearchStrategy[Any] = (
    st.integers()
    | st.text()
    | st.none()
    | st.booleans()
    | st.floats()
    | st.lists(st.integers())
    | st.just({})
)
FIELDS = (
    INTEGER,
    Boolean(name="f"),
    TEXT,
    Date(name="f"),
    DateTime(name="f"),
    Coordinate(name="f", bound=90),
    REFERENCE,
    Members(name="f", table="t", mine="a", theirs="b"),
    Document(name="f"),
    Text(name="f", normalize=types.mac),
)


@settings(max_examples=40)
@given(ANY)
@pytest.mark.parametrize("field", FIELDS, ids=lambda field: type(field).__name__)
def test_any_json_value_is_either_taken_or_refused_in_words(field: Field, value: Any) -> None:
    said: list[str] = ["taken"]
    try:
        made(field, {"f": value})
    except InvalidInput as error:
        said = error.errors["f"]
    assert all(said)


def test_a_blank_between_date_and_time_is_no_lost_plus_sign() -> None:
    assert DateTime(name="f").parse("2024-01-05 10:00") == DateTime(name="f").parse("2024-01-05T10:00")
