"""What a SmartAX prints about an OLT: the layouts of `display …`, as lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from deploy.lab.network.huawei_snmp import MODEL, PATCH, VERSION, HuaweiView
from deploy.lab.network.olt import (
    DEACTIVATED,
    DYING_GASP,
    LINE_PROFILES,
    LOS,
    LOSI,
    REREGISTERED,
    RESET,
    SERVICE_PROFILES,
    TRAFFIC_TABLES,
    Olt,
    Onu,
    Position,
    ServicePort,
    Unit,
)

CAUSES = {
    LOS: "LOS",
    LOSI: "LOSi/LOBi",
    DEACTIVATED: "deactive",
    RESET: "ont-reset",
    REREGISTERED: "re-register",
    DYING_GASP: "dying-gasp",
}
RULE = "  " + "-" * 77
WIDE = "  " + "-" * 78
SHORT = "  " + "-" * 69


def when(at: float | None) -> str:
    return "-" if at is None else dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M:%S+00:00")


def _moment(at: float | None) -> str:
    return "-" if at is None else dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def ascii_sn(sn: str) -> str:
    """HWTC-1426779A."""
    return f"{bytes.fromhex(sn[:8]).decode('ascii', 'replace')}-{sn[8:].upper()}"


def duration(seconds: float) -> str:
    days, rest = divmod(int(seconds), 86_400)
    hours, rest = divmod(rest, 3_600)
    return f"{days} day(s), {hours} hour(s), {rest // 60} minute(s), {rest % 60} second(s)"


def _fields(rows: Iterable[tuple[str, object]], width: int) -> list[str]:
    return [f"  {name:<{width}}: {value}" for name, value in rows]


def version(olt: Olt) -> list[str]:
    return [
        "",
        f"  VERSION : {VERSION}",
        f"  PATCH   : {PATCH}",
        f"  PRODUCT : {MODEL}",
        "",
        f"  Uptime is {duration(olt.uptime)}",
    ]


def board(view: HuaweiView) -> list[str]:
    rule = "  " + "-" * 73
    lines = [rule, "  SlotID  BoardName  Status          SubType0 SubType1    Online/Offline", rule]
    found = set(view.slots())
    for slot in range(max(found) + 1):
        status = "Active_normal" if slot == view.control_slot else "Normal"
        lines.append(f"  {slot:<7} {view.board(slot):<10} {status:<38}" if slot in found else f"  {slot:<6}")
    return [*lines, rule]


def autofind(found: Iterable[tuple[Position, int, Unit]]) -> list[str]:
    rule = "   " + "-" * 76
    lines = [rule]
    for number, (position, _, unit) in enumerate(found, 1):
        plan = unit.plan
        lines += [
            f"   {name:<20}: {value}"
            for name, value in (
                ("Number", number),
                ("F/S/P", position),
                ("Ont SN", f"{unit.sn.upper()} ({ascii_sn(unit.sn)})"),
                ("Password", f"0x{plan.password.encode().ljust(10, bytes(1)).hex().upper()}"),
                ("Loid", ""),
                ("Checkcode", ""),
                ("VendorID", bytes.fromhex(unit.sn[:8]).decode("ascii", "replace")),
                ("Ont Version", plan.hardware),
                ("Ont SoftwareVersion", plan.software),
                ("Ont EquipmentID", plan.model),
                ("Ont Customized Info", ""),
                ("Ont MAC", "-".join(unit.mac[n : n + 4].upper() for n in (0, 4, 8))),
                ("Ont Equipment SN", ""),
                ("Ont autofind time", when(unit.found)),
            )
        ]
        lines.append(rule)
    return [*lines, f"   The number of GPON autofind ONT is {len(lines) // 15}"]


def onu_detail(olt: Olt, onu: Onu) -> list[str]:
    unit = olt.unit(onu) if onu.online else None
    online = None if onu.last_up is None or not onu.online else olt.clock() - onu.last_up
    address = "-"
    rows: list[tuple[str, object]] = [
        ("F/S/P", onu.position),
        ("ONT-ID", onu.onu_id),
        ("Control flag", "active" if onu.active else "deactivated"),
        ("Run state", "online" if onu.online else "offline"),
        ("Config state", "normal" if onu.online else "initial"),
        ("Match state", "match" if onu.online else "initial"),
        ("DBA type", "SR" if onu.online else "-"),
        ("ONT distance(m)", unit.plan.distance if unit else "-"),
        ("ONT last distance(m)", unit.plan.distance if unit else "-"),
        ("ONT battery state", "not support" if onu.online else "-"),
        ("Memory occupation", "41%" if onu.online else "-"),
        ("CPU occupation", "6%" if onu.online else "-"),
        ("Temperature", f"{unit.temperature}(C)" if unit else "-"),
        ("Authentic type", "SN-auth"),
        ("SN", f"{onu.sn.upper()} ({ascii_sn(onu.sn)})"),
        ("Management mode", "OMCI"),
        ("Software work mode", "normal"),
        ("Isolation state", "normal"),
        ("ONT IP 0 address/mask", address),
        ("Description", onu.desc or "ONT_NO_DESCRIPTION"),
        ("Last down cause", CAUSES[onu.cause] if onu.cause else "-"),
        ("Last up time", when(onu.last_up)),
        ("Last down time", when(onu.last_down)),
        ("Last dying gasp time", when(onu.last_gasp)),
        ("ONT online duration", "-" if online is None else duration(online)),
        ("Type C support", "Not support"),
        ("Interoperability-mode", "ITU-T"),
        ("FEC upstream state", "use-profile-config"),
    ]
    lines = [RULE, *_fields(rows, 24), RULE, *_fields((("VoIP configure method", "Default"),), 24), RULE]
    lines += _fields(
        (("Line profile ID", onu.line_profile), ("Line profile name", LINE_PROFILES[onu.line_profile])), 21
    )
    lines += [RULE]
    lines += _fields(
        (
            ("Service profile ID", onu.service_profile),
            ("Service profile name", SERVICE_PROFILES[onu.service_profile]),
        ),
        21,
    )
    lines += [RULE, "  Port-type     Port-number     Max-adaptive-number", RULE]
    plan = unit.plan if unit else None
    for kind, count in (
        ("POTS", plan.pots if plan else "adaptive"),
        ("ETH", plan.ethernet if plan else "adaptive"),
        ("CATV", plan.catv if plan else "adaptive"),
    ):
        lines.append(f"  {kind:<13} {count!s:<15} -")
    return [*lines, RULE]


def onus(olt: Olt, found: Iterable[Onu], total: str | None = None) -> list[str]:
    listed = list(found)
    lines = [
        RULE,
        "  F/S/P   ONT         SN         Control     Run      Config   Match    Protect",
        "          ID                     flag        state    state    state    side ",
        RULE,
    ]
    for onu in listed:
        flag = "active" if onu.active else "deactivated"
        state, config, match = (
            ("online", "normal", "match") if onu.online else ("offline", "initial", "initial")
        )
        states = f"{flag:<11} {state:<8} {config:<8} {match:<8} no "
        lines.append(f"  {_fsp(onu.position)}  {onu.onu_id:>3}  {onu.sn.upper()}  {states}")
    lines += [RULE, "  F/S/P       ONT  Description", "              ID", RULE]
    lines += [
        f"  {_fsp(onu.position)}      {onu.onu_id:>3}   {onu.desc or 'ONT_NO_DESCRIPTION'}" for onu in listed
    ]
    lines.append(RULE)
    if total is not None:
        online = sum(onu.online for onu in listed)
        lines += [f"  In port {total} , the total of ONTs are: {len(listed)}, online: {online}", RULE]
    return lines


def _fsp(position: Position) -> str:
    return f"{position.frame}/{position.slot:>2}/{position.port}"


def summary(olt: Olt, position: Position) -> list[str]:
    found = olt.of_pon(position)
    online = sum(onu.online for onu in found)
    lines = [
        WIDE,
        f"  In port {position}, the total of ONTs are: {len(found)}, online: {online}",
        WIDE,
        "  ONT  Run     Last                Last                Last",
        "  ID   State   UpTime              DownTime            DownCause",
        WIDE,
    ]
    for onu in found:
        state = "online" if onu.online else "offline"
        cause = CAUSES[onu.cause] if onu.cause else "-"
        lines.append(
            f"  {onu.onu_id:<4} {state:<7} {_moment(onu.last_up):<19} {_moment(onu.last_down):<19} {cause}"
        )
    lines += [
        WIDE,
        "  ONT        SN        Type          Distance Rx/Tx power  Description",
        "  ID                                    (m)      (dBm)",
        WIDE,
    ]
    for onu in found:
        unit = olt.unit(onu) if onu.online else None
        kind, distance, power = "-", "-", "-/-"
        if unit is not None:
            kind, distance = unit.plan.model, str(unit.plan.distance)
            power = f"{unit.receive:.2f}/{unit.transmit:.2f}"
        told = f"{kind:<16} {distance:<5} {power:<12} {onu.desc or 'ONT_NO_DESCRIPTION'}"
        lines.append(f"  {onu.onu_id:<3} {onu.sn.upper()} {told}")
    return [*lines, WIDE]


def optics(unit: Unit) -> list[str]:
    catv = "-" if unit.catv is None else f"{unit.catv:.2f}"
    return [
        RULE,
        *_fields(
            (
                ("ONU NNI port ID", 0),
                ("Module type", "GPON"),
                ("Module sub-type", "CLASS B+"),
                ("Used type", "ONU"),
                ("Encapsulation Type", "BOSA ON BOARD"),
                ("Optical power precision(dBm)", "3.0"),
                ("Vendor name", "HUAWEI"),
                ("Rx optical power(dBm)", f"{unit.receive:.2f}"),
                ("Rx power current alarm threshold(dBm)", "[-29.0,-7.0]"),
                ("Tx optical power(dBm)", f"{unit.transmit:.2f}"),
                ("Laser bias current(mA)", unit.bias),
                ("Temperature(C)", unit.temperature),
                ("Voltage(V)", f"{unit.voltage / 1000:.3f}"),
                ("OLT Rx ONT optical power(dBm)", f"{unit.at_olt:.2f}"),
                ("CATV Rx optical power(dBm)", catv),
            ),
            39,
        ),
        RULE,
    ]


def optics_of_pon(olt: Olt, position: Position) -> list[str]:
    lines = [
        RULE,
        "  ONT  Rx power  Tx power  OLT Rx ONT  Temperature  Voltage  Current  Distance",
        "  ID   (dBm)     (dBm)     power(dBm)  (C)          (V)      (mA)     (m)",
        RULE,
    ]
    for onu in olt.of_pon(position):
        unit = olt.unit(onu) if onu.online else None
        if unit is None:
            lines.append(
                f"  {onu.onu_id:>3}  -         -         -           -            -        -        -"
            )
            continue
        lines.append(
            f"  {onu.onu_id:>3}  {unit.receive:<9.2f} {unit.transmit:<9.2f} {unit.at_olt:<11.2f} "
            f"{unit.temperature:<12} {unit.voltage / 1000:<8.3f} {unit.bias:<8} {unit.plan.distance}"
        )
    return [*lines, RULE]


def wan(olt: Olt, onu: Onu) -> list[str]:
    lines = [SHORT, *_fields((("F/S/P", onu.position), ("ONT ID", onu.onu_id)), 27), SHORT]
    unit = olt.unit(onu)
    for number, port in enumerate(
        sorted(olt.ports_of(onu.position, onu.onu_id), key=lambda port: port.id), 1
    ):
        managed = port.inbound == 10
        low = int(onu.sn[-4:], 16)
        lines += _fields(
            (
                ("Index", number),
                ("Name", f"{number}_{'TR069' if managed else 'INTERNET'}_R_VID_{port.user_vlan or 0}"),
                ("Service type", "Tr069" if managed else "Internet"),
                ("Connection type", "IP routed"),
                ("IPv4 Connection status", "Connected" if onu.online else "Disconnected"),
                ("IPv4 access type", "DHCP"),
                (
                    "IPv4 address",
                    f"10.64.{low >> 8}.{low & 255}" if managed else f"100.66.{low >> 8}.{low & 255}",
                ),
                ("Subnet mask", "255.255.0.0"),
                ("Default gateway", "10.64.0.1" if managed else "100.66.0.1"),
                ("Manage VLAN", port.user_vlan or "-"),
                ("Manage priority", 0),
                ("MAC address", "-".join(unit.mac[n : n + 4].upper() for n in (0, 4, 8)) if unit else "-"),
                ("IPv4 switch", "Enable"),
                ("IPv6 switch", "Disable"),
            ),
            27,
        )
        lines.append(SHORT)
    return lines


def registrations(onu: Onu, model: str) -> list[str]:
    lines = [RULE]
    for number, (up, down, cause) in enumerate(reversed(onu.registrations), 1):
        lines += _fields(
            (
                ("Index", number),
                ("Auth-type", "SN-auth"),
                ("SN", onu.sn.upper()),
                ("TYPE", model),
                ("UpTime", when(up)),
                ("DownTime", when(down)),
                ("DownCause", CAUSES[cause] if cause else "-"),
            ),
            20,
        )
        lines.append(RULE)
    return lines


def alarms(olt: Olt, onu: Onu) -> list[str]:
    if onu.online:
        return ["  The ONT has no active alarm"]
    name = {
        DYING_GASP: "The dying-gasp of GPON ONTi (DGi) is generated",
        LOS: "The feed fiber is broken or OLT can not receive any expected optical signals(LOS)",
    }.get(onu.cause or "", "The loss of signal of ONTi (LOSi)/loss of burst for ONUi (LOBi)")
    return ["  Active Alarm List:", RULE, f"  (1) {name}", RULE]


def service_ports(olt: Olt, found: Iterable[ServicePort]) -> list[str]:
    lines = [
        "  Switch-Oriented Flow List",
        RULE,
        "   INDEX VLAN VLAN     PORT F/ S/ P VPI  VCI   FLOW  FLOW       RX   TX   STATE",
        "         ID   ATTR     TYPE                    TYPE  PARA",
        RULE,
    ]
    up = 0
    listed = sorted(found, key=lambda port: port.id)
    for port in listed:
        onu = olt.onus.get(port.key)
        alive = onu is not None and onu.online
        up += alive
        lines.append(
            f"   {port.id:>5} {port.vlan:<4} common   gpon {port.position.frame}/{port.position.slot:<2}"
            f"/{port.position.port:<2} {port.onu_id:<4} {port.gem:<5} vlan  "
            f"{'untag' if port.user_vlan is None else port.user_vlan:<10} {_table(port.outbound):<4} "
            f"{_table(port.inbound):<4} {'up' if alive else 'down'}"
        )
    return [
        *lines,
        RULE,
        f"   Total : {len(listed)}  (Up/Down :    {up}/{len(listed) - up})",
        "   Note : F--Frame, S--Slot, P--Port,",
        "          VPI indicates ONT ID for PON, VCI indicates GEM index for GPON,",
        "          v/e--vlan/encap, pritag--priority-tagged,",
        "          ppp--pppoe, ip--ipoe, ip4--ipv4oe, ip6--ipv6oe, vxl--vxlan.",
    ]


def _table(index: int | None) -> str:
    return "-" if index is None else str(index)


def service_port(olt: Olt, port: ServicePort) -> list[str]:
    onu = olt.onus.get(port.key)
    rule = "  " + "-" * 55

    def name(index: int | None) -> str:
        return "-" if index is None else TRAFFIC_TABLES[index].name

    return [
        rule,
        *_fields(
            (
                ("Index", port.id),
                ("VLAN ID", port.vlan),
                ("VLAN attr", "common"),
                ("Port type", "gpon"),
                ("F/S/P", port.position),
                ("ONT ID", port.onu_id),
                ("GEM port index", port.gem),
                ("Flow type", "vlan"),
                ("Flow para", "untagged" if port.user_vlan is None else port.user_vlan),
                ("RX", _table(port.outbound)),
                ("TX", _table(port.inbound)),
                ("Inbound table name", name(port.inbound)),
                ("Outbound table name", name(port.outbound)),
                ("Admin status", "enable"),
                ("State", "up" if onu is not None and onu.online else "down"),
                ("Tag transforms", port.tag_transform),
                ("Description", ""),
            ),
            24,
        ),
        rule,
    ]


def traffic_tables(first: int) -> list[str]:
    lines = [
        RULE,
        "  TID CIR     CBS      PIR     PBS     Pri Copy-policy     Pri-Policy",
        "      (kbps)  (bytes)  (kbps)  (bytes)",
        RULE,
    ]
    found = [table for table in TRAFFIC_TABLES.values() if table.index >= first]
    for table in found:
        burst = min(2_000 + 32 * table.cir, 1_024_000)
        rates = f"{table.cir:<7} {burst:<8} {table.pir:<7} {burst:<7}"
        lines.append(f"  {table.index:<3} {rates} 0   -               tag-pri")
    return [*lines, RULE, f"  Total Num : {len(found)}"]


def traffic_table(index: int) -> list[str]:
    table = TRAFFIC_TABLES[index]
    rule = "  " + "-" * 50
    return [
        rule,
        *_fields(
            (
                ("TD Index", table.index),
                ("TD Name", table.name),
                ("Priority", 0),
                ("Priority policy", "tag-pri"),
                ("CIR", f"{table.cir} kbps"),
                ("PIR", f"{table.pir} kbps"),
                ("Referenced Status", "used"),
            ),
            20,
        ),
        rule,
    ]


def profiles(names: dict[int, str], used: Iterable[int]) -> list[str]:
    counts = list(used)
    lines = [WIDE, "  Profile-ID  Profile-name                                Binding times", WIDE]
    lines += [f"  {index:<11} {name:<43} {counts.count(index)}" for index, name in names.items()]
    return [*lines, WIDE, f"  Total: {len(names)}"]


def profile(names: dict[int, str], index: int, used: Iterable[int]) -> list[str]:
    return [
        RULE,
        *_fields(
            (
                ("Profile-ID", index),
                ("Profile-name", names[index]),
                ("Binding times", list(used).count(index)),
            ),
            20,
        ),
        RULE,
    ]


def configuration(olt: Olt, onu: Onu) -> list[str]:
    """The commands that make the ONT what it is; what is as by default is left out."""
    frame, slot, port = onu.position.frame, onu.position.slot, onu.position.port
    which = f"{port} {onu.onu_id}"
    added = f' ont add {which} sn-auth "{onu.sn.upper()}" omci'
    added += f" ont-lineprofile-id {onu.line_profile} ont-srvprofile-id {onu.service_profile}"
    lines = ["#", "[gpon]", f"  <gpon-{frame}/{slot}>", f" interface gpon {frame}/{slot}"]
    lines.append(f'{added} desc "{onu.desc}"' if onu.desc else added)
    if not onu.active:
        lines.append(f" ont deactivate {which}")
    lines += [
        f" ont port native-vlan {which} eth {number} vlan {vlan} priority {priority}"
        for number, (vlan, priority) in sorted(onu.native_vlans.items())
    ]
    lines += [f" ont port attribute {which} catv {number} operational-state off" for number in onu.catv_off]
    lines += ["#", "[bbs-config]", "  <bbs-config>"]
    lines += [_as_command(flow) for flow in olt.ports_of(onu.position, onu.onu_id)]
    return [*lines, "#", "return"]


def _as_command(flow: ServicePort) -> str:
    user = "untagged" if flow.user_vlan is None else flow.user_vlan
    words = [
        f" service-port {flow.id} vlan {flow.vlan} gpon {flow.position} ont {flow.onu_id} gemport {flow.gem}",
        f"multi-service user-vlan {user} tag-transform {flow.tag_transform}",
    ]
    for side, table in (("inbound", flow.inbound), ("outbound", flow.outbound)):
        if table is not None:
            words.append(f"{side} traffic-table index {table}")
    return " ".join(words)
