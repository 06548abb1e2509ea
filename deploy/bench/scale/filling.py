"""Fills the tables by rows.sql: several inserts a table, as streams leave parts, and superseded versions among them."""

import re
import time
from collections.abc import Callable
from functools import partial
from importlib import resources
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from deploy.bench.scale.engine import Running
from sinks.clickhouse.crediting import attribute
from sinks.clickhouse.fitting import fit
from sinks.clickhouse.migrations import statements
from sinks.clickhouse.runs import LTV, last_run

INSERTS, INSERT_ROWS_MIN = 8, 50_000
"""Of each table; every one holds rows of people from anywhere, so that its parts overlap. Small tables take fewer."""
INSERT_SETTINGS = {"min_insert_block_size_rows": 250_000, "min_insert_block_size_bytes": 100 << 20}
"""A block of touchpoints would take half of the memory that the local stack gives."""
SUPERSEDED = 10
"""One row in so many was written before, in an older version."""
LATE, LATE_ONE_IN = 4, 400
"""So many inserts of one row in so many come after everything is merged."""

_HERE = resources.files("deploy.bench.scale")
_HEAD = re.compile(r"^-- (\w+) (= )?([\d.]+)$", re.MULTILINE)


class Table(NamedTuple):
    """How a table is filled: `rows` of them, by a query over the row's number `n`."""

    name: str
    rows: int
    query: str


def tables(persons: int) -> list[Table]:
    """What rows.sql says, for so many people."""
    text = (_HERE / "rows.sql").read_text(encoding="utf-8")
    heads = list(_HEAD.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [
        Table(head[1], round(float(head[3]) * (1 if head[2] else persons)),
              text[head.end():end].strip().rstrip(";").replace("{persons}", str(persons)))
        for head, end in zip(heads, ends, strict=True)
    ]


def fill(engine: Running, persons: int, say: Callable[[str], None]) -> None:
    """Fill all tables, unless they are; wait for the merges. Errors: clickhouse_connect's DatabaseError."""
    if last_run(engine.client, LTV) is None:
        for statement in statements((_HERE / "functions.sql").read_text(encoding="utf-8")):
            engine.client.command(statement)
        made = tables(persons)
        for table in made:
            started = time.monotonic()
            _fill(engine, table)
            say(f"{table.name}: {table.rows} rows in {time.monotonic() - started:.1f} s")
        engine.rest()
        for table in made:
            _touch(engine, table)
        _fit(engine, say)
    engine.rest()
    parts = engine.client.query("SELECT count() FROM system.parts WHERE active AND table = 'facts_touchpoints'")
    say(f"touchpoints lie in {parts.result_rows[0][0]} parts")


def _fill(engine: Running, table: Table) -> None:
    engine.client.command(f"TRUNCATE TABLE onethread.facts_{table.name}")
    each = max(-(-table.rows // INSERTS), INSERT_ROWS_MIN)
    for first in range(0, table.rows, each):
        rows = min(each, table.rows - first)
        _insert(engine, table, first, rows, 1, f"WHERE cityHash64(n, 'old') % {SUPERSEDED} = 0")
        _insert(engine, table, first, rows, 2)


def _touch(engine: Running, table: Table) -> None:
    """Write a few rows from all over the table once more, after all merges: a stack at work is never merged whole."""
    for n in range(LATE if table.rows >= INSERT_ROWS_MIN else 1):
        _insert(engine, table, 0, table.rows, 3 + n, f"WHERE cityHash64(n, 'late', {n}) % {LATE_ONE_IN} = 0")


def _insert(engine: Running, table: Table, first: int, rows: int, version: int, condition: str = "") -> None:
    columns = engine.client.query(f"DESCRIBE ({_numbered(table.query, 0, 1)})").result_rows
    names = ", ".join(row[0] for row in columns)
    engine.client.command(
        f"INSERT INTO onethread.facts_{table.name} ({names}, version) "
        f"SELECT *, {version} FROM ({_numbered(table.query, first, rows, condition)})", settings=INSERT_SETTINGS)


def _fit(engine: Running, say: Callable[[str], None]) -> None:
    """Batch models, which views join where they have run."""
    models: dict[str, Callable[[Client], object]] = {
        "ltv fit": fit, "attribute --model markov": partial(attribute, model="markov", basis="channel"),
    }
    for name, run in models.items():
        cpu, started = engine.cpu_s(), time.monotonic()
        run(engine.client)
        say(f"{name}: {time.monotonic() - started:.1f} s, ClickHouse {engine.cpu_s() - cpu:.1f} CPU s")


def _numbered(query: str, first: int, rows: int, condition: str = "") -> str:
    numbers = f"(SELECT number AS n FROM numbers({first}, {rows}))"
    if condition:
        numbers = f"(SELECT n FROM {numbers} {condition})"
    where = query.rfind("\nWHERE ")
    head, tail = (query, "") if where < 0 else (query[:where], query[where:])
    return f"{head}\nFROM {numbers}{tail}"
