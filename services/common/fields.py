"""The kinds of field a resource is declared with: pure data and its wire rules, no SQL, no HTTP.

A field knows how its value is read from a request body (`clean`), from a query string
(`parse`) and how it is described (`schema`, JSON Schema 2020-12). Messages follow the
conventions of Django REST framework, which clients of this API already handle.
`clean` and `parse` raise `ValueError` with the text that is shown.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from services.common import types
from services.common.settings import BASE_LEVEL

ON_REQUEST = 9999
"""`since` of a member that is emitted only when `attrs` names it."""

REQUIRED = "This field is required."
NOT_NULL = "This field may not be null."
NOT_BLANK = "This field may not be blank."
NUL = "Null characters are not allowed."
BIGGEST = 2**63 - 1
EXACT = range(1 - 2**63, 2**64)
"""Whole numbers of JSON that are read as they were sent; those beyond come rounded."""

NOT_ONLY_BLANKS = r"[^\s\x1c-\x1f\x85]"
"""What is left when blanks are taken off; the separators are blanks to Python and not to every regex."""

_text = TypeAdapter(str, config=ConfigDict(coerce_numbers_to_str=True))
_datetime = TypeAdapter(dt.datetime)

WHOLE = re.compile(r"\s*-?[0-9]{1,38}\s*")
ZERO_DECIMALS = re.compile(r"\.0*\s*$")
DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+")

LOST_PLUS = re.compile(r"(:\d{2}(?:\.\d+)?) (\d{2}:?\d{2})$")
"""A plus sign before the offset, which a query string turned into a blank."""

_WEST, _EAST = dt.timezone(dt.timedelta(hours=-14)), dt.timezone(dt.timedelta(hours=14))

_TRUE = frozenset(("t", "y", "yes", "true", "on", "1"))
_FALSE = frozenset(("f", "n", "no", "false", "off", "0"))

MOST_MEMBERS = 5_000
"""Of a set: a statement takes no more than some ten thousand values, and a form has to hold it."""

Json = dict[str, Any]

WRITTEN: Json = {"type": "number", "minimum": EXACT[0], "maximum": EXACT[-1]}
"""JSON Schema of the numbers that are taken for a text."""


def text_of(value: Any) -> str:
    """A text value from JSON: strings, and numbers as the text that writes them; not those that came
    rounded."""
    if isinstance(value, bool) or (isinstance(value, (int, float)) and not EXACT[0] <= value <= EXACT[-1]):
        raise ValueError("Not a valid string.")
    try:
        text = _text.validate_python(value)
    except ValidationError:
        raise ValueError("Not a valid string.") from None
    if "\0" in text:
        raise ValueError(NUL)
    return text


@dataclass(frozen=True, kw_only=True)
class Field:
    """One member of a resource.

    `column`: where it is stored; `ref.column` reaches through a to-one reference. `since`: the API
    level that first emits it by default. `create_only`: set on creation, never changed.
    `secret`: shown only to who may see secrets; neither searched, filtered nor sorted by anybody else.
    `late`: declared when events of its resource were out already, so that older ones lack it.
    `sorts`: members whose order is the one that is meant by this one's (`0/10/2` comes after `0/9/1`).
    """

    kind: ClassVar[str] = "field"
    derived: ClassVar[bool] = False
    """Whether the value is made of others, or of other rows, instead of being one column."""

    name: str
    doc: str = ""
    column: str | None = None
    required: bool = False
    null: bool = False
    default: Any = None
    read_only: bool = False
    create_only: bool = False
    write_only: bool = False
    secret: bool = False
    late: bool = False
    sorts: tuple[str, ...] = ()
    since: int = BASE_LEVEL
    searched: bool = False
    unique: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The column path that holds the value."""
        return self.column or self.name

    @property
    def writable(self) -> bool:
        return not self.read_only

    @property
    def filtered(self) -> bool:
        """Whether filters and sort keys may name it."""
        return not self.write_only

    @property
    def tells_empty(self) -> bool:
        """Whether an empty value in a form is said of it, if only that what is required is missing."""
        return self.null or self.required

    def clean(self, value: Any) -> Any:
        """The stored value of a JSON (or form) value; null is handled by the caller."""
        raise NotImplementedError

    def parse(self, text: str) -> Any:
        """The value that a query parameter's text stands for."""
        return self.clean(text)

    def schema(self) -> Json:
        """JSON Schema of the value as it is read, null apart."""
        raise NotImplementedError

    def input_schema(self) -> Json:
        """JSON Schema of what is taken on writes, null apart."""
        return self.schema()


@dataclass(frozen=True, kw_only=True)
class Integer(Field):
    kind: ClassVar[str] = "integer"
    minimum: int = -BIGGEST - 1
    maximum: int = BIGGEST

    def clean(self, value: Any) -> int:
        if isinstance(value, str):
            value = ZERO_DECIMALS.sub("", value)
        if (isinstance(value, str) and WHOLE.fullmatch(value)) or (
            isinstance(value, float) and value.is_integer()
        ):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("A valid integer is required.")
        if value < self.minimum:
            raise ValueError(f"Ensure this value is greater than or equal to {self.minimum}.")
        if value > self.maximum:
            raise ValueError(f"Ensure this value is less than or equal to {self.maximum}.")
        return value

    def schema(self) -> Json:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}

    def input_schema(self) -> Json:
        return {"anyOf": [self.schema(), {"type": "string", "pattern": r"^\s*-?[0-9]+(\.0*)?\s*$"}]}


def _either(letter: str) -> str:
    return f"[{letter}{letter.upper()}]" if letter.isalpha() else letter


@dataclass(frozen=True, kw_only=True)
class Boolean(Field):
    kind: ClassVar[str] = "boolean"

    def clean(self, value: Any) -> bool:
        word = str(value).strip().lower() if isinstance(value, (bool, int, str)) else ""
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise ValueError("Must be a valid boolean.")

    def schema(self) -> Json:
        return {"type": "boolean"}

    def input_schema(self) -> Json:
        words = "|".join("".join(_either(letter) for letter in word) for word in sorted(_TRUE | _FALSE))
        return {
            "anyOf": [
                {"type": "boolean"},
                {"type": "string", "pattern": rf"^\s*({words})\s*$"},
                {"enum": [0, 1]},
            ]
        }


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    """`max_length` in characters; `choices` closes the set; `normalize` gives the stored form;
    `folded`: exact filters ignore letter case.

    `blank`: what an empty text becomes on write: "" when the field is not nullable or `blank` is
    "keep", else null, so that one of two spellings of "nothing" is stored.
    """

    kind: ClassVar[str] = "string"
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    normalize: Callable[[str], str] | None = None
    blank: str = "keep"
    pattern: str | None = None
    folded: bool = True

    @property
    def case_matters(self) -> bool:
        """Whether an exact filter compares letter case; what `normalize` and `choices` allow has only one."""
        return not self.folded or self.normalize is not None or bool(self.choices)

    @property
    def tells_empty(self) -> bool:
        return super().tells_empty or self.blank != "refuse"

    def clean(self, value: Any) -> str | None:
        text = text_of(value).strip()
        if not text:
            if self.blank == "refuse":
                raise ValueError(NOT_BLANK)
            return None if self.blank == "null" else ""
        if self.max_length is not None and len(text) > self.max_length:
            raise ValueError(f"Ensure this field has no more than {self.max_length} characters.")
        if self.choices and text not in self.choices:
            raise ValueError(f'"{text}" is not a valid choice.')
        return self.normalize(text) if self.normalize else text

    def parse(self, text: str) -> str:
        if "\0" in text:
            raise ValueError(NUL)
        if self.normalize is not None:
            try:
                return self.normalize(text.strip())
            except ValueError:
                return text.strip()
        return next((one for one in self.choices if one.lower() == text.lower()), text)

    def schema(self) -> Json:
        schema: Json = {"type": "string"}
        if self.choices:
            schema["enum"] = ["", *self.choices] if self.blank == "keep" else list(self.choices)
        elif self.max_length is not None:
            schema["maxLength"] = self.max_length
        return schema

    def input_schema(self) -> Json:
        if self.choices:
            return self.schema()
        plain: Json = {"type": "string"}
        if self.max_length is not None:
            plain["maxLength"] = self.max_length
        if self.pattern is not None:
            plain["pattern"] = self.pattern
        if self.blank == "refuse":
            plain["minLength"] = 1
            plain.setdefault("pattern", NOT_ONLY_BLANKS)
        return plain if self.pattern else {"anyOf": [plain, WRITTEN]}


@dataclass(frozen=True, kw_only=True)
class Date(Field):
    kind: ClassVar[str] = "date"

    def clean(self, value: Any) -> dt.date:
        try:
            if not isinstance(value, str):
                raise ValueError
            day = DAY.fullmatch(value.strip())  # ISO 8601 has weeks too, and JavaScript months of one digit
            if day is None:
                raise ValueError
            return dt.date(*map(int, day.groups()))
        except ValueError:
            raise ValueError("Date has wrong format. Use one of these formats instead: YYYY-MM-DD.") from None

    def schema(self) -> Json:
        return {"type": "string", "format": "date"}


@dataclass(frozen=True, kw_only=True)
class DateTime(Field):
    """Always aware; a time without offset is in the installation's zone, which the caller fills in."""

    kind: ClassVar[str] = "datetime"

    def clean(self, value: Any) -> dt.datetime:
        try:
            text = text_of(value).strip()
            text = LOST_PLUS.sub(r"\1+\2", text)
            if NUMBER.fullmatch(text):
                raise ValueError
            moment = _datetime.validate_python(text)
            aware = moment.replace(tzinfo=moment.tzinfo or dt.UTC)
            for zone in (_WEST, _EAST):
                aware.astimezone(zone)  # a time must be one everywhere
            return moment
        except (ValueError, ValidationError, OverflowError):
            raise ValueError(
                "Datetime has wrong format. Use one of these formats instead: "
                "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
            ) from None

    def schema(self) -> Json:
        return {"type": "string", "format": "date-time"}


@dataclass(frozen=True, kw_only=True)
class Coordinate(Field):
    """Degrees as a string with seven decimals (contract 1.4); `bound` 90 for latitude, 180 for longitude."""

    kind: ClassVar[str] = "decimal"
    bound: int = 180

    def clean(self, value: Any) -> Decimal | None:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValueError("A valid number is required.")
        if isinstance(value, str) and not value.strip():
            return None
        return types.coordinate(value, self.bound)

    def schema(self) -> Json:
        return {"type": "string", "pattern": r"^-?\d{1,3}\.\d{7}$"}

    def input_schema(self) -> Json:
        return {
            "anyOf": [
                {"type": "number", "minimum": -self.bound, "maximum": self.bound},
                {"type": "string", "pattern": r"^-?\d{1,2}(\.\d{1,30})?$"},
                {"const": ""},
            ]
        }


@dataclass(frozen=True, kw_only=True)
class Number(Field):
    """A measured value; `unit` as the field's document says (dBm, dB, °C, bit/s)."""

    kind: ClassVar[str] = "float"
    unit: str = ""

    def clean(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValueError("A valid number is required.")
        try:
            number = float(value)
        except (ValueError, OverflowError):
            raise ValueError("A valid number is required.") from None
        if not math.isfinite(number):
            raise ValueError("A valid number is required.")
        return number

    def schema(self) -> Json:
        return {"type": "number"} | ({"description": self.unit} if self.unit and not self.doc else {})

    def input_schema(self) -> Json:
        return {
            "anyOf": [
                {"type": "number"},
                {"type": "string", "pattern": r"^\s*[+-]?\d{1,30}(\.\d{1,30})?\s*$"},
            ]
        }


@dataclass(frozen=True, kw_only=True)
class Reference(Field):
    """A to-one link to resource `to` of the same service, by its key; stored in `<name>_id`."""

    kind: ClassVar[str] = "field"
    to: str
    textual: bool = False

    @property
    def source(self) -> str:
        return self.column or f"{self.name}_id"

    def clean(self, value: Any) -> int | str:
        if self.textual:
            text = text_of(value).strip()
            if not text:
                raise ValueError(NOT_BLANK)
            return text
        if isinstance(value, str):
            value = ZERO_DECIMALS.sub("", value)
        whole = value.is_integer() if isinstance(value, float) else isinstance(value, (int, str))
        if isinstance(value, bool) or not whole or (isinstance(value, str) and not WHOLE.fullmatch(value)):
            raise ValueError(f"Incorrect type. Expected pk value, received {type(value).__name__}.")
        number = int(value)
        if not 0 < number <= BIGGEST:
            raise ValueError(f'Invalid pk "{number}" - object does not exist.')
        return number

    def schema(self) -> Json:
        return {"type": "string"} if self.textual else {"type": "integer"}

    def input_schema(self) -> Json:
        if self.textual:
            return {"anyOf": [{"type": "string", "pattern": NOT_ONLY_BLANKS}, WRITTEN]}
        return {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^\s*[0-9]+(\.0*)?\s*$"}]}


@dataclass(frozen=True, kw_only=True)
class Members(Field):
    """A set kept in an association table: `table(mine, theirs)`. The values are ids or names.

    `to`: the resource of this service that the values must exist in; None: free names.
    """

    kind: ClassVar[str] = "list"
    derived: ClassVar[bool] = True
    table: str
    mine: str
    theirs: str
    to: str | None = None
    textual: bool = False
    default: Any = ()

    @property
    def filtered(self) -> bool:
        return False

    def clean(self, value: Any) -> list[int] | list[str]:
        if isinstance(value, str):
            value = [part for part in value.split(",") if part.strip()]
        if not isinstance(value, list):
            raise ValueError(f'Expected a list of items but got type "{type(value).__name__}".')
        if len(value) > MOST_MEMBERS:
            raise ValueError(f"Ensure this field has no more than {MOST_MEMBERS} elements.")
        item = Reference(name=self.name, to=self.to or self.name, textual=self.textual)
        return sorted({item.clean(one) for one in value})  # type: ignore[type-var,return-value]

    def schema(self) -> Json:
        return {"type": "array", "items": {"type": "string" if self.textual else "integer"}}

    def input_schema(self) -> Json:
        item = Reference(name=self.name, to=self.to or self.name, textual=self.textual).input_schema()
        listed: Json = {"type": "string"} if self.textual else {"type": "string", "pattern": "^[0-9, ]*$"}
        return {"anyOf": [{"type": "array", "maxItems": MOST_MEMBERS, "items": item}, listed]}


def realms(table: str, mine: str, *, late: bool = False) -> Members:
    """The realms of a row that is shared (`SharedWith`): those in `table(mine, realm)`."""
    doc = "only for these realms; none: for all"
    return Members(name="realms", table=table, mine=mine, theirs="realm", textual=True, late=late, doc=doc)


@dataclass(frozen=True, kw_only=True)
class Count(Field):
    """How many rows of resource `of` point here through its field `by`, within the caller's scope."""

    kind: ClassVar[str] = "integer"
    derived: ClassVar[bool] = True
    of: str
    by: str
    read_only: bool = True

    @property
    def filtered(self) -> bool:
        return False

    def schema(self) -> Json:
        return {"type": "integer", "minimum": 0}


@dataclass(frozen=True, kw_only=True)
class Breakdown(Field):
    """How many rows of resource `of` point here through `by`, for each value of their field `per`."""

    kind: ClassVar[str] = "field"
    derived: ClassVar[bool] = True
    of: str
    by: str
    per: str
    read_only: bool = True

    @property
    def filtered(self) -> bool:
        return False

    def schema(self) -> Json:
        return {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}}


@dataclass(frozen=True, kw_only=True)
class Children(Field):
    """The ids of the rows of resource `of` that point here through `by`, in its default order."""

    kind: ClassVar[str] = "list"
    derived: ClassVar[bool] = True
    of: str
    by: str
    read_only: bool = True
    since: int = ON_REQUEST

    @property
    def filtered(self) -> bool:
        return False

    def schema(self) -> Json:
        return {"type": "array", "items": {"type": "integer"}}


@dataclass(frozen=True, kw_only=True)
class AllOf(Boolean):
    """True when all of the columns hold: `x` is true, `!x` is false, `x?` is set. Computed by the
    database.
    """

    derived: ClassVar[bool] = True
    of: tuple[str, ...] = ()
    read_only: bool = True


@dataclass(frozen=True, kw_only=True)
class Concat(Text):
    """The texts of `of` one after another; an item in quotes stands for itself. Computed by the database."""

    derived: ClassVar[bool] = True
    of: tuple[str, ...] = ()
    read_only: bool = True


@dataclass(frozen=True, kw_only=True)
class Computed(Field):
    """A member made by the function `by` of the resource's rules from the columns `needs`.

    `keyed`: the first of `needs` occurs in the value as text only, so that the value is made once per
    combination of the others and the key is put into its JSON. The function must depend on nothing else.
    """

    kind: ClassVar[str] = "field"
    derived: ClassVar[bool] = True
    needs: tuple[str, ...] = ()
    by: str = ""
    keyed: bool = False
    shape: Json = field(default_factory=dict)
    read_only: bool = True

    @property
    def filtered(self) -> bool:
        return False

    def schema(self) -> Json:
        return self.shape


@dataclass(frozen=True, kw_only=True)
class Shown(Computed):
    """A whole number that `by` shows as something else (5 as `05`): found and sorted as the number."""

    @property
    def filtered(self) -> bool:
        return True

    def clean(self, value: Any) -> int:
        return Integer(name=self.name).clean(value)


@dataclass(frozen=True, kw_only=True)
class Document(Field):
    """A free JSON object or array, kept as it came; `limit` in bytes of compact JSON."""

    kind: ClassVar[str] = "field"
    limit: int = 65_536

    @property
    def filtered(self) -> bool:
        return False

    def clean(self, value: Any) -> Any:
        if not isinstance(value, (dict, list)):
            raise ValueError("Expected a JSON object or array.")
        text = json.dumps(value, ensure_ascii=False)
        if len(text.encode()) > self.limit:
            raise ValueError(f"Ensure this document has no more than {self.limit} bytes.")
        if "\\u0000" in json.dumps(value):
            raise ValueError(NUL)
        return value

    def schema(self) -> Json:
        return {"type": ["object", "array"]}
