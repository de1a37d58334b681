"""OIDs that a CMTS and a cable modem show, read from DOCS-IF-MIB (RFC 4546), DOCS-IF3-MIB, DOCS-QOS3-MIB,
DOCS-CABLE-DEVICE-MIB (RFC 4639) and CLAB-TOPO-MIB. Of the lab only, as those of Huawei are.
"""

from __future__ import annotations

from deploy.lab.network.ber import Oid

_IF: Oid = (1, 3, 6, 1, 2, 1, 10, 127, 1)
"""docsIfMibObjects."""
DOWNSTREAM: Oid = (*_IF, 1, 1, 1)
UPSTREAM: Oid = (*_IF, 1, 2, 1)
SIGNAL_QUALITY: Oid = (*_IF, 1, 4, 1)
CM_MAC: Oid = (*_IF, 2, 1, 1)
CM_STATUS: Oid = (*_IF, 2, 2, 1)
CMTS_MAC: Oid = (*_IF, 3, 1, 1)
CMTS_CM_STATUS: Oid = (*_IF, 3, 3, 1)
"""docsIfCmtsCmStatusEntry: the registration table of DOCSIS 2.0."""
MODULATION: Oid = (*_IF, 3, 5, 1)
"""docsIfCmtsModulationEntry: by profile and interval usage code."""
MAC_TO_CM: Oid = (*_IF, 3, 7, 1)
CHANNEL_UTILIZATION: Oid = (*_IF, 3, 9, 1)
"""docsIfCmtsChannelUtilizationEntry: by ifIndex of the MAC domain, ifType and channel id."""

_IF3: Oid = (1, 3, 6, 1, 4, 1, 4491, 2, 1, 20, 1)
"""docsIf3MibObjects."""
CM3_STATUS: Oid = (*_IF3, 1, 1)
CM3_STATUS_US: Oid = (*_IF3, 2, 1)
REG_STATUS: Oid = (*_IF3, 3, 1)
"""docsIf3CmtsCmRegStatusEntry: by its id."""
CM_US_STATUS: Oid = (*_IF3, 4, 1)
"""docsIf3CmtsCmUsStatusEntry: by id of the registration and ifIndex of the upstream."""
MD_CHANNEL: Oid = (*_IF3, 5, 1)
"""docsIf3MdChCfgEntry: by ifIndex of the MAC domain and of the channel."""
MD_NODE: Oid = (*_IF3, 12, 1)
"""docsIf3MdNodeStatusEntry: by ifIndex of the MAC domain, name of the node, MD-CM-SG-ID."""
MD_DS_SG: Oid = (*_IF3, 13, 1)
MD_US_SG: Oid = (*_IF3, 14, 1)
MD_CONFIG: Oid = (*_IF3, 16, 1)
US_CHANNEL_SET: Oid = (*_IF3, 22, 1)
DS_CHANNEL_SET: Oid = (*_IF3, 23, 1)
SIGNAL_QUALITY_EXT: Oid = (*_IF3, 24, 1)

_QOS: Oid = (1, 3, 6, 1, 4, 1, 4491, 2, 1, 21, 1)
PARAMETER_SET: Oid = (*_QOS, 2, 1)
"""docsQosParamSetEntry: by ifIndex, type (active 1) and service flow."""
SERVICE_FLOW: Oid = (*_QOS, 3, 1)

_DEVICE: Oid = (1, 3, 6, 1, 2, 1, 69, 1)
DEVICE_BASE: Oid = (*_DEVICE, 1)
DEVICE_SOFTWARE: Oid = (*_DEVICE, 3)
DEVICE_SERVER: Oid = (*_DEVICE, 4)

_TOPOLOGY: Oid = (1, 3, 6, 1, 4, 1, 4491, 4, 2, 1)
FIBER_NODE: Oid = (*_TOPOLOGY, 1, 1)
"""clabTopoFiberNodeCfgEntry: by name."""
CHANNEL_OF_NODE: Oid = (*_TOPOLOGY, 2, 1)
"""clabTopoChFnCfgEntry: by name of the node and ifIndex of the channel."""

MAC_LAYER, DOWNSTREAM_IF, UPSTREAM_IF, UPSTREAM_CHANNEL_IF = 127, 128, 129, 205
"""IANAifType."""
