"""OIDs that a Huawei SmartAX shows, read from HUAWEI-XPON-MIB (V1.64), HUAWEI-ETHERLIKE-EXT-MIB (V5.78),
HUAWEI-DEVICE-MIB and HWMUSA-DEV-MIB. Of the lab only: the platform's driver has its own, so that a mistake
there shows here.
"""

from __future__ import annotations

from deploy.lab.network.ber import Oid

ENTERPRISE: Oid = (1, 3, 6, 1, 4, 1, 2011)
SYS_OBJECT_ID: Oid = (*ENTERPRISE, 2, 248)

_CONTROL: Oid = (*ENTERPRISE, 6, 128, 1, 1, 2)
"""hwXponDeviceControlObjects; each of its tables is an arc, and 1 its entry."""

OLT_CONTROL: Oid = (*_CONTROL, 21, 1)
"""hwGponDeviceOltControlInfoEntry: by ifIndex."""
OLT_OPTICS: Oid = (*_CONTROL, 23, 1)
"""hwGponOltOpticsDdmInfoEntry: by ifIndex; °C, 0.01 V, mA, 0.01 dBm, 0.01 dBm."""
ONT_CONFIG: Oid = (*_CONTROL, 43, 1)
"""hwGponDeviceOntConfigInfoEntry: by ifIndex and ONT id, as all that follow unless said."""
ONT_VERSION: Oid = (*_CONTROL, 45, 1)
ONT_CONTROL: Oid = (*_CONTROL, 46, 1)
ONT_CAPABILITY: Oid = (*_CONTROL, 47, 1)
AUTOFIND: Oid = (*_CONTROL, 48, 1)
"""hwGponDeviceAutoFindOntInfoEntry: by ifIndex and number of the find."""
ONT_IP: Oid = (*_CONTROL, 49, 1)
"""hwGponDeviceOntIpConfigInfoEntry: by ifIndex, ONT id and index of the IP host."""
ONT_OPTICS: Oid = (*_CONTROL, 51, 1)
"""hwGponDeviceOntOpticalDdmInfoEntry: °C, mA, 0.01 dBm, 0.01 dBm, mV, 0.01 dBm + 10000, 0.01 dBm."""
ONT_REGISTER: Oid = (*_CONTROL, 52, 1)
"""hwGponDeviceOntRegisterInfoEntry: by ifIndex and number of the registration."""
ONT_ETHERNET: Oid = (*_CONTROL, 62, 1)
"""hwGponDeviceOntEthernetPortCfgEntry: by ifIndex, ONT id and port."""
ONT_CATV: Oid = (*_CONTROL, 63, 1)
"""hwGponDeviceOntCatvPortCfgEntry: by ifIndex, ONT id and port."""
ONT_STATISTICS: Oid = (*ENTERPRISE, 6, 128, 1, 1, 4, 23, 1)
"""hwGponOntStatisticEntry: 3 UpBytes, 4 DownBytes, both Counter64."""

SERVICE_FLOW: Oid = (*ENTERPRISE, 5, 14, 5, 2, 1)
"""hwExtSrvFlowEntry: by index of the service port."""
SLOT: Oid = (*ENTERPRISE, 6, 3, 3, 2, 1)
"""hwSlotEntry: by frame and slot; 3 hwSlotDesc, 13 hwSlotTemprature."""
BOARD: Oid = (*ENTERPRISE, 2, 6, 7, 1, 1, 2, 1)
"""hwMusaBoardEntry: by frame and slot; 5 CPU %, 6 RAM %, 7 description, 10 °C."""

NO_VALUE = 2_147_483_647
"""What the device gives where it has no optical value."""
GPON_IFTYPE, ETHERNET_IFTYPE = 250, 6


def gpon_ifindex(frame: int, slot: int, port: int) -> int:
    """0xFA000000 for GPON UNIs, then slot and port."""
    return 0xFA00_0000 | frame << 19 | slot << 13 | port << 8


def ethernet_ifindex(slot: int, port: int) -> int:
    return 0x0E00_0000 | slot << 13 | port << 6
