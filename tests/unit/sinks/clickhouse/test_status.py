"""Status of people: before a fit by gaps, after one by the probability to be alive; who only went unnoticed."""

import random
from collections.abc import Iterator
from itertools import pairwise
from statistics import median

import numpy as np
import pytest

from analytics import bgnbd
from sinks.clickhouse import migrations
from streams.settings import Settings
from tests.unit.sinks.clickhouse.conftest import Engine, person, row
from tests.unit.sinks.clickhouse.people import AS_OF, DAY_MS, MODEL, TODAY, bought, fitted, people, seen


@pytest.fixture
def views(engine: Engine) -> Iterator[Engine]:
    """The views at noon of day 20,000, UTC."""
    migrations.apply(engine.url, Settings(as_of=AS_OF.isoformat()))
    yield engine
    migrations.apply(engine.url, Settings())


def status(engine: Engine) -> dict[int, str | None]:
    found = engine.rows("SELECT person_id, status FROM onethread.persons")
    return {person_id.int: standing for person_id, standing in found}


def test_without_a_counted_order_people_are_prospects(views: Engine) -> None:
    people(views, 1, 2, 3)
    bought(views, 2, 5, status="cancelled")
    bought(views, 3, 5, placed_at=None)
    assert status(views) == {1: "prospect", 2: "prospect", 3: "prospect"}


def test_who_is_not_people_has_no_status(views: Engine) -> None:
    people(views, 1, known=False)
    people(views, 2, shared=True)
    bought(views, 1, 5)
    assert status(views) == {1: None, 2: None}


def test_a_first_day_is_new_for_sixty_days(views: Engine) -> None:
    people(views, 1, 2, 3)
    bought(views, 1, 60, 60.2)
    bought(views, 2, 61)
    bought(views, 3, 60, 59)
    assert status(views) == {1: "new", 2: "churned", 3: "churned"}


@pytest.mark.parametrize(("silent", "expected"), [
    (20, "active"), (21, "at_risk"), (40, "at_risk"), (41, "churned"),
])
def test_silence_is_measured_by_the_own_median_gap(views: Engine, silent: int, expected: str) -> None:
    """Gaps of 10, 10 and 100 days: a median of 10, to the day."""
    people(views, 1)
    bought(views, 1, silent, silent + 10, silent + 110, silent + 120)
    assert status(views) == {1: expected}


def test_with_fewer_than_four_days_everybodys_gap_counts(views: Engine) -> None:
    """Person 1 came twice, 5 days apart; everybody's gaps are 5, 30, 30 and 30: 59 days of silence are active."""
    people(views, 1, 2)
    bought(views, 1, 59, 64)
    bought(views, 2, 1, 31, 61, 91)
    assert status(views)[1] == "active"


def test_gaps_of_the_unknown_are_not_everybodys(views: Engine) -> None:
    people(views, 1)
    people(views, 2, known=False)
    bought(views, 1, 20, 25)
    bought(views, 2, 1, 31, 61, 91)
    assert status(views) == {1: "at_risk", 2: None}


def test_without_any_gap_the_time_of_being_new_stands_for_it(views: Engine) -> None:
    people(views, 1, 2, 3)
    for number, ago in ((1, 120), (2, 121), (3, 241)):
        bought(views, number, ago)
    assert status(views) == {1: "active", 2: "at_risk", 3: "churned"}


def test_several_orders_of_a_day_are_one_day(views: Engine) -> None:
    people(views, 1)
    bought(views, 1, 30, 30.1, 30.2, 30.3)
    assert status(views) == {1: "new"}


def test_the_churned_who_are_seen_in_a_store_on_two_days_went_unnoticed(views: Engine) -> None:
    people(views, 1, 2, 3, 4, 5)
    for number in (1, 2, 3, 4, 5):
        bought(views, number, 100, 110, 120, 130)
    seen(views, 1, 50, 40)
    seen(views, 2, 50, 50.1, 50.2)
    seen(views, 3, 95, 50)
    seen(views, 4, 90, 80)
    seen(views, 4, 70, kind="store_visited", channel="pos")
    seen(views, 5, 50, 40, kind="page_viewed", channel="web")
    assert status(views) == {1: "unnoticed", 2: "churned", 3: "churned", 4: "unnoticed", 5: "churned"}
    assert views.rows("SELECT unnoticed_by FROM onethread.persons ORDER BY toString(person_id)") == [
        (["wifi"],), ([],), ([],), (["pos", "wifi"],), ([],)]


def test_the_active_are_not_unnoticed(views: Engine) -> None:
    people(views, 1)
    bought(views, 1, 12, 22, 32, 42)
    seen(views, 1, 1, 2)
    assert status(views) == {1: "active"}
    assert views.rows("SELECT unnoticed_by FROM onethread.persons") == [([],)]


def test_a_sighting_that_went_to_another_person_counts_for_that_one(views: Engine) -> None:
    people(views, 1, 2)
    bought(views, 1, 100, 110, 120, 130)
    bought(views, 2, 100, 110, 120, 130)
    seen(views, 1, 50, 40)
    views.write("touchpoints", gone=([9, person(1), "wifi_seen/1/50"], [9, person(1), "wifi_seen/1/40"]))
    assert status(views) == {1: "churned", 2: "churned"}
    seen(views, 2, 50, 40)
    assert status(views) == {1: "churned", 2: "unnoticed"}


def test_an_event_whose_copies_differ_is_what_the_last_version_says(views: Engine) -> None:
    people(views, 1)
    bought(views, 1, 100, 110, 120, 130)
    seen(views, 1, 50, 40)
    views.write("touchpoints", row("touchpoints", 2, person_id=person(1), event_id="wifi_seen/1/50", type="page_viewed",
                                   channel="web", conflicts=1, occurred_at=(TODAY - 50) * DAY_MS))
    assert status(views) == {1: "churned"}


def test_after_a_fit_the_probability_to_be_alive_decides(views: Engine) -> None:
    people(views, 1, 2)
    bought(views, 1, 3, 10, 20, 31)
    bought(views, 2, 300, 310, 320, 331)
    fitted(views)
    rows = views.rows("SELECT probability_alive, status FROM onethread.persons ORDER BY toString(person_id)")
    for (probability, _), (x, last, first) in zip(rows, ((3, 3, 31), (3, 300, 331)), strict=True):
        history = (np.array([value]) for value in (x, (first - last) / 7, first / 7))
        assert probability == pytest.approx(bgnbd.probability_alive(MODEL, *history)[0], rel=1e-12)
    assert [standing for _, standing in rows] == ["active", "churned"]


def test_who_bought_once_is_alive_after_a_fit(views: Engine) -> None:
    """BG/NBD lets nobody leave before a second purchase."""
    people(views, 1, 2)
    bought(views, 1, 900)
    bought(views, 2, 30)
    fitted(views)
    assert status(views) == {1: "active", 2: "new"}
    assert views.rows("SELECT DISTINCT probability_alive FROM onethread.persons") == [(1.0,)]


def test_thresholds_are_settings(views: Engine) -> None:
    people(views, 1)
    bought(views, 1, 41, 51, 61, 71)
    assert status(views) == {1: "churned"}
    migrations.apply(views.url, Settings(as_of=AS_OF.isoformat(), at_risk_ratio=5))
    assert status(views) == {1: "at_risk"}
    migrations.apply(views.url, Settings(as_of=AS_OF.isoformat(), active_ratio=4.1, at_risk_ratio=5))
    assert status(views) == {1: "active"}
    fitted(views)
    probability = views.rows("SELECT probability_alive FROM onethread.persons")[0][0]
    for active, at_risk, expected in ((probability, 0, "active"), (1, probability, "at_risk"), (1, 0.99, "churned")):
        migrations.apply(views.url, Settings(
            as_of=AS_OF.isoformat(), active_probability=active, at_risk_probability=at_risk))
        assert status(views) == {1: expected}


def test_predictions_are_those_of_the_last_run(views: Engine) -> None:
    people(views, 1, 2)
    bought(views, 1, 10, 20)
    bought(views, 2, 10, 20)
    fitted(views, orders=9)
    fitted(views)
    assert views.rows(
        "SELECT predicted_orders, toString(predicted_revenue), predicted_margin, predicted_at FROM onethread.persons"
        " ORDER BY toString(person_id)"
    ) == [(1.5, "30.1235", None, AS_OF.replace(tzinfo=None)), (None, None, None, None)]


def test_a_person_merged_from_two_halves_has_the_probability_of_the_whole(views: Engine) -> None:
    people(views, 1, 2)
    bought(views, 1, 10, 40)
    bought(views, 2, 20, 60)
    fitted(views)
    views.write("persons", gone=([9, person(2)],))
    views.write("orders", gone=([9, person(2), "2/0"], [9, person(2), "2/1"]))
    bought(views, 1, 10, 20, 40, 60)
    history = (np.array([value]) for value in (3.0, 50 / 7, 60 / 7))
    expected = bgnbd.probability_alive(MODEL, *history)[0]
    assert views.rows("SELECT probability_alive, orders FROM onethread.persons") == [(pytest.approx(expected), 4)]


@pytest.mark.parametrize("with_fit", [False, True])
def test_every_status_is_that_of_the_rule_told_again_in_python(views: Engine, with_fit: bool) -> None:
    source = random.Random(7)
    histories = {n: sorted(source.sample(range(400), source.choice([0, 1, 1, 2, 3, 4, 6]))) for n in range(1, 60)}
    sightings = {n: source.sample(range(200), source.choice([0, 1, 3, 6])) for n in histories}
    people(views, *histories)
    for number, days in histories.items():
        if days:
            bought(views, number, *days)
        if sightings[number]:
            seen(views, number, *sightings[number])
    if with_fit:
        fitted(views)
    gaps = {n: [b - a for a, b in pairwise(days)] for n, days in histories.items()}
    everybodys = median(gap for all_gaps in gaps.values() for gap in all_gaps)
    expected = {n: told(days, gaps[n], everybodys, sightings[n], with_fit) for n, days in histories.items()}
    assert status(views) == expected
    assert set(expected.values()) >= {"prospect", "new", "active", "at_risk" if with_fit else "churned", "unnoticed"}


def told(days: list[int], gaps: list[int], everybodys: float, sightings: list[int], with_fit: bool) -> str:
    """The contract's rule; days are counted backwards from today."""
    if not days:
        return "prospect"
    if len(days) == 1 and days[0] <= 60:
        return "new"
    gap = median(gaps) if len(days) >= 4 else everybodys
    if with_fit:
        history = (np.array([value]) for value in (len(days) - 1.0, (days[-1] - days[0]) / 7, days[-1] / 7))
        alive = bgnbd.probability_alive(MODEL, *history)[0]
        standing = "active" if alive >= 0.6 else "at_risk" if alive >= 0.3 else "churned"
    else:
        standing = "active" if days[0] <= 2 * gap else "at_risk" if days[0] <= 4 * gap else "churned"
    if standing != "active" and len([ago for ago in sightings if days[0] - ago >= gap]) >= 2:
        return "unnoticed"
    return standing
