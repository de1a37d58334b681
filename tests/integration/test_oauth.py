"""Logging in at an OpenID provider: a real one on loopback, with somebody in between who can meddle."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import oidc_provider_mock
import orjson
import pytest
import requests
import werkzeug.serving
from flask.testing import FlaskClient
from pydantic import SecretStr
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

from gateway.accounts.models import metadata
from gateway.accounts.service import Accounts
from gateway.app import create_app
from gateway.assembly import assemble
from services.common.database import migrate
from services.common.database.engine import Database
from services.common.errors import ServiceUnavailable
from services.common.settings import Settings

# The provider is of another project and behind with its own libraries.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PASSWORD = "correct horse 7"
BACK = "http://spa.example.net/back"

Meddle = Callable[[dict[str, Any]], None]


def body_of(answer: Any) -> Any:
    """The JSON of a response."""
    return orjson.loads(answer.data)


@dataclass
class Provider:
    """The provider as the network shows it: what it was asked is kept, what it answers may be changed."""

    inner: Any
    url: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    meddle: dict[str, Meddle] = field(default_factory=dict)
    status: int | None = None

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        sent = Request(environ).get_data()
        request = Request({**environ, "wsgi.input": io.BytesIO(sent)})
        environ["wsgi.input"] = io.BytesIO(sent)
        self.asked.append((request.path, dict(request.form)))
        if self.status is not None:
            return Response("broken", self.status)(environ, start_response)
        chunks, status, headers = run_wsgi_app(self.inner, environ, buffered=True)
        body = b"".join(chunks)
        if request.path in self.meddle:
            document = orjson.loads(body)
            self.meddle[request.path](document)
            body = orjson.dumps(document)
            headers["Content-Length"] = str(len(body))
        return Response(body, status, headers)(environ, start_response)

    def user(self, sub: str, **claims: Any) -> None:
        requests.put(f"{self.url}/users/{sub}", json=claims, timeout=5).raise_for_status()

    def consent(self, url: str, sub: str) -> tuple[str, str]:
        """A person logs in on the provider's page; the code and the state that the browser takes back."""
        answer = requests.post(url, data={"sub": sub}, allow_redirects=False, timeout=5)
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
        return query["code"][0], query.get("state", [""])[0]

    def identity(self, sub: str, client: str, nonce: str) -> str:
        """An ID token that the provider made for another login."""
        query = f"response_type=code&client_id={client}&redirect_uri={BACK}&scope=openid+email&nonce={nonce}"
        code, _ = self.consent(f"{self.url}/oauth2/authorize?{query}", sub)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
        answer = requests.post(f"{self.url}/oauth2/token", data=form, auth=(client, "s"), timeout=5)
        return str(answer.json()["id_token"])

    @property
    def metadata(self) -> str:
        return f"{self.url}/.well-known/openid-configuration"


def serve(app: Any) -> Iterator[Provider]:
    provider = Provider(app)
    server = werkzeug.serving.make_server("127.0.0.1", 0, provider, threaded=True)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    yield from serve(oidc_provider_mock.app(require_nonce=False))


@pytest.fixture
def expired() -> Iterator[Provider]:
    """A provider whose identities are out of date when they arrive."""
    yield from serve(oidc_provider_mock.app(access_token_max_age=timedelta(seconds=-600)))


class Away:
    def start(self, *_: Any, **__: Any) -> Any:
        raise ServiceUnavailable()

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class Site:
    accounts: Accounts
    client: FlaskClient

    def begin(self, provider: str = "google") -> str:
        answer = self.client.get(f"/api/v2/auth/{provider}/")
        assert answer.status_code == 302, body_of(answer)
        return str(answer.headers["Location"])

    def come_back(self, code: str, state: str, provider: str = "google") -> Any:
        return self.client.get(
            f"/api/v2/auth/{provider}/callback/", query_string={"code": code, "state": state}
        )


def site(folder: Path, **settings: Any) -> Iterator[Site]:
    made = Settings(data_dir=folder, **settings)
    database = Database(made.database("gateway"), made)
    migrate.upgrade("gateway.migrations", metadata, database.engine)
    database.close()
    accounts = Accounts(made)
    accounts.create_user("ana", PASSWORD, email="Ana@Example.net")
    platform = assemble(made, Away(), accounts)  # type: ignore[arg-type]
    app = create_app(platform)
    yield Site(accounts, app.test_client())
    platform.close()


@pytest.fixture
def google(tmp_path: Path, provider: Provider) -> Iterator[Site]:
    provider.user("ana-at-google", email="ana@example.net", email_verified=True)
    yield from site(
        tmp_path,
        google_client_id="krill",
        google_client_secret=SecretStr("s3cret"),
        google_metadata_url=provider.metadata,
    )


def log_in(google: Site, provider: Provider, sub: str = "ana-at-google") -> Any:
    return google.come_back(*provider.consent(google.begin(), sub))


@pytest.fixture
def named(tmp_path: Path) -> Iterator[Site]:
    yield from site(tmp_path, hosts="crm.example.net, .example.org")


def test_a_host_that_is_not_ours_is_refused(named: Site) -> None:
    """What a request names as its host comes back in links, and in where a provider sends browsers."""

    def refused(host: str) -> bool:
        answer = named.client.get("/api/v2/me/", headers={"Host": host})
        told = answer.status_code, body_of(answer)["code"]
        assert told in ((401, "not_authenticated"), (400, "bad_request"))
        return told[0] == 400

    for host in ("crm.example.net", "crm.example.net:4280", "example.org", "a.example.org"):
        assert not refused(host)
    for host in ("evil.example", "crm.example.net.evil.example", "example.net", "[::1]", "a b", ""):
        assert refused(host)


# ---- the way there and back -------------------------------------------------------------------


def test_the_browser_is_sent_with_state_nonce_and_pkce(google: Site, provider: Provider) -> None:
    url = google.begin()
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert url.startswith(f"{provider.url}/oauth2/authorize?")
    assert query["response_type"] == "code"
    assert query["client_id"] == "krill"
    assert query["scope"] == "openid email profile"
    assert query["code_challenge_method"] == "S256"
    assert query["redirect_uri"] == "http://localhost/api/v2/auth/google/callback/"
    assert len(query["state"]) >= 16
    assert len(query["nonce"]) >= 16
    assert "s3cret" not in url
    cookie = google.client.get_cookie("krill_oauth", path="/api/v2/auth/")
    assert cookie is not None
    assert (cookie.http_only, cookie.same_site, cookie.max_age) == (True, "Lax", 600)


def test_coming_back_logs_in_the_user_with_that_address(google: Site, provider: Provider) -> None:
    url = google.begin()
    answer = google.come_back(*provider.consent(url, "ana-at-google"))
    assert answer.status_code == 200
    assert list(body_of(answer)) == ["access", "refresh", "user"]
    assert body_of(answer)["user"]["username"] == "ana"
    me = google.client.get("/api/v2/me/", headers={"Authorization": f"Bearer {body_of(answer)['access']}"})
    assert body_of(me)["username"] == "ana"
    assert body_of(me)["last_login"] is not None
    assert google.client.get_cookie("krill_oauth", path="/api/v2/auth/") is None
    challenge = parse_qs(urlsplit(url).query)["code_challenge"][0]
    verifier = next(form["code_verifier"] for path, form in provider.asked if path == "/oauth2/token")
    assert (
        base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=") == challenge
    )


def test_a_client_may_bring_the_code_itself(google: Site, provider: Provider) -> None:
    query = f"response_type=code&client_id=krill&redirect_uri={BACK}&scope=openid+email&nonce=n0nce"
    for body, status in (({}, 200), ({"nonce": "n0nce"}, 200), ({"nonce": "another"}, 401)):
        code, _ = provider.consent(f"{provider.url}/oauth2/authorize?{query}", "ana-at-google")
        answer = google.client.post("/api/v2/auth/google/", json={"code": code, "redirect_uri": BACK, **body})
        assert answer.status_code == status, body_of(answer)
    again = google.client.post("/api/v2/auth/google/", json={"code": code, "redirect_uri": BACK})
    assert again.status_code == 401
    assert body_of(again)["provider"] == "google"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"code": ["This field is required."], "redirect_uri": ["This field is required."]}),
        ({"code": "x", "redirect_uri": ""}, {"redirect_uri": ["This field may not be blank."]}),
    ],
)
def test_a_code_without_its_members_is_told_which(google: Site, body: Any, errors: Any) -> None:
    answer = google.client.post("/api/v2/auth/google/", json=body)
    assert (answer.status_code, body_of(answer)) == (400, errors)


# ---- who may not come in ----------------------------------------------------------------------


def test_coming_back_without_having_begun_here_is_refused(google: Site, provider: Provider) -> None:
    code, state = provider.consent(google.begin(), "ana-at-google")
    assert google.come_back(code, "another state").status_code == 401
    google.client.delete_cookie("krill_oauth", path="/api/v2/auth/")
    assert google.come_back(code, state).status_code == 401
    google.client.set_cookie("krill_oauth", "forged", path="/api/v2/auth/")
    assert google.come_back(code, state).status_code == 401
    access = google.accounts.sessions.begin(1).access
    google.client.set_cookie("krill_oauth", access, path="/api/v2/auth/")
    assert google.come_back(code, state).status_code == 401


def test_saying_no_at_the_provider_is_a_401(google: Site) -> None:
    answer = google.client.get("/api/v2/auth/google/callback/?error=access_denied")
    assert (answer.status_code, body_of(answer)["code"]) == (401, "authentication_failed")


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "nobody@example.net", "email_verified": True},
        {"email": "ana@example.net", "email_verified": False},
        {"email": "ana@example.net"},
        {"email_verified": True},
        {"email": ["ana@example.net"], "email_verified": True},
    ],
)
def test_an_address_that_is_unknown_or_not_vouched_for_is_refused(
    google: Site, provider: Provider, claims: Any
) -> None:
    provider.user("other", **claims)
    assert log_in(google, provider, "other").status_code == 401


def test_an_address_of_letters_that_only_look_alike_is_another(google: Site, provider: Provider) -> None:
    google.accounts.create_user("kim", PASSWORD, email="Kim@example.net")
    provider.user("kelvin", email="\u212aim@example.net", email_verified=True)
    provider.user("kim", email="kIm@example.net", email_verified=True)
    assert log_in(google, provider, "kelvin").status_code == 401
    assert log_in(google, provider, "kim").status_code == 200


def test_nobody_is_made_and_an_inactive_or_ambiguous_user_stays_out(google: Site, provider: Provider) -> None:
    accounts = google.accounts
    provider.user("new", email="new@example.net", email_verified=True)
    assert log_in(google, provider, "new").status_code == 401
    assert accounts.engines["auth"].list(accounts.trusted, "users").meta["count"] == 1
    accounts.create_user("ana2", PASSWORD, email="ana@example.net")
    assert log_in(google, provider).status_code == 401
    accounts.engines["auth"].update(accounts.trusted, "users", "2", {"is_active": False}, True)
    assert log_in(google, provider).status_code == 200
    accounts.engines["auth"].update(accounts.trusted, "users", "1", {"is_active": False}, True)
    assert log_in(google, provider).status_code == 401


def test_an_identity_of_another_login_or_without_a_good_signature_is_refused(
    google: Site, provider: Provider
) -> None:
    def replaced(token: str) -> Meddle:
        return lambda document: document.update(id_token=token)

    other_login = provider.identity("ana-at-google", "krill", "another-nonce")
    head, body, signature = other_login.split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    for token in (
        other_login,
        f"{head}.{body}.AAAA{signature[4:]}",
        f"{unsigned}.{body}.",
        "",
        "x.y.z",
    ):
        provider.meddle["/oauth2/token"] = replaced(token)
        answer = log_in(google, provider)
        assert answer.status_code == 401, token
        assert body_of(answer)["provider"] == "google"
    del provider.meddle["/oauth2/token"]
    assert log_in(google, provider).status_code == 200


@pytest.mark.parametrize(("client", "status"), [("krill", 200), ("another-client", 401)])
def test_an_identity_made_for_somebody_else_is_refused(
    google: Site, provider: Provider, client: str, status: int
) -> None:
    url = google.begin()
    nonce = parse_qs(urlsplit(url).query)["nonce"][0]
    token = provider.identity("ana-at-google", client, nonce)
    provider.meddle["/oauth2/token"] = lambda document: document.update(id_token=token)
    assert google.come_back(*provider.consent(url, "ana-at-google")).status_code == status


def test_an_identity_of_another_issuer_is_refused(google: Site, provider: Provider) -> None:
    provider.meddle["/.well-known/openid-configuration"] = lambda document: document.update(
        issuer="https://evil.example"
    )
    assert log_in(google, provider).status_code == 401


def test_an_identity_that_is_out_of_date_is_refused(tmp_path: Path, expired: Provider) -> None:
    expired.user("ana-at-google", email="ana@example.net", email_verified=True)
    for one in site(
        tmp_path,
        google_client_id="krill",
        google_client_secret=SecretStr("s"),
        google_metadata_url=expired.metadata,
    ):
        assert log_in(one, expired).status_code == 401


def test_new_keys_of_the_provider_are_fetched(google: Site, provider: Provider) -> None:
    assert log_in(google, provider).status_code == 200
    fresh = oidc_provider_mock.app()
    provider.inner = fresh
    provider.user("ana-at-google", email="ana@example.net", email_verified=True)
    assert log_in(google, provider).status_code == 200


# ---- configuration and failures ---------------------------------------------------------------


@pytest.mark.parametrize("path", ["google", "microsoft", "aad"])
def test_a_provider_that_is_not_configured_is_not_there(tmp_path: Path, path: str) -> None:
    for one in site(tmp_path):
        for answer in (
            one.client.get(f"/api/v2/auth/{path}/"),
            one.client.post(f"/api/v2/auth/{path}/", json={"code": "x", "redirect_uri": BACK}),
        ):
            assert answer.status_code == 404
            assert body_of(answer)["code"] == "provider_not_configured"


def test_a_provider_that_fails_is_a_502(google: Site, provider: Provider) -> None:
    code, state = provider.consent(google.begin(), "ana-at-google")
    provider.status = 500
    answer = google.come_back(code, state)
    assert (answer.status_code, body_of(answer)["code"], body_of(answer)["provider"]) == (
        502,
        "upstream_failed",
        "google",
    )


def test_a_provider_that_cannot_be_reached_is_a_502(tmp_path: Path) -> None:
    for one in site(
        tmp_path,
        google_client_id="k",
        google_client_secret=SecretStr("s"),
        google_metadata_url="http://127.0.0.1:9/x",
    ):
        assert one.client.get("/api/v2/auth/google/").status_code == 502


# ---- Microsoft --------------------------------------------------------------------------------

TENANT = "0b7c6ce6-8e40-4f5e-8f2e-9d6f6f0c8a11"


def microsoft(folder: Path, provider: Provider, directory: str) -> Iterator[Site]:
    """Metadata has the directory in its address, and `{tenantid}` in the issuer of shared ones."""
    inner = provider.inner

    def routed(environ: Any, start_response: Any) -> Iterable[bytes]:
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(f"/{directory}/v2.0")
        return inner(environ, start_response)  # type: ignore[no-any-return]

    provider.inner = routed
    yield from site(
        folder,
        microsoft_client_id="krill",
        microsoft_client_secret=SecretStr("s"),
        microsoft_metadata_url=f"{provider.url}/{directory}/v2.0/.well-known/openid-configuration",
    )


@pytest.mark.parametrize(
    ("directory", "claims", "status"),
    [
        (TENANT, {"email": "ana@example.net"}, 200),
        (TENANT, {"email": "ana@example.net", "email_verified": False}, 401),
        ("common", {"email": "ana@example.net"}, 401),  # the owner of any directory could write that
        ("organizations", {"email": "ana@example.net"}, 401),
        ("common", {"email": "ana@example.net", "xms_edov": True}, 200),
        ("common", {"email": "ana@example.net", "xms_edov": "0"}, 401),
    ],
)
def test_microsoft_vouches_for_its_own_directory_or_with_its_mark(
    tmp_path: Path, provider: Provider, directory: str, claims: Any, status: int
) -> None:
    provider.user("ana-at-microsoft", **claims)
    for one in microsoft(tmp_path, provider, directory):
        code, state = provider.consent(one.begin("aad"), "ana-at-microsoft")
        assert one.come_back(code, state, "microsoft").status_code == status


def test_the_issuer_of_a_shared_directory_is_that_of_the_users_own(
    tmp_path: Path, provider: Provider
) -> None:
    def templated(document: dict[str, Any]) -> None:
        document["issuer"] = document["issuer"].replace("127.0.0.1", "{tenantid}")

    provider.meddle["/common/v2.0/.well-known/openid-configuration"] = templated
    claims = {"email": "ana@example.net", "xms_edov": 1}
    for one in microsoft(tmp_path, provider, "common"):
        for tenant, status in (("127.0.0.1", 200), (TENANT, 401)):
            provider.user("ana-at-microsoft", **claims, tid=tenant)
            code, state = provider.consent(one.begin("microsoft"), "ana-at-microsoft")
            assert one.come_back(code, state, "microsoft").status_code == status
