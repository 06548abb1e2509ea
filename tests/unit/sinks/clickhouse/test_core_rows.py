"""What the core sends is what ClickHouse holds: simulated worlds, their facts shuffled and doubled, row by row."""

from random import Random
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest

from sinks.clickhouse.columns import TABLES, Rows, flat_columns, physical, to_arrow
from streams.core import facts
from tests.simulation.broker import Run
from tests.strategies import make_world
from tests.unit.sinks.clickhouse.conftest import Engine


@pytest.mark.parametrize("seed", range(3))
def test_the_rows_of_a_simulated_world_arrive_whole(engine: Engine, seed: int) -> None:
    random = Random(seed)
    run = Run(make_world(random, 30), random)
    sink = run.finish()
    records = run.sent * 2
    random.shuffle(records)
    size = len(records) // 3 + 1
    for start in range(0, len(records), size):
        packed = [facts.decode(record) for record in records[start : start + size]]
        engine.writer.write([Rows(fact.table, fact.upserts, fact.tombstones) for fact in packed])
    assert sink.kept.keys() >= {"touchpoints", "persons", "identifiers", "identifier_sightings"}
    for name in sink.kept:
        rows = [(0, *row) for row in sink.rows(name).values()]
        assert held(engine, name) == (listed(name, to_arrow(TABLES[name], [Rows(name, rows)])) if rows else [])


def held(engine: Engine, name: str) -> list[str]:
    columns = ", ".join(column.name for column in flat_columns(TABLES[name]))
    return listed(name, engine.client.query_arrow(f"SELECT {columns} FROM onethread.{physical(name)} FINAL"))


def listed(name: str, table: pa.Table) -> list[str]:
    """Rows as text, in any one order."""
    rows = table.select([column.name for column in flat_columns(TABLES[name])]).to_pylist()
    return sorted(repr({key: _plain(value) for key, value in row.items()}) for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.bytes if isinstance(value, UUID) else value
