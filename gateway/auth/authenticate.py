"""Who sends a request: Bearer (JWT), Basic or `Token <key>` credentials to a `Principal`.

What was found out is remembered for one version of the accounts, so that a request costs next to nothing,
and a change of a user, group, realm, token or session counts from its answer on, in every process. Passwords
are never kept: what is remembered of Basic credentials is a keyed digest.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import os
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from flask import Request
from sqlalchemy import select, update

from gateway.accounts.models import tokens, users
from gateway.auth.passwords import Passwords
from gateway.auth.people import Person, load
from gateway.auth.sessions import Sessions
from gateway.auth.throttle import Throttle, subjects
from gateway.auth.tokens import ACCESS, Signer, refused
from gateway.auth.version import Version
from gateway.principal import Principal
from services.common.database.columns import now
from services.common.database.engine import Database
from services.common.errors import AuthenticationFailed, Throttled, TokenNotValid

MOST_REMEMBERED = 10_000
WRONG = "Unable to log in with provided credentials."
INACTIVE = "User inactive or deleted."


@dataclass(frozen=True, slots=True)
class Known:
    """A credential that was good: whose it is, and until when (Unix time)."""

    user_id: int
    until: float


@dataclass(frozen=True, slots=True)
class Kept:
    """Basic credentials that were right: their keyed digest, and the stored hash that they were right for."""

    digest: bytes
    user_id: int
    password: str


class Memory:
    """What was found out under one version of the accounts."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.people: dict[int, Person] = {}
        self.credentials: dict[tuple[str, str], Known] = {}


class Authenticator:
    """Safe to share between threads."""

    def __init__(
        self,
        database: Database,
        signer: Signer,
        sessions: Sessions,
        passwords: Passwords,
        throttle: Throttle,
        version: Version,
    ) -> None:
        self._database = database
        self._signer = signer
        self._sessions = sessions
        self._passwords = passwords
        self._throttle = throttle
        self._version = version
        self._memory = Memory(-1)
        self._basic: OrderedDict[tuple[str, str], Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._key = os.urandom(32)

    # ---- requests -----------------------------------------------------------------------------

    def authenticate(self, request: Request) -> Principal | None:
        """None without credentials. Raises `TokenNotValid`, `AuthenticationFailed` or `Throttled`."""
        header = request.headers.get("Authorization", "")
        scheme, _, rest = header.partition(" ")
        match scheme.lower():
            case "bearer":
                return self._bearer(rest.strip()).principal
            case "basic":
                return self._basic_credentials(rest.strip(), request.remote_addr).principal
            case "token":
                return self._api_token(rest.strip(), request.remote_addr).principal
            case _:
                return None

    def login(self, username: str, password: str, address: str | None) -> Person:
        """The user with this password. Raises `AuthenticationFailed` or `Throttled`, as `Basic` does."""
        person = self.verify(username, password, address)
        self.seen(person.id)
        return person

    def seen(self, user_id: int) -> None:
        """The user logged in just now. It is no change of the account: nothing that is known of him is
        forgotten."""
        with self._database.write() as connection:
            connection.execute(update(users).where(users.c.id == user_id).values(last_login=now()))

    def verify(self, username: str, password: str, address: str | None) -> Person:
        """The active user with this password; every wrong guess counts, and an unknown name takes as long."""
        who = subjects(username, address)
        self._throttle.attempt(who)
        named = select(users.c.id, users.c.password).where(
            users.c.username == username.replace("\0", "\ufffd")
        )
        row = self._database.reading(lambda connection: connection.execute(named).one_or_none())
        right = self._passwords.verify(row.password if row else None, password)
        person = self._load(row.id) if row is not None and right else None
        if row is None or person is None or not person.is_active or person.password != row.password:
            raise AuthenticationFailed(WRONG)
        self._throttle.forgive(who)
        if self._passwords.is_outdated(person.password):
            self._rehash(person, password)
        return person

    def person(self, user_id: int) -> Person:
        """The user as he is now. Raises `AuthenticationFailed` when he is gone or inactive."""
        return self._person(self._remembered(), user_id)

    # ---- schemes ------------------------------------------------------------------------------

    def _bearer(self, token: str) -> Person:
        memory = self._remembered()
        known = memory.credentials.get(("bearer", token))
        if known is None or known.until <= time.time():
            try:
                claims = self._signer.read(token, ACCESS)
            except TokenNotValid:
                raise refused() from None
            if not self._database.reading(lambda connection: self._sessions.lives(connection, claims)):
                raise refused()
            known = self._keep(memory, ("bearer", token), Known(claims.user_id, claims.exp))
        return self._person(memory, known.user_id)

    def _basic_credentials(self, encoded: str, address: str | None) -> Person:
        try:
            username, colon, password = _text(base64.b64decode(encoded, validate=True)).partition(":")
        except (binascii.Error, ValueError):
            raise AuthenticationFailed(
                "Invalid basic header. Credentials not correctly base64 encoded."
            ) from None
        if not colon:
            raise AuthenticationFailed("Invalid basic header. Credentials not correctly base64 encoded.")
        # Bound to the address: else a guess from anywhere could be checked here, past the limits on guessing.
        place = (username, address or "")
        digest = hmac.digest(self._key, encoded.encode(), "sha256")
        with self._lock:
            kept = self._basic.get(place)
        if kept is not None and hmac.compare_digest(kept.digest, digest):
            person = self.person(kept.user_id)
            if person.password == kept.password and person.principal.username == username:
                return person
        try:
            person = self.verify(username, password, address)
        except Throttled:
            with self._lock:
                self._basic.pop(place, None)
            raise
        except AuthenticationFailed:
            raise AuthenticationFailed("Invalid username/password.") from None
        with self._lock:
            self._basic[place] = Kept(digest, person.id, person.password)
            self._basic.move_to_end(place)
            while len(self._basic) > MOST_REMEMBERED:
                self._basic.popitem(last=False)
        return person

    def _api_token(self, key: str, address: str | None) -> Person:
        memory = self._remembered()
        digest = digest_of(key)
        known = memory.credentials.get(("token", digest))
        if known is None or known.until <= time.time():
            row = select(tokens.c.user_id, tokens.c.expires).where(tokens.c.digest == digest)
            found = self._database.reading(lambda connection: connection.execute(row).one_or_none())
            if found is None or (found.expires is not None and found.expires <= dt.datetime.now(dt.UTC)):
                self._throttle.attempt(subjects(None, address))
                raise AuthenticationFailed("Invalid token.")
            until = found.expires.timestamp() if found.expires else float("inf")
            known = self._keep(memory, ("token", digest), Known(found.user_id, until))
        return self._person(memory, known.user_id)

    # ---- memory -------------------------------------------------------------------------------

    def _remembered(self) -> Memory:
        """What is known under the version that the accounts have now."""
        version = self._version.read()
        memory = self._memory
        if (
            version > memory.version
        ):  # an older number is of a request that was overtaken; ours is newer truth
            with self._lock:
                if version > self._memory.version:
                    self._memory = Memory(version)
                memory = self._memory
        return memory

    def _keep(self, memory: Memory, credential: tuple[str, str], known: Known) -> Known:
        if len(memory.credentials) >= MOST_REMEMBERED:
            memory.credentials.clear()
        memory.credentials[credential] = known
        return known

    def _person(self, memory: Memory, user_id: int) -> Person:
        person = memory.people.get(user_id)
        if person is None:
            loaded = self._load(user_id)
            if loaded is None:
                raise AuthenticationFailed(INACTIVE)
            if len(memory.people) >= MOST_REMEMBERED:
                memory.people.clear()
            person = memory.people[user_id] = loaded
        if not person.is_active:
            raise AuthenticationFailed(INACTIVE)
        return person

    def _load(self, user_id: int) -> Person | None:
        return self._database.reading(lambda connection: load(connection, user_id))

    def _rehash(self, person: Person, password: str) -> None:
        """The same password under the present parameters: nobody's session ends by it."""
        stored = self._passwords.hash(password)
        mine = update(users).where(users.c.id == person.id, users.c.password == person.password)
        with self._database.write() as connection:
            if connection.execute(mine.values(password=stored)).rowcount:
                self._version.bump(connection)


def _text(credentials: bytes) -> str:
    """Basic credentials are in UTF-8, or in Latin-1 as older clients write them (RFC 7617 leaves it open)."""
    try:
        return credentials.decode()
    except UnicodeDecodeError:
        return credentials.decode("latin-1")


def digest_of(key: str) -> str:
    """What is stored of an API token. Its 160 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()
