"""What a whole stack shows, held against the oracle: JSON lines in, rows of the views out."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

import msgspec

from deploy.local import stack
from deploy.local.ports import Addresses
from deploy.local.settle import settle
from schemas.records import CHANNEL_EVENT
from sinks.clickhouse.client import connect
from streams.core.accept import Accepted, Rules, accept
from streams.core.channels import registry
from streams.core.credit import WHOLE
from streams.core.event import SCALE, Event
from streams.core.facts import TABLES
from streams.core.ids import uuid_text
from streams.core.policy import default
from streams.core.reading import Reader
from streams.core.refusal import Reject
from streams.core.shaping import DURATIONS
from streams.settings import Settings, load
from tests.oracle.batch import Tables, expected

SHOWN = ("persons", "identifiers", "touchpoints", "sessions", "visits", "journeys", "orders", "order_items",
         "returns", "shipments", "credits",
         "conversations", "conversation_messages", "promises", "consents", "preferences", "person_traits",
         "alerts")
APART = {"received_at", "content", "copies", "conflicts", "node", "person_shared"}
"""Columns that depend on the run, or that the views show in another form."""
OF_VIEW = {"persons": {
    "acquired_at", "acquisition_channel", "acquisition_source", "acquisition_medium", "acquisition_campaign",
}}
"""Columns of one view that say more than the facts of that name."""

_SELECTED = {
    "uuid": "toString({})", "uuids": "arrayMap(x -> toString(x), {})", "ms": "toUnixTimestamp64Milli({})",
    "mss": "arrayMap(x -> toUnixTimestamp64Milli(x), {})",
    "money": f"toInt64({{}} * {SCALE})",
    "shares": f"arrayMap(x -> toInt64(toDecimal128(x, 12) * {WHOLE}), {{}})",
}
_SOURCE = {"credits": "facts_credits FINAL", "alerts": "facts_alerts FINAL"}
"""Where a view shows rows of facts otherwise, or among others, the table under it."""
_AS_FACT = {
    ("returns", "order_id"): "ifNull(order_id, '')",
    ("journeys", "obstacles"): "arrayFilter(o -> o != 'message_unanswered', obstacles)",
}
"""Columns that the view shows in another form, brought back to the fact's."""


@contextmanager
def running(addresses: Addresses, workers: int) -> Iterator[None]:
    """A stack of the test's own."""
    stack.start(addresses, workers)
    try:
        yield
    finally:
        stack.stop(addresses.home)


def await_rest(addresses: Addresses, timeout_s: float = 240) -> None:
    left = settle(addresses.kafka_bootstrap, load(addresses.home), timeout_s)
    assert not left, f"not settled: {left}"


def shown(addresses: Addresses, table: str) -> Counter[str]:
    """The rows of a view as texts, in the columns that it shares with the facts."""
    client = connect(addresses.clickhouse_url)
    names = {row[0] for row in client.query(f"DESCRIBE onethread.{_described(table)}").result_rows}
    columns = [c for c in TABLES[table].columns if c.name in names - APART - OF_VIEW.get(table, set())]
    picked = [_AS_FACT.get((table, c.name)) or _SELECTED.get(c.type.rstrip("?"), "{}").format(c.name) for c in columns]
    rows = client.query(f"SELECT {', '.join(picked)} FROM onethread.{_SOURCE.get(table, table)}").result_rows
    return Counter(_text(zip((c.name for c in columns), row, strict=True)) for row in rows)


def oracles(events: list[Event], settings: Settings) -> Tables:
    """The oracle's rows under these settings."""
    durations = {name: getattr(settings, name) for name in DURATIONS}
    return expected(events, default(), durations, settings.pepper.get_secret_value())


def wanted(tables: Tables, names: dict[str, set[str]]) -> dict[str, Counter[str]]:
    """The oracle's rows as texts; `names` are the columns that each view has."""
    out = {}
    for table in SHOWN:
        columns = TABLES[table].columns
        kept = [n for n, c in enumerate(columns) if c.name in names[table] - APART - OF_VIEW.get(table, set())]
        out[table] = Counter(
            _text((columns[n].name, _plain(columns[n].type, row[n])) for n in kept) for row in tables[table].values()
        )
    return out


def view_columns(addresses: Addresses) -> dict[str, set[str]]:
    client = connect(addresses.clickhouse_url)
    return {t: {row[0] for row in client.query(f"DESCRIBE onethread.{_described(t)}").result_rows} for t in SHOWN}


def _described(table: str) -> str:
    return _SOURCE.get(table, table).removesuffix(" FINAL")


def assert_as_expected(addresses: Addresses, lines: Iterable[bytes]) -> None:
    """Every row of every view is the oracle's, and none is missing."""
    settings = load(addresses.home)
    want = wanted(oracles(accepted(lines, settings), settings), view_columns(addresses))
    for table in SHOWN:
        differences = differing(want[table], shown(addresses, table))
        assert not differences, f"{table}: {len(differences)} rows differ\n" + "\n".join(differences[:6])


def differing(want: Counter[str], got: Counter[str]) -> list[str]:
    """A line for each row that is missing (-) or too many (+)."""
    return [f"- {r}" for r in (want - got).elements()] + [f"+ {r}" for r in (got - want).elements()]


def accepted(lines: Iterable[bytes], settings: Settings) -> list[Event]:
    """The events of JSON lines as ingest accepts them; a repeated line is a copy at another position."""
    reader = Reader(json.loads(CHANNEL_EVENT.text))
    rules = Rules(default(), registry(settings.channels), settings.default_region, settings.reporting_zone)
    events = []
    for n, line in enumerate(lines):
        record = reader.read(line)
        if isinstance(record, Reject):
            continue
        digest = blake2b(CHANNEL_EVENT.encode(record), digest_size=16).digest()
        outcome = accept(record, ("", 0, n), 4_000_000_000_000, digest, None, rules)
        if isinstance(outcome, Accepted):
            events.append(msgspec.structs.replace(outcome.event, position=("", 0, n)))
    return events


def _plain(type_: str, value: Any) -> Any:
    if type_ == "uuids":
        return [uuid_text(one) for one in value]
    return uuid_text(value) if type_.rstrip("?") == "uuid" and value is not None else value


def _text(row: Iterable[tuple[str, Any]]) -> str:
    return json.dumps(dict(row), default=str, sort_keys=True, ensure_ascii=False)
