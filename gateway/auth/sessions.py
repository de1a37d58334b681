"""Logins that go on: one row per pair of tokens, a family per login.

A refresh token works once. A second use means that somebody else has a copy, so the whole family dies,
access tokens included (RFC 9700, 4.14.2). A token without a living row is worth nothing, whatever its
signature says.
"""

from __future__ import annotations

import time
import uuid

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from gateway.accounts.models import sessions, users
from gateway.auth.tokens import ACCESS, INVALID, REFRESH, Claims, Pair, Signer
from gateway.auth.version import Version
from services.common.database.engine import Database
from services.common.errors import TokenNotValid


class Sessions:
    def __init__(self, database: Database, signer: Signer, version: Version) -> None:
        self._database = database
        self._signer = signer
        self._version = version

    def begin(self, user_id: int) -> Pair:
        """A new login."""
        with self._database.write() as connection:
            return self._next(connection, user_id, uuid.uuid4().hex)

    def refresh(self, token: str) -> Pair:
        """A new pair for a refresh token. Raises `TokenNotValid`."""
        claims = self._signer.read(token, REFRESH)
        used = update(sessions).where(sessions.c.jti == claims.jti, ~sessions.c.used, ~sessions.c.revoked)
        active = select(users.c.is_active).where(users.c.id == claims.user_id)
        with self._database.write() as connection:
            row = connection.execute(used.values(used=True).returning(sessions.c.family)).one_or_none()
            if row is not None and connection.execute(active).scalar():
                return self._next(connection, claims.user_id, row.family)
            ended = self._revoke(connection, sessions.c.jti == claims.jti)
        if ended:
            self._version.settle()
        raise TokenNotValid(INVALID)

    def check(self, token: str) -> None:
        """Raises `TokenNotValid` unless the token, of either type, could be used now."""
        claims = self._signer.read(token, ACCESS, REFRESH)
        row = sessions.c.access_jti == claims.jti
        if claims.token_type == REFRESH:
            row = (sessions.c.jti == claims.jti) & ~sessions.c.used
        living = select(sessions.c.user_id).join(users).where(row, ~sessions.c.revoked, users.c.is_active)
        if self._database.reading(lambda connection: connection.execute(living).scalar()) != claims.user_id:
            raise TokenNotValid(INVALID)

    def lives(self, connection: Connection, claims: Claims) -> bool:
        """Whether an access token's session goes on."""
        row = select(sessions.c.user_id).where(sessions.c.access_jti == claims.jti, ~sessions.c.revoked)
        return connection.execute(row).scalar() == claims.user_id

    def end(self, token: str) -> None:
        """End the login that a token of either type belongs to. Raises `TokenNotValid`."""
        claims = self._signer.read(token, ACCESS, REFRESH)
        column = sessions.c.jti if claims.token_type == REFRESH else sessions.c.access_jti
        with self._database.write() as connection:
            ended = self._revoke(connection, column == claims.jti)
        if not ended:
            raise TokenNotValid(INVALID)
        self._version.settle()

    def tidy(self) -> None:
        """Forget what has expired."""
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires < int(time.time())))

    def _next(self, connection: Connection, user_id: int, family: str) -> Pair:
        pair = self._signer.pair(user_id)
        row = {"jti": pair.refresh_claims.jti, "access_jti": pair.access_claims.jti, "family": family}
        connection.execute(insert(sessions).values(**row, user_id=user_id, expires=pair.refresh_claims.exp))
        return pair

    def _revoke(self, connection: Connection, one: ColumnElement[bool]) -> bool:
        """Revoke the family of one session; false when it was not living."""
        family = select(sessions.c.family).where(one).scalar_subquery()
        living = update(sessions).where(sessions.c.family == family, ~sessions.c.revoked)
        if not connection.execute(living.values(revoked=True)).rowcount:
            return False
        self._version.bump(connection)
        return True
