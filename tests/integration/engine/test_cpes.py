"""A CPE: its name and number, its ports, what its technology asks for, what follows from a change."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

from services.common.errors import NotFound
from services.isp.service import expire
from tests.integration.engine.world import BOTH, DEM, PIM, ROOT, World, refused


def test_a_cpe_is_named_by_its_realm_and_number(stocked: World) -> None:
    cpe = stocked.subscriber("dem")
    assert cpe["internal_id"] == cpe["cpename"] == f"dem{cpe['id']:04d}"


def test_a_number_that_begins_with_a_zero_is_sooner_the_crms_than_ours(stocked: World) -> None:
    ours = stocked.subscriber()["id"]
    padded = f"000{ours}"
    assert stocked.get("cpes", padded)["id"] == ours
    theirs = stocked.subscriber(external_id=padded)["id"]
    assert stocked.get("cpes", padded)["id"] == theirs
    stocked.patch("cpes", padded, {"notes": "moved"})
    assert [stocked.get("cpes", one)["notes"] for one in (str(ours), str(theirs))] == ["", "moved"]


def test_numbers_beyond_9999_are_not_padded(stocked: World) -> None:
    customer = stocked.customer()
    stamp = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    stocked.insert(
        "cpes",
        [
            {
                "id": 9998,
                "internal_id": "pim9998",
                "customer_id": customer,
                "model_id": "HG8245H",
                "tech": "gpon",
                "realm": "pim",
                "created": stamp,
                "updated": stamp,
            }
        ],
    )
    if stocked.dialect == "postgresql":
        with stocked.database.write() as connection:
            connection.exec_driver_sql("SELECT setval(pg_get_serial_sequence('cpes', 'id'), 9998)")
    assert [stocked.cpe(customer)["internal_id"] for _ in range(3)] == ["pim9999", "pim10000", "pim10001"]


def test_the_number_of_a_deleted_cpe_is_not_used_again(stocked: World) -> None:
    customer = stocked.customer()
    last = stocked.cpe(customer)["id"]
    stocked.delete("cpes", last)
    assert stocked.cpe(customer)["id"] > last


def test_a_cpe_gets_the_technology_and_the_ports_of_its_model(stocked: World) -> None:
    cpe = stocked.subscriber()
    assert cpe["tech"] == "gpon"
    ports = stocked.related("cpes", cpe["id"], "potses")
    assert [(one["order"], one["lineid"], one["realm"]) for one in ports] == [
        (1, f"{cpe['cpename']}-1", "pim"),
        (2, f"{cpe['cpename']}-2", "pim"),
    ]
    assert stocked.subscriber(model="SOFTPHONE", sn=None)["tech"] == "voip"


def test_a_line_with_a_number_is_a_service_of_its_cpe(stocked: World) -> None:
    cpe = stocked.subscriber()
    ports = [one["id"] for one in stocked.related("cpes", cpe["id"], "potses")]
    plain = stocked.get("cpes", cpe["id"])["_services"]
    stocked.patch("potses", ports[1], {"cli": "968000001"})
    assert stocked.get("cpes", cpe["id"])["_services"] == [*plain, "voice2"]
    stocked.patch("potses", ports[0], {"cli": "968000002"})
    stocked.patch("potses", ports[1], {"cli": "968000003"})
    assert stocked.get("cpes", cpe["id"])["_services"] == [*plain, "voice1", "voice2"]
    stocked.patch("potses", ports[1], {"cli": ""})
    assert stocked.get("cpes", cpe["id"])["_services"] == [*plain, "voice1"]


def test_a_model_with_fewer_ports_keeps_those_that_have_a_number(stocked: World) -> None:
    stocked.model("ONE", pots=1)
    cpe = stocked.subscriber()
    ports = [one["id"] for one in stocked.related("cpes", cpe["id"], "potses")]
    stocked.patch("potses", ports[1], {"cli": "968000001"})
    stocked.patch("cpes", cpe["id"], {"model": "SOFTPHONE"})
    assert [one["id"] for one in stocked.related("cpes", cpe["id"], "potses")] == ports
    stocked.patch("potses", ports[1], {"cli": None})
    stocked.patch("cpes", cpe["id"], {"model": "ONE"})
    assert [one["id"] for one in stocked.related("cpes", cpe["id"], "potses")] == ports[:1]
    stocked.patch("cpes", cpe["id"], {"model": "HG8245H"})
    assert [one["order"] for one in stocked.related("cpes", cpe["id"], "potses")] == [1, 2]


def test_a_line_over_another_operator_makes_a_bitstream_cpe(stocked: World) -> None:
    cpe = stocked.subscriber()
    assert stocked.get("cpes", cpe["id"])["is_bitstream"] is False
    over = stocked.patch("cpes", cpe["id"], {"line_profile": "bitstream:adamo", "is_bitstream": False})
    assert over["is_bitstream"] is True
    assert set(over["_links"]["actions"]) == {"factory", "reboot", "reconfig", "diagnostic"}
    assert stocked.patch("cpes", cpe["id"], {"line_profile": ""})["is_bitstream"] is False


def test_expiration_cuts_access_once(stocked: World) -> None:
    cpe = stocked.subscriber(expiration_date="2024-05-05")["id"]
    later = stocked.subscriber(expiration_date="2024-05-07")["id"]
    assert expire(stocked.engine, dt.date(2024, 5, 4)) == 0
    assert expire(stocked.engine, dt.date(2024, 5, 5)) == 1
    assert stocked.get("cpes", cpe)["access"] is False
    assert stocked.get("cpes", later)["access"] is True
    assert stocked.rows("audit", action=2)[-1]["changes"]["access"] == [True, False]
    assert stocked.events(f"cpes/{cpe}")[-1] == ("cpe.updated", 2)
    stocked.patch("cpes", cpe, {"access": True})
    assert expire(stocked.engine, dt.date(2024, 5, 6)) == 0
    stocked.patch("cpes", cpe, {"expiration_date": "2024-05-06"})
    assert expire(stocked.engine, dt.date(2024, 5, 6)) == 1


def test_the_realm_stays(stocked: World) -> None:
    cpe = stocked.subscriber()
    for resource, key in (("cpes", cpe["id"]), ("customers", cpe["customer"])):
        assert refused(stocked.patch, resource, key, {"realm": "dem"}) == {
            "realm": ["This field cannot be changed."]
        }


def test_a_cpe_is_in_its_customers_realm(stocked: World) -> None:
    ours, theirs = stocked.customer("pim"), stocked.customer("dem")
    assert stocked.cpe(theirs, who=BOTH)["realm"] == "dem"
    wrong = refused(stocked.cpe, ours, realm="dem")
    assert wrong == {"customer": ["The customer belongs to another realm."]}
    cpe = stocked.cpe(ours)
    assert refused(stocked.patch, "cpes", cpe["id"], {"customer": theirs}) == wrong


def test_a_serial_number_is_set_once(stocked: World) -> None:
    cpe = stocked.subscriber(sn="HWTC614711a7")["id"]
    locked = {"sn": ["The Serial number cannot be changed once it is set."]}
    assert refused(stocked.patch, "cpes", cpe, {"sn": "HWTC614711a8"}) == locked
    assert stocked.patch("cpes", cpe, {"sn": "48575443614711A7", "notes": "x"})["sn"] == "48575443614711a7"


def test_a_gpon_cpe_needs_a_serial_number_unless_the_installation_says_otherwise(stocked: World) -> None:
    needed = {"sn": ["The Serial number is required for this technology."]}
    assert refused(stocked.subscriber, sn=None) == needed
    relaxed = stocked.another(serial_number_required=False)
    cpe = relaxed.subscriber(sn="")["id"]
    assert relaxed.get("cpes", cpe)["sn"] is None
    relaxed.patch("cpes", cpe, {"sn": "HWTC00000005"})
    assert relaxed.patch("cpes", cpe, {"sn": "HWTC00000006"})["sn"].endswith("6")


def test_an_empty_serial_number_is_filled_in_later(stocked: World) -> None:
    cpe = stocked.another(serial_number_required=False).subscriber(sn=None)["id"]
    stocked.patch("cpes", cpe, {"notes": "kept without one"})
    assert stocked.patch("cpes", cpe, {"sn": "HWTC00000005"})["sn"] == "4857544300000005"
    assert "sn" in refused(stocked.patch, "cpes", cpe, {"sn": None})


def test_other_technologies_need_a_mac_except_voip(stocked: World) -> None:
    needed = {"mac": ["The MAC address is required for this technology."]}
    assert refused(stocked.subscriber, model="BRIDGE", sn=None) == needed
    assert stocked.subscriber(model="BRIDGE", sn=None, mac="7483c2e419be")["is_router"] is False
    stocked.subscriber(model="SOFTPHONE", sn=None)


def test_a_fixed_address_profile_needs_an_address(stocked: World) -> None:
    wrong = refused(stocked.subscriber, address_profile="fixed")
    assert wrong == {"fixed_address": ["A fixed address is required when the address profile is fixed."]}
    cpe = stocked.subscriber(address_profile="fixed", fixed_address="100.64.99.11")["id"]
    assert refused(stocked.patch, "cpes", cpe, {"fixed_address": ""}) == wrong
    assert stocked.patch("cpes", cpe, {"address_profile": "", "fixed_address": ""})["address_profile"] is None


def test_a_nucoms_wan_mac_follows_from_its_mac(stocked: World) -> None:
    stocked.model("NC", vendor="NuCom")
    assert stocked.subscriber(model="NC", mac="7483c2e419fe")["wanmac"] == "7483c2e41a00"
    assert (
        stocked.subscriber(model="NC", mac="7483c2e419be", wanmac="000000000001")["wanmac"] == "000000000001"
    )


def test_pppoe_credentials_are_made_where_the_installation_says_so(stocked: World) -> None:
    cpe = stocked.another(pppoe_domain="isp.example").subscriber()
    assert cpe["pppoe_username"] == f"{cpe['cpename']}@isp.example"
    assert len(cpe["pppoe_password"]) >= 12
    assert cpe["pppoe_password"] not in str([stocked.rows("audit"), stocked.rows("outbox")])
    assert stocked.subscriber()["pppoe_username"] is None


def test_only_technical_changes_move_the_technical_time(stocked: World) -> None:
    cpe = stocked.subscriber()["id"]
    assert stocked.patch("cpes", cpe, {"notes": "x", "city": "Murcia"})["tech_updated"] is None
    assert stocked.patch("cpes", cpe, {"access": False})["tech_updated"] is not None


def test_a_trial_write_leaves_no_trace(stocked: World) -> None:
    cpe = stocked.subscriber()["id"]
    before = stocked.everything()
    assert stocked.engine.trial(PIM, "cpes", str(cpe), {"postalcode": "1505"}).body == b""
    assert refused(stocked.engine.trial, PIM, "cpes", str(cpe), {"mac": "x"})["mac"]
    with pytest.raises(NotFound):
        stocked.engine.trial(DEM, "cpes", str(cpe), {})
    assert stocked.everything() == before


def test_a_model_with_more_ports_again_fills_the_gaps(stocked: World) -> None:
    stocked.model("FOUR", pots=4)
    cpe = stocked.subscriber(model="FOUR")
    last = stocked.related("cpes", cpe["id"], "potses")[3]["id"]
    stocked.patch("potses", last, {"cli": "968000001"})
    stocked.patch("cpes", cpe["id"], {"model": "SOFTPHONE"})
    assert [one["order"] for one in stocked.related("cpes", cpe["id"], "potses")] == [1, 4]
    stocked.patch("cpes", cpe["id"], {"model": "FOUR"})
    assert [one["order"] for one in stocked.related("cpes", cpe["id"], "potses")] == [1, 2, 3, 4]


def test_two_lines_that_get_their_numbers_at_once_are_both_services(on_postgres: World) -> None:
    on_postgres.model(pots=2)
    cpe = on_postgres.subscriber()["id"]
    first, second = (one["id"] for one in on_postgres.related("cpes", cpe, "potses"))
    with on_postgres.engine.writing(ROOT) as write:
        potses = on_postgres.engine.resource("potses")
        write.modify(potses, first, {"cli": "968000001"}, partial=True)
        other = threading.Thread(target=on_postgres.patch, args=("potses", second, {"cli": "968000002"}))
        other.start()
        other.join(0.3)  # it waits for this transaction by now
        assert other.is_alive()
    other.join()
    assert on_postgres.get("cpes", cpe)["_services"][-2:] == ["voice1", "voice2"]


def test_a_number_that_a_merged_realm_brought_along_is_passed_over(stocked: World) -> None:
    first = stocked.subscriber()
    taken = first["id"] + 2
    with stocked.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE cpes SET internal_id = 'pim{taken:04d}' WHERE id = {first['id']}")
    customer = first["customer"]
    made = [stocked.another(pppoe_domain="x").cpe(customer) for _ in range(3)]
    assert [one["id"] for one in made] == [taken - 1, taken + 1, taken + 2]
    assert [one["pppoe_username"] for one in made] == [f"pim{one['id']:04d}@x" for one in made]


def test_a_profile_or_a_model_of_other_realms_is_not_for_a_cpe(stocked: World) -> None:
    speed = {"name": "a", "downstream": "1", "upstream": "1", "realms": ["dem"]}
    profile = stocked.create("cpe-profiles", speed)["id"]
    stocked.model("THEIRS", realms=["dem"])
    cpe = stocked.subscriber("pim")["id"]
    assert list(refused(stocked.patch, "cpes", cpe, {"profile": profile}, BOTH)) == ["profile"]
    assert list(refused(stocked.patch, "cpes", cpe, {"model": "THEIRS"}, ROOT)) == ["model"]
    assert stocked.subscriber("dem", "THEIRS", profile=profile)["profile"] == profile
