"""`krill gpon …` and `krill docsis …` against answers of the API: what they ask, and what they print."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from typer.testing import CliRunner

from deploy.cli import app

WHO = {"olt": "oltNorte", "sn": "48575443aabbcc01", "desc": "pim0350", "type": "HG8245H", "status": "online"}
ONLINE = {**WHO, "fsp": "0/5/2", "onu_id": 1, "ips": ["192.0.2.14"]}
OFFLINE = {**ONLINE, "onu_id": 12, "desc": None, "type": None, "status": "offline", "ips": []}


class Api:
    """Answers by verb and path; keeps what was asked."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], list[tuple[int, Any]]] = {}
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        self.users: set[str] = set()
        api = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                url = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                api.asked.append((self.command, url.path, dict(parse_qsl(url.query)), body))
                api.users.add(base64.b64decode(self.headers["Authorization"].split()[1]).decode())
                known = api.answers.get((self.command, url.path), [(404, {"detail": "Not found."})])
                status, found = known.pop(0) if len(known) > 1 else known[0]
                raw = found if isinstance(found, bytes) else json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = _answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()

    def on(self, verb: str, path: str, *answers: Any, status: int = 200) -> None:
        self.answers[verb, f"/api/v2/{path}"] = [(status, one) for one in answers]

    def krill(self, *words: str, code: int = 0) -> list[str]:
        """The lines that a command prints."""
        where = ("--url", self.url, "--user", "eva")
        done = CliRunner().invoke(app, [words[0], *where, *words[1:]], env={"KRILL_PASSWORD": "s3cret"})
        assert done.exit_code == code, done.output
        return done.output.splitlines()


@pytest.fixture
def api() -> Iterator[Api]:
    found = Api()
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_the_ports_of_an_olt_and_one_of_them(api: Api) -> None:
    api.on("GET", "gpon/olts/oltNorte/onus/report/", [ONLINE, OFFLINE])
    assert api.krill("gpon", "olt", "oltNorte", "onus", "report") == [
        "olt       f/s/p:onu   desc     model    sn                status   ips",
        "oltNorte  0/ 5/ 2:01  pim0350  HG8245H  48575443aabbcc01  online   192.0.2.14",
        "oltNorte  0/ 5/ 2:12  -        -        48575443aabbcc01  offline  -",
    ]
    pon = "gpon/olts/oltNorte/frames/0/slots/5/ports/2/onus"
    api.on("GET", f"{pon}/status/", [{**ONLINE, "registration_state": ["losi", "alarm"], "dnrx": -21.456}])
    (line,) = api.krill("gpon", "olt", "oltNorte", "onus", "status", "0", "5", "2")[1:]
    assert line.split()[7:11] == ["online", "losi/alarm", "-21.46", "-"]
    assert api.users == {"eva:s3cret"}


def test_levels_stand_on_the_right_and_traffic_has_units(api: Api) -> None:
    levels = {"dntx": 5.12, "dnrx": -8.8, "dnatt": 13.9, "uptx": 2.4, "uprx": -11.0, "upatt": 13.4}
    api.on("GET", "gpon/olts/a%20b/onus/txrx/", [{**ONLINE, **levels, "tvrx": None, "pondesv": 0.0}, OFFLINE])
    titles, first, second = api.krill("gpon", "olt", "a b", "onus", "txrx")
    assert titles.index("dnrx") + 4 == first.index("-8.80") + 5
    assert second.split()[8:] == ["-"] * 9
    api.on("GET", "gpon/olts/x/onus/bandwidth/", [{**ONLINE, "dnbw": 49_100_000.0, "upbw": 950}])
    assert api.krill("gpon", "olt", "x", "onus", "bandwidth")[1].split()[8:10] == ["49.1M", "950.0"]


def test_lines_can_be_chosen(api: Api) -> None:
    api.on("GET", "gpon/olts/oltNorte/onus/report/", [ONLINE, OFFLINE])
    lines = api.krill("gpon", "olt", "oltNorte", "onus", "report", "--include", "OFFLINE")
    assert [line.split()[0] for line in lines] == ["olt", "oltNorte"]


def test_lists_in_pages_are_read_to_their_end(api: Api) -> None:
    row = {"name": "oltNorte", "onus": {"online": 3, "losi": 1, "offline": 0}, "uptime": 7}
    following = f"{api.url}/api/v2/gpon/olts/more/"
    api.on("GET", "gpon/olts/", {"count": 2, "next": following, "results": [row]})
    api.on("GET", "gpon/olts/more/", {"count": 2, "next": None, "results": [{**row, "name": "oltSur"}]})
    lines = api.krill("gpon", "olts")
    assert [line.split()[0] for line in lines] == ["name", "oltNorte", "oltSur"]
    assert "online=3 losi=1" in lines[1]
    assert api.asked[0][2] == {"limit": "1000"}


def test_what_waits_is_shown_and_enabled(api: Api) -> None:
    waiting = {"id": 17, "olt": "oltNorte", "fsp": "0/5/2", "sn": "48575443aabbcc02", "onu_type": "EG8145V5"}
    found = {**waiting, "time": "2026-03-01T12:00:00+01:00", "cpe": {"id": 350, "name": "pim0350"}}
    api.on("GET", "gpon/unconfigured/", {"count": 1, "next": None, "results": [found]})
    assert api.krill("gpon", "unconfigured")[1].split()[:5] == [
        *("17", "oltNorte", "0/5/2", "48575443aabbcc02", "EG8145V5")
    ]
    api.on("POST", "gpon/unconfigured/17/enable/", {"task_id": 5, "status": "queued"}, status=202)
    ended = {"status": "done", "message": None, "result": {"onu_id": 3}}
    api.on("GET", "gpon/tasks/5/", {"status": "running"}, ended)
    lines = api.krill("gpon", "unconfigured", "enable", "17", "--force")
    assert lines == ["task 5: queued", "task 5: done onu_id=3"]
    assert [one[3] for one in api.asked if one[0] == "POST"] == [{"force": True}]


ONU = {
    "sn": "48575443aabbcc01",
    "sn_ascii": "HWTCAABBCC01",
    "olt": "oltNorte",
    "fsp": "0/5/2",
    "onu_id": 0,
    "status": "up",
    "reg_status": ["online"],
    "uptime": 90,
    "dnbw": 0,
    "upbw": 0,
    "ips": ["192.0.2.14"],
    "service_ports": [{"id": 58, "user_vlan": 20, "service_vlan": 933, "native_vlan": None}],
    "registrations": [{"from": "2026-03-01T10:00:00Z", "to": None, "cause": "noerror"}],
    "alarms": [],
}


def test_an_onu_is_told_of_by_serial_id_and_name(api: Api) -> None:
    api.on("GET", "gpon/onus/HWTCAABBCC01/", ONU)
    lines = api.krill("gpon", "onu", "by-sn", "HWTCAABBCC01")
    assert lines[0].split() == ["sn", ":", "48575443aabbcc01", "(HWTCAABBCC01)"]
    assert "f/s/p-onu       : 0/5/2-0" in lines
    assert "bw              : 0.0 / 0.0 bps" in lines
    at = lines.index("service ports")
    assert lines[at + 1].split() == ["service-port", "u-vlan", "s-vlan", "native", "outbound", "inbound"]
    assert lines[at + 2].split()[:4] == ["58", "20", "933", "-"]
    assert "last registrations" in lines
    assert "alarms" not in lines
    api.on("GET", "gpon/onus/48575443aabbcc01/", ONU)
    api.on("GET", "gpon/onus/", {"count": 1, "next": None, "results": [WHO]})
    for by, value, member in (("id", "350", "cpe"), ("cpe", "pim0350", "cpename")):
        assert api.krill("gpon", "onu", by, value)[0] == lines[0]
        assert api.asked[-2][2] == {member: value, "limit": "1000"}
    api.on("GET", "gpon/onus/", {"count": 0, "next": None, "results": []})
    assert api.krill("gpon", "onu", "id", "351", code=1) == ["There is no ONU of CPE 351."]


def test_an_onu_is_told_to_do_something(api: Api) -> None:
    api.on("POST", "gpon/onus/48575443aabbcc01/factory/", {"task_id": 6, "status": "queued"}, status=202)
    api.on("GET", "gpon/tasks/6/", {"status": "failed", "message": "The ONU cannot do that.", "result": None})
    words = ("gpon", "onu", "by-sn", "48575443aabbcc01", "do")
    assert api.krill(*words, "factory-reset", code=1)[-1] == "task 6: failed The ONU cannot do that."
    api.krill(*words, "explode", code=2)
    assert len(api.asked) == 2


def test_what_is_provisioned_and_what_of_it_is_wrong(api: Api) -> None:
    port = {"user_vlan": 20, "service_vlan": 933, "type": "by", "native_vlan": None}
    row = {**ONLINE, "active": True, "access": False, "model": "HG8245Q2", "service_ports": [port]}
    api.on("GET", "gpon/olts/oltNorte/provisioned/", [{**row, "mismatches": []}])
    told = "0/ 5/ 2:01 48575443aabbcc01 HG8245H 20/933/by/-1 /pim0350 act=1 acc=0 add=HG8245Q2"
    assert api.krill("gpon", "provisioned", "oltNorte") == [told]
    api.on("GET", "gpon/olts/oltNorte/mismatches/", [{**row, "mismatches": ["model"]}])
    assert api.krill("gpon", "mismatches", "oltNorte") == [f"{told} != model"]


@pytest.mark.parametrize("job", ["provision", "snapshot", "snapshot-full"])
def test_jobs_are_followed_to_their_end(api: Api, job: str) -> None:
    api.on("POST", f"gpon/olts/oltNorte/{job}/", {"task_id": 7, "status": "queued"}, status=202)
    api.on("GET", "gpon/tasks/7/", {"status": "done", "message": "2 ONUs", "result": None})
    assert api.krill("gpon", job, "oltNorte") == ["task 7: queued", "task 7: done 2 ONUs"]


CMTS = {
    "name": "cmtsSur",
    "uptime": None,
    "mac_domains": [
        {"ifindex": 77, "name": "md.1", "channels": [{"chanid": 1, "pri": True, "freq": 681_000_000}]}
    ],
    "upstreams": [{"ifindex": 397, "id": 1, "freq": 54_500_000, "modulation_profile": 2, "state": "up"}],
    "downstreams": [{"ifindex": 5, "id": 9, "power": 57.0, "interface": "dn.0-0-0", "state": "up"}],
    "fiber_nodes": [
        {
            "name": "node7",
            "description": "",
            "map": [{"md_ifindex": 77, "md_cm_sg_id": 1, "md_ds_sg_id": 1, "md_us_sg_id": 0}],
            "downstream": {"chset_ids": [256], "channels": [1, 2]},
            "upstream": {"chset_ids": [], "channels": []},
        }
    ],
}


def test_cmtss_are_told_with_all_that_hangs_on_them(api: Api) -> None:
    api.on("GET", "docsis/cmtss/", {"count": 1, "next": None, "results": [{"name": "cmtsSur"}]})
    api.on("GET", "docsis/cmtss/cmtsSur/", CMTS)
    lines = api.krill("docsis", "cmtss")
    assert lines[:2] == ["cmtsSur uptime=-", "MD: ix=77 md.1"]
    assert lines[lines.index("upstreams") + 1].split() == [
        *("itf", "id", "freq", "width", "mp", "modulation", "interface", "state")
    ]
    assert lines[lines.index("downstreams") + 2].split() == ["5", "9", "-", "-", "57.00", "dn.0-0-0", "up"]
    node = "node7 -  (map: [(77, 1, 1, 0)]) (DS: chanids=[256] chans={1,2} / US: chanids=[] chans={})"
    assert lines[-1] == node


def test_a_modem_is_told_and_restarted(api: Api) -> None:
    mac = "02:15:96:cb:83:4d"
    channel = {"id": 0, "itf_name": "dn.0-3-0", "freq": 448_000_000, "rx": 4.1, "snr": 41.0}
    modem = {"cmts": "cmtsSur", "mac": mac, "state": "online", "dnbw": 10_700.0, "upbw": None}
    more = {
        "services": {"qos": {"state": "OK", "output": "dncorr=0.00%"}},
        "downstream": [channel],
        "downstream_total": {"rx": 4.1},
        "system_description": {"VENDOR": "Example, Inc."},
    }
    api.on("GET", f"docsis/cable-modems/{mac}/", {**modem, **more})
    lines = api.krill("docsis", "cm", mac)
    assert "bw        : 10.7K / - bps" in lines
    assert "qos: OK dncorr=0.00%" in lines
    at = lines.index("downstream")
    assert [line.split()[0] for line in lines[at + 2 : at + 4]] == ["-", "0"]
    assert lines[-1] == "VENDOR: Example, Inc."
    api.on("POST", f"docsis/cable-modems/{mac}/reset/", {"task_id": 8, "status": "queued"}, status=202)
    api.on("GET", "docsis/tasks/8/", {"status": "unknown", "message": "It went silent."})
    assert api.krill("docsis", "cm", mac, "reset", code=1)[-1] == "task 8: unknown It went silent."


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (504, {"detail": "No answer in time.", "device": "oltNorte"}, "504 oltNorte: No answer in time."),
        (400, {"refresh": ["Must be a valid boolean."]}, "400 refresh: Must be a valid boolean."),
        (502, b"<html>", "502, and no JSON"),
    ],
)
def test_errors_are_told_in_a_line_and_end_the_command(api: Api, status: int, body: Any, told: str) -> None:
    api.on("GET", "gpon/olts/", body, status=status)
    (line,) = api.krill("gpon", "olts", code=1)
    assert line.endswith(told)
