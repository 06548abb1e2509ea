"""A run of attribution over the views: weights of all journeys, and every order divided to the last digit."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from analytics.markov import Path
from sinks.clickhouse import crediting
from sinks.clickhouse.attribution import credit, paths
from tests.unit.sinks.clickhouse.conftest import Engine, person, row

DAY_MS = 86_400_000
LONG_AGO_MS = 1_600_000_000_000


def order(engine: Engine, number: int, *touches: str, revenue: int = 100_0000, **values: Any) -> None:
    """A counted order with touches by visits on these channels, one a day; `channel:source/name` has a campaign."""
    placed = {"placed_at": LONG_AGO_MS, "status": "placed", "person_shared": False, "currency": "EUR",
              "revenue": revenue, "margin": 0, "returned_amount": 0, "returns": 0}
    engine.write("orders", row("orders", person_id=person(number), order_id=f"o{number}", **placed | values))
    found = [parsed(touch) for touch in touches]
    shares = [0] * len(found)
    shares[-1] = 10**12
    models = dict.fromkeys(("first", "last", "last_non_direct", "linear", "time_decay", "position"), shares)
    engine.write("credits", row(
        "credits", person_id=person(number), order_id=f"o{number}", placed_at=LONG_AGO_MS,
        event_ids=[f"e{number}/{place}" for place in range(len(found))], touches=["visit"] * len(found),
        ats=[LONG_AGO_MS - (len(found) - place) * DAY_MS for place in range(len(found))],
        channels=[channel for channel, _, _ in found], campaign_sources=[source for _, source, _ in found],
        campaign_mediums=[""] * len(found), campaign_names=[name for _, _, name in found], **models))


def parsed(touch: str) -> tuple[str, str, str]:
    channel, _, campaign = touch.partition(":")
    source, _, name = campaign.partition("/")
    return channel, source, name


def journey(engine: Engine, number: int, *path: str, order_id: str | None = None, last_ms: int = LONG_AGO_MS) -> None:
    engine.write("journeys", row(
        "journeys", person_id=person(number), journey_id=person(1000 + number), order_id=order_id, path=list(path),
        path_at=[LONG_AGO_MS] * len(path), path_touchpoints=[1] * len(path), path_devices=[""] * len(path),
        last_step_at=last_ms))


def credited(engine: Engine, run_id: Any) -> dict[str, list[tuple[str, str, str]]]:
    rows = engine.rows(f"""
        SELECT order_id, name, toString(credit), toString(revenue) FROM onethread.model_credits
        WHERE run_id = '{run_id}' ORDER BY order_id, at, event_id""")
    found: dict[str, list[tuple[str, str, str]]] = {}
    for order_id, *rest in rows:
        found.setdefault(order_id, []).append(tuple(rest))
    return found


@pytest.fixture
def walks(engine: Engine) -> Engine:
    """The two channels settled by hand in test_markov: A to B converts, A is lost, B converts once and is lost once."""
    order(engine, 1, "A", "B")
    order(engine, 2, "B")
    journey(engine, 1, "A", "B", order_id="o1")
    journey(engine, 2, "B", order_id="o2")
    journey(engine, 3, "A")
    journey(engine, 4, "B")
    return engine


def test_markov_over_the_views_is_the_hand_worked_case(walks: Engine) -> None:
    run, weights = crediting.attribute(walks.client, "markov", "channel")
    third = Decimal("0.333333333333333333")
    assert {name: (weight.weight, weight.share) for name, weight in weights.items()} == {
        "A": (third, Decimal("0.25")), "B": (Decimal(1), Decimal("0.75"))}
    shown = f"SELECT name, weight, share FROM onethread.model_weights WHERE run_id = '{run.run_id}' ORDER BY name"
    assert walks.rows(shown) == [
        ("A", Decimal("0.333333333333"), Decimal("0.25")), ("B", Decimal(1), Decimal("0.75"))]
    assert run.parameters == {"by": "channel", "journeys": "4", "converted": "2", "distinct_paths": "3", "order": "1",
                              "conversion": "0.500000000000000000"}
    assert credited(walks, run.run_id) == {
        "o1": [("A", "0.25", "25"), ("B", "0.75", "75")], "o2": [("B", "1", "100")]}


def test_shapley_credits_add_up_to_the_values(walks: Engine) -> None:
    run, weights = crediting.attribute(walks.client, "shapley", "channel")
    assert {name: weight.conversions for name, weight in weights.items()} == {"A": 0.5, "B": 1.5}
    assert credited(walks, run.run_id) == {
        "o1": [("A", "0.5", "50"), ("B", "0.5", "50")], "o2": [("B", "1", "100")]}
    summed = walks.rows(f"""
        SELECT name, sum(credit) FROM onethread.model_credits WHERE run_id = '{run.run_id}' GROUP BY name ORDER BY name
        """)
    assert summed == [("A", Decimal("0.5")), ("B", Decimal("1.5"))]


@pytest.mark.parametrize("model", crediting.MODELS)
@pytest.mark.parametrize("basis", ["channel", "campaign"])
def test_credits_sum_to_one_and_revenue_to_the_order_to_the_last_digit(engine: Engine, model: str, basis: str) -> None:
    channels = ("web", "ads", "email", "pos", "web", "chat", "ads")
    for number in range(1, 30):
        touches = [channels[(number * place) % 7] for place in range(number % 6 + 1)]
        order(engine, number, *touches, revenue=number * 33_3331)
        journey(engine, number, *touches, order_id=f"o{number}")
    run, weights = crediting.attribute(engine.client, model, basis)
    parts = {name: Fraction(weight.weight if model == "markov" else 1) for name, weight in weights.items()}
    for touches in credited(engine, run.run_id).values():
        assert [Decimal(credit) for _, credit, _ in touches] == told([name for name, *_ in touches], parts)
    wrong = engine.rows(f"""
        SELECT order_id, sum(credit), sum(c.revenue), any(o.revenue), min(c.credit), min(c.revenue)
        FROM onethread.model_credits AS c INNER JOIN onethread.orders AS o ON o.order_id = c.order_id
        WHERE run_id = '{run.run_id}' GROUP BY order_id
        HAVING sum(credit) != 1 OR sum(c.revenue) != any(o.revenue) OR min(c.credit) < 0 OR min(c.revenue) < 0""")
    assert wrong == []
    assert len(credited(engine, run.run_id)) == 29


def told(names: list[str], parts: dict[str, Fraction]) -> list[Decimal]:
    """The rule in fractions: each name its part, divided among its touches, cut to 12 digits; the last has the rest."""
    whole = sum(parts[name] for name in set(names))
    shares = [parts[name] / whole / names.count(name) for name in names[:-1]]
    cut = [Decimal(int(share * 10**12 + Fraction(1, 10**5))).scaleb(-12) for share in shares]
    return [*cut, 1 - sum(cut, Decimal())]


def test_two_runs_give_the_same_bytes(walks: Engine) -> None:
    first, second = (crediting.attribute(walks.client, "markov", "channel")[0] for _ in range(2))
    assert (first.parameters, first.report) == (second.parameters, second.report)
    for view, columns in (("model_credits", "* EXCEPT (run_id)"), ("model_weights", "* EXCEPT (run_id, at)")):
        one, other = (
            walks.client.raw_query(f"SELECT {columns} FROM onethread.{view} WHERE run_id = '{run.run_id}' ORDER BY ALL"
                                   " FORMAT TSV") for run in (first, second))
        assert one == other
        assert one


def test_a_name_met_again_takes_its_part_once(walks: Engine) -> None:
    """With this order too 3/5 convert, 1/5 without A and 9/20 without B: A has 8 parts of 17, B 9."""
    order(walks, 5, "A", "B", "A")
    run, _ = crediting.attribute(walks.client, "markov", "channel")
    assert credited(walks, run.run_id)["o5"] == [
        ("A", "0.235294117647", "23.5294"), ("B", "0.529411764705", "52.9411"), ("A", "0.235294117648", "23.5295")]


def test_an_order_whose_names_have_no_weight_is_divided_equally(engine: Engine) -> None:
    """It was placed after the paths were read."""
    order(engine, 1, "A", "B", "A")
    run, _ = crediting.attribute(engine.client, "markov", "channel")
    engine.client.command("TRUNCATE TABLE onethread.batch_order_credits")
    credit(engine.client, run.run_id, "channel", {"C": Decimal(1)}, Decimal(0))
    assert credited(engine, run.run_id)["o1"] == [("A", "0.25", "25"), ("B", "0.5", "50"), ("A", "0.25", "25")]


def test_without_any_journey_there_is_a_run_without_weights(engine: Engine) -> None:
    run, weights = crediting.attribute(engine.client, "shapley", "campaign")
    assert (weights, run.parameters["journeys"]) == ({}, "0")
    assert engine.rows("SELECT count() FROM onethread.model_runs") == [(1,)]


def test_a_lone_receipt_credits_itself(engine: Engine) -> None:
    order(engine, 1, "pos")
    journey(engine, 1, "pos", order_id="o1")
    for model in crediting.MODELS:
        run, _ = crediting.attribute(engine.client, model, "channel")
        assert credited(engine, run.run_id) == {"o1": [("pos", "1", "100")]}


def test_open_journeys_are_left_out(engine: Engine) -> None:
    journey(engine, 1, "A", last_ms=int(datetime.now(UTC).timestamp() * 1000) - DAY_MS)
    journey(engine, 2, "B")
    assert paths(engine.client, "channel") == [Path(("B",), 0, 1)]


def test_money_and_person_are_those_of_now(walks: Engine) -> None:
    """After the run o1 was merged into another person and partly returned, o2 was cancelled."""
    run, _ = crediting.attribute(walks.client, "markov", "channel")
    walks.write("orders", gone=([9, person(1), "o1"],))
    walks.write("orders", row("orders", 9, person_id=person(7), order_id="o1", placed_at=LONG_AGO_MS, revenue=10_0001,
                              status="partly_returned", person_shared=False, currency="EUR"))
    walks.write("orders", row("orders", 9, person_id=person(2), order_id="o2", placed_at=LONG_AGO_MS, revenue=0,
                              status="cancelled", person_shared=False, currency="EUR"))
    found = walks.rows(f"""
        SELECT order_id, toString(person_id), name, toString(revenue) FROM onethread.model_credits
        WHERE run_id = '{run.run_id}' ORDER BY at""")
    assert found == [("o1", "00000000-0000-0000-0000-000000000007", "A", "2.5"),
                     ("o1", "00000000-0000-0000-0000-000000000007", "B", "7.5001")]


def touched(engine: Engine, number: int, place: int, channel: str, **values: Any) -> None:
    touch = {"role": "interaction", "type": "page_viewed", "after_sale": False, "campaign_source": None,
             "campaign_name": None, "message_id": None, "click_id": None, "visit_id": person(number * 100 + place),
             "conflicts": 0}
    engine.write("touchpoints", row(
        "touchpoints", person_id=person(number), event_id=f"{number}/{place}", journey_id=person(1000 + number),
        channel=channel, occurred_at=LONG_AGO_MS + place, **touch | values))


def test_by_campaign_a_visit_is_one_step_under_its_campaign(engine: Engine) -> None:
    journey(engine, 1, "ads", "web")
    visit = {"visit_id": person(500)}
    ad = {"role": "exposure", "visit_id": None, "click_id": "c", "campaign_source": "google", "campaign_name": "spring"}
    touched(engine, 1, 1, "ads", **ad)
    touched(engine, 1, 2, "ads", **ad)
    touched(engine, 1, 3, "web", campaign_name="mail", **visit)
    touched(engine, 1, 4, "web", **visit)
    touched(engine, 1, 5, "pos")
    touched(engine, 1, 6, "email", role="record")
    assert paths(engine.client, "campaign") == [Path(("google / spring", "mail", "pos"), 0, 1)]
    order(engine, 2, "ads:google/spring", "web:/mail", "pos")
    assert paths(engine.client, "campaign") == [Path(("google / spring", "mail", "pos"), 1, 1)]
    run, _ = crediting.attribute(engine.client, "shapley", "campaign")
    third = "0.333333333333"
    assert credited(engine, run.run_id)["o2"] == [
        ("google / spring", third, "33.3333"), ("mail", third, "33.3333"), ("pos", "0.333333333334", "33.3334")]


def test_the_path_of_an_order_is_that_of_its_touches(engine: Engine) -> None:
    """It was placed by phone, where nobody was before: that run is in the journey, and no touch."""
    order(engine, 1, "web", "web")
    journey(engine, 1, "web", "call_centre", order_id="o1")
    order(engine, 2, "web", status="cancelled")
    journey(engine, 2, "web", order_id="o2")
    assert paths(engine.client, "channel") == [Path(("web",), 1, 0)]


@pytest.mark.parametrize(("names_max", "expected"), [
    (3, [("a", "b", "c")]), (2, [("a", "(others)")]), (1, [("(others)",)]),
])
def test_rare_names_stand_together(names_max: int, expected: Sequence[tuple[str, ...]]) -> None:
    common = [Path(("a",), 5, 5), Path(("b",), 1, 0)]
    found = crediting.gathered([Path(("a", "b", "c"), 1, 0), *common], names_max)
    assert [path.channels for path in found[:1]] == expected


def test_a_rare_name_has_the_weight_of_all_rare_ones(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crediting, "CHANNELS_MAX", 2)
    journey(engine, 1, "A", "B", order_id="o1")
    order(engine, 2, "A", "C")
    journey(engine, 3, "A")
    order(engine, 1, "A", "B")
    run, weights = crediting.attribute(engine.client, "markov", "channel")
    assert set(weights) == {"A", "(others)"}
    assert credited(engine, run.run_id)["o1"] == [("A", "0.5", "50"), ("B", "0.5", "50")]
