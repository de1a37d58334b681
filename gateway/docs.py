"""The API documents: Swagger UI, Redoc, the OpenAPI document they show, and the AsyncAPI document of the
events, all served from here.

Their files come from the drf-spectacular-sidecar distribution, whose package is never imported,
as that would import Django. No page loads anything from another host.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from importlib.metadata import distribution
from pathlib import Path

import orjson
from flask import Blueprint, Flask, Response, request, send_from_directory, url_for

from gateway import asyncapi, openapi
from gateway.platform import Platform
from gateway.routes import ROOT
from services.common.fields import Json

_YEAR = 365 * 24 * 3600

# Both pages style themselves with inline styles; Redoc searches in a worker that it makes from a blob.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src blob:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

_SWAGGER = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="icon" href="{files}swagger-ui-dist/favicon-32x32.png">
<link rel="stylesheet" href="{files}swagger-ui-dist/swagger-ui.css">
</head>
<body>
<div id="swagger-ui" data-document="{document}"></div>
<script src="{files}swagger-ui-dist/swagger-ui-bundle.js"></script>
<script src="{start}"></script>
</body>
</html>
"""

_START = """const place = document.getElementById("swagger-ui");
window.ui = SwaggerUIBundle({
  domNode: place,
  url: place.dataset.document,
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  filter: true,
  persistAuthorization: true,
  validatorUrl: null,
});
"""

_REDOC = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="icon" href="{files}swagger-ui-dist/favicon-32x32.png">
</head>
<body style="margin: 0">
<redoc spec-url="{document}"></redoc>
<script src="{files}redoc/bundles/redoc.standalone.js"></script>
</body>
</html>
"""


class Published:
    """A document as it goes out, made once, when it is first asked for."""

    def __init__(self, make: Callable[[], Json]) -> None:
        self._make = make

    @cached_property
    def body(self) -> bytes:
        return orjson.dumps(self._make())

    @cached_property
    def etag(self) -> str:
        return hashlib.sha256(self.body).hexdigest()[:32]

    def answer(self) -> Response:
        """To the request at hand; 304 when its sender has it."""
        answer = Response(self.body, content_type="application/json")
        answer.set_etag(self.etag)
        answer.cache_control.no_cache = True
        answer.make_conditional(request)
        return answer


def register(app: Flask, platform: Platform) -> None:
    """Adds, for everybody and with or without the slash at the end: `/swagger/v2/`, `/redoc/` and
    `/swagger/v2/redoc/`, and below `/api/v2/` and `/swagger/v2/` both `openapi.json` and `asyncapi.json`.

    Raises `importlib.metadata.PackageNotFoundError` when the sidecar is not installed.
    """
    settings, contracts = platform.settings, platform.contracts
    requests = Published(lambda: openapi.document(platform.routes, settings, contracts))
    events = Published(lambda: asyncapi.document(contracts, settings))
    app.register_blueprint(_pages(requests, events))


def _pages(requests: Published, events: Published) -> Blueprint:
    """Of the document of requests and that of events."""
    pages = Blueprint("docs", __name__)
    sidecar = distribution("drf-spectacular-sidecar")
    folder = Path(str(sidecar.locate_file("drf_spectacular_sidecar/static/drf_spectacular_sidecar")))

    for above in (ROOT, "/swagger/v2"):
        pages.add_url_rule(f"{above}/openapi.json", "openapi", requests.answer)
        pages.add_url_rule(f"{above}/asyncapi.json", "asyncapi", events.answer)

    @pages.get("/swagger/v2/", strict_slashes=False)
    def swagger() -> Response:
        return _page(_SWAGGER, start=url_for("docs.start"))

    @pages.get("/swagger/v2/start.js")
    def start() -> Response:
        return Response(
            _START, content_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-cache"}
        )

    @pages.get("/redoc/", strict_slashes=False)
    @pages.get("/swagger/v2/redoc/", strict_slashes=False)
    def redoc() -> Response:
        return _page(_REDOC)

    # The version in the path lets browsers keep the files for good.
    @pages.get(f"/swagger/v2/files/{sidecar.version}/<path:name>")
    def files(name: str) -> Response:
        answer = send_from_directory(folder, name, max_age=_YEAR)
        answer.cache_control.immutable = True
        return answer

    def _page(template: str, **more: str) -> Response:
        text = template.format(document=url_for("docs.openapi"), files=url_for("docs.files", name=""), **more)
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
        return Response(text, content_type="text/html; charset=utf-8", headers=headers)

    return pages
