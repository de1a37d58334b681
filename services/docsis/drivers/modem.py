"""Reads and restarts a cable modem over SNMP. Blocking; called inside `native`. Raises `DeviceError`
alone."""

from __future__ import annotations

from services.common.devices import values
from services.common.devices.errors import DeviceError
from services.common.devices.snmp import Index, Snmp
from services.common.devices.values import Value
from services.docsis.domain.enumerations import DOWNSTREAM_MODULATION, named
from services.docsis.drivers import flows, mib
from services.docsis.drivers.cmts import codewords, tenths
from services.docsis.drivers.readings import DOWNSTREAM, UPSTREAM, Codewords, Flow, Modem, ModemChannel

_QUALITY = (
    *(mib.SignalQuality.UNERROREDS, mib.SignalQuality.CORRECTEDS, mib.SignalQuality.UNCORRECTABLES),
    *(mib.SignalQuality.SIGNAL_NOISE, mib.SignalQuality.MICROREFLECTIONS),
    *(
        mib.SignalQuality.EXT_UNERROREDS,
        mib.SignalQuality.EXT_CORRECTEDS,
        mib.SignalQuality.EXT_UNCORRECTABLES,
    ),
)
_SENDING = (
    *(mib.CmUs.TX_POWER, mib.CmUs.T3_TIMEOUTS, mib.CmUs.T4_TIMEOUTS, mib.CmUs.RANGING_ABORTEDS),
    *(mib.CmUs.IS_MUTED, mib.CmUs.RANGING_STATUS),
)
_STATUS = (
    *(mib.CmStatus.TX_POWER, mib.CmStatus.T3_TIMEOUTS, mib.CmStatus.T4_TIMEOUTS),
    mib.CmStatus.RANGING_ABORTEDS,
)

DOWN, UP = -1, -2
"""In place of ids of flows: all that is received, all that is sent."""

Rows = dict[int, dict[int, Value]]


class CableModem:
    """One modem, through an open `Snmp`."""

    def __init__(self, snmp: Snmp) -> None:
        self._snmp = snmp

    def uptime(self) -> float:
        """Seconds, to the hundredth. Raises `DeviceError`, also when it does not tell."""
        found = values.number(self._snmp.get(mib.SYS_UP_TIME).get(mib.SYS_UP_TIME))
        if found is None:
            raise DeviceError("The modem does not tell since when it is up.", device=self._snmp.device)
        return found / 100

    def read(self) -> Modem:
        scalars = (mib.SYS_DESCR, mib.SYS_UP_TIME, mib.CONFIG_FILE, mib.SOFTWARE_VERSION, mib.SERIAL_NUMBER)
        told = self._snmp.get(*scalars)
        if not told:
            raise DeviceError("The modem tells nothing of itself.", device=self._snmp.device)
        return Modem(
            sysdescr=values.text(told.get(mib.SYS_DESCR)),
            uptime=values.timeticks(told.get(mib.SYS_UP_TIME)),
            file=values.text(told.get(mib.CONFIG_FILE)),
            software_version=values.words(told.get(mib.SOFTWARE_VERSION)),
            serial_number=values.words(told.get(mib.SERIAL_NUMBER)),
            downstreams=self._downstreams(),
            upstreams=self._upstreams(),
            flows=tuple(flows.own(self._snmp)),
            traffic=self._traffic(),
        )

    def reset(self) -> None:
        """It restarts, and does not say so: no answer within the time is what a restart looks like, too."""
        self._snmp.set(mib.RESET_NOW, mib.TRUE)

    def _traffic(self) -> tuple[Flow, ...]:
        """Of its MAC layer: what comes in there is downstream."""
        kinds = self._snmp.optional(f"{mib.Interface.ENTRY}.{mib.Interface.TYPE}")
        ifindex = next(
            (i[0] for i, kind in kinds if values.number(kind) == mib.MAC_LAYER and len(i) == 1), None
        )
        if ifindex is None:
            return ()
        more, plain = mib.InterfaceMore, mib.Interface
        wide = tuple(f"{more.ENTRY}.{column}.{ifindex}" for column in (more.HC_IN_OCTETS, more.HC_OUT_OCTETS))
        narrow = tuple(f"{plain.ENTRY}.{column}.{ifindex}" for column in (plain.IN_OCTETS, plain.OUT_OCTETS))
        told = self._snmp.get(*wide, *narrow)
        for oids, bits in ((wide, 64), (narrow, 32)):
            down, up = (values.number(told.get(oid)) for oid in oids)
            if down is not None and up is not None:
                return Flow(DOWN, DOWNSTREAM, 0, down, bits), Flow(UP, UPSTREAM, 0, up, bits)
        return ()

    def _downstreams(self) -> tuple[ModemChannel, ...]:
        rows = _by_ifindex(self._snmp.table(mib.DownChannel.ENTRY, range(1, 7), optional=True))
        quality = _by_ifindex(self._snmp.table(mib.SignalQuality.ENTRY, _QUALITY, optional=True))
        better = {index[0]: value for index, value in self._snmp.optional(mib.RX_MER) if len(index) == 1}
        found = []
        for ifindex, row in sorted(rows.items()):
            heard = quality.get(ifindex, {})
            snr = tenths(better.get(ifindex), 0)
            if snr is None:
                snr = tenths(heard.get(mib.SignalQuality.SIGNAL_NOISE), 0)
            found.append(
                ModemChannel(
                    ifindex=ifindex,
                    id=values.number(row.get(mib.DownChannel.ID)),
                    freq=values.number(row.get(mib.DownChannel.FREQUENCY), 0),
                    width=values.number(row.get(mib.DownChannel.WIDTH), 0),
                    modulation=named(
                        DOWNSTREAM_MODULATION, values.number(row.get(mib.DownChannel.MODULATION))
                    ),
                    level=tenths(row.get(mib.DownChannel.POWER)),
                    snr=snr,
                    codewords=_counted(heard),
                    microreflections=values.number(heard.get(mib.SignalQuality.MICROREFLECTIONS)),
                )
            )
        return tuple(one for one in found if one.freq is not None)  # a tuner that is not in use has none

    def _upstreams(self) -> tuple[ModemChannel, ...]:
        rows = _by_ifindex(self._snmp.table(mib.UpChannel.ENTRY, range(1, 4), optional=True))
        sending = _by_ifindex(self._snmp.table(mib.CmUs.ENTRY, _SENDING, optional=True))
        status = self._snmp.table(mib.CmStatus.ENTRY, _STATUS, optional=True)
        former = next(iter(status.values()), {})
        only = len(rows) == 1
        found = []
        for ifindex, row in sorted(rows.items()):
            sent = sending.get(ifindex, {})
            level = tenths(sent.get(mib.CmUs.TX_POWER))
            if level is None and only:  # one transmitter: the power that the modem tells of itself
                level = tenths(former.get(mib.CmStatus.TX_POWER))
            found.append(
                ModemChannel(
                    ifindex=ifindex,
                    id=values.number(row.get(mib.UpChannel.ID)),
                    freq=values.number(row.get(mib.UpChannel.FREQUENCY), 0),
                    width=values.number(row.get(mib.UpChannel.WIDTH), 0),
                    level=level,
                    muted=values.number(sent.get(mib.CmUs.IS_MUTED)) == mib.TRUE,
                    ranging_status=values.number(sent.get(mib.CmUs.RANGING_STATUS)),
                    t3_timeouts=_count(sent.get(mib.CmUs.T3_TIMEOUTS), former.get(mib.CmStatus.T3_TIMEOUTS)),
                    t4_timeouts=_count(sent.get(mib.CmUs.T4_TIMEOUTS), former.get(mib.CmStatus.T4_TIMEOUTS)),
                    ranging_aborteds=_count(
                        sent.get(mib.CmUs.RANGING_ABORTEDS), former.get(mib.CmStatus.RANGING_ABORTEDS)
                    ),
                )
            )
        return tuple(one for one in found if one.freq is not None)


def _counted(row: dict[int, Value]) -> Codewords | None:
    column = mib.SignalQuality
    wide = (column.EXT_UNERROREDS, column.EXT_CORRECTEDS, column.EXT_UNCORRECTABLES)
    return codewords(row, wide, (column.UNERROREDS, column.CORRECTEDS, column.UNCORRECTABLES))


def _count(here: Value, otherwise: Value) -> int | None:
    found = values.number(here)
    return values.number(otherwise) if found is None else found


def _by_ifindex(rows: dict[Index, dict[int, Value]]) -> Rows:
    return {index[0]: row for index, row in rows.items() if len(index) == 1}
