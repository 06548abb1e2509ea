"""The answers of the ready views held against those of plain Python."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from clickhouse_connect.driver.client import Client

from streams.core.channels import registry
from streams.settings import Settings
from tests.oracle.batch import Tables
from tests.oracle.questions import BUYING
from tests.oracle.ways import WAYS
from tests.oracle.world import EVER, World

QUESTIONS = BUYING | WAYS


def world_of(tables: Tables, settings: Settings) -> World:
    """The world that rows tell of, under settings with an as_of."""
    assert settings.as_of_at
    families = {channel.name: channel.family for channel in registry(settings.channels).values()}
    as_of_ms = round(settings.as_of_at.timestamp() * 1000)
    return World(tables, families, as_of_ms, settings.reporting_zone, settings.reporting_currency)


def wrong_answers(client: Client, tables: Tables, settings: Settings) -> Iterator[tuple[str, int, list[str]]]:
    """Each ready view, how many rows it should have, and what differs."""
    world = world_of(tables, settings)
    for view, question in QUESTIONS.items():
        wanted = question(world, EVER)
        yield view, len(wanted), differing(client, view, wanted)


def differing(client: Client, view: str, wanted: list[dict[str, Any]]) -> list[str]:
    """A line for each row that the view lacks (-) or has besides (+), in the columns of what is wanted."""
    columns = list(wanted[0])
    rows = client.query(f"SELECT {', '.join(columns)} FROM onethread.{view}").result_rows
    got = Counter(_text(zip(columns, row, strict=True)) for row in rows)
    want = Counter(_text(row.items()) for row in wanted)
    return [f"- {r}" for r in (want - got).elements()] + [f"+ {r}" for r in (got - want).elements()]


def _text(row: Iterable[tuple[str, Any]]) -> str:
    return json.dumps({name: _plain(value) for name, value in row}, sort_keys=True, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value * 10_000)
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, datetime):
        return round(value.replace(tzinfo=UTC).timestamp() * 1000)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return int(value)
    return value
