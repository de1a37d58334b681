"""The demo data: the captured rows are in it, it is valid, whole, and the same every time."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, func, insert, select, text

from services.common import types
from services.common.database.engine import Database
from services.common.fields import Coordinate, Date, Integer, Reference, Text
from services.common.settings import Settings
from services.isp import demo
from services.isp.contract import CPES, CUSTOMERS, MODELS, POTSES, PROFILES
from services.isp.models import contexts, cpes, customers, metadata, models, potses

if TYPE_CHECKING:
    from deploy.local.postgres import Postgres

Rows = list[dict[str, Any]]

ROOT = Path(__file__).parents[3]
BIG = 10_400  # numbers of more than four digits, and a second batch


def built(path: Path | str) -> Engine:
    engine = Database(f"sqlite:///{path}", Settings()).engine
    metadata.create_all(engine)
    return engine


def content(engine: Engine) -> dict[str, Rows]:
    """Every row of every table, in the order of the keys."""
    with engine.connect() as db:
        queries = {table.name: select(table).order_by(*table.primary_key) for table in metadata.sorted_tables}
        return {name: [dict(row) for row in db.execute(query).mappings()] for name, query in queries.items()}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = built(tmp_path_factory.mktemp("demo") / "isp.db")
    demo.seed(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def db(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = built(tmp_path_factory.mktemp("demo") / "big.db")
    demo.seed(engine, cpes=BIG)
    yield engine
    engine.dispose()


def one(db: Connection, statement: Any) -> dict[str, Any]:
    return dict(db.execute(statement).mappings().one())


# ------------------------------------------------------------------ the captured rows


def test_a_user_of_realm_pim_gets_the_captured_page(db: Connection) -> None:
    mine = select(cpes.c.id).where(cpes.c.realm == "pim").order_by(cpes.c.id)
    assert db.scalars(mine.offset(42).limit(3)).all() == [119, 121, 123]
    assert db.scalar(select(func.count()).select_from(mine.subquery())) == 158


def test_cpe_350_is_the_captured_one(db: Connection) -> None:
    created = datetime.fromisoformat("2022-12-17T23:00:01+01:00")
    assert one(db, select(cpes).where(cpes.c.id == 350)) == {
        "id": 350, "internal_id": "pim0350", "customer_id": 27, "model_id": "HG8245H", "profile_id": 7,
        "access": True, "active": True, "bridge": False, "disable_provision": False,
        "disable_reconfig": False, "enable_notifications": False, "external_voip": False,
        "is_bitstream": False, "probe": False, "tech": "gpon", "address_profile": None,
        "fixed_address": None, "line_profile": None, "tv_profile": None, "voip_profile": None,
        "wifi_profile": None, "expiration_date": None, "expiration_applied": None, "sn": "0000deadbeef0000",
        "dsn": None, "mac": None, "mtamac": None, "wanmac": None, "remote_id": None, "me_vlan": None,
        "lan_cidr": None, "notes": "", "pppoe_username": None, "pppoe_password": "", "wifi_ssid": "",
        "wifi_password": "", "topology": "", "tech_updated": None, "voice_ports": "", "address": "",
        "city": "", "country": None, "locality": "", "latitude": None, "longitude": None,
        "postalcode": None, "external_id": None, "realm": "pim", "created": created, "updated": created,
        "version": 1,
    }  # fmt: skip
    shown = models.c["tr069", "diagnostics", "is_router", "avatar"]
    assert db.execute(select(*shown).where(models.c.id == "HG8245H")).one() == (True, True, True, "HG4201")


def test_only_cpe_350_has_its_serial_number(big: Engine) -> None:
    with big.connect() as db:
        assert db.scalars(select(cpes.c.id).where(cpes.c.sn == "0000deadbeef0000")).all() == [350]


def test_cpe_74_belongs_to_the_captured_customer(db: Connection) -> None:
    created = datetime.fromisoformat("2019-11-08T15:57:08+01:00")
    cpe = one(db, select(cpes.c.internal_id, cpes.c.customer_id, cpes.c.realm).where(cpes.c.id == 74))
    assert cpe == {"internal_id": "pim0074", "customer_id": 65, "realm": "pim"}
    assert one(db, select(customers).where(customers.c.id == 65)) == {
        "id": 65, "name": "Incredulo", "surname": "Trotamundos", "comment": "",
        "address": "Calle Bolivia nº 21 3ºB", "city": "Coslada, Madrid", "country": "Spain", "locality": "",
        "latitude": None, "longitude": None, "postalcode": None, "external_id": None, "realm": "pim",
        "created": created, "updated": created, "version": 1,
    }  # fmt: skip


def test_cpe_74_has_the_captured_lines(db: Connection) -> None:
    chosen = select(potses).where(potses.c.cpe_id == 74)
    lines = [dict(row) for row in db.execute(chosen.order_by(potses.c.id)).mappings()]
    silent = {
        "cpe_id": 74, "realm": "pim", "cli": None, "context_id": None, "custom_digitmap": None,
        "dtmf": "auto", "label": None, "language": None, "username": None, "password": None,
        "pbx_extension": False, "voicemail": False, "voicemail_password": None, "billing_profile": None,
        "version": 1,
    }  # fmt: skip
    assert [{**line, "updated": None} for line in lines] == [
        {**silent, "id": 138, "order": 1, "updated": None},
        {**silent, "id": 139, "order": 2, "updated": None},
    ]


# ------------------------------------------------------------------ a valid installation


def test_foreign_keys_hold(big: Engine) -> None:
    with big.connect() as db:
        assert db.execute(text("PRAGMA foreign_key_check")).all() == []


@pytest.mark.parametrize("resource", [CUSTOMERS, CPES, POTSES, PROFILES, MODELS], ids=lambda r: r.name)
def test_every_value_is_one_that_the_api_would_store(db: Connection, resource: Any) -> None:
    kinds = (Text, Integer, Reference, Coordinate, Date)
    fields = [field for field in resource.fields if field.writable and isinstance(field, kinds)]
    checked = 0
    for row in db.execute(select(metadata.tables[resource.table])).mappings():
        for field in fields:
            value = row[field.source]
            if value is None:
                assert field.null, (row["id"], field.name)
            elif isinstance(field, Coordinate):
                assert f"{field.clean(value):.7f}" == value, (row["id"], field.name)
            elif isinstance(field, Date):
                assert field.clean(value.isoformat()) == value
            elif not (value == "" and getattr(field, "blank", None) == "keep"):
                assert field.clean(value) == value, (row["id"], field.name)
                checked += 1
    assert checked > 10


def test_internal_ids_are_the_realm_and_the_number_padded_to_four(big: Engine) -> None:
    with big.connect() as db:
        rows = db.execute(select(cpes.c.id, cpes.c.realm, cpes.c.internal_id).order_by(cpes.c.id)).all()
    assert [row.id for row in rows] == list(range(1, BIG + 1))
    assert all(name == realm + str(id_).rjust(4, "0") for id_, realm, name in rows)
    assert rows[-1].internal_id.endswith("10400")


def test_what_belongs_together_is_in_one_realm(big: Engine) -> None:
    with big.connect() as db:
        owners = select(cpes.c.id).join(customers).where(cpes.c.realm != customers.c.realm)
        lines = select(potses.c.id).join(cpes).where(cpes.c.realm != potses.c.realm)
        calls = select(potses.c.id).join(contexts).where(contexts.c.realm != potses.c.realm)
        restricted = text(
            "SELECT 1 FROM cpes JOIN model_realms USING (model_id) GROUP BY cpes.id "
            "HAVING sum(model_realms.realm = cpes.realm) = 0"
        )
        for misplaced in (owners, lines, calls, restricted):
            assert db.execute(misplaced).all() == []


def test_each_port_of_the_model_is_a_row_and_voice_ports_name_those_with_a_number(big: Engine) -> None:
    with big.connect() as db:
        ports: dict[int, list[tuple[int, str | None]]] = {}
        query = select(potses.c.cpe_id, potses.c.order, potses.c.cli).order_by(potses.c.order)
        for id_, order, cli in db.execute(query):
            ports.setdefault(id_, []).append((order, cli))
        rows = db.execute(select(cpes.c.id, cpes.c.voice_ports, models.c.pots).join(models)).all()
    for id_, voice_ports, pots in rows:
        mine = ports.get(id_, [])
        assert [order for order, _ in mine] == list(range(1, pots + 1))
        assert voice_ports == ",".join(str(order) for order, cli in mine if cli)
    used = Counter(voice_ports for _, voice_ports, _ in rows)
    assert set(used) == {"", "1", "1,2"}


def test_serial_numbers_are_unique_and_placeholders_repeat(db: Connection) -> None:
    serials = Counter(db.scalars(select(cpes.c.sn).where(cpes.c.sn.is_not(None))))
    shared = {sn for sn, count in serials.items() if count > 1}
    assert shared == {"5a54454700000000"}
    assert types.is_placeholder("5a54454700000000")


def test_a_bitstream_cpe_is_one_with_the_line_profile(big: Engine) -> None:
    with big.connect() as db:
        for line_profile, is_bitstream in db.execute(select(cpes.c.line_profile, cpes.c.is_bitstream)):
            assert is_bitstream == (line_profile or "").startswith("bitstream:")


def test_gpon_needs_a_serial_number_and_the_others_a_mac(big: Engine) -> None:
    with big.connect() as db:
        bare = select(cpes.c.id).where(cpes.c.tech == "gpon", cpes.c.sn.is_(None))
        unknown = select(cpes.c.id).where(cpes.c.tech.not_in(["gpon", "voip"]), cpes.c.mac.is_(None))
        assert db.scalars(bare).all() == db.scalars(unknown).all() == []


@pytest.mark.parametrize(
    "condition",
    [
        cpes.c.is_bitstream,
        cpes.c.fixed_address.is_not(None),
        cpes.c.expiration_date.is_not(None) & cpes.c.expiration_applied.is_(None),
        cpes.c.expiration_applied.is_not(None) & ~cpes.c.access,
        ~cpes.c.active,
        cpes.c.latitude.is_not(None),
        cpes.c.voice_ports == "1,2",
        cpes.c.sn.like("%00000000"),
        cpes.c.tech == "ethernet",
        cpes.c.tech == "voip",
        cpes.c.profile_id.is_(None),
        cpes.c.pppoe_password != "",
        cpes.c.wanmac.is_not(None),
        cpes.c.realm == "swt",
        cpes.c.tech == "docsis",
    ],
    ids=str,
)
def test_the_default_demo_shows_every_kind_of_cpe(db: Connection, condition: Any) -> None:
    assert db.scalars(select(cpes.c.id).where(condition)).first() is not None


# ------------------------------------------------------------------ whole, once, always the same


def test_another_process_seeds_the_same(engine: Engine, tmp_path: Path) -> None:
    again = built(tmp_path / "again.db")
    program = "import sys, sqlalchemy, services.isp.demo as d; d.seed(sqlalchemy.create_engine(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", program, str(again.url)], check=True, cwd=ROOT)
    assert content(again) == content(engine)


def test_a_big_installation_begins_with_the_default_one(engine: Engine, big: Engine) -> None:
    small, large = content(engine), content(big)
    assert large["cpes"][:400] == small["cpes"]
    for table in ("customers", "potses", "models", "cpe_profiles", "contexts", "pick_lists"):
        known = {row["id"]: row for row in large[table]}
        assert all(known[row["id"]] == row for row in small[table])


def test_the_surplus_of_a_big_installation_is_mostly_in_pim(big: Engine) -> None:
    with big.connect() as db:
        realms = Counter(db.scalars(select(cpes.c.realm).where(cpes.c.id > 400)))
    shares = {realm: count / realms.total() for realm, count in realms.items()}
    assert shares == pytest.approx({"pim": 0.6, "cpe": 0.25, "swt": 0.15}, abs=0.02)


def counted(db: Connection) -> dict[tuple[str, str], int]:
    """Rows per resource and realm, by counting them."""
    return {
        (table.name, realm): number
        for table in (contexts, cpes, customers, potses)
        for realm, number in db.execute(select(table.c.realm, func.count()).group_by(table.c.realm))
    }


def test_the_tally_is_what_counting_gives(big: Engine) -> None:
    tally = metadata.tables["tally"]
    with big.connect() as db:
        rows = db.execute(select(tally.c.resource, tally.c.realm, tally.c.rows, tally.c.writes)).all()
        assert {(resource, realm): number for resource, realm, number, _ in rows} == counted(db)
    assert len(rows) == 12
    assert {row.writes for row in rows} == {1}


def test_the_answer_says_what_was_written(tmp_path: Path) -> None:
    engine = built(tmp_path / "isp.db")
    seen: list[tuple[int, int]] = []
    seeded = demo.seed(engine, cpes=BIG, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(10_000, BIG), (BIG, BIG)]
    assert seeded.total("cpes") == BIG
    with engine.connect() as db:
        counts = {(name, realm): n for name, realms in seeded.counts.items() for realm, n in realms.items()}
        assert counts == counted(db)


def test_an_installation_in_use_is_left_alone(tmp_path: Path) -> None:
    engine = built(tmp_path / "isp.db")
    demo.seed(engine)
    before = content(engine)
    with pytest.raises(demo.NotEmpty, match="customers is not empty"):
        demo.seed(engine)
    assert content(engine) == before


def test_a_seed_that_is_cut_leaves_nothing(tmp_path: Path) -> None:
    engine = built(tmp_path / "isp.db")

    def cut(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.seed(engine, cpes=BIG, progress=cut)
    assert not any(content(engine).values())
    assert demo.seed(engine).total("cpes") == 400


@pytest.mark.parametrize("number", [-1, 0, 399, 45_000_001])
def test_a_number_of_cpes_that_cannot_be_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="from 400 to 45000000"):
        demo.seed(create_engine("sqlite://"), cpes=number)


# ------------------------------------------------------------------ PostgreSQL


@pytest.fixture(scope="module")
def hurried(postgres: Postgres) -> Iterator[Engine]:
    """Seeded over connections that limit a statement to a tenth of a second, which `seed` must lift."""
    url = postgres.create_database("isp_demo")
    engine = Database(url, Settings()).engine
    metadata.create_all(engine)
    engine.dispose()

    def hurry(connection: Any, _: Any) -> None:
        """Nothing else is limited so: the server's own upkeep may hold a table for longer."""
        connection.execute("SET statement_timeout = 100")
        connection.commit()

    event.listen(engine, "connect", hurry)
    demo.seed(engine, cpes=BIG)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def pg(hurried: Engine) -> Iterator[Engine]:
    """The same database with the usual limits."""
    engine = Database(hurried.url.render_as_string(hide_password=False), Settings()).engine
    yield engine
    engine.dispose()


def test_copy_writes_the_same_rows_as_sqlite_gets(pg: Engine, big: Engine) -> None:
    assert content(pg) == content(big)


def test_new_rows_get_ids_after_the_demo_ones(pg: Engine) -> None:
    row = {"name": "Nueva", "realm": "pim", "created": func.now(), "updated": func.now()}
    with pg.connect() as db:
        highest = db.scalar(select(func.max(customers.c.id)))
        assert db.scalar(insert(customers).values(row).returning(customers.c.id)) == highest + 1
        highest = db.scalar(select(func.max(contexts.c.id)))
        context = insert(contexts).values(name="nueva", realm="pim").returning(contexts.c.id)
        assert db.scalar(context) == highest + 1


def test_the_limits_of_requests_hold_again_after_the_seed(hurried: Engine) -> None:
    with hurried.connect() as db:
        assert db.scalar(text("SHOW statement_timeout")) == "100ms"


def test_the_planner_knows_the_tables(pg: Engine) -> None:
    with pg.connect() as db:
        query = text("SELECT reltuples, relallvisible > 0 FROM pg_class WHERE relname = 'cpes'")
        assert db.execute(query).one() == (BIG, True)
