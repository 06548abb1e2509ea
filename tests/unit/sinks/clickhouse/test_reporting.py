"""What the report is made of, out of the views; and the page made of it."""

import uuid

import pytest

from analytics.report.page import page
from sinks.clickhouse import migrations
from sinks.clickhouse.reporting import figures
from streams.settings import Settings
from tests.unit.sinks.clickhouse.conftest import Engine, person, row

DAY_MS = 86_400_000
NOW_MS = 1_767_225_600_000  # 2026-01-01


@pytest.fixture
def settled(engine: Engine) -> Engine:
    """1 comes by an ad, asks in the chat and buys in the store; 2 gives up after a payment fails; 3 is nobody."""
    migrations.apply(engine.url, Settings(as_of="2026-01-01"))
    engine.write("persons", *(
        row("persons", person_id=person(n), known=n != 3, shared=False, journeys=1) for n in (1, 2, 3)))
    placed = {"placed_at": NOW_MS - 60 * DAY_MS, "placed_channel": "pos", "placed_store_id": "S1", "status": "placed",
              "currency": "EUR", "person_shared": False}
    engine.write(
        "orders",
        row("orders", person_id=person(1), order_id="a", revenue=3_000_000, anonymous=False, journey_id=person(11),
            identified_by="phone", **placed),
        row("orders", person_id=person(3), order_id="b", revenue=500_000, anonymous=True, **placed),
    )
    engine.write("journeys", way(1, "a", "ads", "chat", "pos"), way(2, None, "web", "chat"))
    engine.write("credits", row(
        "credits", person_id=person(1), order_id="a", event_ids=["x"], touches=["ad"], ats=[NOW_MS - 62 * DAY_MS],
        channels=["ads"], campaign_sources=[""], campaign_mediums=[""], campaign_names=[""],
        **{model: [10**12] for model in ("first", "last", "last_non_direct", "linear", "time_decay", "position")},
    ))
    return engine


def way(who: int, order_id: str | None, *path: str) -> list[object]:
    times = [NOW_MS - (62 - n) * DAY_MS for n in range(len(path))]
    return row(
        "journeys", person_id=person(who), journey_id=person(10 + who), order_id=order_id, path=list(path),
        path_at=times, path_touchpoints=[1] * len(path), path_devices=[""] * len(path), started_at=times[0],
        last_step_at=times[-1], last_touchpoint_at=times[-1], end_channel=path[-1],
        obstacles=[] if order_id else ["payment_failed"],
    )


def test_every_part_asks_its_view(settled: Engine) -> None:
    found = figures(settled.client)
    assert (found.head["people"], found.head["orders"], found.head["orders_anonymous"]) == (2, 2, 1)
    assert (found.head["revenue"], found.head["journeys_converted"]) == (350.0, 1)
    assert found.families["chat"] == "online"
    assert {(r["basis"], r["segment"]) for r in found.mix} >= {("orders", "store only"), ("orders", "anonymous")}
    assert [(r["from_channel"], r["to_channel"], r["lost_here"]) for r in found.switches] == [
        ("ads", "chat", 0), ("chat", "pos", 0), ("web", "chat", 1)]
    assert [(r["channel"], r["revenue"]) for r in found.credits if r["model"] == "first"] == [("ads", 300.0)]
    assert [(str(r["cohort"]), r["age"], r["retention"]) for r in found.cohorts] == [
        ("2025-11-01", 0, 1.0), ("2025-11-01", 1, 0.0), ("2025-11-01", 2, 0.0)]
    assert sum(r["persons"] for r in found.acquisitions) == sum(r["persons"] for r in found.statuses) == 2
    assert [(r["store_id"], r["receipts"], r["anonymous"]) for r in found.white_spots] == [("S1", 2, 1)]
    assert [(r["obstacle"], r["abandoned"]) for r in found.obstacles] == [("payment_failed", 1)]
    assert found.journey is not None
    assert found.journey["path"] == ["ads", "chat", "pos"]
    assert {r["model"] for r in found.journey_credits} >= {"first", "linear"}
    assert "Nothing to show" not in page(found)


def test_the_last_run_of_each_model_is_shown(settled: Engine) -> None:
    old, new = uuid.UUID(int=1), uuid.UUID(int=2)
    for run_id, at in ((old, "2026-01-01"), (new, "2026-01-02")):
        settled.client.command(
            "INSERT INTO onethread.batch_runs VALUES "
            f"('{run_id}', 'ltv', '{at}', '{at}', map('customers', '{run_id.int}', 'end_day', '{at}'), '{{}}')")
    fit = figures(settled.client).fit
    assert fit is not None
    assert fit["parameters"]["customers"] == "2"
    assert "fitted on 2 buyers up to 2026-01-02" in page(figures(settled.client))


def test_of_a_database_without_events_there_is_a_page_too(engine: Engine) -> None:
    found = figures(engine.client)
    assert found.journey is None
    assert page(found).count("Nothing to show:") == 8
