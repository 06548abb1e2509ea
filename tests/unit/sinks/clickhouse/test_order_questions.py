"""The ready questions about orders, on a small shop settled by hand: each page shows what its query answers."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sinks.clickhouse import migrations
from streams.settings import Settings
from tests.unit.sinks.clickhouse.conftest import Engine, person, row
from tests.unit.sinks.clickhouse.pages import printed, shown

QUESTIONS = ("campaign_return", "click_and_collect", "duplicate_orders", "lost_to_stock", "price_differences",
             "refused_returns")
DAY_OF_FEBRUARY = (date(2026, 2, 1) - date(1970, 1, 1)).days - 1
SALE = {"status": "fulfilled", "person_shared": False, "currency": "EUR", "returned_amount": 0, "margin": None}


def at(text: str) -> int:
    """2026-02-03 10:05 as epoch milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def order(number: int, order_id: str, placed: str, channel: str, total: int, **values: Any) -> list[Any]:
    told = {"placed_at": at(placed), "placed_channel": channel, "total": total * 10_000, "revenue": total * 10_000}
    return row("orders", person_id=person(number), order_id=order_id, **SALE | told | values)


def collected(order_id: str, placed: str, channel: str, store: str, **times: Any) -> list[Any]:
    told = {name: at(value) if name.endswith("_at") else value for name, value in times.items()}
    return order(1, order_id, placed, channel, 10, fulfilment_method="pickup", delivery_store_id=store, **told)


def item(number: int, order_id: str, sku: str, price: str, channel: str, placed: str, **values: Any) -> list[Any]:
    told = {"price": int(Decimal(price) * 10_000), "currency": "EUR", "channel": channel, "placed_at": at(placed)}
    return row("order_items", person_id=person(number), order_id=order_id, line_id="1", sku=sku, name=sku.title(),
               **told | values)


def came_back(number: int, return_id: str, when: str, channel: str, outcome: str, **values: Any) -> list[Any]:
    told = {"returned_at": at(when), "channel": channel, "outcome": outcome, "amount": 20_0000, "currency": "EUR",
            "person_shared": False, "order_id": "", "staff": None}
    return row("returns", person_id=person(number), return_id=return_id, **told | values)


def wanted(number: int, when: str, channel: str, **values: Any) -> list[Any]:
    told = {"occurred_at": at(when), "channel": channel, "type": "product_viewed", "skus": [], "unavailable": []}
    return row("touchpoints", person_id=person(number), event_id=f"{number} {when}", **told | values)


def _credits(number: int, order_id: str) -> list[Any]:
    """Three touches: an ad, a mail without a campaign, an ad of another campaign; each model as its rule says."""
    whole, third = 10**12, 333_333_333_333
    models = {"first": [whole, 0, 0], "linear": [third, third, third + 1], "position": [whole * 4 // 10, whole // 5,
              whole * 4 // 10], "time_decay": [third, third, third + 1]}
    models |= {name: [0, 0, whole] for name in ("last", "last_non_direct")}
    return row("credits", person_id=person(number), order_id=order_id, event_ids=["1", "2", "3"],
               touches=["ad", "message", "ad"], channels=["ads", "email", "ads"],
               ats=[at("2026-02-01 10:00"), at("2026-02-02 10:00"), at("2026-02-03 09:00")],
               campaign_sources=["google", "", "meta"], campaign_mediums=["cpc", "", "cpc"],
               campaign_names=["brand", "", "cosy-home"], **models)


@pytest.fixture
def shop(engine: Engine) -> Iterator[Engine]:
    migrations.apply(engine.url, Settings(as_of="2026-03-01"))
    engine.write(
        "orders",
        collected("c1", "2026-02-03 10:00", "web", "S1", paid_at="2026-02-03 10:05", paid_channel="payment",
                  ready_at="2026-02-03 12:05", promised_at="2026-02-03 12:00", fulfilled_at="2026-02-03 17:05",
                  fulfilled_store_id="S1"),
        collected("c2", "2026-02-04 09:00", "app", "S1", paid_at="2026-02-04 09:00", paid_channel="payment",
                  ready_at="2026-02-04 09:04", fulfilled_at="2026-02-04 09:15", fulfilled_store_id="S1"),
        collected("c3", "2026-02-05 09:00", "web", "S1", ready_at="2026-02-05 10:00", ready_store_id="S1"),
        collected("c4", "2026-02-06 09:00", "web", "S2", paid_at="2026-02-06 12:00", paid_channel="pos",
                  ready_at="2026-02-06 10:00", fulfilled_at="2026-02-06 12:00", fulfilled_store_id="S2"),
        collected("c5", "2026-02-06 09:00", "web", "S2", promised_at="2026-02-07 09:00"),
        collected("gone", "2026-02-06 09:00", "web", "S2", status="cancelled"),
        collected("at-the-counter", "2026-02-06 09:00", "pos", "S2"),
        order(2, "d1", "2026-02-10 10:00", "web", 90), order(3, "d3", "2026-02-11 10:00", "pos", 30),
        order(2, "d2", "2026-02-10 11:30", "call_centre", 95, suspected_duplicate_of="d1", placed_staff="op-3"),
        order(4, "again", "2026-02-20 10:00", "web", 15), order(5, "before", "2026-02-01 10:00", "web", 15),
        order(6, "p1", "2026-02-01 10:00", "web", 10), order(6, "p2", "2026-02-02 10:00", "pos", 10),
        order(6, "p3", "2026-02-02 11:00", "pos", 10), order(6, "p4", "2026-02-02 12:00", "web", 10),
        order(6, "p5", "2026-02-02 12:00", "pos", 10, status="cancelled"),
    )
    engine.write(
        "order_items",
        item(6, "p1", "mug", "8.00", "web", "2026-02-01 10:00"),
        item(6, "p2", "mug", "10.00", "pos", "2026-02-02 10:00", store_id="S1"),
        item(6, "p3", "mug", "9.00", "pos", "2026-02-02 11:00", store_id="S2"),
        item(6, "p4", "pan", "20.00", "web", "2026-02-02 12:00"),
        item(6, "p5", "pan", "99.00", "pos", "2026-02-02 12:00"),
    )
    engine.write(
        "returns",
        came_back(4, "r1", "2026-02-12 10:00", "pos", "refused", store_id="S1", reason="bought online",
                  other_channel=True, order_id="again"),
        came_back(5, "r2", "2026-02-13 10:00", "pos", "refused", store_id="S1", reason="no receipt"),
        came_back(6, "r3", "2026-02-14 10:00", "pos", "accepted", store_id="S1", reason="too small"),
        came_back(6, "r4", "2026-02-14 10:00", "pos", "refused", store_id="S1", currency="USD", reason="no receipt"),
        came_back(6, "r5", "2026-02-14 10:00", "chat", "asked"),
        came_back(7, "r6", "2026-02-14 10:00", "pos", "refused", store_id="S1", person_shared=True),
    )
    engine.write("persons", row("persons", person_id=person(9), shared=True))
    engine.write(
        "touchpoints",
        wanted(1, "2026-02-01 08:00", "web", unavailable=["pan"], skus=["pan", "mug"]),
        wanted(1, "2026-02-02 08:00", "chat", type="stock_asked", skus=["mug"]),
        wanted(6, "2026-02-01 09:00", "app", unavailable=["pan"]),
        wanted(6, "2026-02-01 09:30", "app", type="back_in_stock_requested", skus=["pan"]),
        wanted(2, "2026-02-28 09:30", "web", type="back_in_stock_requested", skus=["vase"]),
        wanted(9, "2026-02-28 09:30", "pos", unavailable=["pan"]),
    )
    engine.write("credits", _credits(1, "c1"))
    engine.write("campaign_costs", *(
        row("campaign_costs", day=DAY_OF_FEBRUARY + day, source=source, medium="cpc", name=name, cost=cost * 10_000,
            currency="EUR")
        for day, source, name, cost in (
            (1, "google", "brand", 4), (2, "google", "brand", 1), (2, "tiktok", "gifts", 8))))
    engine.write("products", row("products", sku="vase", name="Vase, blue"))
    engine.write("stock", *(
        row("stock", sku="pan", store_id=store, available=5_0000, incoming=incoming, expected_at=expected)
        for store, incoming, expected in (("S1", 0, at("2026-03-02 00:00")), ("S2", 1, at("2026-03-05 00:00")))))
    yield engine
    migrations.apply(engine.url, Settings())


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_page_shows_what_its_query_answers(shop: Engine, name: str) -> None:
    query, table = shown(name)
    assert table == printed(shop.client.query(query))


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_of_a_period_begins_with_its_first_instant_and_ends_before_its_last(shop: Engine, name: str) -> None:
    first, last = datetime(2026, 2, 1), datetime(2026, 3, 1)
    whole = shop.rows(f"SELECT * FROM onethread.{name} ORDER BY ALL")
    assert shop.rows(f"SELECT * FROM onethread.{name}_between(from = '{first}', to = '{last}') ORDER BY ALL") == whole
    assert shop.rows(f"SELECT * FROM onethread.{name}_between(from = '{last}', to = '{last + timedelta(1)}')") == []


def test_a_period_includes_its_beginning_only(shop: Engine) -> None:
    between = "SELECT order_id FROM onethread.duplicate_orders_between(from = '2026-02-10 {}', to = '2026-02-10 {}')"
    assert shop.rows(between.format("11:30:00", "11:30:01")) == [("d2",)]
    assert shop.rows(between.format("11:00:00", "11:30:00")) == []
