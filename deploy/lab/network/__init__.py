"""Simulated access equipment: OLTs, CMTSs and cable modems that speak SNMP, SSH and TFTP on loopback.

One asyncio process (`krill lab network`). What a device is (`olt`, `cmts`) knows nothing of the protocols
that show it (`huawei_snmp`, `huawei_cli`, `docsis_snmp`, …), and none of it knows the platform's drivers: it
is their counterpart, written from the MIBs and from what real devices print.
"""
