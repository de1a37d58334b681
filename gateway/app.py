"""The Flask application: routes from the table, headers on every answer, errors as JSON."""

from __future__ import annotations

import time
from typing import Any, TypeVar

import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, SecurityError
from werkzeug.middleware.proxy_fix import ProxyFix

from gateway import dispatch, docs
from gateway.call import Answer
from gateway.platform import Platform
from gateway.request import Request
from gateway.routes import Route
from services.common import errors, metrics
from services.common.errors import ApiError
from services.common.resource.representation import dumps

T = TypeVar("T")

log = structlog.get_logger("gateway")

HEADERS = {
    "Access-Control-Allow-Credentials": "True",  # the capital is the real product's
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": "*",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "*",
    "Referrer-Policy": "same-origin",
    "Vary": "Accept, Cookie",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_BY_STATUS: dict[int, type[ApiError]] = {
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.TooLarge,
    415: errors.UnsupportedMediaType,
}


def create_app(platform: Platform) -> Flask:
    """The gateway's WSGI application. It keeps no state of its own."""
    app = Flask("gateway", static_folder=None)
    app.request_class = Request
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.config["TRAP_HTTP_EXCEPTIONS"] = False
    app.config["TRUSTED_HOSTS"] = platform.settings.trusted_hosts
    if proxies := platform.settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, proxies, proxies, proxies)  # type: ignore[method-assign]
    for route in platform.routes:
        app.add_url_rule(
            route.rule,
            endpoint=route.rule,
            view_func=_view(platform, route),
            methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
            provide_automatic_options=False,
        )
    docs.register(app, platform)
    _health(app, platform)

    @app.before_request
    def _begin() -> None:
        g.began = time.perf_counter()
        g.request_id = dispatch.request_id(request)
        structlog.contextvars.bind_contextvars(request_id=g.request_id)
        if not request.host:
            raise SecurityError("The Host header names no host.")

    @app.after_request
    def _finish(response: Response) -> Response:
        route: Route | None = g.get("route")
        if route is not None:
            response.headers["Allow"] = route.allow
        response.headers.extend(HEADERS)
        response.headers["X-Request-Id"] = g.request_id
        platform.accounts.recorder.observe(_itself(request), response, _itself(g))
        structlog.contextvars.clear_contextvars()
        return response

    @app.errorhandler(ApiError)
    def _told(error: ApiError) -> Response:
        return respond(_refusal(error))

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        status = error.code or 500
        if isinstance(error, MethodNotAllowed):
            g.route = _route_of(app, platform)
        kind = _BY_STATUS.get(status)
        body = (
            kind().body
            if kind
            else {"detail": error.description, "code": error.name.lower().replace(" ", "_")}
        )
        answer = respond(Answer(dumps(body), status))
        if isinstance(error, MethodNotAllowed) and g.route is None:
            answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return answer

    @app.errorhandler(Exception)
    def _defect(error: Exception) -> Response:
        log.exception("defect", path=request.path, method=request.method)
        return respond(_refusal(ApiError()))

    return app


def _itself(proxy: T) -> T:
    """What a proxy of Flask's stands for: each look through one costs more than a microsecond."""
    found: T = proxy._get_current_object()  # type: ignore[attr-defined]
    return found


def _view(platform: Platform, route: Route) -> Any:
    def view(key: str | None = None, **places: str) -> Response:
        return respond(dispatch.handle(platform, _itself(request), route, key, places))

    return view


def _route_of(app: Flask, platform: Platform) -> Route | None:
    """The route of a request whose verb no route has: its `Allow` says which there are."""
    rule, _ = app.create_url_adapter(request).match(method="GET", return_rule=True)  # type: ignore[union-attr]
    return next((one for one in platform.routes if one.rule == rule.rule), None)


def _refusal(error: ApiError) -> Answer:
    headers = dict(error.headers)
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    g.error = error
    return Answer(dumps(error.body), error.status, headers=headers)


def respond(answer: Answer) -> Response:
    response = Response(
        answer.stream if answer.stream is not None else answer.body,
        status=answer.status,
        content_type=answer.content_type,
    )
    response.headers.update(answer.headers)
    if answer.status in (204, 304):
        del response.headers["Content-Type"]
    if answer.status == 204:
        response.headers["Content-Length"] = "0"
    return response


def _health(app: Flask, platform: Platform) -> None:
    """`/healthz`: the process lives. `/readyz`: it reaches what it needs. `/metrics`: Prometheus, for
    scrapers of this machine and for staff."""
    inner = metrics.health_app({"database": platform.accounts.check})

    def probe() -> Response:
        if request.path.startswith("/metrics") and not _from_this_machine():
            user = platform.accounts.authenticator.authenticate(request)
            if user is None:
                raise errors.NotAuthenticated
            if not (user.is_staff or user.is_superuser):
                raise errors.PermissionDenied
        return Response.from_app(inner, request.environ)  # type: ignore[return-value]

    for path in ("/healthz", "/readyz", "/metrics"):
        app.add_url_rule(path, endpoint=path, view_func=probe, methods=["GET"])


def _from_this_machine() -> bool:
    """Whether the request came straight from a loopback address, through no proxy."""
    forwarded = {"Forwarded", "X-Forwarded-For", "X-Real-Ip"} & set(request.headers.keys())
    address = request.remote_addr or ""
    return not forwarded and (address == "::1" or address.startswith("127."))
