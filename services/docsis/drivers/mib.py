"""The objects that are asked for: names, object identifiers and units of the MIBs that they come from.

A class is a table's entry; its members are columns. Levels are in tenths of dBmV (TenthdBmV), ratios in
tenths of dB (TenthdB), frequencies and widths in Hz, as the MIBs have them.
"""

from __future__ import annotations

# ---- SNMPv2-MIB (RFC 3418), IF-MIB (RFC 2863) ---------------------------------------------------

SYS_DESCR = "1.3.6.1.2.1.1.1.0"
SYS_OBJECT_ID = "1.3.6.1.2.1.1.2.0"
SYS_UP_TIME = "1.3.6.1.2.1.1.3.0"  # hundredths of a second
SYS_NAME = "1.3.6.1.2.1.1.5.0"


class Interface:
    """`ifEntry`, by ifIndex."""

    ENTRY = "1.3.6.1.2.1.2.2.1"
    DESCR = 2
    TYPE = 3  # IANAifType
    OPER_STATUS = 8
    IN_OCTETS = 10  # Counter32
    OUT_OCTETS = 16  # Counter32


class InterfaceMore:
    """`ifXEntry`, by ifIndex."""

    ENTRY = "1.3.6.1.2.1.31.1.1.1"
    NAME = 1
    HC_IN_OCTETS = 6  # Counter64
    HC_OUT_OCTETS = 10  # Counter64


IF_STACK_STATUS = "1.3.6.1.2.1.31.1.2.1.3"  # by (higher, lower) ifIndex

# IANAifType
MAC_LAYER = 127  # docsCableMaclayer
DOWNSTREAMS = (128, 226, 229)  # docsCableDownstream, qam, docsCableMCmtsDownstream
UPSTREAMS = (129, 205)  # docsCableUpstream, docsCableUpstreamChannel (a logical channel)

# ---- DOCS-IF-MIB (RFC 4546) ---------------------------------------------------------------------


class DownChannel:
    """`docsIfDownstreamChannelEntry`, by ifIndex; at a CMTS as at a modem."""

    ENTRY = "1.3.6.1.2.1.10.127.1.1.1.1"
    ID = 1
    FREQUENCY = 2
    WIDTH = 3
    MODULATION = 4
    INTERLEAVE = 5
    POWER = 6  # of the transmitter at a CMTS, received at a modem; 0 or the configured value when down
    ANNEX = 7


class UpChannel:
    """`docsIfUpstreamChannelEntry`, by ifIndex."""

    ENTRY = "1.3.6.1.2.1.10.127.1.1.2.1"
    ID = 1
    FREQUENCY = 2  # can be set
    WIDTH = 3
    MODULATION_PROFILE = 4
    SLOT_SIZE = 5  # of 6.25 microseconds
    TX_TIMING_OFFSET = 6  # 6.25 microseconds / 64
    RANGING_BACKOFF_START = 7
    RANGING_BACKOFF_END = 8
    TX_BACKOFF_START = 9
    TX_BACKOFF_END = 10
    TYPE = 15
    PRE_EQ_ENABLE = 19  # TruthValue


class SignalQuality:
    """`docsIfSignalQualityEntry`, by ifIndex: downstreams at a modem, upstreams at a CMTS."""

    ENTRY = "1.3.6.1.2.1.10.127.1.1.4.1"
    UNERROREDS = 2  # Counter32, codewords
    CORRECTEDS = 3
    UNCORRECTABLES = 4
    SIGNAL_NOISE = 5
    MICROREFLECTIONS = 6  # -dBc
    EXT_UNERROREDS = 8  # Counter64
    EXT_CORRECTEDS = 9
    EXT_UNCORRECTABLES = 10


class CmStatus:
    """`docsIfCmStatusEntry` at a modem, by the ifIndex of its MAC layer."""

    ENTRY = "1.3.6.1.2.1.10.127.1.2.2.1"
    VALUE = 1
    TX_POWER = 3  # of its only upstream, before DOCSIS 3.0
    T3_TIMEOUTS = 12
    T4_TIMEOUTS = 13
    RANGING_ABORTEDS = 14


class CmtsCmStatus:
    """`docsIfCmtsCmStatusEntry`, by docsIfCmtsCmStatusIndex: the modems, before DOCSIS 3.0."""

    ENTRY = "1.3.6.1.2.1.10.127.1.3.3.1"
    MAC = 2
    IP = 3  # IpAddress
    DOWN_IF_INDEX = 4
    UP_IF_INDEX = 5
    RX_POWER = 6  # 0: unknown
    TIMING_OFFSET = 7  # 6.25 microseconds / 64
    VALUE = 9
    UNERROREDS = 10  # Counter32
    CORRECTEDS = 11
    UNCORRECTABLES = 12
    SIGNAL_NOISE = 13  # 0: unknown
    MICROREFLECTIONS = 14
    EXT_UNERROREDS = 15  # Counter64
    EXT_CORRECTEDS = 16
    EXT_UNCORRECTABLES = 17
    REG_MODE = 18  # DocsisQosVersion


CM_POINTER = "1.3.6.1.2.1.10.127.1.3.7.1.2"  # docsIfCmtsCmPtr, by MAC: docsIfCmtsCmStatusIndex


class Modulation:
    """`docsIfCmtsModulationEntry`, by (profile, interval usage code)."""

    ENTRY = "1.3.6.1.2.1.10.127.1.3.5.1"
    TYPE = 4


UTILIZATION = "1.3.6.1.2.1.10.127.1.3.9.1.3"
"""`docsIfCmtsChannelUtUtilization`, by (ifIndex, ifType, channel id): percent."""

# ---- DOCS-IF3-MIB -------------------------------------------------------------------------------


class CmtsCmReg:
    """`docsIf3CmtsCmRegStatusEntry`, by docsIf3CmtsCmRegStatusId: the modems."""

    ENTRY = "1.3.6.1.4.1.4491.2.1.20.1.3.1"
    MAC = 2
    IPV6 = 3  # 16 octets
    IPV6_LINK_LOCAL = 4
    IPV4 = 5  # 4 octets
    VALUE = 6
    MD_IF_INDEX = 7  # 0: unknown
    MD_CM_SG_ID = 8
    RCP_ID = 9
    RCC_STATUS_ID = 10
    RCS_ID = 11  # ChSetId: 1 to 255 one channel, its id
    TCS_ID = 12
    QOS_VERSION = 13
    LAST_REG_TIME = 14  # DateAndTime


class CmtsCmUs:
    """`docsIf3CmtsCmUsStatusEntry`, by (docsIf3CmtsCmRegStatusId, ifIndex of the upstream)."""

    ENTRY = "1.3.6.1.4.1.4491.2.1.20.1.4.1"
    MODULATION_TYPE = 2
    RX_POWER = 3
    SIGNAL_NOISE = 4
    MICROREFLECTIONS = 5  # -dBc
    UNERROREDS = 7  # Counter32
    CORRECTEDS = 8
    UNCORRECTABLES = 9
    TIMING_OFFSET = 10  # 6.25 microseconds / (64 * 256)
    IS_MUTED = 11  # TruthValue
    RANGING_STATUS = 12


class MdChannel:
    """`docsIf3MdChCfgEntry`, by (ifIndex of the MAC domain, of the channel)."""

    ENTRY = "1.3.6.1.4.1.4491.2.1.20.1.5.1"
    IS_PRIMARY_CAPABLE = 2  # TruthValue
    CHANNEL_ID = 3


class MdNode:
    """`docsIf3MdNodeStatusEntry`, by (ifIndex of the MAC domain, node name, MdCmSgId)."""

    ENTRY = "1.3.6.1.4.1.4491.2.1.20.1.12.1"
    MD_DS_SG_ID = 3
    MD_US_SG_ID = 4


MD_DS_SG_CH_SET = "1.3.6.1.4.1.4491.2.1.20.1.13.1.2"
"""`docsIf3MdDsSgStatusChSetId`, by (ifIndex of the MAC domain, MdDsSgId)."""
MD_US_SG_CH_SET = "1.3.6.1.4.1.4491.2.1.20.1.14.1.2"
"""`docsIf3MdUsSgStatusChSetId`, by (ifIndex of the MAC domain, MdUsSgId)."""
MD_IP_PROV_MODE = "1.3.6.1.4.1.4491.2.1.20.1.16.1.2"
"""`docsIf3MdCfgIpProvMode`, by ifIndex of the MAC domain."""
US_CH_SET = "1.3.6.1.4.1.4491.2.1.20.1.22.1.2"
"""`docsIf3UsChSetChList`, by (ifIndex of the MAC domain, channel set): an octet a channel id."""
DS_CH_SET = "1.3.6.1.4.1.4491.2.1.20.1.23.1.2"
"""`docsIf3DsChSetChList`."""
RX_MER = "1.3.6.1.4.1.4491.2.1.20.1.24.1.1"
"""`docsIf3SignalQualityExtRxMER`, by ifIndex."""


class CmUs:
    """`docsIf3CmStatusUsEntry` at a modem, by ifIndex of the upstream."""

    ENTRY = "1.3.6.1.4.1.4491.2.1.20.1.2.1"
    TX_POWER = 1
    T3_TIMEOUTS = 2
    T4_TIMEOUTS = 3
    RANGING_ABORTEDS = 4
    IS_MUTED = 8  # TruthValue
    RANGING_STATUS = 9


# ---- DOCS-IF31-MIB ------------------------------------------------------------------------------

PARTIAL_SERVICE = "1.3.6.1.4.1.4491.2.1.28.1.3.1.9"
"""`docsIf31CmtsCmRegStatusPartialSvcState`, by docsIf3CmtsCmRegStatusId."""

# ---- DOCS-QOS3-MIB, and DOCS-QOS-MIB (RFC 4323) before it ---------------------------------------


class Flows:
    """Where the service flows are. `rate`: docsQosParamSetMaxTrafficRate, bit/s, by ifIndex, then flow and
    set (`flow_first`) or set and flow; `direction`: docsQosServiceFlowDirection, by (ifIndex, flow);
    `of_mac`: docsQosCmtsIfIndex, by (MAC, flow); `octets`: docsQosServiceFlowOctets, by (ifIndex, flow)."""

    def __init__(self, base: str, params: int, *, flow_first: bool, bits: int) -> None:
        self.rate = f"{base}.2.{params}.6"
        self.direction = f"{base}.3.1.7"
        self.octets = f"{base}.4.1.2"
        self.of_mac = f"{base}.11.1.3"
        self.flow_first = flow_first
        self.bits = bits

    def rate_of(self, ifindex: int, flow: int) -> str:
        """Of the active set (1)."""
        return f"{self.rate}.{ifindex}.{f'{flow}.1' if self.flow_first else f'1.{flow}'}"


FLOWS = Flows("1.3.6.1.4.1.4491.2.1.21.1", 1, flow_first=False, bits=64)
FORMER_FLOWS = Flows("1.3.6.1.2.1.10.127.7.1", 2, flow_first=True, bits=32)

# ---- CLAB-TOPO-MIB ------------------------------------------------------------------------------

NODE_DESCR = "1.3.6.1.4.1.4491.4.2.1.1.1.2"  # clabTopoFiberNodeCfgNodeDescr, by node name

# ---- DOCS-CABLE-DEVICE-MIB (RFC 4639), at a modem ------------------------------------------------

RESET_NOW = "1.3.6.1.2.1.69.1.1.3.0"  # docsDevResetNow, TruthValue
SERIAL_NUMBER = "1.3.6.1.2.1.69.1.1.4.0"  # docsDevSerialNumber
SOFTWARE_VERSION = "1.3.6.1.2.1.69.1.3.5.0"  # docsDevSwCurrentVers
CONFIG_FILE = "1.3.6.1.2.1.69.1.4.5.0"  # docsDevServerConfigFile

TRUE = 1  # TruthValue (SNMPv2-TC)
