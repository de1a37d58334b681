"""What a change asks of the network: enough, no more, and in the declared order (contract 3.3)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.isp.contract import CPES, POTSES
from services.isp.domain import provisioning
from services.isp.domain.provisioning import CPE_ASKS, ON_OLT, POTS_ASKS, cpe_asks, pots_asks

ROW: dict[str, Any] = {
    "id": 1,
    "access": True,
    "active": True,
    "tv_profile": None,
    "disable_provision": False,
    "disable_reconfig": False,
    "is_bitstream": False,
}
NO_WRITE: Any = None


class OneCpe:
    """The write, as far as the rule of a port asks it."""

    def __init__(self, **values: Any) -> None:
        self.row = {**ROW, **values}

    def rows(self, resource: str, **equals: Any) -> list[dict[str, Any]]:
        assert (resource, equals) == ("cpes", {"id": 1})
        return [self.row]


def updated(row: dict[str, Any], **changed: list[Any]) -> list[str]:
    now = {**ROW, **row, **{name: values[1] for name, values in changed.items()}}
    return cpe_asks(NO_WRITE, "updated", now, changed)


# ---- the contract's rows ------------------------------------------------------------------------


@pytest.mark.parametrize("member", ["access", "active"])
def test_cutting_a_service_takes_television_first_and_leaves_telephony(member: str) -> None:
    assert updated({"tv_profile": "__catv"}, **{member: [True, False]}) == [
        "rf_off",
        "tv_off",
        "session_disconnect",
        "internet_off",
        "monitoring",
    ]
    assert updated({}, **{member: [True, False]}) == ["session_disconnect", "internet_off", "monitoring"]


def test_giving_a_service_back_undoes_the_cut() -> None:
    asked = updated({"tv_profile": "__iptv"}, access=[False, True])
    assert asked == ["internet_on", "tv_on", "monitoring"]


def test_what_is_cut_already_is_not_cut_again() -> None:
    assert updated({"active": False}, access=[True, False]) == ["monitoring"]
    assert updated({"active": False}, access=[False, True]) == ["monitoring"]


def test_another_address_profile_means_a_new_address_and_a_restart() -> None:
    assert updated({}, address_profile=["nat", "public"]) == ["address_assign", "restart"]


def test_an_unpaid_customer_keeps_his_fixed_address_and_a_gone_one_does_not() -> None:
    assert "address_release" not in updated({}, access=[True, False])
    assert "address_release" in cpe_asks(NO_WRITE, "deleted", ROW, {})


def test_a_deleted_cpe_leaves_television_the_olt_and_monitoring() -> None:
    row = {**ROW, "tv_profile": "__catv"}
    assert cpe_asks(NO_WRITE, "deleted", row, {}) == [
        *("rf_off", "tv_off", "session_disconnect", "deprovision", "address_release", "monitoring_off")
    ]


def test_a_new_cpe_is_provisioned_and_monitored() -> None:
    assert cpe_asks(NO_WRITE, "created", ROW, {}) == ["provision", "address_assign", "monitoring"]


def test_television_changes_by_itself_while_the_service_is_on() -> None:
    assert updated({}, tv_profile=[None, "__iptv"]) == ["tv_on"]
    assert updated({}, tv_profile=["__catv", None]) == ["rf_off", "tv_off"]
    assert updated({"access": False}, tv_profile=["__catv", None]) == []


def test_only_what_the_change_needs() -> None:
    assert updated({}, notes=["", "x"]) == []
    assert updated({}, city=["Murcia", "Lorca"]) == ["monitoring"]
    assert updated({}, wifi_password=["*", "*"]) == ["reconfigure"]
    assert updated({}, profile=[1, 2]) == ["provision"]


def test_what_is_disabled_is_not_asked() -> None:
    off = updated({"disable_provision": True, "tv_profile": "__catv"}, access=[True, False])
    assert off == ["session_disconnect", "monitoring"]
    assert updated({"disable_reconfig": True}, wifi_ssid=["a", "b"]) == []
    assert not ON_OLT & set(cpe_asks(NO_WRITE, "created", {**ROW, "is_bitstream": True}, {}))


def test_a_changed_port_reprovisions_and_makes_its_sip_users_anew() -> None:
    port = {"cpe_id": 1, "cli": "968000001"}
    write: Any = OneCpe()
    numbered = {"cli": [None, "968000001"]}
    assert pots_asks(write, "updated", port, numbered) == ["provision", "sip", "monitoring"]
    assert pots_asks(write, "updated", port, {"voicemail": [False, True]}) == ["sip"]
    assert pots_asks(write, "updated", port, {"billing_profile": [None, "x"]}) == []
    assert pots_asks(write, "created", {**port, "cli": None}, {}) == []
    assert pots_asks(write, "deleted", port, {}) == ["sip", "monitoring"]
    fixed: Any = OneCpe(disable_provision=True)
    assert pots_asks(fixed, "updated", port, numbered) == ["sip", "monitoring"]


# ---- any change -----------------------------------------------------------------------------------

flags = st.fixed_dictionaries(
    {
        name: st.booleans()
        for name in ("access", "active", "disable_provision", "disable_reconfig", "is_bitstream")
    }
)
tv = st.sampled_from((None, "", "__iptv", "__catv"))
members = st.sets(st.sampled_from(sorted(CPES.by_name)), max_size=8)


@given(
    row=flags,
    profile=tv,
    before=flags,
    former=tv,
    others=members,
    verb=st.sampled_from(("created", "updated", "deleted")),
)
def test_whatever_changes_the_order_is_the_declared_one(
    row: dict[str, Any], profile: Any, before: dict[str, Any], former: Any, others: set[str], verb: str
) -> None:
    now, then = {**ROW, **row, "tv_profile": profile}, {**ROW, **before, "tv_profile": former}
    changed = {name: [then[name], now[name]] for name in now if then[name] != now[name]}
    changed |= {name: [1, 2] for name in others - now.keys()}
    asked = cpe_asks(NO_WRITE, verb, now, changed if verb == "updated" else {})
    assert asked == [one for one in CPE_ASKS if one in asked]
    assert not (now["disable_provision"] or now["is_bitstream"]) or not ON_OLT & set(asked)
    for how in ("tv", "internet"):
        assert not {f"{how}_on", f"{how}_off"} <= set(asked) or former != profile


def test_the_tables_name_only_what_there_is() -> None:
    for resource, needs, asks in (
        (CPES, provisioning.CPE_NEEDS, CPE_ASKS),
        (POTSES, provisioning.POTS_NEEDS, POTS_ASKS),
    ):
        assert resource.asks == asks
        for names, asked in needs:
            assert names <= resource.by_name.keys()
            assert set(asked) <= set(asks)
