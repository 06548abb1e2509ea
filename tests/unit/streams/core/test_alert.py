from typing import Any

import pytest

from streams.core.alert import alert_rows, note_city
from streams.core.attribute import attribute_rows
from streams.core.event import Event
from streams.core.policy import ALERTS
from tests.oracle.build import event

DAY = 86_400_000
WHO = b"p" * 16


def alerts(*events: Event, **limits: int | None) -> list[tuple[Any, ...]]:
    """(kind, at, figure, limit, detail) of one person's events."""
    cities: dict[int, dict[str, int]] = {}
    for one in events:
        note_city(cities, one)
    told = sorted((e for e in events if e.told), key=lambda e: (e.at_ms, e.event_id))
    traits = [row for table, row in attribute_rows(WHO, told) if table == "person_traits"]
    return [row[1:] for row in alert_rows(WHO, {**ALERTS, **limits}, traits, cities)]


def named(*names: str, key: str = "name") -> list[Event]:
    return [event(str(n), n, "phone:1", traits={key: name}) for n, name in enumerate(names)]


def test_more_names_than_the_limit_are_an_alert_and_as_many_are_none() -> None:
    assert alerts(*named("A", "B"), many_names=2) == []
    assert alerts(*named("A", "B", "C", "A"), many_names=2) == [("many_names", 2, 3, 2, "name")]


def test_case_spaces_and_the_order_of_words_make_no_other_name() -> None:
    assert alerts(*named("Ann Lee", "LEE  ann", " ann lee"), many_names=1) == []


def test_a_name_that_holds_no_more_is_counted_and_one_taken_back_is_not() -> None:
    assert alerts(*named("A", "", "B"), many_names=1) == [("many_names", 2, 2, 1, "name")]


def test_first_and_last_names_are_counted_apart() -> None:
    events = [event("1", 1, "phone:1", traits={"first_name": "A", "last_name": "B", "name": "A B"}),
              event("2", 2, "phone:1", traits={"last_name": "C"})]
    assert alerts(*events, many_names=1) == [("many_names", 2, 2, 1, "last_name")]


def test_birthdays_are_counted() -> None:
    assert alerts(*named("1990-01-02", "1991-01-02", "1992-01-02", key="birthday")) == [
        ("many_birthdays", 2, 3, 2, "birthday")]


def test_cities_are_counted_by_utc_day_and_the_first_of_the_busiest_is_told() -> None:
    events = [event(f"{day}{city}", day * DAY + n, "phone:1", city=city)
              for day, cities in ((1, "ab"), (3, "cba"), (4, "cba")) for n, city in enumerate(cities)]
    assert alerts(*events, many_cities=2) == [("many_cities", 3 * DAY + 2, 3, 2, "1970-01-04")]
    assert alerts(*events, many_cities=3) == []


@pytest.mark.parametrize(("role", "figure"), [
    ("interaction", 2), ("observation", 2), ("exposure", 0), ("record", 0), ("order_fact", 0),
])
def test_only_where_the_customer_acted_or_was_seen_counts(role: str, figure: int) -> None:
    found = alerts(*(event(city, 1, "phone:1", city=city, role=role) for city in "ab"), many_cities=1)
    assert [row[2] for row in found] == [figure] * bool(figure)


def test_no_limit_is_no_alert() -> None:
    assert alerts(*named(*"abcdefgh"), many_names=None) == []
