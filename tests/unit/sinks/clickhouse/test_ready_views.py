"""The ready questions answered by the views are those answered in plain Python, on the sample and on tampered ones."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from examples.sample import lines
from examples.sample.catalogue import AS_OF, CURRENCY, ZONE
from sinks.clickhouse import migrations
from sinks.clickhouse.columns import TABLES as KEPT
from streams.core.facts import TABLES
from streams.core.policy import default
from streams.core.shaping import DURATIONS
from streams.settings import Settings
from tests.integration.pipeline import accepted
from tests.oracle.batch import Tables, expected
from tests.oracle.questions import BUYING
from tests.oracle.ready import QUESTIONS, differing, world_of
from tests.oracle.ways import WAYS
from tests.oracle.world import EVER, World
from tests.unit.sinks.clickhouse.conftest import Engine

CHECKOUT = Path(__file__).parents[4]
PAGES = CHECKOUT / "docs" / "sql"
ASKED = sorted(CHECKOUT.joinpath("tests", "fixtures", "questions").glob("*.sql"), key=lambda file: int(file.stem[1:]))
SETTINGS = Settings(as_of=AS_OF, default_region="UA", reporting_currency=CURRENCY, reporting_zone=ZONE)
NOT_OF_SHARED = ("sessions", "visits", "journeys", "person_channels")
FEBRUARY = ("2026-02-01 00:00:00", "2026-02-15 12:00:00")


@pytest.fixture(scope="module", params=[(42, False), (7, True)], ids=["sample", "tampered"])
def told(request: pytest.FixtureRequest) -> Tables:
    """The rows of a sample; in the tampered one some persons are shared, some money has no rate, some orders are off,
    and many a page viewed is a cart."""
    seed, tampered = request.param
    events = accepted([line.encode() for line in lines(seed, 150)], SETTINGS)
    durations = {name: getattr(SETTINGS, name) for name in DURATIONS}
    tables = expected(events, default(), durations, b"pepper")
    if tampered:
        _tamper(tables, Random(seed))
    return tables


def _tamper(tables: Tables, random: Random) -> None:
    shared = {key[0] for key in random.sample(sorted(tables["persons"]), len(tables["persons"]) // 20)}
    for name in NOT_OF_SHARED:
        tables[name] = {key: row for key, row in tables[name].items() if key[0] not in shared}
    cart_types = ["cart_updated", "checkout_started"]
    _change(tables, "touchpoints", lambda row: {
        "type": random.choice([row["type"]] * 6 + cart_types) if row["channel"] in ("web", "app") else row["type"],
    })
    _change(tables, "persons", lambda row: {"shared": row["person_id"] in shared or row["shared"]})
    _change(tables, "orders", lambda row: {
        "person_shared": row["person_id"] in shared or row["person_shared"],
        "currency": random.choice([row["currency"]] * 8 + ["EUR", None]),
        "status": random.choice([row["status"]] * 12 + ["cancelled"]),
        "placed_store_id": random.choice([row["placed_store_id"]] * 12 + [None]),
        "placed_device": random.choice([row["placed_device"]] * 6 + [None]),
        "placed_channel": random.choice([row["placed_channel"]] * 12 + ["payment"]) if row["placed_at"] else None,
    })


def _change(tables: Tables, name: str, changed: Any) -> None:
    columns = [column.name for column in TABLES[name].columns]
    for key, row in tables[name].items():
        values = dict(zip(columns, row, strict=True))
        tables[name][key] = tuple((values | changed(values)).values())


@pytest.fixture
def shown(engine: Engine, told: Tables) -> Iterator[Engine]:
    migrations.apply(engine.url, SETTINGS)
    for name, rows in told.items():
        if name in KEPT and name in TABLES and name != "evidence":
            engine.write(name, *([1, *row] for row in rows.values()))
    yield engine
    migrations.apply(engine.url, Settings())


def test_the_views_answer_as_plain_python_does(shown: Engine, told: Tables) -> None:
    world = world_of(told, SETTINGS)
    first, last = (round(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() * 1000) for at in FEBRUARY)
    for name, question in QUESTIONS.items():
        assert_answered(shown, name, question(world, EVER))
        if name != "connectivity":
            within = f"{name}_between(from = '{FEBRUARY[0]}', to = '{FEBRUARY[1]}')"
            assert_answered(shown, within, question(world, (first, last)))


def test_what_analysts_asked_first_runs_unchanged_and_agrees_with_the_ready_views(shown: Engine, told: Tables) -> None:
    world = world_of(told, SETTINGS)
    shown.client.command("USE onethread")
    try:
        asked = {file.stem: shown.rows(file.read_text(encoding="utf-8")) for file in ASKED}
    finally:
        shown.client.command("USE default")
    page = (PAGES / "questions.md").read_text(encoding="utf-8")
    assert re.findall(r"```sql\n(.*?)```", page, re.DOTALL) == [file.read_text(encoding="utf-8") for file in ASKED]
    [(orders, researched, share, same)] = asked["Q1"]
    stores = [row for row in BUYING["ropo"](world, EVER) if row["research_type"] == "any"
              and row["direction"] == "online_to_store"]
    assert (orders, researched, same) == tuple(sum(row[name] for row in stores) for name in (
        "orders", "researched", "same_product"))
    assert share == round(researched / orders, 4)
    assert asked["Q2"][0][:2] == _omnichannel(world)
    assert Counter(row[:5] for row in asked["Q4"]) == Counter(
        tuple(row[name] for name in ("from_channel", "to_channel", "switches", "in_converted", "lost_here"))
        for row in WAYS["channel_switches"](world, EVER))
    assert Counter((row[0], row[2].isoformat(), row[3]) for row in asked["Q7"]) == Counter(
        (row["store_id"], row["week"], row["receipts"]) for row in BUYING["white_spots"](world, EVER))
    assert sum(row[1] for row in asked["Q12"]) == sum(
        order.fulfilment_method == "pickup" and None not in (order.paid_at, order.fulfilled_at)
        and world.families.get(order.placed_channel) == "online" for order in world.orders)
    assert sum(row[2] for row in asked["Q11"]) == len({
        row.person_id for row in world.person_channels if row.interactions and world.is_people(row.person_id)})
    assert all(sum(row[2:5]) <= row[1] for row in asked["Q10"])
    assert all(row[1] > 0 for row in asked["Q6"])


def _omnichannel(world: World) -> tuple[int, int]:
    """People with orders of several families in the last 12 months, and with orders of one; the sample is younger."""
    families: dict[bytes, set[str]] = {}
    for order in world.placed():
        if world.is_people(order.person_id) and world.families[order.placed_channel] != "other":
            families.setdefault(order.person_id, set()).add(world.families[order.placed_channel])
    several = sum(len(found) > 1 for found in families.values())
    return several, len(families) - several


def test_pages_show_the_columns_of_their_answers(shown: Engine) -> None:
    """What they show besides is of the demo, and changes with it."""
    for name in QUESTIONS:
        page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
        query = re.search(r"```sql\n(.*?)```", page, re.DOTALL)
        head = re.search(r"^\| (.*) \|\n\|[-|]+\|\n", page, re.MULTILINE)
        assert query
        assert head
        result = shown.client.query(query[1])
        assert head[1].split(" | ") == list(result.column_names), name
        assert result.result_rows, name


def assert_answered(engine: Engine, view: str, wanted: list[dict[str, Any]]) -> None:
    assert len(wanted) > 1, view
    assert not (wrong := differing(engine.client, view, wanted)), f"{view}: {wrong[:6]}"
