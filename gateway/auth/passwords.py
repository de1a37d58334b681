"""Password hashes and the rules of a new password.

argon2id with OWASP's parameters (RFC 9106 hashes, 19 MiB, two passes). PBKDF2-SHA256 hashes that came from
Django are verified and replaced at the next login. A hash takes memory and time on purpose, so only as
many are made at once as there are processors. A password never stands in a log or an error.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import SequenceMatcher

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.auth.common_passwords import COMMON
from services.common.errors import ServiceUnavailable

MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
PATIENCE = 3.0
LONGEST = 1024
SHORTEST = 8
SIMILAR = 0.7


class Passwords:
    """`most`: how many hashes this process makes at the same time; more wait `PATIENCE` seconds, then 503."""

    def __init__(self, most: int | None = None) -> None:
        self._argon2 = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._turns = threading.BoundedSemaphore(most or os.cpu_count() or 1)
        self._nobody = self._argon2.hash(os.urandom(16).hex())

    def hash(self, password: str) -> str:
        with self._turn():
            return self._argon2.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the password; None, a user that does not exist, takes as long as a wrong one."""
        password = password[:LONGEST]
        with self._turn():
            if stored is not None and stored.startswith("pbkdf2_sha256$"):
                return _pbkdf2(stored, password)
            try:
                return self._argon2.verify(stored or self._nobody, password) and stored is not None
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash should be made anew, now that the password is known."""
        return not stored.startswith("$argon2") or self._argon2.check_needs_rehash(stored)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=PATIENCE):
            raise ServiceUnavailable("Too many logins at once, try again later.")
        try:
            yield
        finally:
            self._turns.release()


def _pbkdf2(stored: str, password: str) -> bool:
    """Django's form: `pbkdf2_sha256$<iterations>$<salt>$<base64>`."""
    try:
        _, iterations, salt, expected = stored.split("$")
        made = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), int(iterations))
    except ValueError:
        return False
    return hmac.compare_digest(base64.b64encode(made).decode(), expected)


def complaints(password: str, personal: Mapping[str, str]) -> list[str]:
    """What is wrong with a new password (contract 10.1); `personal`: label → what is known of its owner."""
    wrong: list[str] = []
    if label := next((label for label, value in personal.items() if _resembles(password, value)), None):
        wrong.append(f"The password is too similar to the {label}.")
    if len(password) < SHORTEST:
        wrong.append(f"This password is too short. It must contain at least {SHORTEST} characters.")
    if password.lower().strip() in COMMON:
        wrong.append("This password is too common.")
    if password.isdecimal():
        wrong.append("This password is entirely numeric.")
    return wrong


def _resembles(password: str, value: str) -> bool:
    lowered = password.lower()
    parts = (part.lower() for part in (*re.split(r"\W+", value), value) if part)
    return any(_alike(lowered, part) for part in parts)


def _alike(password: str, part: str) -> bool:
    if len(password) >= 10 * len(part):  # so long that the part cannot make it guessable
        return False
    return SequenceMatcher(a=password, b=part).quick_ratio() >= SIMILAR
