"""Logging in at Google or Microsoft: OpenID Connect, authorization code with PKCE, state and nonce.

The account is that of the one active user with the e-mail address that the provider vouches for; accounts
are never made here. Nothing is kept between the two requests of a browser but a signed cookie that lives
ten minutes.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import func, select

from gateway.accounts.models import users
from gateway.auth.tokens import Signer
from services.common.database.engine import Database
from services.common.errors import AuthenticationFailed, NotFound, TokenNotValid, UpstreamFailed
from services.common.settings import Settings

SCOPE = "openid email profile"
COOKIE = "krill_oauth"
COOKIE_SECONDS = 600
METADATA_SECONDS = 3600
PATIENCE = 4.0
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"]
LEEWAY = 60


class ProviderNotConfigured(NotFound):
    code, message = "provider_not_configured", "Logging in with this provider is not configured."


@dataclass(frozen=True, slots=True)
class Client:
    """We, as a provider knows us."""

    name: str
    id: str
    secret: str
    metadata_url: str

    @property
    def is_shared(self) -> bool:
        """Microsoft's addresses for everybody's directories, whose owners write what they like into
        `email`."""
        parts = urlsplit(self.metadata_url).path.split("/")
        return any(part in ("common", "organizations", "consumers") for part in parts)


@dataclass(frozen=True, slots=True)
class Start:
    """Where to send the browser, and the value of the cookie that it must bring back."""

    url: str
    cookie: str


class OAuth:
    def __init__(self, database: Database, signer: Signer, settings: Settings) -> None:
        self._database = database
        self._signer = signer
        self._settings = settings
        self._documents: dict[str, tuple[float, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def start(self, provider: str, redirect_uri: str) -> Start:
        """Begin: the provider's page and our cookie. Raises `ProviderNotConfigured`, `UpstreamFailed`."""
        client = self._client(provider)
        metadata = self._document(client, client.metadata_url)
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        with self._session(client, redirect_uri) as session:
            url, state = session.create_authorization_url(
                metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
            )
        claims: dict[str, object] = {
            "provider": provider,
            "state": state,
            "nonce": nonce,
            "verifier": verifier,
        }
        return Start(url, self._signer.sealed({**claims, "token_type": "oauth"}, COOKIE_SECONDS))

    def finish(self, provider: str, redirect_uri: str, code: str, state: str, cookie: str | None) -> int:
        """The id of the user who came back to `redirect_uri`. Raises `AuthenticationFailed`."""
        try:
            begun = self._signer.unsealed(cookie or "")
        except TokenNotValid:
            raise AuthenticationFailed(
                "This login was not begun here, or too long ago; please begin again."
            ) from None
        ours = begun.get("token_type") == "oauth" and begun.get("provider") == provider
        if not ours or not secrets.compare_digest(str(begun["state"]).encode(), state.encode()):
            raise AuthenticationFailed("This login was not begun here, or too long ago; please begin again.")
        return self.exchange(provider, redirect_uri, code, str(begun["verifier"]), str(begun["nonce"]))

    def exchange(
        self,
        provider: str,
        redirect_uri: str,
        code: str,
        verifier: str | None = None,
        nonce: str | None = None,
    ) -> int:
        """The id of the user that an authorization code stands for."""
        client = self._client(provider)
        metadata = self._document(client, client.metadata_url)
        with self._session(client, redirect_uri) as session:
            try:
                extra = {"code_verifier": verifier} if verifier else {}
                token = session.fetch_token(metadata["token_endpoint"], code=code, timeout=PATIENCE, **extra)
            except AuthlibBaseError:
                raise AuthenticationFailed(
                    f"{provider} did not accept this login.", provider=provider
                ) from None
            except (requests.RequestException, ValueError) as error:
                raise _failed(provider) from error
        claims = self._claims(client, metadata, str(token.get("id_token", "")), nonce)
        return self._user(_email(client, claims), provider)

    # ---- what the provider says -----------------------------------------------------------------

    def _claims(
        self, client: Client, metadata: dict[str, Any], id_token: str, nonce: str | None
    ) -> dict[str, Any]:
        """The claims of an ID token that is the provider's, for us, of this login and of now."""
        try:
            claims = self._decoded(client, metadata["jwks_uri"], id_token)
            issuer = str(metadata["issuer"]).replace("{tenantid}", str(claims.get("tid")))
            expected: dict[str, Any] = {
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": client.id},
                "exp": {"essential": True},
            }
            if nonce is not None:
                expected["nonce"] = {"essential": True, "value": nonce}
            jwt.JWTClaimsRegistry(leeway=LEEWAY, **expected).validate(claims)
        except (JoseError, ValueError):
            raise AuthenticationFailed(
                f"{client.name} sent an identity that is not valid.", provider=client.name
            ) from None
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != client.id:
            raise AuthenticationFailed(
                f"{client.name} sent an identity for somebody else.", provider=client.name
            )
        return claims

    def _decoded(self, client: Client, jwks_uri: str, id_token: str) -> dict[str, Any]:
        keys = KeySet.import_key_set(self._document(client, jwks_uri))  # type: ignore[arg-type]
        try:
            return jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            # The provider may have changed its keys since we fetched them.
            keys = KeySet.import_key_set(self._document(client, jwks_uri, fresh=True))  # type: ignore[arg-type]
            return jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims

    def _document(self, client: Client, url: str, *, fresh: bool = False) -> dict[str, Any]:
        """A JSON document of the provider, kept for an hour."""
        with self._lock:
            kept = self._documents.get(url)
        if kept is not None and kept[0] > time.monotonic() and not fresh:
            return kept[1]
        try:
            response = requests.get(url, timeout=PATIENCE)
            response.raise_for_status()
            document = response.json()
        except (requests.RequestException, ValueError) as error:
            raise _failed(client.name) from error
        with self._lock:
            self._documents[url] = (time.monotonic() + METADATA_SECONDS, document)
        return dict(document)

    # ---- our side -----------------------------------------------------------------------------

    def _client(self, provider: str) -> Client:
        settings = self._settings
        known = {
            "google": (
                settings.google_client_id,
                settings.google_client_secret,
                settings.google_metadata_url,
            ),
            "microsoft": (
                settings.microsoft_client_id,
                settings.microsoft_client_secret,
                settings.microsoft_metadata_url,
            ),
        }
        id_, secret, url = known[provider]
        if id_ is None or secret is None:
            raise ProviderNotConfigured(provider=provider)
        return Client(provider, id_, secret.get_secret_value(), url)

    def _session(self, client: Client, redirect_uri: str) -> OAuth2Session:
        return OAuth2Session(
            client.id, client.secret, scope=SCOPE, redirect_uri=redirect_uri, code_challenge_method="S256"
        )

    def _user(self, email: str, provider: str) -> int:
        """Two users with one address are nobody: it would be a guess who is meant. Nor is an address that
        of one with other letters which are the same in lower case (the sign of the kelvin is a k)."""
        named = (
            select(users.c.id, users.c.email)
            .where(func.lower(users.c.email) == email.lower(), users.c.is_active)
            .limit(2)
        )
        found = self._database.reading(lambda connection: connection.execute(named).all())
        if len(found) != 1 or found[0].email.isascii() != email.isascii():
            raise AuthenticationFailed(
                "There is no account with this e-mail address here.", provider=provider
            )
        return int(found[0].id)


def _email(client: Client, claims: dict[str, Any]) -> str:
    """The address that the provider vouches for: marked as verified (Microsoft's mark is `xms_edov`), or
    of the one directory that the operator configured by name."""
    email = claims.get("email")
    marked = any(str(claims.get(name)).lower() in ("true", "1") for name in ("email_verified", "xms_edov"))
    own_directory = client.name == "microsoft" and not client.is_shared and "email_verified" not in claims
    if not isinstance(email, str) or "@" not in email or not (marked or own_directory):
        raise AuthenticationFailed(
            f"{client.name} does not vouch for an e-mail address.", provider=client.name
        )
    return email


def _failed(provider: str) -> UpstreamFailed:
    return UpstreamFailed(f"{provider} cannot be reached or answered with an error.", provider=provider)
