"""What is known of a person by key, and since when: consents, preferences, traits."""

from collections import defaultdict
from itertools import pairwise
from typing import Any

from streams.core.event import Event
from streams.core.facts import Row
from streams.core.said import told_of


def attribute_rows(person: bytes, touches: list[Event]) -> dict[str, list[Row]]:
    """The rows of the three tables, from all touches of one person that is not shared."""
    said: dict[tuple[str, str], dict[int, list[tuple[str, Any, str]]]] = defaultdict(lambda: defaultdict(list))
    for e in touches:
        if e.told:
            told = told_of(e.told)
            for table in ("consents", "preferences", "traits"):
                for key, value in getattr(told, table).items():
                    said[table, key][e.at_ms].append((e.event_id, value, told.source))
    rows: dict[str, list[Row]] = {"consents": [], "preferences": [], "person_traits": []}
    for (table, key), moments in said.items():
        name = "person_traits" if table == "traits" else table
        rows[name] += [(person, key, *row) for row in _history(moments)]
    return rows


def present(rows: dict[str, list[Row]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The preferences and the consents that hold, by key."""
    def now(table: str) -> dict[str, Any]:
        held = {key: value for _, key, _, value, until, *_ in rows.get(table, []) if until is None}
        return {key: held[key] for key in sorted(held)[:200]}
    return now("preferences"), now("consents")


def _history(moments: dict[int, list[tuple[str, Any, str]]]) -> list[Row]:
    """(valid_from, value, valid_to, event_id, source): what was true at each moment, then only where it changed."""
    after = [(at, *_word(said)) for at, said in sorted(moments.items())]
    changes = [after[0]] + [b for a, b in pairwise(after) if a[2] != b[2]]
    ends = [at for at, *_ in changes[1:]] + [None]
    return [
        (at, value, end, event_id, source)
        for (at, event_id, value, source), end in zip(changes, ends, strict=True) if value != ""
    ]


def _word(said: list[tuple[str, Any, str]]) -> tuple[str, Any, str]:
    withdrawn = [s for s in said if s[1] is False or s[1] == ""]
    return max(withdrawn or said)
