"""A day of a CRM: the calls that real ones make (contract, 3.2), each sent three times with one key."""

from __future__ import annotations

import datetime as dt
import secrets
import time
import uuid
from typing import Any

import requests

from tests.servers import Server, Session


class Crm:
    """A client that trusts no connection: every write goes out three times with one key, and all answers must
    be the same."""

    def __init__(self, server: Server, realm: str) -> None:
        self.session: Session = server.session("own")
        self.realm = realm

    def write(self, verb: str, path: str, body: Any, status: int = 200) -> Any:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        answers = [self.session.request(verb, path, json=body, headers=key) for _ in range(3)]
        assert [one.status_code for one in answers] == [status] * 3, answers[0].text
        assert {one.content for one in answers} == {answers[0].content}
        assert {one.headers.get("ETag") for one in answers} == {answers[0].headers.get("ETag")}
        return answers[0].json()

    def read(self, path: str, **parameters: Any) -> Any:
        answer: requests.Response = self.session.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def customer(self, external_id: str) -> int:
        """The id of the customer with this key of ours."""
        found = self.read("/api/v2/isp/customers/", realm=self.realm, external_id=external_id)
        return int(found["results"][0]["id"])

    def active(self, external_id: str) -> list[bool]:
        """Which of the customer's services are active."""
        found = self.read(f"/api/customers/{self.customer(external_id)}/cpes/")
        return [one["active"] and one["access"] for one in found["results"]]

    def changed(self, resource: str, since: str) -> list[Any]:
        """The ids of what was changed since then, page by page."""
        path = f"/api/v2/isp/{resource}/"
        parameters: dict[str, Any] = {
            "realm": self.realm,
            "updated__gte": since,
            "sort": "updated",
            "limit": 2,
            "cursor": "",
        }
        ids: list[Any] = []
        page = self.read(path, **parameters)
        while True:
            ids += [row["id"] for row in page["results"]]
            assert all(instant(row["updated"]) >= instant(since) for row in page["results"])
            if page["next"] is None:
                return ids
            page = self.session.get(page["next"]).json()


def instant(told: str) -> dt.datetime:
    """Of a time in the zone of the platform, whose texts run backwards when summer time ends."""
    return dt.datetime.fromisoformat(told)


def test_a_subscriber_is_taken_in_suspended_resumed_and_followed(server: Server) -> None:
    crm = Crm(server, "pim")
    mine, line = f"crm-{uuid.uuid4().hex[:12]}", f"line-{uuid.uuid4().hex[:12]}"
    profile = crm.write(
        "POST", "/api/v2/isp/cpe-profiles", {"name": mine, "downstream": "300M", "upstream": "300M"}, 201
    )["id"]

    # A new subscriber, from the CRM's own nightly run: by its key, whether it is known or not.
    person = {"name": "Ana", "surname": "Prueba", "external_id": mine, "realm": "pim", "city": "Cieza"}
    customer = crm.write("POST", "/api/v2/isp/customers?upsert=external_id", person, 201)["id"]
    assert crm.customer(mine) == customer
    assert crm.active(mine) == []

    # His CPE, with the members that such a client writes.
    cpe = {
        "customer": customer,
        "sn": f"48575443{secrets.token_hex(4)}",
        "mac": f"02{secrets.token_hex(5)}",
        "model": "HG8245H",
        "profile": profile,
        "active": True,
        "access": True,
        "city": "Cieza",
        "country": "ES",
        "realm": "pim",
        "bridge": False,
        "address_profile": "nat",
        "dsn": None,
        "latitude": "38.2394",
        "longitude": "-1.4187",
        "line_profile": "internet",
        "external_id": line,
        "tech": "gpon",
        "notes": "Alta desde el CRM",
    }
    made = crm.write("POST", "/api/v2/isp/cpes", cpe, 201)
    assert {name: made[name] for name in cpe if name not in ("sn", "mac", "latitude", "longitude")} == {
        name: value for name, value in cpe.items() if name not in ("sn", "mac", "latitude", "longitude")
    }
    assert made["sn"].lower() == cpe["sn"]
    assert crm.active(mine) == [True]
    assert crm.read("/api/v2/isp/cpes", external_id=line)["results"][0]["id"] == made["id"]

    # He does not pay, and then he does.
    for on in (False, True):
        changes = {"access": on, "active": on}
        found = crm.write("PATCH", f"/api/v2/isp/cpes/{made['id']}", changes)
        assert (found["access"], found["active"]) == (on, on)
        assert crm.active(mine) == [on]

    # The nightly run again: what is new is made, what differs is changed, the rest stays as it is.
    known = {"external_id": line, "realm": "pim"}
    assert crm.write("POST", "/api/v2/isp/cpes/?upsert=external_id", {**known, "notes": "Al día"})["id"]
    another = {"name": "Eva", "external_id": f"{mine}-2", "realm": "pim"}
    items = [{**person, "surname": "Ensayo"}, another]
    several = crm.write("POST", "/api/v2/isp/customers/bulk/?upsert=external_id", {"items": items})
    assert (several["created"], several["updated"]) == (1, 1)
    assert several["results"][0]["id"] == customer

    # What was changed since the CRM looked last, of every resource that tells.
    port = crm.read(f"/api/v2/isp/cpes/{made['id']}/potses/")[0]["id"]
    seen = crm.read(f"/api/v2/isp/cpes/{made['id']}")["updated"]
    assert made["id"] in crm.changed("cpes", seen)
    time.sleep(1.1)  # times are whole seconds
    number = f"968{made['id']:06d}"
    since = crm.write("PATCH", f"/api/v2/isp/potses/{port}", {"cli": number})["updated"]
    crm.write("PATCH", f"/api/v2/isp/customers/{customer}", {"comment": "Llamar"})
    crm.write("PATCH", f"/api/v2/isp/cpe-profiles/{profile}", {"label": "300"})
    assert port in crm.changed("potses", since)
    assert customer in crm.changed("customers", since)
    assert several["results"][1]["id"] not in crm.changed("customers", since)
    profiles = crm.read("/api/v2/isp/cpe-profiles/", updated__gte=since, sort="updated")
    assert profile in [row["id"] for row in profiles["results"]]
    after = crm.read("/api/v2/isp/cpe-profiles/", updated__gt=since, sort="updated", cursor="")
    assert all(instant(row["updated"]) > instant(since) for row in after["results"])
