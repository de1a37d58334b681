"""Rules of a customer."""

from __future__ import annotations

from services.common.types import Installation

LINKS = ("cpes", "potses", "logs")


def links(installation: Installation, id_: str) -> dict[str, dict[str, str]]:
    prefix = installation.links_prefix.removesuffix("/cpes")
    return {"links": {name: f"{prefix}/customers/{id_}/{name}" for name in LINKS}}
