"""One embedded ClickHouse for the tests of the sink: the real engine, in this process."""

import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sinks.clickhouse import migrations
from sinks.clickhouse.client import connect
from sinks.clickhouse.columns import TABLES, Rows, flat_columns
from sinks.clickhouse.writer import Writer
from streams.core import facts
from streams.core.event import pack
from streams.settings import Settings

EXAMPLE: dict[str, Any] = {
    "uuid": bytes(16), "str": "x", "bytes": b"x", "ms": 1_700_000_000_123, "int": 1, "money": 10_000, "bool": True,
    "real": 1.0, "uuids": [bytes(16)], "strs": ["x"], "counts": {"email": 1}, "texts": {"url": "/"},
    "flags": {"sms": True}, "mss": [1_700_000_000_123], "ints": [1], "shares": [10**12],
    "day": 20_000, "rate": Decimal("0.0235"),
}


class Engine:
    """The database and short words for what tests do with it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = connect(url)
        migrations.apply(url, Settings())
        self.writer = Writer(url)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.client.query(query).result_rows]

    def write(self, table: str, *rows: list[Any], gone: tuple[list[Any], ...] = ()) -> None:
        self.writer.write([Rows(table, rows, gone)])

    def clear(self) -> None:
        filled = self.rows("SELECT DISTINCT table FROM system.parts WHERE database = 'onethread' AND active")
        for (table,) in filled:
            if table != "migrations":
                self.client.command(f"TRUNCATE TABLE onethread.{table}")


@pytest.fixture(scope="session")
def _engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(f"chdb:///{tmp_path_factory.mktemp('clickhouse')}/data")
    yield engine
    engine.client.close()


@pytest.fixture
def engine(_engine: Engine) -> Engine:
    _engine.clear()
    return _engine


def columns(engine: Engine, view: str) -> set[str]:
    return {name for (name, *_) in engine.rows(f"DESCRIBE onethread.{view}")}


def person(number: int) -> bytes:
    return uuid.UUID(int=number).bytes


def row(table: str, version: int = 1, **values: Any) -> list[Any]:
    """[version, *row] of a table: the values given, examples where a column must have one, else None."""
    columns = TABLES[table].columns
    unknown = values.keys() - {column.name for column in flat_columns(TABLES[table])}
    assert not unknown, unknown
    return [version, *(_content(values) if column.type == "content" else _value(column, values) for column in columns)]


def _value(column: facts.Column, values: dict[str, Any]) -> Any:
    return values.get(column.name, None if column.type.endswith("?") else EXAMPLE[column.type])


def _content(values: dict[str, Any]) -> bytes:
    return pack([_value(column, values) for column in facts.CONTENT])
