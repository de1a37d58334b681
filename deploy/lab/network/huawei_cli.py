"""The command line of a Huawei SmartAX: views, prompts, interactive completion, commands, refusals.

One `Session` a login. A command is a pattern of words (`COMMANDS`) and a method; a pattern's `{name}` takes
a word, `{name:n}` a number, `{name*}` all that is left. Wordings are those that MA5600 and MA5800 devices
print.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from deploy.lab.network import huawei_show as show
from deploy.lab.network.huawei_snmp import TAG_TRANSFORMS, HuaweiView
from deploy.lab.network.olt import (
    LINE_PROFILES,
    REREGISTERED,
    SERVICE_PROFILES,
    TRAFFIC_TABLES,
    Olt,
    Onu,
    Position,
    Refusal,
    ServicePort,
)
from deploy.lab.network.terminal import Terminal

USER, ENABLED, CONFIG, GPON = "user", "enabled", "config", "gpon"
ANY = frozenset((USER, ENABLED, CONFIG, GPON))
ABOVE = frozenset((ENABLED, CONFIG, GPON))
IN_GPON = frozenset((GPON,))

FAILURES = {
    "sn_exists": "SN already exists",
    "onu_exists": "The ONT ID has already existed",
    "onu_missing": "The ONT does not exist",
    "onu_offline": "The ONT is not online",
    "pon_missing": "The port does not exist",
    "pon_full": "The number of ONTs in the port has reached the upper limit",
    "profile_missing": "The profile does not exist",
    "traffic_table_missing": "The traffic table does not exist",
    "service_port_missing": "Service virtual port does not exist",
    "has_service_ports": "This configured object has some service virtual ports",
    "port_missing": "The ONT port does not exist",
}
LOGOUT = (
    "  Check whether system data has been changed. Please save data before logout.\n"
    "  Are you sure to log out? (y/n)[n]:"
)


@dataclass(frozen=True)
class Command:
    """`more`: what may still follow; the device asks for it while it completes interactively."""

    pattern: str
    method: str
    views: frozenset[str] = ABOVE
    more: str = ""


COMMANDS = (
    Command("enable", "enable", frozenset((USER,))),
    Command("disable", "disable", ABOVE),
    Command("config", "config", frozenset((ENABLED,))),
    Command("quit", "quit", ANY),
    Command("return", "back", ABOVE),
    Command("undo smart", "smart_off", ANY),
    Command("smart", "smart_on", ANY),
    Command("scroll", "scroll", ANY, "number<U><10,512>"),
    Command("scroll {_:n}", "scroll", ANY),
    Command("screen-length 0 temporary", "scroll", ANY),
    Command("infoswitch cli {state}", "silent", ABOVE),
    Command("idle-timeout {_:n}", "silent", ANY),
    Command("undo alarm output all", "silent", ABOVE),
    Command("undo event output all", "silent", ABOVE),
    Command("mmi-mode {state}", "mmi", frozenset((CONFIG,))),
    Command("interface gpon {fs}", "interface", frozenset((CONFIG, GPON))),
    Command("save", "save", ABOVE, "configuration<K>|data<K>"),
    Command("save {_}", "save", ABOVE),
    Command("reboot system", "reboot", ABOVE),
    # ---- writing
    Command("ont add {port:n} sn-auth {sn} omci {rest*}", "ont_add", IN_GPON, "desc<K>|ont-type<K>"),
    Command(
        "ont add {port:n} {onu_id:n} sn-auth {sn} omci {rest*}", "ont_add", IN_GPON, "desc<K>|ont-type<K>"
    ),
    Command("ont confirm {port:n} sn-auth {sn} omci {rest*}", "ont_add", IN_GPON, "desc<K>|ont-type<K>"),
    Command("ont delete {port:n} all", "ont_delete_all", IN_GPON),
    Command("ont delete {port:n} {onu_id:n}", "ont_delete", IN_GPON),
    Command("ont modify {port:n} {onu_id:n} {rest*}", "ont_modify", IN_GPON),
    Command("ont activate {port:n} {onu_id:n}", "ont_activate", IN_GPON),
    Command("ont deactivate {port:n} {onu_id:n}", "ont_deactivate", IN_GPON),
    Command("ont reset {port:n} {onu_id:n}", "ont_reset", IN_GPON),
    Command("ont re-register {port:n} {onu_id:n}", "ont_reregister", IN_GPON),
    Command("ont factory-setting-restore {port:n} {onu_id:n}", "ont_factory", IN_GPON),
    Command(
        "ont port native-vlan {port:n} {onu_id:n} eth {eth:n} vlan {vlan:n} {rest*}",
        "native_vlan",
        IN_GPON,
        "priority<K>",
    ),
    Command(
        "ont port attribute {port:n} {onu_id:n} catv {catv:n} operational-state {state}", "catv", IN_GPON
    ),
    Command(
        "service-port {index:n} vlan {vlan:n} gpon {fsp} ont {onu_id:n} gemport {gem:n} {rest*}", "flow_add"
    ),
    Command("service-port vlan {vlan:n} gpon {fsp} ont {onu_id:n} gemport {gem:n} {rest*}", "flow_add"),
    Command("undo service-port {index:n}", "flow_delete"),
    Command("undo service-port port {fsp} ont {onu_id:n}", "flow_delete_all", more="gemport<K>"),
    # ---- reading
    Command("display version", "show_version", ANY),
    Command("display board {frame:n}", "show_board", ANY),
    Command("display ont autofind all", "show_autofind", ABOVE),
    Command("display ont autofind {port:n}", "show_autofind", IN_GPON),
    Command("display ont info by-sn {sn}", "show_by_sn"),
    Command("display ont info by-desc {desc}", "show_by_desc"),
    Command("display ont info summary {fsp}", "show_summary"),
    Command("display ont info {f:n} {s:n} {p:n} all", "show_onus"),
    Command("display ont info {f:n} {s:n} {p:n} {onu_id:n}", "show_onu"),
    Command("display ont info {p:n} all", "show_onus", IN_GPON),
    Command("display ont info {p:n} {onu_id:n}", "show_onu", IN_GPON),
    Command("display ont optical-info {p:n} all", "show_optics_of_pon", IN_GPON),
    Command("display ont optical-info {p:n} {onu_id:n}", "show_optics", IN_GPON),
    Command("display ont wan-info {f:n} {s:n} {p:n} {onu_id:n}", "show_wan"),
    Command("display ont wan-info {p:n} {onu_id:n}", "show_wan", IN_GPON),
    Command("display ont register-info {p:n} {onu_id:n}", "show_registrations", IN_GPON),
    Command("display ont alarm-state {p:n} {onu_id:n}", "show_alarms", IN_GPON),
    Command("display service-port all", "show_flows", more="sort-by<K>||<K>"),
    Command("display service-port port {fsp}", "show_flows", more="ont<K>||<K>"),
    Command(
        "display service-port port {fsp} ont {onu_id:n}", "show_flows", more="gemport<K>|sort-by<K>||<K>"
    ),
    Command("display service-port next-free-index", "show_free_flow"),
    Command("display service-port {index:n}", "show_flow"),
    Command("display current-configuration ont {fsp} {onu_id:n}", "show_configuration", more="|<K>"),
    Command("display traffic table ip from-index {index:n}", "show_traffic_tables"),
    Command("display traffic table ip index {index:n}", "show_traffic_table"),
    Command("display ont-lineprofile gpon all", "show_line_profiles"),
    Command("display ont-lineprofile gpon profile-id {index:n}", "show_line_profile"),
    Command("display ont-srvprofile gpon all", "show_service_profiles"),
    Command("display ont-srvprofile gpon profile-id {index:n}", "show_service_profile"),
)

PATTERNS = tuple((command, command.pattern.split()) for command in COMMANDS)
LITERALS = {word for _, words in PATTERNS for word in words if not word.startswith("{")}


class Wrong(Exception):
    """A line that the device does not take: `Unknown command`, `Parameter error`, …; `at` is the bad word."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.what = what
        self.at = at


def expanded(words: list[str]) -> list[str]:
    """The first three words in full: `dis`, `int`."""
    out = list(words)
    for number, word in enumerate(words[:3]):
        if word not in LITERALS and len(word) > 2:
            found = [literal for literal in LITERALS if literal.startswith(word.lower())]
            out[number] = found[0] if len(found) == 1 else word
    return out


def _match(pattern: list[str], words: list[str]) -> tuple[int, dict[str, Any] | None]:
    """How many words fit, and what the line means when all do."""
    found: dict[str, Any] = {}
    for number, part in enumerate(pattern):
        if part.endswith("*}"):
            found[part[1:-2]] = words[number:]
            return len(words), found
        if number == len(words):
            return number, None
        word = words[number]
        if part.endswith(":n}"):
            if not word.isdigit():
                return number, None
            found[part[1:-3]] = int(word)
        elif part.startswith("{"):
            found[part[1:-1]] = word
        elif word.lower() != part:
            return number, None
    return len(pattern), found if len(words) == len(pattern) else None


def understood(view: str, words: list[str]) -> tuple[Command, dict[str, Any]]:
    """The command that the words are in this view. Raises Wrong."""
    furthest, complete = 0, False
    for command, pattern in PATTERNS:
        if view not in command.views:
            continue
        fitting, found = _match(pattern, words)
        if found is not None:
            return command, found
        if fitting >= furthest:
            complete = (fitting == len(words)) or (complete and fitting == furthest)
            furthest = fitting
    if furthest == 0:
        raise Wrong("Unknown command", 0)
    if complete:
        raise Wrong("Incomplete command", furthest)
    raise Wrong("Parameter error", furthest)


class Session:
    """`save()` and `reboot()` are of the device; `perform(line)` is `execute`, with what befalls it."""

    def __init__(
        self,
        terminal: Terminal,
        olt: Olt,
        view: HuaweiView,
        save: Callable[[], None],
        reboot: Callable[[], None],
        perform: Callable[[str], Awaitable[None]],
    ) -> None:
        self.terminal = terminal
        self.olt = olt
        self.shown = view
        self._save = save
        self._reboot = reboot
        self._perform = perform
        self.view = USER
        self.slot = 0
        self.smart = True
        self.mmi_mode = False
        self.ended = False

    @property
    def prompt(self) -> str:
        name = self.olt.name
        return {
            USER: f"{name}>",
            ENABLED: f"{name}#",
            CONFIG: f"{name}(config)#",
            GPON: f"{name}(config-if-gpon-0/{self.slot})#",
        }[self.view]

    async def run(self) -> None:
        self.terminal.write(
            "\n\n  Huawei Integrated Access Software (MA5800).\n"
            "  Copyright(C) Huawei Technologies Co., Ltd. 2002-2019. All rights reserved.\n\n"
        )
        while not self.ended:
            line = await self.terminal.line(f"\n{self.prompt}" if not self.mmi_mode else self.prompt)
            if line.strip() in ("", "?"):
                continue
            await self._perform(line)

    async def execute(self, line: str) -> None:
        line = line.split("|", 1)[0] if " | " in line else line
        try:
            words = expanded(shlex.split(line))
            command, found = understood(self.view, words)
            left = [one for one in command.more.split("|") if one.split("<")[0] not in words]
            if self.smart and not self.mmi_mode and command.more and left:
                more = (await self.terminal.line(f"{{ <cr>|{'|'.join(left)} }}:")).strip()
                self.terminal.write(f"\n  Command:\n          {line} {more}\n".replace(" \n", "\n"))
                if more and not more.startswith("|"):
                    command, found = understood(self.view, [*words, *shlex.split(more)])
            await getattr(self, f"do_{command.method}")(**{k: v for k, v in found.items() if k != "_"})
        except Wrong as error:
            self._point(line, error.what, error.at)
        except ValueError:  # an open quote
            self._point(line, "Parameter error", 0)
        except Refusal as error:
            self._refuse(error)

    def _point(self, line: str, what: str, at: int) -> None:
        starts = [found.start() for found in re.finditer(r"\S+", line)]
        column = starts[at] if at < len(starts) else len(line)
        self.terminal.write(f"{' ' * (len(self.prompt) + column)}^\n")
        self.terminal.write(f"  % {what}, the error locates at '^'\n")

    def _refuse(self, error: Refusal) -> None:
        if error.code == "service_port_exists":
            self.terminal.write("  Failure: The service virtual port has existed already\n")
            self.terminal.write(f"  Conflicted service virtual port index: {error.detail}\n")
        else:
            self.terminal.write(f"  Failure: {FAILURES[error.code]}\n")

    async def _sure(self, question: str) -> bool:
        return self.mmi_mode or await self.terminal.sure(question)

    async def _show(self, lines: Iterable[str]) -> None:
        await self.terminal.show(lines)

    def _position(self, port: int) -> Position:
        if not port < self.olt.ports:
            raise Refusal("pon_missing")
        return Position(0, self.slot, port)

    def _onu(self, port: int, onu_id: int) -> Onu:
        return self.olt.onu(self._position(port), onu_id)

    # ---- views ------------------------------------------------------------------------------

    async def do_enable(self) -> None:
        self.view = ENABLED

    async def do_disable(self) -> None:
        self.view = USER

    async def do_config(self) -> None:
        self.view = CONFIG

    async def do_back(self) -> None:
        self.view = ENABLED

    async def do_quit(self) -> None:
        if self.view in (CONFIG, GPON):
            self.view = CONFIG if self.view == GPON else ENABLED
            return
        answer = await self.terminal.line(LOGOUT)
        if answer.strip().lower() == "y":
            self.terminal.write("\n  Configuration console exit, please retry to log on\n")
            self.ended = True

    async def do_smart_off(self) -> None:
        self.smart = False

    async def do_smart_on(self) -> None:
        self.smart = True

    async def do_scroll(self) -> None:
        self.terminal.paging = False

    async def do_silent(self, state: str = "") -> None:
        """Settings of the console that change nothing here."""

    async def do_mmi(self, state: str) -> None:
        self.mmi_mode = state == "enable"
        self.terminal.paging = not self.mmi_mode

    async def do_interface(self, fs: str) -> None:
        found = re.fullmatch(r"0/(\d+)", fs)
        if found is None or int(found[1]) not in self.olt.slots:
            raise Wrong("Parameter error", 2)
        self.view, self.slot = GPON, int(found[1])

    async def do_save(self) -> None:
        self._save()
        self.terminal.write(
            "  It will take several minutes to save configuration file, please wait...\n"
            "  Configuration file had been saved successfully\n"
            "  Note: The configuration file will take effect after being activated\n"
        )

    async def do_reboot(self) -> None:
        self.terminal.write("  Please check whether data has saved, the unsaved data will lose if reboot\n")
        if await self._sure("system, are you sure to reboot system?"):
            self.ended = True
            self._reboot()

    # ---- ONUs -------------------------------------------------------------------------------

    async def do_ont_add(self, port: int, sn: str, rest: list[str], onu_id: int | None = None) -> None:
        options = _options(rest, ("ont-lineprofile", "ont-srvprofile"), ("desc", "ont-type"))
        line = _profile(options, "ont-lineprofile", LINE_PROFILES)
        service = _profile(options, "ont-srvprofile", SERVICE_PROFILES)
        onu = self.olt.add(self._position(port), _sn(sn), line, service, options.get("desc", ""), onu_id)
        self.terminal.write(
            f"  Number of ONTs that can be added: 1, success: 1\n  PortID :{port}, ONTID :{onu.onu_id}\n"
        )

    async def do_ont_delete(self, port: int, onu_id: int) -> None:
        self.olt.delete(self._position(port), onu_id)
        self.terminal.write("  Number of ONTs that can be deleted: 1, success: 1\n")

    async def do_ont_delete_all(self, port: int) -> None:
        found = self.olt.of_pon(self._position(port))
        if not found:
            raise Refusal("onu_missing")
        if not await self._sure("This command will delete all the ONTs of the port. Are you sure?"):
            return
        done = 0
        for onu in found:
            if not self.olt.ports_of(onu.position, onu.onu_id):
                self.olt.delete(onu.position, onu.onu_id)
                done += 1
        self.terminal.write(f"  Number of ONTs that can be deleted: {len(found)}, success: {done}\n")

    async def do_ont_modify(self, port: int, onu_id: int, rest: list[str]) -> None:
        onu = self._onu(port, onu_id)
        options = _options(rest, ("ont-lineprofile", "ont-srvprofile"), ("desc",))
        self.olt.modify(
            onu,
            desc=options.get("desc"),
            line=_profile(options, "ont-lineprofile", LINE_PROFILES, None),
            service=_profile(options, "ont-srvprofile", SERVICE_PROFILES, None),
        )

    async def do_ont_activate(self, port: int, onu_id: int) -> None:
        self.olt.activate(self._onu(port, onu_id), True)

    async def do_ont_deactivate(self, port: int, onu_id: int) -> None:
        self.olt.activate(self._onu(port, onu_id), False)

    async def do_ont_reset(self, port: int, onu_id: int) -> None:
        onu = self._onu(port, onu_id)
        if await self._sure("Are you sure to reset the ONT(s)?"):
            self.olt.restart(onu)

    async def do_ont_reregister(self, port: int, onu_id: int) -> None:
        self.olt.restart(self._onu(port, onu_id), REREGISTERED)

    async def do_ont_factory(self, port: int, onu_id: int) -> None:
        onu = self._onu(port, onu_id)
        if not onu.online:
            raise Refusal("onu_offline")
        if await self._sure("Are you sure to restore the ONT(s) to factory settings?"):
            self.olt.restart(onu)

    async def do_native_vlan(self, port: int, onu_id: int, eth: int, vlan: int, rest: list[str]) -> None:
        options = _options(rest, (), ("priority",))
        self.olt.set_native_vlan(self._onu(port, onu_id), eth, vlan, int(options.get("priority", 0)))

    async def do_catv(self, port: int, onu_id: int, catv: int, state: str) -> None:
        if state not in ("on", "off"):
            raise Wrong("Parameter error", 8)
        self.olt.set_catv(self._onu(port, onu_id), catv, state == "on")

    # ---- service ports ----------------------------------------------------------------------

    async def do_flow_add(
        self, vlan: int, fsp: str, onu_id: int, gem: int, rest: list[str], index: int | None = None
    ) -> None:
        words = [word for word in rest if word != "multi-service"]
        inbound, outbound = (_table(words, side) for side in ("inbound", "outbound"))
        options = _options(words, (), ("user-vlan", "tag-transform", "inner-vlan", "inner-priority"))
        user = options.get("user-vlan")
        transform = options.get("tag-transform", "translate")
        if transform not in TAG_TRANSFORMS:
            raise Wrong("Parameter error", 10)
        self.olt.add_service_port(
            ServicePort(
                self.olt.free_service_port() if index is None else index,
                _fsp(fsp),
                onu_id,
                gem,
                vlan,
                None if user in (None, "untagged") else int(user),
                inbound,
                outbound,
                transform,
            )
        )

    async def do_flow_delete(self, index: int) -> None:
        self.olt.delete_service_port(index)

    async def do_flow_delete_all(self, fsp: str, onu_id: int) -> None:
        found = self.olt.ports_of(_fsp(fsp), onu_id)
        if not found:
            self.terminal.write("  Failure: No service virtual port can be operated\n")
            return
        self.terminal.write(
            "  It will take several minutes, and console may be timeout, please use command\n"
            "  idle-timeout to set time limit\n"
        )
        if not await self._sure("Are you sure to release service virtual port(s)?"):
            return
        for port in found:
            self.olt.delete_service_port(port.id)
        self.terminal.write(
            f"  The number of total service virtual port which need be deleted:   {len(found)}\n"
            f"  The number of total service virtual port which have been deleted: {len(found)}\n"
        )

    # ---- display ----------------------------------------------------------------------------

    async def do_show_version(self) -> None:
        await self._show(show.version(self.olt))

    async def do_show_board(self, frame: int) -> None:
        if frame:
            raise Wrong("Parameter error", 2)
        await self._show(show.board(self.shown))

    async def do_show_autofind(self, port: int | None = None) -> None:
        found = [
            one for one in self.olt.unconfigured() if port is None or one[0] == Position(0, self.slot, port)
        ]
        if not found:
            self.terminal.write("  Failure: The automatically found ONTs do not exist\n")
            return
        await self._show(show.autofind(found))

    async def do_show_by_sn(self, sn: str) -> None:
        onu = self.olt.by_sn(_sn(sn))
        if onu is None:
            self.terminal.write("  The required ONT does not exist\n")
            return
        await self._show(show.onu_detail(self.olt, onu))

    async def do_show_by_desc(self, desc: str) -> None:
        found = [onu for onu in self.olt.onus.values() if onu.desc == desc]
        if not found:
            self.terminal.write("  The required ONT does not exist\n")
            return
        await self._show(show.onus(self.olt, found))

    async def do_show_summary(self, fsp: str) -> None:
        position = _fsp(fsp)
        if not self.olt.of_pon(position):
            self.terminal.write("  Failure: There is no ONT available\n")
            return
        await self._show(show.summary(self.olt, position))

    def _there(self, f: int | None, s: int | None, p: int) -> Position:
        return self._position(p) if f is None or s is None else Position(f, s, p)

    async def do_show_onus(self, p: int, f: int | None = None, s: int | None = None) -> None:
        position = self._there(f, s, p)
        found = self.olt.of_pon(position)
        if not found:
            self.terminal.write("  Failure: There is no ONT available\n")
            return
        await self._show(show.onus(self.olt, found, str(position)))

    async def do_show_onu(self, p: int, onu_id: int, f: int | None = None, s: int | None = None) -> None:
        await self._show(show.onu_detail(self.olt, self.olt.onu(self._there(f, s, p), onu_id)))

    async def do_show_optics(self, p: int, onu_id: int) -> None:
        onu = self._onu(p, onu_id)
        unit = self.olt.unit(onu)
        if unit is None or not onu.online:
            raise Refusal("onu_offline")
        await self._show(show.optics(unit))

    async def do_show_optics_of_pon(self, p: int) -> None:
        await self._show(show.optics_of_pon(self.olt, self._position(p)))

    async def do_show_wan(self, p: int, onu_id: int, f: int | None = None, s: int | None = None) -> None:
        onu = self.olt.onu(self._there(f, s, p), onu_id)
        if not onu.online:
            raise Refusal("onu_offline")
        await self._show(show.wan(self.olt, onu))

    async def do_show_registrations(self, p: int, onu_id: int) -> None:
        onu = self._onu(p, onu_id)
        unit = self.olt.unit(onu)
        await self._show(show.registrations(onu, unit.plan.model if unit else "-"))

    async def do_show_alarms(self, p: int, onu_id: int) -> None:
        await self._show(show.alarms(self.olt, self._onu(p, onu_id)))

    async def do_show_flows(self, fsp: str | None = None, onu_id: int | None = None) -> None:
        found = list(self.olt.service_ports.values()) if fsp is None else self.olt.ports_of(_fsp(fsp), onu_id)
        if not found:
            self.terminal.write("  Failure: No service virtual port can be operated\n")
            return
        await self._show(show.service_ports(self.olt, found))

    async def do_show_flow(self, index: int) -> None:
        port = self.olt.service_ports.get(index)
        if port is None:
            raise Refusal("service_port_missing")
        await self._show(show.service_port(self.olt, port))

    async def do_show_free_flow(self) -> None:
        number = self.olt.free_service_port()
        self.terminal.write(f"  Next valid free service virtual port ID: {number}\n")

    async def do_show_configuration(self, fsp: str, onu_id: int) -> None:
        await self._show(show.configuration(self.olt, self.olt.onu(_fsp(fsp), onu_id)))

    async def do_show_traffic_tables(self, index: int) -> None:
        await self._show(show.traffic_tables(index))

    async def do_show_traffic_table(self, index: int) -> None:
        if index not in TRAFFIC_TABLES:
            raise Refusal("traffic_table_missing")
        await self._show(show.traffic_table(index))

    async def do_show_line_profiles(self) -> None:
        await self._show(show.profiles(LINE_PROFILES, (onu.line_profile for onu in self.olt.onus.values())))

    async def do_show_service_profiles(self) -> None:
        used = (onu.service_profile for onu in self.olt.onus.values())
        await self._show(show.profiles(SERVICE_PROFILES, used))

    async def do_show_line_profile(self, index: int) -> None:
        if index not in LINE_PROFILES:
            raise Refusal("profile_missing")
        used = (onu.line_profile for onu in self.olt.onus.values())
        await self._show(show.profile(LINE_PROFILES, index, used))

    async def do_show_service_profile(self, index: int) -> None:
        if index not in SERVICE_PROFILES:
            raise Refusal("profile_missing")
        used = (onu.service_profile for onu in self.olt.onus.values())
        await self._show(show.profile(SERVICE_PROFILES, index, used))


# ---- words ----------------------------------------------------------------------------------------


def _sn(text: str) -> str:
    """16 hex digits, or four letters and eight hex digits."""
    text = text.replace("-", "")
    if re.fullmatch(r"[0-9A-Fa-f]{16}", text):
        return text.lower()
    if re.fullmatch(r"[A-Za-z0-9]{4}[0-9A-Fa-f]{8}", text):
        return text[:4].upper().encode().hex() + text[4:].lower()
    raise Wrong("Parameter error", 4)


def _fsp(text: str) -> Position:
    if not re.fullmatch(r"\d+/\d+/\d+", text):
        raise Wrong("Parameter error", 3)
    return Position.parse(text)


def _options(words: list[str], profiles: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    """`name value` pairs; a profile is named as `…-id` or `…-name`. Raises Wrong."""
    known = {*names, *(f"{profile}-{kind}" for profile in profiles for kind in ("id", "name"))}
    if len(words) % 2:
        raise Wrong("Incomplete command", 99)
    found = dict(zip(words[::2], words[1::2], strict=True))
    if not known.issuperset(found):
        raise Wrong("Parameter error", 99)
    return found


def _profile(options: dict[str, str], kind: str, names: dict[int, str], default: int | None = 0) -> Any:
    """The id that the options name; one that does not exist is −1, which the model refuses."""
    if f"{kind}-id" in options:
        text = options[f"{kind}-id"]
        if not text.isdigit():
            raise Wrong("Parameter error", 99)
        return int(text)
    if f"{kind}-name" in options:
        wanted = options[f"{kind}-name"]
        return next((index for index, name in names.items() if name == wanted), -1)
    return default


def _table(words: list[str], side: str) -> int | None:
    """Takes `inbound traffic-table index N` or `… name X` out of the words."""
    if side not in words:
        return None
    at = words.index(side)
    part = words[at : at + 4]
    del words[at : at + 4]
    if len(part) < 4 or part[1] != "traffic-table" or part[2] not in ("index", "name"):
        raise Wrong("Parameter error", 99)
    if part[2] == "index":
        if not part[3].isdigit():
            raise Wrong("Parameter error", 99)
        return int(part[3])
    return next((table.index for table in TRAFFIC_TABLES.values() if table.name == part[3]), -1)
