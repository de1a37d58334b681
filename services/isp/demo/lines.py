"""Invented telephone ports: the rows of `potses` of one CPE, some with a number."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from services.isp.demo.catalogue import CONTEXTS, Model
from services.isp.demo.draws import Row, pick, secret

_LABELS = ("Casa", "Oficina", "Fax", "Tienda")
_PERMISSIONS = ("LCR-normal", "LCR-nacionales", "nacionales")


def ports_in_use(random: Random, model: Model) -> int:
    """How many ports of a device of this model have a number."""
    if not model.pots or (model.tech != "voip" and random.random() < 0.6):
        return 0
    return 2 if model.pots > 1 and random.random() < 0.2 else 1


def potses(random: Random, cpe: Row, ids: Sequence[int], in_use: int) -> list[Row]:
    """One port for each id, of which the first `in_use` have a number."""
    return [_pots(random, cpe, id_, order, order <= in_use) for order, id_ in enumerate(ids, 1)]


def _pots(random: Random, cpe: Row, id_: int, order: int, in_use: bool) -> Row:
    permission = pick(random, _PERMISSIONS) if cpe["access"] else "impago"
    external = in_use and cpe["external_voip"]
    voicemail = in_use and random.random() < 0.15
    return {
        "id": id_,
        "cpe_id": cpe["id"],
        "order": order,
        "realm": cpe["realm"],
        "cli": _number(id_) if in_use else None,
        "context_id": CONTEXTS[cpe["realm"], permission] if in_use else None,
        "label": pick(random, _LABELS) if in_use and random.random() < 0.2 else None,
        "language": "es" if in_use and random.random() < 0.1 else None,
        "username": f"line{id_}" if external else None,
        "password": secret(random, 12) if external else None,
        "pbx_extension": in_use and random.random() < 0.05,
        "voicemail": voicemail,
        "voicemail_password": f"{int(random.random() * 10_000):04d}" if voicemail else None,
        "updated": cpe["updated"],
    }


def _number(id_: int) -> str:
    """A landline number of nine digits, unique: the multiplier has no factor in common with the modulus."""
    return str(810_000_000 + id_ * 48_271_013 % 90_000_000)
