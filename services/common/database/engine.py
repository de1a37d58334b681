"""Connections to a service's own database, cooperative under eventlet and safe under threads.

PostgreSQL through psycopg 3, SQLite in WAL mode with one writer at a time. Reads are single
statements outside a transaction; a write is one short transaction that never waits for anything
but the database (no RPC, no sleep inside). A database that is away is `ServiceUnavailable`.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, Engine, Select, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from services.common.database.columns import use_zone
from services.common.database.prepared import Prepared
from services.common.database.sealed import use_keys
from services.common.errors import Conflict, DeadlineExceeded, ServiceUnavailable
from services.common.settings import Settings

T = TypeVar("T")

COMPILED = 64
"""Statements of writes that are kept compiled, at up to 100 kB each; hot reads are kept as `Prepared`."""

KEEPALIVES = {"keepalives_idle": 10, "keepalives_interval": 3, "keepalives_count": 3}
"""Seconds and times, on both ends: a machine that vanishes gives its connections up, and the locks that they
hold, within 20 s instead of two hours."""
UNHEARD = 10_000
"""Milliseconds that what was sent may go without an acknowledgement of TCP."""
FROZEN = 20_000
"""Milliseconds without a word from who holds a lock (a process that is stopped, a machine that swaps), after
which the server ends his connection, and the lock with it."""

_WAIT_LOCK = text(
    "SELECT set_config('idle_session_timeout', :limit, false) "
    "FROM pg_advisory_lock(hashtextextended(:name, 0))"
)
_TRY_LOCK = text(
    "SELECT set_config('idle_session_timeout', CASE WHEN had THEN :limit ELSE '0' END, false) "
    "FROM pg_try_advisory_lock(hashtextextended(:name, 0)) AS had"
)
_UNLOCK = text(
    "SELECT set_config('idle_session_timeout', '0', false) "
    "FROM pg_advisory_unlock(hashtextextended(:name, 0))"
)

GRACE = 1.0
"""Seconds that a server has beyond its own limits before it is taken to stand still."""

BLOCKED = 10_000
"""Milliseconds after which a thread that waits for another is taken to keep it from going on."""

_LOCK_NOT_AVAILABLE, _DEADLOCK, _QUERY_CANCELED, _SERIALIZATION = "55P03", "40P01", "57014", "40001"
_READ_ONLY = "25006"


class Database:
    """`read()` and `write()` give SQLAlchemy connections; errors of the driver come out as `ApiError`."""

    def __init__(self, url: str, settings: Settings) -> None:
        self.settings = settings
        self.engine = _connect(url, settings)
        self.reader = _connect(url, settings, isolation_level="AUTOCOMMIT", pool_reset_on_return=None)
        self.dialect = self.engine.dialect.name
        self._writer = threading.Lock() if self.dialect == "sqlite" else None
        self._naming = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection in autocommit mode, for single statements."""
        with self._translated(), self.reader.connect() as connection:
            yield connection

    def reading(self, work: Callable[[Connection], T]) -> T:
        """`work` on a read connection; done once more when the connection turns out to be dead, and not when
        nobody answered: that took its time."""
        try:
            with self.reader.connect() as connection:
                try:
                    return work(connection)
                except self._driver.Error as error:
                    if not self._broken(error, connection) or _unanswered(error):
                        raise
        except DBAPIError as error:
            if not error.connection_invalidated or _unanswered(error.orig):
                raise self.translate(error) from error
        except (PoolTimeout, self._driver.Error) as error:
            raise self.translate(error) from error
        with self.read() as connection:
            return work(connection)

    def _broken(self, error: Exception, connection: Connection) -> bool:
        """Whether the connection died under a statement that went past SQLAlchemy; then the pool forgets
        it.
        """
        driver = connection.connection.driver_connection
        if self.dialect != "postgresql" or not getattr(driver, "broken", False):
            return False
        connection.invalidate(error)
        return True

    def prepare(self, statement: Select[Any]) -> Prepared:
        """The statement, compiled for this database; see `Prepared`."""
        return Prepared(statement, self.engine.dialect)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, rolled back unless the block ends without an exception."""
        if self._writer is None:
            with self._translated(), self.engine.begin() as connection:
                yield connection
            return
        if not self._writer.acquire(timeout=self.settings.deadline):
            raise ServiceUnavailable("The database is busy.")
        try:
            with self._translated(), self.engine.connect() as connection:
                connection = connection.execution_options(immediate=True)
                with connection.begin():
                    yield connection
        finally:
            self._writer.release()

    @contextmanager
    def exclusive(self, name: str, *, wait: bool = True) -> Iterator[bool]:
        """Holds the lock `name` of this database, which one process at a time has; it ends with its holder.

        No transaction is open meanwhile. Yields whether the lock was had: always true with `wait`, which
        raises `Conflict` when it is not free in time. SQLite serves one process: there it is one within it.
        """
        with self.held(name, wait=wait) as lives:
            yield lives is not None

    @contextmanager
    def held(self, name: str, *, wait: bool = True) -> Iterator[Callable[[], bool] | None]:
        """`exclusive` for long: yields what tells whether the lock is still held, None when it was not had.
        To be asked well within `FROZEN`: the lock's connection may die alone, and others do not notice."""
        if self.dialect == "sqlite":
            with self._naming:
                lock = self._locks.setdefault(name, threading.Lock())
            had = lock.acquire(timeout=self.settings.deadline if wait else 0.001)
            if wait and not had:
                raise Conflict("Another worker is at it; try again.")
            try:
                yield (lambda: True) if had else None
            finally:
                if had:
                    lock.release()
            return
        with self.read() as connection:
            known = {"name": name, "limit": f"{FROZEN}ms"}
            had = connection.execute(_WAIT_LOCK if wait else _TRY_LOCK, known).scalar() != "0"
            try:
                yield partial(_lives, connection) if had else None
            finally:
                if had and not connection.invalidated:
                    try:
                        connection.execute(_UNLOCK, known)
                    except DBAPIError as error:
                        connection.invalidate(error)  # the lock goes with the connection

    def translate(self, error: Exception) -> Exception:
        """The `ApiError` that a driver's error means; an error that is our own defect stays what it is."""
        if isinstance(error, PoolTimeout):
            return ServiceUnavailable("The database is busy.")
        cause = error.orig if isinstance(error, DBAPIError) else error
        state = getattr(cause, "sqlstate", None)
        if state == _QUERY_CANCELED:
            return DeadlineExceeded("The database did not answer in time.")
        if state in (_LOCK_NOT_AVAILABLE, _DEADLOCK, _SERIALIZATION):
            return Conflict("Another write holds this resource; try again.")
        lost = getattr(error, "connection_invalidated", False) or state == _READ_ONLY
        if lost or isinstance(cause, self._driver.OperationalError):
            return ServiceUnavailable("The database is not available.")
        return error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeout, self._driver.Error) as error:
            meant = self.translate(error)
            if meant is error:
                raise
            raise meant from error

    @property
    def _driver(self) -> Any:
        return self.engine.dialect.loaded_dbapi

    def check(self) -> None:
        """Raises when the database does not answer."""
        with self.read() as connection:
            connection.exec_driver_sql("SELECT 1")

    def prove_cooperative(self) -> None:
        """Whoever waits for the database must let others go on: here the one who holds what is waited for. A
        driver that blocks the whole process is refused, and no other, however busy the machine is.

        For processes with green threads; SQLite has nothing to wait for. A database that is away proves
        nothing: a service starts without it.
        """
        if self.dialect == "postgresql":
            with suppress(ServiceUnavailable), self._translated():
                self._wait_for_one_another()

    def _wait_for_one_another(self) -> None:
        engine = create_engine(self.engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        key, failures = random.getrandbits(31), list[DBAPIError]()
        waiting = text(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = :key"
        )

        def wait() -> None:
            try:
                with engine.connect() as connection:
                    connection.exec_driver_sql(f"SET lock_timeout = {BLOCKED}")
                    connection.exec_driver_sql(f"SELECT pg_advisory_lock({key})")
            except DBAPIError as error:
                failures.append(error)

        with engine.connect() as holder:
            holder.exec_driver_sql(f"SELECT pg_advisory_lock({key})")
            waiter = threading.Thread(target=wait)
            waiter.start()
            while waiter.is_alive() and not holder.execute(waiting, {"key": key}).scalar():
                time.sleep(0.01)
            holder.exec_driver_sql(f"SELECT pg_advisory_unlock({key})")
            waiter.join()
        for failure in failures:
            if getattr(failure.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
                raise RuntimeError("the database driver blocks green threads")
            raise failure

    def close(self) -> None:
        self.engine.dispose()
        self.reader.dispose()


@contextmanager
def unhurried(connection: Connection) -> Iterator[None]:
    """For what is no request: until the end of the transaction nothing is ended because it takes long. Locks
    are waited for no longer than ever."""
    if connection.dialect.name != "postgresql":
        yield
        return
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    with patient(connection):
        yield


@contextmanager
def patient(connection: Connection) -> Iterator[None]:
    """Meanwhile PostgreSQL may take as long as it likes to answer; its own limits are another matter."""
    driver: Any = connection.connection.dbapi_connection  # known of one that left its pool, too
    usual, driver.patience = getattr(driver, "patience", None), None
    try:
        yield
    finally:
        driver.patience = usual


def _unanswered(error: Any) -> bool:
    return type(error).__name__ == "Unanswered"  # its module loads the driver


def _lives(connection: Connection) -> bool:
    try:
        connection.exec_driver_sql("SELECT 1")
    except DBAPIError:
        return False
    return True


def _connect(url: str, settings: Settings, **options: Any) -> Engine:
    use_zone(settings.zone)
    use_keys(settings)
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(url, **options)
    limit = int(settings.deadline * 1000)
    server = (
        f"-c TimeZone={settings.timezone} -c statement_timeout={limit} -c lock_timeout={limit} "
        f"-c idle_in_transaction_session_timeout={limit * 2} -c jit=off "
        + " ".join(f"-c tcp_{name}={value}" for name, value in KEEPALIVES.items())
    )
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=settings.db_pool,
        max_overflow=0,
        pool_timeout=settings.deadline,
        pool_use_lifo=True,
        hide_parameters=True,
        query_cache_size=COMPILED,
        json_deserializer=orjson.loads,
        **options,
        connect_args={
            "options": server,
            "connect_timeout": 3,
            "application_name": "krill",
            "tcp_user_timeout": UNHEARD,
            **KEEPALIVES,
        },
    )

    @event.listens_for(engine, "do_connect")
    def _open(_: Any, __: Any, arguments: Any, options: Any) -> Any:
        from services.common.database.patience import ImpatientConnection

        connection = ImpatientConnection.connect(*arguments, **options)
        connection.patience = settings.deadline + GRACE
        return connection

    @event.listens_for(engine, "handle_error")
    def _leave(context: Any) -> None:
        """A server that takes no writes (a standby after a failover, a full disk) is another's place now, or
        says so for as long as a session lives."""
        if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
            context.is_disconnect = True

    return engine


def _sqlite(url: str, **options: Any) -> Engine:
    arguments = {"timeout": 5, "check_same_thread": False}
    engine = create_engine(
        url,
        hide_parameters=True,
        query_cache_size=COMPILED,
        json_deserializer=orjson.loads,
        connect_args=arguments,
        **options,
    )

    @event.listens_for(engine, "do_connect")
    def _make(_dialect: Any, _record: Any, place: list[str], _more: Any) -> None:
        """It holds passwords of subscribers: a new file is ours alone, and so are those that go with it."""
        if place[0] != ":memory:" and not (file := Path(place[0])).exists():
            file.touch(0o600)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's BEGIN, not the driver's
        for function, arguments in ((_lower, 1), (_strpos, 2), (_starts_with, 2)):
            name = function.__name__.removeprefix("_")
            connection.create_function(name, arguments, function, deterministic=True)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-8000"):
            connection.execute(f"PRAGMA {pragma}")

    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    if options.get("isolation_level") != "AUTOCOMMIT":
        event.listen(engine, "begin", begin)
    return engine


def _lower(text: Any) -> Any:
    """SQLite's own `lower` knows ASCII only; PostgreSQL's knows no final sigma."""
    return text.lower().replace("ς", "σ") if isinstance(text, str) else text


def _strpos(text: str | None, part: str) -> int | None:
    """Where the part begins, from 1; 0: nowhere. SQLite's LIKE knows no letter case, and with the pragma that
    teaches it no partial index may use LIKE."""
    return None if text is None else text.find(part) + 1


def _starts_with(text: str | None, part: str) -> bool | None:
    return None if text is None else text.startswith(part)
