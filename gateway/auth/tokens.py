"""JSON Web Tokens as djangorestframework-simplejwt writes them (contract 7): HS256, the same claims and
errors.

This module signs and reads; whether a token is still wanted is known to `sessions`.
"""

from __future__ import annotations

import hashlib
import hmac
import time
import uuid
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from services.common.errors import TokenNotValid

ACCESS, REFRESH = "access", "refresh"
LIFETIME = {ACCESS: 86_400, REFRESH: 7 * 86_400}
INVALID = "Token is invalid or expired"
_HEADER = {"typ": "JWT", "alg": "HS256"}


@dataclass(frozen=True, slots=True)
class Claims:
    """`exp` in Unix time, `jti` 32 hex digits."""

    token_type: str
    exp: int
    jti: str
    user_id: int


@dataclass(frozen=True, slots=True)
class Pair:
    """The two tokens of a login, ready to be sent, and their claims."""

    access: str
    refresh: str
    access_claims: Claims
    refresh_claims: Claims


class Signer:
    def __init__(self, key: bytes) -> None:
        self._key = OctKey.import_key(key)
        self._secret = key

    def pair(self, user_id: int) -> Pair:
        access, refresh = self._claims(ACCESS, user_id), self._claims(REFRESH, user_id)
        return Pair(self._signed(access), self._signed(refresh), access, refresh)

    def read(self, token: str, *types: str) -> Claims:
        """The claims of a token of one of these types. Raises `TokenNotValid`."""
        claims = self.unsealed(token)
        try:
            found = Claims(
                claims["token_type"], int(claims["exp"]), str(claims["jti"]), int(claims["user_id"])
            )
        except (KeyError, TypeError, ValueError):
            raise TokenNotValid(INVALID) from None
        if found.token_type not in types:
            raise TokenNotValid(INVALID)
        return found

    def sealed(self, claims: dict[str, object], seconds: int) -> str:
        """Signed claims of our own that expire; `token_type` keeps one kind from passing for another."""
        return jwt.encode(_HEADER, {**claims, "exp": int(time.time()) + seconds}, self._key)

    def unsealed(self, token: str) -> dict[str, Any]:
        """The claims of something we signed that has not expired. Raises `TokenNotValid`."""
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"]).claims
            if not float(claims["exp"]) > time.time():
                raise TokenNotValid(INVALID)
        except (JoseError, ValueError, KeyError, TypeError, UnicodeError):
            raise TokenNotValid(INVALID) from None
        return claims

    def mac(self, purpose: str, text: bytes) -> str:
        """HMAC-SHA256 in hex, which only our key makes; `purpose` keeps its uses apart."""
        return hmac.new(self._secret, purpose.encode() + b"\0" + text, hashlib.sha256).hexdigest()

    def _claims(self, type_: str, user_id: int) -> Claims:
        return Claims(type_, int(time.time()) + LIFETIME[type_], uuid.uuid4().hex, user_id)

    def _signed(self, claims: Claims) -> str:
        issued = claims.exp - LIFETIME[claims.token_type]
        payload = {
            "token_type": claims.token_type,
            "exp": claims.exp,
            "iat": issued,
            "jti": claims.jti,
            "user_id": claims.user_id,
        }
        return jwt.encode(_HEADER, payload, self._key)


def refused() -> TokenNotValid:
    """What a request with a bad access token is told."""
    message = {"token_class": "AccessToken", "token_type": ACCESS, "message": INVALID}
    return TokenNotValid(messages=[message])
