"""What the bodies consist of, for the two peers: the members, and `_links` and `_services` of a CPE.

They follow the same rules as the platform's own but share no code with it, so that a body which
differs is a fault of one of the two and stops the run.
"""

from __future__ import annotations

CPES = "/api/v2/cpes"
CHECKS = {
    "gpon": ("provision", "txrx"),
    "docsis": ("docsis", "provision", "downstream", "upstream"),
    "wimax": ("info", "radio", "downstream", "upstream"),
}

_CPE = """
    id access address active address_profile bridge city country cpename created customer disable_provision
    disable_reconfig expiration_date dsn enable_notifications external_id external_voip fixed_address
    has_tr069 internal_id latitude line_profile longitude mac model mtamac notes postalcode probe
    pppoe_password pppoe_username profile realm remote_id sn tech tech_updated topology tv_profile updated
    voip_profile wanmac me_vlan lan_cidr wifi_password wifi_profile wifi_ssid
    _links _services avatar is_router tr069
"""
_CUSTOMER = """
    id name surname comment realm address city postalcode country created updated
    external_id latitude longitude
"""
_POTS = """
    id cli context contextname custom_digitmap dtmf label language lineid order password pbx_extension
    username voicemail voicemail_password
"""
CPE_MEMBERS = tuple(_CPE.split())
CUSTOMER_MEMBERS = tuple(_CUSTOMER.split())
POTS_MEMBERS = tuple(_POTS.split())
"""The members in their order on the wire; of customers and lines as a join shows them."""


def links(
    number: int,
    *,
    bitstream: bool,
    tr069: bool,
    diagnostics: bool,
    bridge: bool,
    no_provision: bool,
    no_reconfig: bool,
) -> dict[str, dict[str, str]]:
    """The actions that the device offers, and its sub-resources."""
    base = f"{CPES}/{number}"
    actions = {"reboot": f"{base}/reboot"}
    if not bitstream and not no_provision:
        actions["unprovision"] = f"{base}/unprovision"
        actions["reprovision"] = f"{base}/reprovision"
    actions["factory"] = f"{base}/factory"
    if tr069 and not bridge:
        if not no_reconfig:
            actions["reconfig"] = f"{base}/reconfig"
        if diagnostics:
            actions["diagnostic"] = f"{base}/cwmp_diagnostic"
    return {
        "actions": actions,
        "links": {
            "customer": f"{base}/customer",
            "profile": f"{base}/profile",
            "model": f"{base}/model",
            "potses": f"{base}/potses",
            "events": f"{base}/events",
            "cdrs": f"{base}/events?type=cdr",
            "logs": f"{base}/logs",
            "livestatus": f"{base}/livestatus",
            "links": f"{base}/links",
            "info": f"{base}/info",
            "cwmp_info": f"{base}/cwmp_info",
        },
    }


def services(tech: str, tr069: bool, bitstream: bool, voice_ports: str) -> list[str]:
    """What monitoring checks. `voice_ports`: the ports with a number, such as `1,2`."""
    names = [] if tech == "gpon" and bitstream else [*CHECKS.get(tech, ())]
    names.append("dhcp")
    if tr069:
        names.append("tr069")
    if voice_ports:
        names += [f"voice{port}" for port in voice_ports.split(",")]
    return names
