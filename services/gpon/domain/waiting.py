"""Members of an ONU that waits, and whether it may be provisioned."""

from __future__ import annotations

from collections.abc import Sequence

from services.common.types import Installation, Row


def frame(installation: Installation, number: int) -> str:
    return str(number)


def two_digits(installation: Installation, number: int) -> str:
    return f"{number:02d}"


def versions(installation: Installation, hardware: str | None, software: str | None) -> str | None:
    """`168D.A / V5R019C10S115`."""
    return " / ".join(filter(None, (hardware, software))) or None


def cpe(installation: Installation, id_: int | None, name: str | None) -> Row | None:
    return None if id_ is None else {"id": id_, "name": name}


def refusal(validations: Sequence[Row], model: str | None, hardware: str | None, software: str | None) -> str:
    """Why the validations refuse this ONU; empty when they do not. Rows: model, hardware_version,
    software_version (blank: any), allowed."""
    mine = [one for one in validations if _same(one["model"], model)]
    fitting = [
        one
        for one in mine
        if _fits(one["hardware_version"], hardware) and _fits(one["software_version"], software)
    ]
    if any(not one["allowed"] for one in fitting):
        return f"{_told(hardware, software)} not allowed for {model}"
    if any(one["allowed"] for one in mine) and not fitting:
        return f"{_told(hardware, software)} not allowed for {model}"
    return ""


def _same(one: str, other: str | None) -> bool:
    return other is not None and one.casefold() == other.casefold()


def _fits(wanted: str, found: str | None) -> bool:
    return not wanted or _same(wanted, found)


def _told(hardware: str | None, software: str | None) -> str:
    return (
        " and ".join(filter(None, (hardware and f"hardware {hardware}", software and f"software {software}")))
        or "an unknown version"
    )
