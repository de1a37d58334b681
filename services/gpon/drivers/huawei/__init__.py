"""Huawei SmartAX MA5600T, MA5603T, MA5608T, MA5680T, MA5683T and MA5800: read over SNMP, written over SSH."""
