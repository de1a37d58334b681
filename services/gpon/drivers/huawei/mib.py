"""MIB objects of Huawei SmartAX OLTs.

Numbers as in HUAWEI-XPON-MIB, HUAWEI-ETHERLIKE-EXT-MIB, HUAWEI-DEVICE-MIB and HWMUSA-DEV-MIB; units as
devices of the field answer them. An ONT is indexed by the ifIndex of its PON and its id there."""

from __future__ import annotations

from services.gpon.drivers.objects import Column, Table

_HUAWEI = "1.3.6.1.4.1.2011"
_XPON = f"{_HUAWEI}.6.128.1.1"

OBJECT_ID = f"{_HUAWEI}."
"""What sysObjectID begins with."""

_ONT = ("ifIndex", "hwGponDeviceOntIndex")

ONT_CONFIG = Table(
    "HUAWEI-XPON-MIB",
    "hwGponDeviceOntConfigInfoTable",
    f"{_XPON}.2.43.1",
    _ONT,
    {
        "sn": Column(3, "hwGponDeviceOntSn", "8 octets"),
        "line_profile": Column(7, "hwGponDeviceOntLineProfName"),
        "service_profile": Column(8, "hwGponDeviceOntServiceProfName"),
        "desc": Column(9, "hwGponDeviceOntDespt"),
        "status": Column(10, "hwGponDeviceOntEntryStatus", "RowStatus"),
    },
)
ONT_VERSION = Table(
    "HUAWEI-XPON-MIB",
    "hwGponDeviceOntVersionInfoTable",
    f"{_XPON}.2.45.1",
    _ONT,
    {
        "hardware": Column(1, "hwGponDeviceOntVersion"),
        "type": Column(4, "hwGponDeviceOntEquipmentId"),
        "software": Column(5, "hwGponDeviceOntMainSoftVer"),
    },
)
ONT_CONTROL = Table(
    "HUAWEI-XPON-MIB",
    "hwGponDeviceOntControlInfoTable",
    f"{_XPON}.2.46.1",
    _ONT,
    {
        "active": Column(1, "hwGponDeviceOntControlActive", "1 active, 2 deactivated"),
        "reset": Column(2, "hwGponDeviceOntControlReset"),
        "run": Column(15, "hwGponDeviceOntControlRunStatus", "1 up, 2 down, -1 invalid"),
        "config": Column(16, "hwGponDeviceOntControlConfigStatus"),
        "distance": Column(20, "hwGponDeviceOntControlRanging", "m"),
        "last_up": Column(22, "hwGponDeviceOntControlLastUpTime", "DateAndTime"),
        "last_down": Column(23, "hwGponDeviceOntControlLastDownTime", "DateAndTime"),
        "cause": Column(24, "hwGponDeviceOntControlLastDownCause"),
    },
)
AUTOFIND = Table(
    "HUAWEI-XPON-MIB",
    "hwGponDeviceAutoFindOntInfoTable",
    f"{_XPON}.2.48.1",
    ("ifIndex", "hwGponDeviceAutoFindOntInfoOntIndex"),
    {
        "sn": Column(2, "hwGponDeviceAutoFindOntInfoSn", "8 octets"),
        "password": Column(3, "hwGponDeviceAutoFindOntInfoPassword"),
        "hardware": Column(5, "hwGponDeviceAutoFindOntInfoOntVer"),
        "software": Column(6, "hwGponDeviceAutoFindOntInfoOntMainSoftVer"),
        "type": Column(7, "hwGponDeviceAutoFindOntInfoOntEquipmentId"),
    },
)
ONT_IP = Table(
    "HUAWEI-XPON-MIB",
    "hwGponDeviceOntIpConfigInfoTable",
    f"{_XPON}.2.49.1",
    (*_ONT, "hwGponDeviceOntIpIndex"),
    {"address": Column(2, "hwGponDeviceOntIpAddress")},
)
ONT_OPTICS = Table(
    "HUAWEI-XPON-MIB",
    "hwGponDeviceOntOpticalDdmInfoTable",
    f"{_XPON}.2.51.1",
    _ONT,
    {
        "temperature": Column(1, "hwGponOntOpticalDdmTemperature", "°C; 1/256 °C in some releases"),
        "bias": Column(2, "hwGponOntOpticalDdmBiasCurrent", "mA"),
        "tx": Column(3, "hwGponOntOpticalDdmTxPower", "0.01 dBm"),
        "rx": Column(4, "hwGponOntOpticalDdmRxPower", "0.01 dBm"),
        "voltage": Column(5, "hwGponOntOpticalDdmVoltage", "mV; 0.01 V in some releases"),
        "olt_rx": Column(6, "hwGponOntOpticalDdmOltRxOntPower", "0.01 dBm, plus 10000"),
        "catv_rx": Column(7, "hwGponOntOpticalDdmAniCATVRxPower", "0.01 dBm"),
    },
)
ONT_ETHERNET = Table(
    "HUAWEI-XPON-MIB",
    "hwGponDeviceOntEthernetPortCfgTable",
    f"{_XPON}.2.62.1",
    (*_ONT, "hwGponDeviceOntEthernetPortId"),
    {
        "duplex": Column(3, "hwGponDeviceOntEthernetDuplexMode"),
        "speed": Column(4, "hwGponDeviceOntEthernetSpeed"),
        "admin": Column(5, "hwGponDeviceOntEthernetOperateStatus", "1 on, 2 off, -1 invalid"),
        "native_vlan": Column(7, "hwGponDeviceOntEthernetVlanDefault"),
        "oper": Column(22, "hwGponDeviceOntEthernetOnlineState", "1 up, 2 down, -1 invalid"),
    },
)
ONT_CATV = Table(
    "HUAWEI-XPON-MIB",
    "hwGponDeviceOntCatvPortCfgTable",
    f"{_XPON}.2.63.1",
    (*_ONT, "hwGponDeviceOntCatvPortId"),
    {"on": Column(2, "hwGponDeviceOntCatvOperateStatus", "1 on, 2 off, -1 invalid")},
)
ONT_REGISTRATIONS = Table(
    "HUAWEI-XPON-MIB",
    "",
    f"{_XPON}.2.101.1",
    (*_ONT, "number"),
    {
        "up": Column(6, "", "text"),
        "down": Column(7, "", "text"),
        "cause": Column(8, "", "as hwGponDeviceOntControlLastDownCause; 16 none"),
    },
)
"""The last ten times that an ONT was up. Later than the published MIB: seen on devices, its names are not
known."""

ONT_STATISTICS = Table(
    "HUAWEI-XPON-MIB",
    "hwGponOntStatisticTable",
    f"{_XPON}.4.23.1",
    _ONT,
    {
        "up": Column(3, "hwGponOntStatisticUpBytes", "octets, Counter64"),
        "down": Column(4, "hwGponOntStatisticDownBytes", "octets, Counter64"),
    },
)
PON_CONTROL = Table(
    "HUAWEI-XPON-MIB",
    "hwGponDeviceOltControlInfoTable",
    f"{_XPON}.2.21.1",
    ("ifIndex",),
    {"oper": Column(10, "hwGponDeviceOltControlStatus", "1 online, 2 offline")},
)
PON_OPTICS = Table(
    "HUAWEI-XPON-MIB",
    "hwGponOltOpticsDdmInfoTable",
    f"{_XPON}.2.23.1",
    ("ifIndex",),
    {
        "temperature": Column(1, "hwGponOltOpticsDdmInfoTemperature", "°C"),
        "voltage": Column(2, "hwGponOltOpticsDdmInfoSupplyVoltage", "0.01 V; mV in some releases"),
        "bias": Column(3, "hwGponOltOpticsDdmInfoTxBiasCurrent", "mA"),
        "tx": Column(4, "hwGponOltOpticsDdmInfoTxPower", "0.01 dBm"),
    },
)
BOARDS = Table(
    "HWMUSA-DEV-MIB",
    "hwMusaBoardTable",
    f"{_HUAWEI}.2.6.7.1.1.2.1",
    ("hwMusaFrameIndex", "hwMusaSlotIndex"),
    {
        "cpu": Column(5, "hwMusaBoardCpuRate", "%; -1 none"),
        "type": Column(7, "hwMusaBoardSlotDesc"),
        "temperature": Column(10, "hwMusaBoardTemperature", "°C"),
    },
)
SLOTS = Table(
    "HUAWEI-DEVICE-MIB",
    "hwSlotTable",
    f"{_HUAWEI}.6.3.3.2.1",
    ("hwFrameIndex", "hwSlotIndex"),
    {
        "desc": Column(3, "hwSlotDesc"),
        "oper": Column(8, "hwSlotOperStatus"),
        "temperature": Column(13, "hwSlotTemprature", "°C"),
        "type": Column(21, "hwSlotTypeName"),
    },
)
SERVICE_PORTS = Table(
    "HUAWEI-ETHERLIKE-EXT-MIB",
    "hwExtSrvFlowTable",
    f"{_HUAWEI}.5.14.5.2.1",
    ("hwExtSrvFlowIndex",),
    {
        "frame": Column(2, "hwExtSrvFlowPara1"),
        "slot": Column(3, "hwExtSrvFlowPara2"),
        "port": Column(4, "hwExtSrvFlowPara3"),
        "onu_id": Column(5, "hwExtSrvFlowPara4"),
        "gem": Column(6, "hwExtSrvFlowPara5"),
        "kind": Column(7, "hwExtSrvFlowParaType", "4 GPON"),
        "vlan": Column(8, "hwExtSrvFlowVlanid"),
        "receive": Column(9, "hwExtSrvFlowReceiveTrafficDescrIndex", "what the user receives: outbound"),
        "transmit": Column(10, "hwExtSrvFlowTransmitTrafficDescrIndex", "what the user transmits: inbound"),
        "user_vlan": Column(12, "hwExtSrvFlowMultiServiceUserPara", "65535 untagged"),
        "oper": Column(14, "hwExtSrvFlowOperStatus", "1 up, 2 down"),
        "transform": Column(18, "hwExtSrvFlowTagTransform"),
        "receive_name": Column(21, "hwExtSrvFlowReceiveTrafficDescrName"),
        "transmit_name": Column(22, "hwExtSrvFlowTransmitTrafficDescrName"),
    },
)
TRAFFIC_TABLES = Table(
    "HUAWEI-ETHERLIKE-EXT-MIB",
    "",
    f"{_HUAWEI}.5.14.3.8.1",
    ("index",),
    {"name": Column(2, "", "text")},
)
"""Names of traffic tables by index; seen on devices, as above."""

GPON_SERVICE = 4
"""hwExtSrvFlowParaType."""
UNTAGGED = 65535
TAG_TRANSFORMS = {
    0: "default",
    1: "transparent",
    2: "translate",
    3: "translate-and-add",
    4: "add-double",
    5: "translate-double",
}
SLOT_STATES = {
    1: "uninstalled",
    2: "normal",
    3: "fault",
    4: "forbidden",
    5: "discovery",
    6: "config",
    7: "offline",
    8: "abnormal",
}
CONFIG_FAILED = (3, 4)
"""hwGponDeviceOntControlConfigStatus: failed, noresume."""
CAUSES = {
    1: "losi",
    2: "losi",
    3: "lofi",
    4: "sfi",
    5: "loai",
    6: "loami",
    7: "deactivation failed",
    8: "deactivated",
    9: "reset",
    10: "re-registered",
    11: "pop-up failed",
    12: "authentication failed",
    13: "dyinggasp",
    15: "loki",
    16: "noerror",
    18: "ring",
    30: "optical module shut down",
    31: "reset by command",
    32: "reset by button",
    33: "reset by software",
    34: "broadcast attack",
    35: "operator check failed",
    37: "rogue ONT",
}
"""hwGponDeviceOntControlLastDownCause: LOS and LOSi are one to a subscriber, the loss of the ONU's signal."""
SPEEDS = {1: 10, 2: 100, 3: 1000, 5: 10, 6: 100, 7: 1000}
"""hwGponDeviceOntEthernetSpeed, in Mbit/s; 4 is auto without link."""
DUPLEXES = {1: "half", 2: "full", 4: "half", 5: "full"}
"""hwGponDeviceOntEthernetDuplexMode; 3 is auto without link."""


def place(ifindex: int) -> tuple[int, int, int] | None:
    """(frame, slot, port) of a PON's ifIndex: 0xFA, then frame, slot and port; None for another interface."""
    if ifindex >> 25 != 0xFA >> 1 or not 0 <= ifindex < 1 << 32:
        return None
    return ifindex >> 19 & 0x3F, ifindex >> 13 & 0x3F, ifindex >> 8 & 0x1F


def ifindex(frame: int, slot: int, port: int) -> int:
    return 0xFA000000 | frame << 19 | slot << 13 | port << 8
