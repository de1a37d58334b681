"""Sealed columns: unreadable in the database, whole again for who has the key."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select

from services.common.database.sealed import CannotDecrypt, Sealed, keys, use_keys
from services.common.settings import Settings

metadata = MetaData()
table = Table(
    "doors", metadata, Column("id", Integer, primary_key=True), Column("password", Sealed, nullable=True)
)
OLD, NEW = "o" * 32, "n" * 32


@pytest.fixture
def engine(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'doors.db'}")
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def having(tmp_path, *given: str) -> None:
    key = SecretStr(",".join(given)) if given else None
    use_keys(Settings(data_dir=tmp_path, credentials_key=key))


def read(engine):
    with engine.begin() as connection:
        return connection.execute(select(table.c.password)).scalars().all()


def test_what_the_database_holds_tells_nothing(engine, tmp_path):
    having(tmp_path)
    with engine.begin() as connection:
        connection.execute(insert(table), [{"password": "s3cret-ñ"}, {"password": None}])
        raw = connection.exec_driver_sql("SELECT password FROM doors ORDER BY id").scalars().all()
    assert "s3cret" not in raw[0]
    assert raw[1] is None
    assert read(engine) == ["s3cret-ñ", None]
    assert (tmp_path / "credentials_key").stat().st_mode & 0o777 == 0o600


def test_a_key_can_be_replaced_and_not_be_lost(engine, tmp_path):
    having(tmp_path, OLD)
    with engine.begin() as connection:
        connection.execute(insert(table).values(password="kept"))
    having(tmp_path, NEW, OLD)
    assert read(engine) == ["kept"]
    having(tmp_path, NEW)
    with pytest.raises(CannotDecrypt):
        read(engine)


def test_a_short_key_is_refused(tmp_path):
    with pytest.raises(ValueError, match="32 bytes"):
        keys(Settings(data_dir=tmp_path, credentials_key=SecretStr("short")))
