"""Golden samples: of each event class one event, and its members, as subscribers came to know them.

`events/<service>/<type>.<version>.json` is a whole event, `events/<service>/schemas.json` says what the data
of each type hold. `python -m tests.contract.golden` (`make events`) adds what is new, never touches a sample
that is there, and refuses a class that would break a subscriber. `--rewrite` makes everything anew: for what
no subscriber has seen yet.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.accounts.contract import CONTRACTS as OWN
from gateway.routes import discovered
from services.common.contract import Contract
from services.common.events.event import Event
from services.common.events.sample import sample
from services.common.events.schemas import of_data

FOLDER = Path(__file__).parent / "events"
CONTRACTS = [one for one in (*OWN, *discovered()) if one.catalogue]
TOLD = ("title", "description", "default", "examples")
"""What a schema says to people."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Golden:
    """A sample that was kept."""

    path: Path

    @property
    def service(self) -> str:
        return self.path.parent.name

    @property
    def type(self) -> str:
        return self.path.stem.rpartition(".")[0]

    @property
    def version(self) -> int:
        return int(self.path.stem.rpartition(".")[2])

    @property
    def body(self) -> Json:
        return json.loads(self.path.read_bytes())


def samples(folder: Path = FOLDER) -> list[Golden]:
    return [Golden(path) for path in sorted(folder.glob("*/*.[0-9]*.json"))]


def frozen(service: str, folder: Path = FOLDER) -> dict[str, Json]:
    """Type → schema of its data, as it was kept."""
    path = folder / service / "schemas.json"
    return json.loads(path.read_bytes()) if path.exists() else {}


def bare(schema: Any) -> Any:
    """A schema without its words."""
    if not isinstance(schema, dict):
        return schema
    found: Json = {}
    for name, value in schema.items():
        if name == "properties":
            found[name] = {member: bare(one) for member, one in value.items()}
        elif name not in TOLD:
            found[name] = [bare(one) for one in value] if isinstance(value, list) else bare(value)
    return found


def losses(old: Any, new: Any, at: str = "") -> Iterator[str]:
    """Why a reader of the old schema could not read what fits the new one, or the other way round."""
    where = at or "data"
    if not (isinstance(old, dict) and isinstance(new, dict)):
        if old != new:
            yield f"{where}: {old} became {new}"
        return
    members, fresh = old.get("properties", {}), new.get("properties", {})
    for name, one in members.items():
        if name in fresh:
            yield from losses(one, fresh[name], f"{at}.{name}".lstrip("."))
        else:
            yield f"{where}: {name} is gone"
    had, has = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted((had - has) & set(fresh)):
        yield f"{where}: {name} may be absent now"
    for name in sorted(has - had):
        yield f"{where}: {name} must be there now (what comes later is `late`, or has a default)"
    for value in old.get("enum", ()):
        if value not in new.get("enum", (value,)):
            yield f"{where}: {value} is no value any more"
    for name in sorted((set(old) | set(new)) - {"properties", "required", "enum"}):
        before, after = old.get(name), new.get(name)
        if name == "anyOf" and before and after and len(before) == len(after):
            for one, other in zip(before, after, strict=True):
                yield from losses(one, other, at)
        elif name == "items":
            yield from losses(before, after, f"{at}[]")
        elif before != after:
            yield f"{where}: {name} {before} became {after}"
    if ("enum" in old) != ("enum" in new):
        yield f"{where}: a closed list became an open one, or the other way round"


def refusals(contracts: Iterable[Contract] = CONTRACTS, folder: Path = FOLDER) -> list[str]:
    """What of the present classes would break a subscriber."""
    contracts = list(contracts)
    known = {one.name: one for one in contracts}
    found: list[str] = []
    for service in sorted(one.name for one in folder.glob("*/") if one.is_dir()):
        present = known[service].catalogue if service in known else {}
        for type_, old in frozen(service, folder).items():
            if type_ in present:
                new = bare(of_data(present[type_]))
                found += [f"{service}: {type_}: {loss}" for loss in losses(old, new)]
            else:
                found.append(f"{service}: {type_} is gone")
    return found


def add(contracts: Iterable[Contract] = CONTRACTS, folder: Path = FOLDER) -> list[str]:
    """Keep what is new; returns what was written. What is there already stays as it is, byte for byte, but
    for the list of members, which grows."""
    written: list[str] = []
    for contract in contracts:
        place = folder / contract.name
        place.mkdir(parents=True, exist_ok=True)
        for kind in contract.catalogue.values():
            path = place / f"{kind.type}.{kind.version}.json"
            if not path.exists():
                path.write_text(_text(sample(contract.name, kind).to_json()))
                written.append(f"{contract.name}/{path.name}")
        members = {type_: bare(of_data(kind)) for type_, kind in sorted(contract.catalogue.items())}
        if members != frozen(contract.name, folder):
            (place / "schemas.json").write_text(_text(members))
            written.append(f"{contract.name}/schemas.json")
    return written


def kept(golden: Golden) -> type[Event] | None:
    """The present class of a sample."""
    found = {one.name: one for one in CONTRACTS}.get(golden.service)
    return found.catalogue.get(golden.type) if found else None


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def main(*arguments: str) -> int:
    if arguments == ("--rewrite",):
        for path in FOLDER.glob("*/*.json"):
            path.unlink()
    elif arguments:
        print(__doc__)
        return 2
    if refused := refusals():
        print("\n".join(refused), file=sys.stderr)
        return 1
    print("\n".join(add()) or "Nothing is new.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
