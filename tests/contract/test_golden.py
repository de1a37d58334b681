"""What subscribers know of the events stays true: published samples and members are kept and still fit."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from jsonschema_rs import Draft7Validator
from pydantic import BaseModel, Field, create_model

from deploy.catalogue import catalogue
from gateway.routes import discovered
from services.common.contract import Contract, Resource
from services.common.events.envelope import Envelope
from services.common.events.event import Event, dataschema
from services.common.events.sample import sample
from services.common.events.schemas import ENVELOPE, of_data
from services.common.fields import Integer, Members, Text
from tests.contract import golden
from tests.contract.golden import CONTRACTS, Golden

DOCUMENT = Path(__file__).parents[2] / "docs" / "events.md"
ADD = "run `make events`"

ALL = golden.samples()
EACH = pytest.mark.parametrize("kept", ALL, ids=[f"{one.service}-{one.path.stem}" for one in ALL])


# ---- samples that were kept -------------------------------------------------------------------


def test_each_event_class_has_its_sample() -> None:
    there = {(one.service, one.type, one.version) for one in ALL}
    missing = [
        f"{contract.name}: {kind.type} {kind.version}"
        for contract in CONTRACTS
        for kind in contract.catalogue.values()
        if (contract.name, kind.type, kind.version) not in there
    ]
    assert not missing, ADD


def test_the_members_of_each_class_are_kept() -> None:
    for contract in CONTRACTS:
        present = {name: golden.bare(of_data(kind)) for name, kind in contract.catalogue.items()}
        assert golden.frozen(contract.name) == present, ADD


def test_no_class_has_lost_anything() -> None:
    assert golden.refusals() == []


@EACH
def test_a_sample_still_fits_its_class(kept: Golden) -> None:
    kind = golden.kept(kept)
    assert kind is not None, "events of this type were published: it cannot go"
    assert kept.version <= kind.version
    envelope = Envelope.from_json(kept.body)
    assert (envelope.source, envelope.type) == (kept.service, kept.type)
    assert envelope.dataschema == dataschema(kept.service, kept.type, kept.version)
    assert envelope.subject.startswith(f"{kind.subject}/")
    assert envelope.to_json() == kept.body
    told = kind.model_validate_json(json.dumps(envelope.data), strict=True).model_dump(mode="json")
    assert {name: told[name] for name in envelope.data} == envelope.data


@EACH
def test_a_sample_is_a_cloud_event(kept: Golden) -> None:
    event = JSONFormat().read(CloudEvent, kept.path.read_bytes())
    assert event.get_specversion() == "1.0"
    assert event.get_time().utcoffset() is not None
    assert (event.get_type(), event.get_data()) == (kept.type, kept.body["data"])
    again = json.loads(JSONFormat().write(event))
    assert again == kept.body
    Draft7Validator(ENVELOPE, validate_formats=True).validate(kept.body)


# ---- what may become of a class ---------------------------------------------------------------


class Rung(BaseModel):
    level: int


class Rang(Event):
    """As it was published."""

    type = "bell.rang"
    subject = "bells"
    id: int
    tone: Literal["high", "low"]
    label: str | None
    rungs: tuple[Rung, ...]


def contract_of(*kinds: type[Event]) -> list[Contract]:
    return [Contract(name="tower", title="Tower", events=kinds)]


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder that keeps `Rang`."""
    golden.add(contract_of(Rang), tmp_path)
    return tmp_path


def changed(**members: Any) -> type[Event]:
    """`Rang` with other members; one that is None is left out."""
    made = {name: (one.annotation, one) for name, one in Rang.model_fields.items()} | members
    kind: type[Event] = create_model(
        "Rang", __base__=Event, **{name: one for name, one in made.items() if one is not None}
    )
    kind.type, kind.subject = Rang.type, Rang.subject
    return kind


@pytest.mark.parametrize(
    "members",
    [
        {"by": (str | None, None)},
        {"by": (str, "")},
        {"tone": (Literal["high", "low", "cracked"], Field())},
        {"label": (str | None, Field(description="another doc"))},
    ],
    ids=["optional", "default", "value", "doc"],
)
def test_a_class_may_gain(published: Path, members: Any) -> None:
    kind = changed(**members)
    assert golden.refusals(contract_of(kind), published) == []
    (old,) = golden.samples(published)
    kind(**old.body["data"])


class Step(BaseModel):
    level: str


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"label": None}, "label is gone"),
        ({"by": (str, Field())}, "by must be there now"),
        ({"label": (str, Field())}, "label: "),
        ({"id": (int | None, Field())}, "id: "),
        ({"id": (str, Field())}, "id: type integer became string"),
        ({"id": (int, 7)}, "id may be absent now"),
        ({"tone": (Literal["high"], Field())}, "tone: low is no value any more"),
        ({"tone": (str, Field())}, "tone: a closed list became an open one"),
        ({"rungs": (tuple[Step, ...], Field())}, "rungs[].level: type integer became string"),
    ],
)
def test_a_class_may_not_change(published: Path, members: Any, reason: str) -> None:
    refused = golden.refusals(contract_of(changed(**members)), published)
    assert any(reason in one for one in refused), refused


def test_a_type_may_not_go(published: Path) -> None:
    assert golden.refusals(contract_of(), published) == ["tower: bell.rang is gone"]
    assert golden.refusals([], published) == ["tower: bell.rang is gone"]


def test_adding_leaves_the_samples_that_are_there_alone(published: Path) -> None:
    (old,) = golden.samples(published)
    old.path.write_text(old.path.read_text().replace("2026", "2025"))
    before = old.path.read_bytes()
    later = changed(by=(str | None, None))
    later.version = 2
    assert golden.add(contract_of(later), published) == ["tower/bell.rang.2.json", "tower/schemas.json"]
    assert old.path.read_bytes() == before
    assert golden.add(contract_of(later), published) == []


def test_a_resource_may_gain_a_late_field(tmp_path: Path) -> None:
    fields = (Integer(name="id", read_only=True), Text(name="name"))
    towers = Resource(
        name="towers", singular="tower", model="tower", table="towers", fields=fields, events=True
    )

    def having(*more: Any) -> list[Contract]:
        resource = dataclasses.replace(towers, fields=(*fields, *more))
        return [Contract(name="tower", title="Tower", resources=(resource,))]

    golden.add(having(), tmp_path)
    height = Integer(name="height")
    assert len(golden.refusals(having(height), tmp_path)) == 3
    bells = Members(name="bells", table="x", mine="y", theirs="z", late=True)
    later = having(dataclasses.replace(height, late=True), bells)
    assert golden.refusals(later, tmp_path) == []
    for old in golden.samples(tmp_path):
        later[0].catalogue[old.type](**old.body["data"])


# ---- what is written from the classes ----------------------------------------------------------


def test_the_catalogue_is_what_the_command_prints() -> None:
    command = (sys.executable, "-m", "deploy.cli", "events", "catalogue")
    root = DOCUMENT.parents[1]
    printed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    assert DOCUMENT.read_text() == printed, ADD


def test_the_catalogue_tells_of_every_event_and_member() -> None:
    text = catalogue(discovered())
    for contract in CONTRACTS:
        own = text.partition(f"\n## {contract.name}: ")[2].partition("\n## ")[0]
        for kind in contract.catalogue.values():
            _, _, section = own.partition(f"\n### {kind.type}\n")
            section = section.partition("\n### ")[0]
            assert dataschema(contract.name, kind.type, kind.version) in section, kind.type
            assert re.findall(r"^\| `(\w+)` \|", section, re.M) == list(kind.model_fields)
            body = json.loads(section.partition("```json\n")[2].partition("```")[0])
            kind(**body["data"])


def test_a_class_is_documented_by_its_own_words_and_examples() -> None:
    class Struck(Event):
        type = "clock.struck"
        subject = "clocks"
        doc = "The clock struck."
        hour: int = Field(description="of the day", examples=[23])
        where: str | None = None
        state: Literal["silent", "struck"]
        rungs: tuple[Rung, ...]

    text = catalogue(contract_of(Struck))
    assert "| `hour` | integer |  | of the day |" in text
    assert "| `where` | string | yes | may be absent |" in text
    assert "| `state` | `silent`, `struck` |  |  |" in text
    assert sample("tower", Struck).data == {
        "hour": 23,
        "where": None,
        "state": "struck",
        "rungs": [{"level": 1}],
    }
