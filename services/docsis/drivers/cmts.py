"""Reads a CMTS over SNMP: DOCS-IF3-MIB where it has it, DOCS-IF-MIB otherwise.

Blocking; called inside `native`. Nothing is assumed of a table: not that it is there, whole, sorted, or that
its indexes go with those of another. Only the tables of interfaces and of modems have to be told; of the
others, what an agent fails on is left out, and `failed` says so. Raises `DeviceError` alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address

from services.common.devices import values
from services.common.devices.errors import DeviceError
from services.common.devices.snmp import Index, Snmp
from services.common.devices.values import Value
from services.docsis.domain import naming
from services.docsis.domain.enumerations import (
    ANNEX,
    DATA_BURSTS,
    DOWN_IMPAIRED,
    DOWNSTREAM_MODULATION,
    INTERLEAVE,
    IP_PROVISIONING_MODE,
    LINK,
    QOS_VERSION,
    UP_IMPAIRED,
    UPSTREAM_MODULATION,
    UPSTREAM_TYPE,
    named,
    registration,
)
from services.docsis.drivers import flows, mib, quirks
from services.docsis.drivers.readings import (
    DOWNSTREAM,
    UPSTREAM,
    Channel,
    ChannelSet,
    Codewords,
    Downstream,
    Facts,
    FiberNode,
    Flow,
    MacDomain,
    ModemUpstream,
    Place,
    Registration,
    Topology,
    Upstream,
)

Row = Mapping[int, Value]
Rows = Mapping[Index, Row]

REGISTERED = (
    mib.CmtsCmReg.MAC,
    mib.CmtsCmReg.IPV6,
    mib.CmtsCmReg.IPV4,
    mib.CmtsCmReg.VALUE,
    mib.CmtsCmReg.MD_IF_INDEX,
    mib.CmtsCmReg.MD_CM_SG_ID,
    mib.CmtsCmReg.RCS_ID,
    mib.CmtsCmReg.TCS_ID,
    mib.CmtsCmReg.LAST_REG_TIME,
)
REGISTERED_MORE = (
    mib.CmtsCmReg.IPV6_LINK_LOCAL,
    mib.CmtsCmReg.RCP_ID,
    mib.CmtsCmReg.RCC_STATUS_ID,
    mib.CmtsCmReg.QOS_VERSION,
)
HEARD = (
    mib.CmtsCmUs.RX_POWER,
    mib.CmtsCmUs.SIGNAL_NOISE,
    mib.CmtsCmUs.UNERROREDS,
    mib.CmtsCmUs.CORRECTEDS,
    mib.CmtsCmUs.UNCORRECTABLES,
    mib.CmtsCmUs.IS_MUTED,
    mib.CmtsCmUs.RANGING_STATUS,
)
HEARD_MORE = (mib.CmtsCmUs.MODULATION_TYPE, mib.CmtsCmUs.MICROREFLECTIONS, mib.CmtsCmUs.TIMING_OFFSET)
FORMER = (
    mib.CmtsCmStatus.MAC,
    mib.CmtsCmStatus.IP,
    mib.CmtsCmStatus.DOWN_IF_INDEX,
    mib.CmtsCmStatus.UP_IF_INDEX,
    mib.CmtsCmStatus.RX_POWER,
    mib.CmtsCmStatus.VALUE,
    mib.CmtsCmStatus.UNERROREDS,
    mib.CmtsCmStatus.CORRECTEDS,
    mib.CmtsCmStatus.UNCORRECTABLES,
    mib.CmtsCmStatus.SIGNAL_NOISE,
    mib.CmtsCmStatus.EXT_UNERROREDS,
    mib.CmtsCmStatus.EXT_CORRECTEDS,
    mib.CmtsCmStatus.EXT_UNCORRECTABLES,
    mib.CmtsCmStatus.REG_MODE,
)


class Cmts:
    """One CMTS, through an open `Snmp`. `zone`: that of its clock, for times that it tells without one."""

    def __init__(self, snmp: Snmp, zone: dt.tzinfo = dt.UTC) -> None:
        self._snmp, self._zone = snmp, zone
        self._vendor: quirks.Vendor | None = None

    @property
    def failed(self) -> Mapping[str, str]:
        """Subtrees that could not be read so far, and why."""
        return self._snmp.failed

    # ---- what it is ---------------------------------------------------------------------------

    def facts(self) -> Facts:
        """Raises `DeviceError` when it answers nothing at all: that is no agent."""
        found = self._snmp.get(mib.SYS_DESCR, mib.SYS_OBJECT_ID, mib.SYS_UP_TIME)
        if not found:
            raise DeviceError("The agent tells nothing of itself.", device=self._snmp.device)
        told = values.text(found.get(mib.SYS_DESCR))
        vendor = self._vendor = quirks.recognise(values.text(found.get(mib.SYS_OBJECT_ID)), told)
        return Facts(
            vendor=vendor.name,
            model=quirks.model(vendor, told),
            software_version=quirks.version(vendor, told),
            sysdescr=told,
            uptime=values.timeticks(found.get(mib.SYS_UP_TIME)),
        )

    # ---- what it has --------------------------------------------------------------------------

    def topology(self) -> Topology:
        """MAC domains, channels and fiber nodes."""
        interfaces = _Interfaces(self._snmp, self._made_by.names)
        used = self._utilizations()
        downstreams = self._downstreams(interfaces, used)
        upstreams = self._upstreams(interfaces, used)
        down_sets = _sets(self._snmp.optional(mib.DS_CH_SET))
        up_sets = _sets(self._snmp.optional(mib.US_CH_SET))
        domains = self._mac_domains(interfaces, downstreams, upstreams)
        return Topology(
            mac_domains=domains,
            downstreams=tuple(downstreams.values()),
            upstreams=tuple(upstreams.values()),
            fiber_nodes=self._fiber_nodes(down_sets, up_sets),
            downstream_sets=down_sets,
            upstream_sets=up_sets,
            failed=dict(self.failed),
        )

    @property
    def _made_by(self) -> quirks.Vendor:
        if self._vendor is None:
            self.facts()
        assert self._vendor is not None
        return self._vendor

    def _downstreams(self, interfaces: _Interfaces, used: Mapping[int, int]) -> dict[int, Downstream]:
        rows = self._snmp.table(mib.DownChannel.ENTRY, range(1, 8), optional=True)
        found = {}
        for ifindex, row in _by_ifindex(rows):
            found[ifindex] = Downstream(
                ifindex=ifindex,
                id=values.number(row.get(mib.DownChannel.ID)),
                freq=_positive(row.get(mib.DownChannel.FREQUENCY)),
                width=_positive(row.get(mib.DownChannel.WIDTH)),
                modulation=named(DOWNSTREAM_MODULATION, values.number(row.get(mib.DownChannel.MODULATION))),
                power=tenths(row.get(mib.DownChannel.POWER)),
                annex=named(ANNEX, values.number(row.get(mib.DownChannel.ANNEX))),
                interleave=named(INTERLEAVE, values.number(row.get(mib.DownChannel.INTERLEAVE))),
                utilization=used.get(ifindex),
                **interfaces.described(ifindex),
            )
        return found

    def _upstreams(self, interfaces: _Interfaces, used: Mapping[int, int]) -> dict[int, Upstream]:
        columns = (*range(1, 11), mib.UpChannel.TYPE, mib.UpChannel.PRE_EQ_ENABLE)
        rows = self._snmp.table(mib.UpChannel.ENTRY, columns, optional=True)
        measured = (*range(2, 7), *range(8, 11))
        quality = dict(_by_ifindex(self._snmp.table(mib.SignalQuality.ENTRY, measured, optional=True)))
        profiles = self._modulations()
        found = {}
        for ifindex, row in _by_ifindex(rows):
            heard = quality.get(ifindex, {})
            profile = values.number(row.get(mib.UpChannel.MODULATION_PROFILE))
            found[ifindex] = Upstream(
                ifindex=ifindex,
                id=values.number(row.get(mib.UpChannel.ID)),
                freq=_positive(row.get(mib.UpChannel.FREQUENCY)),
                width=_positive(row.get(mib.UpChannel.WIDTH)),
                modulation_profile=profile,
                modulation=profiles.get(profile) if profile is not None else None,
                type=named(UPSTREAM_TYPE, values.number(row.get(mib.UpChannel.TYPE))),
                slot_size=values.number(row.get(mib.UpChannel.SLOT_SIZE)),
                tx_timing_offset=values.number(row.get(mib.UpChannel.TX_TIMING_OFFSET)),
                pre_eq_enable=_truth(row.get(mib.UpChannel.PRE_EQ_ENABLE)),
                ranging_backoff_start=values.number(row.get(mib.UpChannel.RANGING_BACKOFF_START)),
                ranging_backoff_end=values.number(row.get(mib.UpChannel.RANGING_BACKOFF_END)),
                tx_backoff_start=values.number(row.get(mib.UpChannel.TX_BACKOFF_START)),
                tx_backoff_end=values.number(row.get(mib.UpChannel.TX_BACKOFF_END)),
                snr=_measured(heard.get(mib.SignalQuality.SIGNAL_NOISE)),
                codewords=codewords(
                    heard,
                    (
                        mib.SignalQuality.EXT_UNERROREDS,
                        mib.SignalQuality.EXT_CORRECTEDS,
                        mib.SignalQuality.EXT_UNCORRECTABLES,
                    ),
                    (
                        mib.SignalQuality.UNERROREDS,
                        mib.SignalQuality.CORRECTEDS,
                        mib.SignalQuality.UNCORRECTABLES,
                    ),
                ),
                utilization=used.get(ifindex),
                **interfaces.described(ifindex),
            )
        return found

    def _utilizations(self) -> dict[int, int]:
        """Percent by ifIndex."""
        found = {}
        for index, value in self._snmp.optional(mib.UTILIZATION):
            used = values.number(value)
            if index and used is not None and 0 <= used <= 100:
                found[index[0]] = used
        return found

    def _modulations(self) -> dict[int, str]:
        """What each modulation profile sends data with."""
        bursts: dict[int, dict[int, int]] = {}
        for index, value in self._snmp.optional(f"{mib.Modulation.ENTRY}.{mib.Modulation.TYPE}"):
            kind = values.number(value)
            if len(index) == 2 and kind is not None:
                bursts.setdefault(index[0], {})[index[1]] = kind
        found = {}
        for profile, kinds in bursts.items():
            of_data = next((kinds[one] for one in DATA_BURSTS if one in kinds), next(iter(kinds.values())))
            found[profile] = named(UPSTREAM_MODULATION, of_data) or ""
        return found

    def _mac_domains(
        self,
        interfaces: _Interfaces,
        downstreams: Mapping[int, Downstream],
        upstreams: Mapping[int, Upstream],
    ) -> tuple[MacDomain, ...]:
        told = self._snmp.optional(mib.MD_IP_PROV_MODE)
        modes = {index[0]: values.number(value) for index, value in told if index}
        columns = (mib.MdChannel.IS_PRIMARY_CAPABLE, mib.MdChannel.CHANNEL_ID)
        configured = self._snmp.table(mib.MdChannel.ENTRY, columns, optional=True)
        members: dict[int, dict[int, Row]] = {}
        for index, row in configured.items():
            if len(index) == 2:
                members.setdefault(index[0], {})[index[1]] = row
        for ifindex in [*interfaces.of_type((mib.MAC_LAYER,)), *modes]:
            if not members.get(ifindex):
                members[ifindex] = {lower: {} for lower in interfaces.below(ifindex)}
        found = []
        for ifindex, rows in sorted(members.items()):
            channels = [
                _channel(interfaces, one, row, downstreams, upstreams) for one, row in sorted(rows.items())
            ]
            found.append(
                MacDomain(
                    ifindex=ifindex,
                    name=interfaces.short(ifindex),
                    channels=tuple(one for one in channels if one is not None),
                    ip_provisioning_mode=named(IP_PROVISIONING_MODE, modes.get(ifindex)),
                )
            )
        return tuple(found)

    def _fiber_nodes(
        self, down_sets: Mapping[ChannelSet, tuple[int, ...]], up_sets: Mapping[ChannelSet, tuple[int, ...]]
    ) -> tuple[FiberNode, ...]:
        of_down = _group_sets(self._snmp.optional(mib.MD_DS_SG_CH_SET))
        of_up = _group_sets(self._snmp.optional(mib.MD_US_SG_CH_SET))
        places: dict[str, list[Place]] = {}
        columns = (mib.MdNode.MD_DS_SG_ID, mib.MdNode.MD_US_SG_ID)
        rows = self._snmp.table(mib.MdNode.ENTRY, columns, optional=True)
        for index, row in rows.items():
            if len(index) < 3 or not (name := _text_of(index[1:-1])):
                continue
            place = Place(
                md_ifindex=index[0],
                md_cm_sg_id=index[-1],
                md_ds_sg_id=values.number(row.get(mib.MdNode.MD_DS_SG_ID)) or 0,
                md_us_sg_id=values.number(row.get(mib.MdNode.MD_US_SG_ID)) or 0,
            )
            places.setdefault(name, []).append(place)
        told = {_text_of(index): values.text(value) for index, value in self._snmp.optional(mib.NODE_DESCR)}
        found = []
        for name in dict.fromkeys((*places, *(one for one in told if one))):
            here = sorted(places.get(name, ()), key=lambda one: (one.md_ifindex, one.md_cm_sg_id))
            downs = _unique(of_down.get((one.md_ifindex, one.md_ds_sg_id)) for one in here)
            ups = _unique(of_up.get((one.md_ifindex, one.md_us_sg_id)) for one in here)
            found.append(
                FiberNode(
                    name=name,
                    description=told.get(name, ""),
                    places=tuple(here),
                    downstream_sets=downs,
                    downstream_channels=_channels_of(here, downs, down_sets),
                    upstream_sets=ups,
                    upstream_channels=_channels_of(here, ups, up_sets),
                )
            )
        return tuple(found)

    # ---- its modems ---------------------------------------------------------------------------

    def modems(self) -> list[Registration]:
        """All that it lists, each once; one whose state a walk left out is not, this time. Of a modem listed
        twice, as after it moved, the one that is most of all online. Of a CMTS that fails on the newer list
        the older one is read."""
        needed = (mib.CmtsCmReg.MAC, mib.CmtsCmReg.VALUE)
        failure: DeviceError | None = None
        rows: Rows = {}
        try:
            rows = self._snmp.table(mib.CmtsCmReg.ENTRY, REGISTERED, needed=needed)
        except DeviceError as failed:
            if mib.CmtsCmReg.ENTRY not in self.failed:  # it has the list, and broke off in it
                raise
            failure = failed
        if any(mib.CmtsCmReg.MAC in row for row in rows.values()):
            heard = self._heard(self._snmp.table(mib.CmtsCmUs.ENTRY, HEARD, optional=True))
            states = self._snmp.optional(mib.PARTIAL_SERVICE)
            impaired = {index[-1]: values.number(value) for index, value in states}
            listed = [
                _registration(index[0], row, heard.get(index[0], ()), impaired.get(index[0]), self._zone)
                for index, row in _stated(rows, mib.CmtsCmReg.VALUE)
            ]
        else:
            needed = (mib.CmtsCmStatus.MAC, mib.CmtsCmStatus.VALUE)
            former = self._snmp.table(mib.CmtsCmStatus.ENTRY, FORMER, needed=needed)
            if failure is not None and not former:
                raise failure
            listed = [
                _former_registration(index[0], row) for index, row in _stated(former, mib.CmtsCmStatus.VALUE)
            ]
        found: dict[str, Registration] = {}
        for one in listed:
            if one is not None and (one.mac not in found or _better(one, found[one.mac])):
                found[one.mac] = one
        return list(found.values())

    def modem(self, mac: str, hint: int | None = None) -> Registration | None:
        """One of its modems, None when it does not list it. `hint`: its number when it was last seen."""
        octets = ".".join(str(one) for one in bytes.fromhex(mac.replace(":", "")))
        pointer = values.number(
            self._snmp.get(f"{mib.CM_POINTER}.{octets}").get(f"{mib.CM_POINTER}.{octets}")
        )
        for number in dict.fromkeys(one for one in (hint, pointer) if one):
            if (found := self._numbered(number, mac)) is not None:
                return found
        lists = (
            f"{mib.CmtsCmReg.ENTRY}.{mib.CmtsCmReg.MAC}",
            f"{mib.CmtsCmStatus.ENTRY}.{mib.CmtsCmStatus.MAC}",
        )
        for macs in lists:
            for index, value in self._snmp.optional(macs):
                if values.mac(value) == mac and len(index) == 1:
                    return self._numbered(index[0], mac)
        if all(macs in self.failed for macs in lists):
            raise DeviceError("It does not tell its modems.", device=self._snmp.device)
        return None

    def _numbered(self, number: int, mac: str) -> Registration | None:
        """The modem with this number if it is the one that is meant."""
        row = self._row(mib.CmtsCmReg.ENTRY, (*REGISTERED, *REGISTERED_MORE), (number,))
        if values.mac(row.get(mib.CmtsCmReg.MAC)) == mac:
            columns = (*HEARD, *HEARD_MORE)
            rows = self._snmp.table(mib.CmtsCmUs.ENTRY, columns, (number,), optional=True)
            told = self._snmp.get(f"{mib.PARTIAL_SERVICE}.{number}")
            impaired = values.number(told.get(f"{mib.PARTIAL_SERVICE}.{number}"))
            return _registration(number, row, self._heard(rows).get(number, ()), impaired, self._zone)
        row = self._row(mib.CmtsCmStatus.ENTRY, FORMER, (number,))
        if values.mac(row.get(mib.CmtsCmStatus.MAC)) == mac:
            return _former_registration(number, row)
        return None

    def flows(self, mac: str) -> list[Flow]:
        """The active service flows of a modem, as far as the CMTS tells which are whose."""
        return flows.of_modem(self._snmp, mac)

    def _row(self, entry: str, columns: Sequence[int], index: Index) -> dict[int, Value]:
        place = ".".join(str(one) for one in index)
        oids = {f"{entry}.{column}.{place}": column for column in columns}
        return {oids[oid]: value for oid, value in self._snmp.get(*oids).items() if oid in oids}

    def _heard(self, rows: Rows) -> dict[int, tuple[ModemUpstream, ...]]:
        """Upstream channels by the number of the modem."""
        found: dict[int, list[ModemUpstream]] = {}
        for index, row in rows.items():
            if len(index) != 2:
                continue
            found.setdefault(index[0], []).append(
                ModemUpstream(
                    ifindex=index[1],
                    rx=tenths(row.get(mib.CmtsCmUs.RX_POWER)),
                    snr=_measured(row.get(mib.CmtsCmUs.SIGNAL_NOISE)),
                    codewords=codewords(
                        row,
                        (),
                        (mib.CmtsCmUs.UNERROREDS, mib.CmtsCmUs.CORRECTEDS, mib.CmtsCmUs.UNCORRECTABLES),
                    ),
                    muted=_truth(row.get(mib.CmtsCmUs.IS_MUTED)) or False,
                    ranging_status=values.number(row.get(mib.CmtsCmUs.RANGING_STATUS)),
                    microreflections=values.number(row.get(mib.CmtsCmUs.MICROREFLECTIONS)),
                    timing_offset=values.number(row.get(mib.CmtsCmUs.TIMING_OFFSET)),
                    type=named(UPSTREAM_TYPE, values.number(row.get(mib.CmtsCmUs.MODULATION_TYPE))),
                )
            )
        return {number: tuple(sorted(ups, key=lambda one: one.ifindex)) for number, ups in found.items()}

    # ---- what can be set ----------------------------------------------------------------------

    def set_frequency(self, ifindex: int, freq: int) -> None:
        """Move an upstream to another frequency, in Hz. Raises `DeviceError` also when it does not move."""
        oid = f"{mib.UpChannel.ENTRY}.{mib.UpChannel.FREQUENCY}.{ifindex}"
        self._snmp.set(oid, freq)
        now = values.number(self._snmp.get(oid).get(oid))
        if now != freq:
            raise DeviceError(f"The channel is at {now} Hz now.", device=self._snmp.device)


class _Interfaces:
    """Names, types and states of the interfaces, by ifIndex; `names`: which name to take first."""

    def __init__(self, snmp: Snmp, names: Sequence[str]) -> None:
        self._names = names
        more = snmp.table(mib.InterfaceMore.ENTRY, (mib.InterfaceMore.NAME,), optional=True)
        wanted = (mib.Interface.DESCR, mib.Interface.TYPE, mib.Interface.OPER_STATUS)
        plain = snmp.table(mib.Interface.ENTRY, wanted)
        self._name = {i: values.text(row.get(mib.InterfaceMore.NAME)) for i, row in _by_ifindex(more)}
        self._descr = {i: values.text(row.get(mib.Interface.DESCR)) for i, row in _by_ifindex(plain)}
        self._type = {i: values.number(row.get(mib.Interface.TYPE)) for i, row in _by_ifindex(plain)}
        self._state = {i: values.number(row.get(mib.Interface.OPER_STATUS)) for i, row in _by_ifindex(plain)}
        self._below: dict[int, list[int]] = {}
        for index, _ in snmp.optional(mib.IF_STACK_STATUS):
            if len(index) == 2 and all(index):
                self._below.setdefault(index[0], []).append(index[1])

    def name(self, ifindex: int) -> str:
        by = {quirks.IF_NAME: self._name, quirks.IF_DESCR: self._descr}
        return next((by[one][ifindex] for one in self._names if by[one].get(ifindex)), "")

    def short(self, ifindex: int) -> str:
        return naming.interface(self.name(ifindex)) or str(ifindex)

    def state(self, ifindex: int) -> str:
        return named(LINK, self._state.get(ifindex)) or "unknown"

    def described(self, ifindex: int) -> dict[str, str]:
        short = self.short(ifindex)
        return {"name": self.name(ifindex) or short, "interface": short, "state": self.state(ifindex)}

    def of_type(self, types: Sequence[int]) -> list[int]:
        return sorted(one for one, kind in self._type.items() if kind in types)

    def type(self, ifindex: int) -> int | None:
        return self._type.get(ifindex)

    def below(self, ifindex: int) -> list[int]:
        """The channels below a MAC layer; of a physical upstream the logical ones (RFC 4546, 3.2)."""
        found: dict[int, None] = {}
        waiting = list(self._below.get(ifindex, ()))
        while waiting:
            one = waiting.pop()
            if one not in found:
                found[one] = None
                waiting += self._below.get(one, ())
        channels = [one for one in sorted(found) if self._type.get(one) in (*mib.DOWNSTREAMS, *mib.UPSTREAMS)]
        return [one for one in channels if not set(self._below.get(one, ())) & set(channels)]


# ---- parts ----------------------------------------------------------------------------------------


def tenths(value: Value, *sentinels: int) -> float | None:
    """dB or dBmV, of tenths; None for what is beyond all that is sent or received on coax."""
    return values.within(values.scaled(value, 10, *sentinels), -100, 100)


def codewords(row: Row, wide: Sequence[int], narrow: Sequence[int]) -> Codewords | None:
    """The counters in these columns: of 64 bits where all three are there, else of 32."""
    for columns, bits in ((wide, 64), (narrow, 32)):
        counted = [values.number(row.get(column)) for column in columns]
        if counted and all(one is not None and one >= 0 for one in counted):
            unerrored, corrected, uncorrectable = (one or 0 for one in counted)
            return Codewords(unerrored, corrected, uncorrectable, bits)
    return None


def _channel(
    interfaces: _Interfaces,
    ifindex: int,
    row: Row,
    downstreams: Mapping[int, Downstream],
    upstreams: Mapping[int, Upstream],
) -> Channel | None:
    """Of which direction a channel is, its own table tells; else the type of its interface; else that only
    downstreams can be primary."""
    primary = _truth(row.get(mib.MdChannel.IS_PRIMARY_CAPABLE))
    number = values.number(row.get(mib.MdChannel.CHANNEL_ID))
    kind = interfaces.type(ifindex)
    if ifindex in downstreams:
        direction = DOWNSTREAM
    elif ifindex in upstreams:
        direction = UPSTREAM
    elif kind in mib.DOWNSTREAMS or primary:
        direction = DOWNSTREAM
    elif kind in mib.UPSTREAMS or number is not None:
        direction = UPSTREAM
    else:
        return None
    here: Downstream | Upstream | None
    if direction == DOWNSTREAM:
        here = downstreams.get(ifindex) or _only(downstreams.values(), number)
        primary = True if primary is None else primary
    else:
        here, primary = upstreams.get(ifindex), False
    if number is None and here is not None:
        number = here.id
    return Channel(
        ifindex=ifindex,
        id=number,
        primary=primary,
        direction=direction,
        name=interfaces.name(ifindex),
        freq=here.freq if here is not None else None,
    )


def _only(channels: Iterable[Downstream], number: int | None) -> Downstream | None:
    """The one channel with this id: a MAC domain may name another interface of it than the channel's own."""
    found = [one for one in channels if number is not None and one.id == number]
    return found[0] if len(found) == 1 else None


def _registration(
    number: int, row: Row, upstreams: tuple[ModemUpstream, ...], impaired: int | None, zone: dt.tzinfo
) -> Registration | None:
    column = mib.CmtsCmReg
    if (mac := values.mac(row.get(column.MAC))) is None or mac == "00:00:00:00:00:00":
        return None
    status, state = registration(values.number(row.get(column.VALUE)))
    return Registration(
        id=number,
        mac=mac,
        state=state,
        status=status,
        ip=_ipv4(row.get(column.IPV4)),
        ipv6=_ipv6(row.get(column.IPV6)),
        ipv6_link_local=_ipv6(row.get(column.IPV6_LINK_LOCAL)),
        md_ifindex=_positive(row.get(column.MD_IF_INDEX)),
        md_cm_sg_id=_positive(row.get(column.MD_CM_SG_ID)),
        rcs_id=_positive(row.get(column.RCS_ID)),
        tcs_id=_positive(row.get(column.TCS_ID)),
        rcp_id=_hex(row.get(column.RCP_ID)),
        rcc_status_id=values.number(row.get(column.RCC_STATUS_ID)),
        qos_version=named(QOS_VERSION, values.number(row.get(column.QOS_VERSION))),
        last_reg_time=values.date_and_time(row.get(column.LAST_REG_TIME), zone),
        upstreams=upstreams,
        impaired=(impaired in DOWN_IMPAIRED, impaired in UP_IMPAIRED) if impaired and impaired > 1 else None,
    )


def _former_registration(number: int, row: Row) -> Registration | None:
    column = mib.CmtsCmStatus
    if (mac := values.mac(row.get(column.MAC))) is None or mac == "00:00:00:00:00:00":
        return None
    status, state = registration(values.number(row.get(column.VALUE)), former=True)
    upstream = _positive(row.get(column.UP_IF_INDEX))
    snr = _measured(row.get(column.SIGNAL_NOISE))
    power = row.get(column.RX_POWER)  # 0 is unknown, says the MIB; it is also what a CMTS aims at
    heard = ModemUpstream(
        ifindex=upstream or 0,
        rx=_measured(power) if snr is None else tenths(power),
        snr=snr,
        codewords=codewords(
            row,
            (column.EXT_UNERROREDS, column.EXT_CORRECTEDS, column.EXT_UNCORRECTABLES),
            (column.UNERROREDS, column.CORRECTEDS, column.UNCORRECTABLES),
        ),
    )
    return Registration(
        id=number,
        mac=mac,
        state=state,
        status=status,
        ip=_ipv4(row.get(column.IP)),
        qos_version=named(QOS_VERSION, values.number(row.get(column.REG_MODE))),
        downstream=_positive(row.get(column.DOWN_IF_INDEX)),
        upstreams=(heard,) if upstream else (),
        former=True,
    )


def _stated(rows: Rows, column: int) -> list[tuple[Index, Row]]:
    """The modems with a state in this column; all where the device tells none of any."""
    modems: list[tuple[Index, Row]] = [(index, row) for index, row in rows.items() if len(index) == 1]
    return [one for one in modems if column in one[1]] or modems


_RANK = {"online": 3, "blocked": 2, "ranging": 1, "offline": 0}


def _better(one: Registration, other: Registration) -> bool:
    """Which of two entries of a modem is the living one: by state, then by when it registered."""
    mine, theirs = _RANK[one.state], _RANK[other.state]
    if mine != theirs:
        return mine > theirs
    if one.last_reg_time is not None and other.last_reg_time is not None:
        return one.last_reg_time > other.last_reg_time
    return False


def _by_ifindex(rows: Rows) -> list[tuple[int, Row]]:
    return sorted((index[0], row) for index, row in rows.items() if len(index) == 1)


def _sets(rows: Iterable[tuple[Index, Value]]) -> dict[ChannelSet, tuple[int, ...]]:
    """Channel ids by (MAC domain, set): an octet each, as the MIB says, or text such as `1,2,3`."""
    found = {}
    for index, value in rows:
        if len(index) == 2 and isinstance(value, bytes):
            text = value.decode("ascii", "replace")
            spelled = len(value) > 1 and all(one in "0123456789, " for one in text) and "," in text
            ids = [int(one) for one in text.split(",") if one.strip()] if spelled else list(value)
            found[index[0], index[1]] = tuple(one for one in ids if one)
    return found


def _group_sets(rows: Iterable[tuple[Index, Value]]) -> dict[tuple[int, int], int]:
    """The channel set of each service group, by (MAC domain, group)."""
    found = {}
    for index, value in rows:
        number = values.number(value)
        if len(index) == 2 and number:
            found[index[0], index[1]] = number
    return found


def _channels_of(
    places: Sequence[Place], sets: Sequence[int], known: Mapping[ChannelSet, tuple[int, ...]]
) -> tuple[int, ...]:
    """The channel ids in these sets, in order. A set below 256 is the channel with that id."""
    found: set[int] = set()
    for place in places:
        for one in sets:
            found |= set(known.get((place.md_ifindex, one), (one,) if one < 256 else ()))
    return tuple(sorted(found))


def _unique(numbers: Iterable[int | None]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(one for one in numbers if one))


def _text_of(index: Sequence[int]) -> str:
    """A name in an index, after its length (RFC 2578, 7.7) or as the whole of what is there."""
    letters = index[1:] if index and index[0] == len(index) - 1 else index
    return values.text(bytes(one for one in letters if one < 256))


def _positive(value: Value) -> int | None:
    """An Unsigned32 that is not 0."""
    number = values.number(value, values.INVALID)
    return number if number is not None and 0 < number < 1 << 32 else None


def _measured(value: Value) -> float | None:
    """Tenths of dB or dBmV that are 0 where nothing was measured."""
    return tenths(value, 0)


def _truth(value: Value) -> bool | None:
    return {1: True, 2: False}.get(values.number(value) or 0)


def _hex(value: Value) -> str | None:
    return value.hex() if isinstance(value, bytes) and value else None


def _ipv4(value: Value) -> str | None:
    """From four octets, an IpAddress, or text; None for 0.0.0.0."""
    try:
        found = IPv4Address(value if isinstance(value, bytes) and len(value) == 4 else values.text(value))
    except ValueError:
        return None
    return None if found == IPv4Address(0) else str(found)


def _ipv6(value: Value) -> str | None:
    try:
        found = IPv6Address(value if isinstance(value, bytes) and len(value) == 16 else values.text(value))
    except ValueError:
        return None
    return None if found == IPv6Address(0) else str(found)
