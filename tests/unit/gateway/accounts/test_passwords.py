"""Hashes and the rules of a new password."""

from __future__ import annotations

import threading

import pytest
from argon2 import PasswordHasher

from gateway.auth import passwords
from gateway.auth.passwords import Passwords, complaints
from services.common.errors import ServiceUnavailable

# Made by Django 5.2: PBKDF2PasswordHasher().encode("secreto de verdad", "NaCl", 260000).
DJANGO = "pbkdf2_sha256$260000$NaCl$GeNQqp8p3YK03gelgf+fN9+riZ7KjxOHvleO2MWzcdY="


@pytest.fixture(scope="module")
def hasher() -> Passwords:
    return Passwords()


def test_a_hash_is_argon2id_with_the_declared_cost_and_its_own_salt(hasher: Passwords) -> None:
    one, other = hasher.hash("correct horse"), hasher.hash("correct horse")
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert one != other
    assert hasher.verify(one, "correct horse")
    assert not hasher.verify(one, "correct horse ")


def test_a_hash_of_django_is_verified_and_is_outdated(hasher: Passwords) -> None:
    assert hasher.verify(DJANGO, "secreto de verdad")
    assert not hasher.verify(DJANGO, "secreto de mentira")
    assert hasher.is_outdated(DJANGO)


def test_a_hash_of_other_parameters_is_outdated(hasher: Passwords) -> None:
    assert hasher.is_outdated(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("x"))
    assert not hasher.is_outdated(hasher.hash("x"))


@pytest.mark.parametrize("stored", [None, "", "!", "pbkdf2_sha256$x", "pbkdf2_sha256$a$b$c", "md5$a$b"])
def test_nothing_matches_what_is_no_hash(hasher: Passwords, stored: str | None) -> None:
    assert not hasher.verify(stored, "")
    assert not hasher.verify(stored, "anything")


def test_no_more_hashes_at_once_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "PATIENCE", 0.05)
    one = Passwords(most=1)
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with one._turn():
            entered.set()
            leave.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert entered.wait(60)
    with pytest.raises(ServiceUnavailable):
        one.hash("x")
    leave.set()
    thread.join()
    assert one.verify(one.hash("x"), "x")


PERSONAL = {"username": "maria.lopez", "first name": "Maria", "email": "mlopez@example.net"}


@pytest.mark.parametrize(
    ("password", "wrong"),
    [
        ("short7", ["This password is too short. It must contain at least 8 characters."]),
        ("qwertyuiop", ["This password is too common."]),
        ("Password1", ["This password is too common."]),
        ("8675309867", ["This password is entirely numeric."]),
        ("12345678", ["This password is too common.", "This password is entirely numeric."]),
        ("marialopez", ["The password is too similar to the username."]),
        ("Mlopez@example", ["The password is too similar to the email."]),
        ("tren azul 7 nubes", []),
        ("contraseña muy larga", []),
    ],
)
def test_rules_of_a_new_password(password: str, wrong: list[str]) -> None:
    assert complaints(password, PERSONAL) == wrong
