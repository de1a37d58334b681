"""Rules of a telephone port."""

from __future__ import annotations

from services.common.types import Installation, Row, Writing
from services.isp.domain import provisioning

asks = provisioning.pots_asks


def check(
    installation: Installation, old: Row | None, new: Row, refs: dict[str, Row]
) -> dict[str, list[str]]:
    context = refs.get("context")
    if context is not None and context["realm"] != new["realm"]:
        return {"context": ["The context belongs to another realm."]}
    return {}


def changed(tx: Writing, old: Row, row: Row, refs: dict[str, Row]) -> None:
    """The CPE keeps which of its ports have a number: they are services that monitoring checks."""
    if bool(old["cli"]) != bool(row["cli"]):
        tx.lock("cpes", row["cpe_id"])
        ports = [str(port["order"]) for port in tx.rows("potses", cpe_id=row["cpe_id"]) if port["cli"]]
        tx.change("cpes", row["cpe_id"], {"voice_ports": ",".join(ports)}, silently=True)
