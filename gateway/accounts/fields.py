"""Kinds of field that only accounts have."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from services.common.fields import NOT_BLANK, WRITTEN, Json, Members, Text, text_of

LONGEST_PASSWORD = 256
_USERNAME = re.compile(r"[\w.@+-]+")


@dataclass(frozen=True, kw_only=True)
class Password(Text):
    """A password on its way in: never shown, and not stripped, since blanks at its ends are part of it."""

    write_only: bool = True
    max_length: int | None = LONGEST_PASSWORD

    def clean(self, value: Any) -> str:
        text = text_of(value)
        if not text:
            raise ValueError(NOT_BLANK)
        if len(text) > LONGEST_PASSWORD:
            raise ValueError(f"Ensure this field has no more than {LONGEST_PASSWORD} characters.")
        return text

    def input_schema(self) -> Json:
        text = {"type": "string", "minLength": 1, "maxLength": LONGEST_PASSWORD}
        return {"anyOf": [text, WRITTEN]}


@dataclass(frozen=True, kw_only=True)
class Granted(Members):
    """Permissions, shown as objects; taken as ids or as the objects that were shown."""

    def clean(self, value: Any) -> list[int] | list[str]:
        if isinstance(value, list):
            value = [one["id"] if isinstance(one, dict) and "id" in one else one for one in value]
        return super().clean(value)

    def schema(self) -> Json:
        members = {
            "id": {"type": "integer"},
            **{name: {"type": "string"} for name in ("codename", "name", "content_type")},
        }
        return {
            "type": "array",
            "items": {"type": "object", "properties": members, "required": list(members)},
        }

    def input_schema(self) -> Json:
        return {"anyOf": [super().input_schema(), self.schema()]}


def username(text: str) -> str:
    """The stored form of a user name. Raises `ValueError` on characters it may not have."""
    text = unicodedata.normalize("NFKC", text)
    if not _USERNAME.fullmatch(text):
        raise ValueError(
            "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."
        )
    return text


_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[^\s@.]+(\.[^\s@.]+)*")


def email(text: str) -> str:
    if text and not _EMAIL.fullmatch(text):
        raise ValueError("Enter a valid email address.")
    return text


_REALM = re.compile(r"[a-z][a-z0-9_-]*")


def realm(text: str) -> str:
    """A realm's name begins the names of its CPEs in the network, so it is one plain word."""
    if not _REALM.fullmatch(text):
        raise ValueError("A realm is lower-case letters, digits, hyphens and underscores, a letter first.")
    return text
