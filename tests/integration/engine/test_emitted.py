"""What the engine writes to the outbox is what the event classes and their schemas say."""

from __future__ import annotations

import json

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from jsonschema_rs import Draft7Validator

from services.common.events.envelope import Envelope
from services.common.events.event import dataschema, of_resource
from services.common.events.schemas import ENVELOPE, of_data, of_event
from services.isp.contract import CONTRACT
from tests.integration.engine.world import Json, World


def test_every_event_of_every_resource_fits_its_class(stocked: World) -> None:
    speed = {"name": "Fast", "downstream": "600M", "upstream": "600M", "realms": ["pim"]}
    profile = stocked.create("cpe-profiles", speed)["id"]
    stocked.patch("cpe-profiles", profile, {"label": "600", "realms": []})
    context = stocked.create("contexts", {"name": "national", "realm": "pim"})["id"]
    stocked.patch("contexts", context, {"name": "all"})
    stocked.patch("models", "HG8245H", {"label": "ONT", "realms": ["pim"]})
    place: Json = {"latitude": 37.6048, "longitude": "-0.98", "postalcode": "30310", "external_id": "crm-1"}
    customer = stocked.customer(**place)
    stocked.patch("customers", customer, {"surname": "Ruiz", "latitude": None, "comment": "x"})
    cpe = stocked.cpe(
        customer,
        **place,
        profile=profile,
        mac="7483c2000001",
        expiration_date="2030-01-31",
        me_vlan=100,
        lan_cidr="192.168.1.1/24",
        wifi_password="not-for-events",
    )["id"]
    stocked.patch("cpes", cpe, {"access": False, "notes": "x", "profile": None, "expiration_date": None})
    pots = stocked.related("cpes", cpe, "potses")[0]["id"]
    stocked.patch("potses", pots, {"cli": "968000001", "context": context, "password": "not-for-events"})
    stocked.patch("potses", pots, {"cli": None, "context": None})
    stocked.delete("customers", customer)
    for resource, key in (("contexts", context), ("cpe-profiles", profile), ("models", "HG8245H")):
        stocked.delete(resource, key)

    seen = set()
    for row in stocked.rows("outbox"):
        envelope = Envelope.of_row("isp", row)
        kind = CONTRACT.catalogue[envelope.type]
        body = json.loads(envelope.encode())
        told = kind.model_validate_json(json.dumps(body["data"]), strict=True)
        assert set(body["data"]) == set(kind.model_fields)
        assert told.model_fields_set == set(kind.model_fields)
        assert envelope.dataschema == dataschema("isp", kind.type, kind.version)
        whole = of_event("isp", kind, ENVELOPE, of_data(kind))
        Draft7Validator(whole, validate_formats=True).validate(body)
        JSONFormat().read(CloudEvent, envelope.encode())
        assert "not-for-events" not in envelope.encode().decode()
        seen.add(envelope.type)
    assert seen == {
        name for resource in CONTRACT.resources if resource.events for name in of_resource(resource)
    }
