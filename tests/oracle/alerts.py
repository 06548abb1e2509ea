"""Persons of whom more is told than is true of one: names, birthdays, cities on a day."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import groupby

from streams.core.event import Event
from streams.core.facts import Row

DAY_MS = 86_400_000


def alert_rows(person: bytes, limits: Mapping[str, int | None], traits: list[Row], touches: list[Event]) -> list[Row]:
    """The rows of one person that is not shared, from its rows of `person_traits` and all its touches."""
    first: dict[str, dict[str, int]] = defaultdict(dict)
    for _, key, at, value, *_ in sorted(traits, key=lambda row: -row[2]):
        words = value.casefold().split()
        first[key][" ".join(words if key == "birthday" else sorted(words))] = at
    rows = []
    for kind, keys in (("many_names", ["name", "first_name", "last_name"]), ("many_birthdays", ["birthday"])):
        key = sorted(keys, key=lambda k: len(first[k]), reverse=True)[0]
        rows.append((person, kind, max(first[key].values(), default=0), len(first[key]), key))
    days = []
    for day, events in groupby(sorted(touches, key=lambda e: e.at_ms), key=lambda e: e.at_ms // DAY_MS):
        came: dict[str, int] = {}
        for e in events:
            if e.city and e.role in ("interaction", "observation"):
                came.setdefault(e.city, e.at_ms)
        if came:
            days.append((-len(came), day, max(came.values())))
    for count, day, at in sorted(days)[:1]:
        date = datetime.fromtimestamp(day * DAY_MS / 1000, UTC).date().isoformat()
        rows.append((person, "many_cities", at, -count, date))
    return [
        (*row[:4], limit, row[4]) for row in rows if (limit := limits[str(row[1])]) is not None and row[3] > limit
    ]
