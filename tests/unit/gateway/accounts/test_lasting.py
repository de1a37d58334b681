"""What goes on for long, such as an export, ends with the rights that it was begun with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.accounts.service import Accounts
from gateway.handlers import export, reads
from gateway.principal import Principal
from services.common.errors import ApiError, AuthenticationFailed, PermissionDenied
from tests.unit.gateway.accounts.conftest import Gateway, as_, member


@pytest.fixture
def leaver(accounts: Accounts) -> Principal:
    found = member(accounts, "leaver", realms=["pim", "cpe"], groups=["APP: isp"])
    for title in "abc":
        accounts.engines["me"].create(as_(found), "bookmarks", {"title": title})
    return found


@pytest.fixture
def begun(gateway: Gateway, leaver: Principal, monkeypatch: pytest.MonkeyPatch) -> Iterator[bytes]:
    """An export of three pages, of which one was sent."""
    monkeypatch.setattr(export, "PAGE", 1)
    answer = gateway.call("GET", "/me/bookmarks/?format=ndjson", leaver, reads.list_)
    assert answer.stream is not None
    rows = iter(answer.stream)
    assert b'"title":"a"' in next(rows)
    return rows


def change(accounts: Accounts, user: Principal, changes: dict[str, Any]) -> None:
    accounts.engines["auth"].update(accounts.trusted, "users", str(user.id), changes, True)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"is_active": False}, AuthenticationFailed),
        ({"realms": ["pim"]}, PermissionDenied),
        ({"groups": []}, PermissionDenied),
    ],
)
def test_an_export_ends_when_its_user_loses_a_right(
    accounts: Accounts,
    leaver: Principal,
    begun: Iterator[bytes],
    changes: dict[str, Any],
    error: type[ApiError],
) -> None:
    change(accounts, leaver, changes)
    with pytest.raises(error):
        next(begun)


def test_an_export_goes_on_when_its_user_is_given_one(
    accounts: Accounts, leaver: Principal, begun: Iterator[bytes]
) -> None:
    change(accounts, leaver, {"realms": ["cpe", "pim", "sur"], "is_superuser": True})
    assert len(list(begun)) == 2
