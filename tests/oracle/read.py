"""The oracle on a few literal events, and its rows told in words that a test can state."""

from typing import Any

from streams.core.event import Event
from streams.core.facts import TABLES
from streams.core.policy import Policy, default
from tests.oracle.batch import Tables, expected

PEPPER = b"test"
GAP_MS = 1_800_000
JOURNEY_GAP_MS = 30 * 86_400_000
DURATIONS = {
    "session_gap_ms": GAP_MS, "conversation_gap_ms": 86_400_000, "callback_due_ms": 900_000,
    "journey_gap_ms": JOURNEY_GAP_MS, "attribution_window_ms": 90 * 86_400_000, "half_life_ms": 7 * 86_400_000,
    "duplicate_window_ms": 86_400_000,
}


def rows(*events: Event, policy: Policy | None = None) -> Tables:
    return expected(list(events), policy or default(), DURATIONS, PEPPER)


def groups(tables: Tables) -> set[frozenset[str]]:
    """The values of each person's identifiers."""
    found: dict[bytes, set[str]] = {}
    for _, _, value, person, *_ in tables["identifiers"].values():
        found.setdefault(person, set()).add(value)
    return {frozenset(values) for values in found.values()}


def flagged(tables: Tables, column: int) -> set[str]:
    return {row[2] for row in tables["identifiers"].values() if row[column]}


def shared(tables: Tables) -> set[str]:
    return flagged(tables, 4)


def contested(tables: Tables) -> set[str]:
    return flagged(tables, 5)


def person_of(tables: Tables, value: str) -> bytes:
    person: bytes = next(row[3] for row in tables["identifiers"].values() if row[2] == value)
    return person


def whose(tables: Tables, event_id: str) -> tuple[bytes, str]:
    """Person and identified_by of a touchpoint."""
    return next((row[0], row[16]) for row in tables["touchpoints"].values() if row[1] == event_id)


def table(name: str, *events: Event) -> list[dict[str, Any]]:
    """The rows of one table as maps, by their text."""
    columns = [c.name for c in TABLES[name].columns]
    return [dict(zip(columns, row, strict=True)) for row in sorted(rows(*events)[name].values(), key=repr)]
