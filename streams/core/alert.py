"""Signs that a person may be several: more names, birthdays or cities than one has.

An alert changes nothing; it is a row for somebody to look at. Rules kept here:
- Names and birthdays are counted over all that was ever told of the person; spelling, order of words and case of a name
  do not matter. Cities are counted by UTC day, where the customer acted or was seen: of the busiest day, the first.
- A figure at the limit of the policy is no alert; a limit of "none" gives none.
- `at` is when the last of what is counted first came up.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from streams.core.event import Event
from streams.core.event_types import INTERACTION, OBSERVATION
from streams.core.facts import Row, index_of

NAMES, BIRTHDAYS, CITIES = "many_names", "many_birthdays", "many_cities"
KINDS = (NAMES, BIRTHDAYS, CITIES)
DAY_MS = 86_400_000
CITY_LENGTH_MAX = 100

TRAITS = {NAMES: ("name", "first_name", "last_name"), BIRTHDAYS: ("birthday",)}
"""Keys of traits by what they tell; each key is counted by itself, the one with the most counts."""

Limits: TypeAlias = Mapping[str, int | None]
"""By kind of alert: the most that is no alert; None: no limit."""

Cities: TypeAlias = dict[int, dict[str, int]]
"""By UTC day: the cities a person was in, each with its first time that day (ms)."""

_KEY, _FROM, _VALUE = (index_of("person_traits", name) for name in ("key", "valid_from", "value"))


def plain(text: str) -> str:
    """A text without what spelling adds to it: case and spaces."""
    return " ".join(text.casefold().split())


def note_city(cities: Cities, event: Event) -> None:
    """Take in one touchpoint. What we did, or what was only written down, says nothing of where the customer was."""
    if event.city is None or event.role not in (INTERACTION, OBSERVATION):
        return
    day = cities.setdefault(event.at_ms // DAY_MS, {})
    day[event.city] = min(event.at_ms, day.get(event.city, event.at_ms))


def alert_rows(person_id: bytes, limits: Limits, traits: Iterable[Row], cities: Cities) -> Iterator[Row]:
    """A person's rows of facts `alerts`.

    Shape: its rows of facts `person_traits`, and what `note_city` gathered of its touchpoints.
    Cost:  O(traits + days).
    """
    times: dict[str, dict[str, int]] = {key: {} for keys in TRAITS.values() for key in keys}
    for row in traits:
        if row[_KEY] in times:
            told, value = times[row[_KEY]], _counted(row[_KEY], row[_VALUE])
            told[value] = min(row[_FROM], told.get(value, row[_FROM]))
    for kind, keys in TRAITS.items():
        key = max(keys, key=lambda key: len(times[key]))
        yield from _above(person_id, kind, times[key], limits[kind], key)
    if cities:
        day = max(cities, key=lambda day: (len(cities[day]), -day))
        text = f"{datetime.fromtimestamp(day * DAY_MS / 1000, UTC):%Y-%m-%d}"
        yield from _above(person_id, CITIES, cities[day], limits[CITIES], text)


def _counted(key: str, value: str) -> str:
    return plain(value) if key in TRAITS[BIRTHDAYS] else " ".join(sorted(plain(value).split()))


def _above(person_id: bytes, kind: str, times: Mapping[str, int], limit: int | None, detail: str) -> Iterator[Row]:
    if limit is not None and len(times) > limit:
        yield person_id, kind, max(times.values()), len(times), limit, detail
