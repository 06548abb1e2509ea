"""Ready questions of who buys where and unseen, each rule on a few people settled by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sinks.clickhouse import migrations
from streams.settings import Settings
from tests.unit.sinks.clickhouse.conftest import Engine, person, row

ORDER = {"status": "fulfilled", "person_shared": False, "currency": "EUR", "anonymous": False, "returned_amount": 0,
         "identified_by": "loyalty_card", "placed_store_id": None, "placed_device": None, "journey_id": None}


def at(text: str) -> int:
    """2026-02-03 10:05, UTC, as epoch milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def order(number: int, order_id: str, placed: str, channel: str, revenue: int, **values: Any) -> list[Any]:
    told = {"placed_at": at(placed), "placed_channel": channel, "revenue": revenue * 10_000}
    return row("orders", person_id=person(number), order_id=order_id, **ORDER | told | values)


def receipt(number: int, order_id: str, placed: str, revenue: int = 10, **values: Any) -> list[Any]:
    return order(number, order_id, placed, "pos", revenue, **{"placed_store_id": "S1"} | values)


def unnamed(number: int, order_id: str, placed: str, revenue: int = 10, **values: Any) -> list[Any]:
    return receipt(number, order_id, placed, revenue, anonymous=True, identified_by=None, **values)


def touch(number: int, event_id: str, when: str | int, channel: str, kind: str, **values: Any) -> list[Any]:
    told = {"occurred_at": at(when) if isinstance(when, str) else when, "role": "interaction", "conflicts": 0,
            "skus": [], "device": None, "store_id": None, "amount": None, "currency": None}
    return row("touchpoints", person_id=person(number), event_id=event_id, channel=channel, type=kind,
               **told | values)


def visit(number: int, channel: str, device: str | None, count: int = 1) -> list[Any]:
    return row("visits", person_id=person(number), visit_id=f"{number}{channel}{device}".encode().ljust(16)[:16],
               started_at=at("2026-02-10 10:00"), channel=channel, device=device, touchpoints=count)


def people(engine: Engine, *numbers: int, **values: Any) -> None:
    engine.write("persons", *(row("persons", person_id=person(n), **{"shared": False, "known": True} | values)
                              for n in numbers))


@pytest.fixture
def views(engine: Engine) -> Iterator[Engine]:
    """The views in Kyiv, two hours ahead of UTC, as of the first of March."""
    migrations.apply(engine.url, Settings(as_of="2026-03-01T00:00:00+02:00", reporting_zone="Europe/Kyiv"))
    yield engine
    migrations.apply(engine.url, Settings())


def test_who_buys_on_several_channels_is_worth_more(views: Engine) -> None:
    """1 buys online and in a store, 2 online, 3 by phone and once through the CRM; 4 is shared, 5 nobody knows."""
    people(views, 1, 2, 3)
    people(views, 4, shared=True)
    people(views, 5, 6, known=False)
    views.write(
        "orders", order(1, "a", "2026-02-01 10:00", "web", 300), receipt(1, "b", "2026-02-02 10:00", 200),
        order(2, "c", "2026-02-03 10:00", "app", 50), order(3, "d", "2026-02-03 10:00", "call_centre", 100),
        order(3, "e", "2026-02-04 10:00", "crm", 50), receipt(2, "f", "2026-02-04 10:00", 999, status="cancelled"),
        receipt(4, "g", "2026-02-04 10:00", 70, person_shared=True), unnamed(5, "h", "2026-02-04 10:00", 30),
        order(2, "i", "2026-02-04 10:00", "web", 5, placed_at=None),
    )
    columns = "segment, persons, share, orders, revenue, revenue_a_head, multiplier"
    assert views.rows(f"SELECT {columns} FROM onethread.channel_mix WHERE basis = 'orders' ORDER BY segment") == [
        ("anonymous", 1, None, 2, 100, None, None),
        ("online only", 1, 1 / 3, 1, 50, 50, 0.5),
        ("phone only", 1, 1 / 3, 2, 150, 150, 1.5),
        ("several", 1, 1 / 3, 2, 500, 500, 5),
    ]


def test_what_people_use_counts_visits_too(views: Engine) -> None:
    people(views, 1, 2, 3)
    people(views, 4, known=False)
    views.write("visits", visit(1, "web", "mobile"), visit(1, "loyalty", None), visit(2, "kiosk", "kiosk"),
                visit(3, "loyalty", None), visit(4, "web", "mobile"))
    views.write("orders", order(2, "a", "2026-02-01 10:00", "call_centre", 20))
    used = views.rows("SELECT segment, persons, orders FROM onethread.channel_mix WHERE basis = 'use' ORDER BY ALL")
    assert used == [
        ("anonymous", 1, 0), ("online only", 1, 0), ("other only", 1, 0), ("several", 1, 1)]


def test_weeks_begin_on_monday_in_the_reporting_zone(views: Engine) -> None:
    """22:00 UTC on Sunday is midnight in Kyiv."""
    people(views, 1)
    views.write("orders", receipt(1, "a", "2026-02-08 21:59"), unnamed(1, "b", "2026-02-08 22:00"))
    assert [(str(week), share) for week, share in views.rows(
        "SELECT week, share FROM onethread.white_spots ORDER BY week")] == [("2026-02-02", 0), ("2026-02-09", 1)]


def test_receipts_of_shared_persons_are_anonymous_and_never_identified_later(views: Engine) -> None:
    people(views, 1, 4)
    people(views, 2, known=False)
    people(views, 3, shared=True)
    views.write("orders", receipt(1, "a", "2026-02-10 10:00", 5), unnamed(1, "b", "2026-02-10 10:00", 7),
                unnamed(2, "c", "2026-02-10 10:00", 11), receipt(3, "d", "2026-02-10 10:00", 13, person_shared=True),
                order(1, "e", "2026-02-10 10:00", "web", 17), unnamed(2, "f", "2026-02-10 10:00", status="cancelled"))
    assert views.rows("SELECT receipts, anonymous, share, revenue, revenue_all, identified_later"
                      " FROM onethread.white_spots") == [(4, 3, 0.75, 31, 36, 1)]
    assert views.rows("SELECT method, receipts, share FROM onethread.identification ORDER BY method") == [
        ("anonymous", 3, 0.75), ("loyalty_card", 1, 0.25)]


def test_a_card_is_silent_a_journey_gap_after_its_last_receipt(views: Engine) -> None:
    """1 came on two days and not since; 2 at the gap's last moment; 3 on one day; 4 has no card; 5 unnamed again."""
    people(views, 1, 2, 3, 5, identifier_kinds={"loyalty_card": 1})
    people(views, 4, identifier_kinds={"phone": 1})
    last, edge = "2026-01-29 21:59:59", "2026-01-29 22:00:00"
    views.write("orders", *(receipt(n, f"{n}/first", "2026-01-12 10:00", placed_store_id="S2") for n in (1, 2, 4, 5)),
                *(receipt(n, f"{n}/last", edge if n == 2 else last) for n in (1, 2, 3, 4, 5)),
                receipt(3, "3/same day", "2026-01-29 21:00"), unnamed(5, "5/unnamed", "2026-02-20 10:00"))
    assert views.rows("SELECT store_id, toString(week), silent_cards FROM onethread.white_spots ORDER BY ALL") == [
        ("S1", "2026-01-26", 2), ("S1", "2026-02-16", 0), ("S2", "2026-01-12", 0)]


def test_research_counts_thirty_days_before_a_purchase_on_the_other_side(views: Engine) -> None:
    people(views, 1, 2, 3)
    people(views, 4, known=False)
    bought = at("2026-02-20 10:00")
    month = 30 * 86_400_000
    views.write("orders", *(receipt(n, f"o{n}", "2026-02-20 10:00") for n in (1, 2, 3, 4)),
                order(3, "online", "2026-02-20 10:00", "web", 10), order(2, "far", "2026-02-20 10:00", "web", 10))
    views.write("order_items", *(row("order_items", person_id=person(n), order_id=f"o{n}", sku="lamp")
                                 for n in (1, 2, 3, 4)))
    views.write(
        "touchpoints", touch(1, "first", bought - month, "web", "product_viewed", skus=["lamp"]),
        touch(1, "again", bought - 1, "web", "page_viewed"),
        touch(2, "too old", bought - month - 1, "web", "page_viewed"),
        touch(2, "same moment", bought, "app", "page_viewed"),
        touch(2, "no research", bought - 1, "email", "message_opened"),
        touch(3, "asked", bought - 1, "pos", "consulted", store_id="S2", skus=["lamp"]),
        touch(4, "unknown", bought - 1, "web", "page_viewed"),
    )
    assert views.rows(
        "SELECT direction, research_type, research_channel, store_id, orders, researched, same_product"
        " FROM onethread.ropo ORDER BY ALL"
    ) == [
        ("online_to_store", "any", "any", "S1", 3, 1, 1),
        ("online_to_store", "page_viewed", "web", "S1", 3, 1, 0),
        ("online_to_store", "product_viewed", "web", "S1", 3, 1, 1),
        ("store_to_online", "any", "any", None, 2, 1, 0),
        ("store_to_online", "consulted", "pos", "S2", 2, 1, 0),
    ]


DAY_MS = 86_400_000
LEFT = at("2026-01-10 10:00")


@pytest.mark.parametrize(("later", "outcome"), [
    ([], "lost"),
    ([("order", DAY_MS)], None),
    ([("order", DAY_MS + 1)], "recovered"),
    ([("order", 30 * DAY_MS)], "recovered"),
    ([("order", 30 * DAY_MS + 1)], "lost"),
    ([("cancelled", DAY_MS)], None),
    ([("cancelled", 2 * DAY_MS)], "lost"),
    ([("emptied", DAY_MS)], None),
    ([("emptied", DAY_MS + 1)], "lost"),
    ([("cart_updated", 2 * DAY_MS)], "resumed"),
    ([("cart_updated", 2 * DAY_MS), ("order", 2 * DAY_MS + 1)], "recovered"),
    ([("cart_updated", 2 * DAY_MS), ("order", 4 * DAY_MS)], "resumed"),
    ([("checkout_started", 31 * DAY_MS)], "lost"),
])
def test_what_becomes_of_a_cart(views: Engine, later: list[tuple[str, int]], outcome: str | None) -> None:
    people(views, 1)
    views.write("touchpoints", touch(1, "left", LEFT, "web", "cart_updated", skus=["lamp"]))
    for n, (kind, after_ms) in enumerate(later):
        if kind in ("order", "cancelled"):
            views.write("orders", order(1, f"o{n}", "2026-01-10 10:00", "pos", 30, placed_at=LEFT + after_ms,
                                        status="cancelled" if kind == "cancelled" else "placed"))
        else:
            kind, skus = ("cart_updated", []) if kind == "emptied" else (kind, ["lamp"])
            views.write("touchpoints", touch(1, f"later/{n}", LEFT + after_ms, "app", kind, skus=skus))
    found = views.rows("SELECT outcome, recovered_by IS NOT NULL, recovered_channel, revenue_reporting"
                       " FROM onethread.abandoned_carts WHERE event_id = 'left'")
    recovered = outcome == "recovered"
    assert found == ([] if outcome is None else [(outcome, recovered, *(("pos", 30) if recovered else (None, None)))])


def test_a_cart_is_abandoned_once_the_wait_is_over(views: Engine) -> None:
    """As of 22:00 UTC on 28 February; a shared person's cart is nobody's."""
    people(views, 1, 2)
    people(views, 3, shared=True)
    views.write("touchpoints", touch(1, "just not", "2026-02-27 22:00:00", "web", "checkout_started", skus=["lamp"]),
                touch(2, "over", "2026-02-27 21:59:59", "web", "checkout_started"),
                touch(3, "shared", "2026-02-01 10:00", "web", "cart_updated", skus=["lamp"]))
    assert views.rows("SELECT event_id, outcome FROM onethread.abandoned_carts") == [("over", "open")]


def test_hours_of_a_store_are_those_of_the_reporting_zone(views: Engine) -> None:
    """1 stays over two hours, 2 is only a telephone, 3 asks from home, 4 takes an order; one receipt names nobody."""
    people(views, 1, 3, 4)
    people(views, 2, 5, known=False)
    here = {"store_id": "S1"}
    views.write(
        "touchpoints", touch(1, "in", "2026-02-10 09:59", "pos", "store_visited", **here),
        touch(1, "advice", "2026-02-10 10:01", "pos", "consulted", **here),
        touch(2, "phone", "2026-02-10 10:30", "wifi", "wifi_seen", role="observation", **here),
        touch(3, "asks", "2026-02-10 10:30", "web", "stock_asked", **here),
        touch(4, "takes", "2026-02-10 10:59", "pos", "order_fulfilled", role="order_fact", **here),
        touch(4, "told", "2026-02-10 10:59", "pos", "order_paid", role="order_fact", **here),
        touch(5, "buys", "2026-02-10 10:30", "pos", "order_placed", **here),
    )
    views.write("orders", unnamed(5, "a", "2026-02-10 10:30"))
    assert [(str(hour), str(day), *rest) for hour, day, *rest in views.rows(
        "SELECT hour, day, hour_of_day, seen, known, receipts FROM onethread.store_funnel ORDER BY hour")] == [
        ("2026-02-10 09:00:00", "2026-02-10", 11, 1, 1, 0), ("2026-02-10 10:00:00", "2026-02-10", 12, 4, 2, 1)]


def test_a_channel_is_joined_where_its_persons_are_met_elsewhere(views: Engine) -> None:
    """1 on the site and in the app, 2 on the site and in a store, 3 only on the site."""
    people(views, 1, 2)
    people(views, 3, known=False)
    views.write("person_channels", *(row("person_channels", person_id=person(n), channel=channel) for n, channel in (
        (1, "web"), (1, "app"), (2, "web"), (2, "pos"), (3, "web"))))
    assert views.rows("SELECT channel, family, persons, joined, joined_family, known FROM onethread.connectivity"
                      " ORDER BY channel") == [
        ("app", "online", 1, 1, 0, 1), ("pos", "store", 1, 1, 1, 1), ("web", "online", 3, 2, 1, 2)]


def test_devices_of_one_person_are_used_with_others(views: Engine) -> None:
    people(views, 1, 2, 3)
    views.write("visits", visit(1, "web", "mobile", 2), visit(1, "web", "desktop"), visit(2, "web", "mobile"),
                visit(3, "web", "mobile"), visit(3, "email", None))
    views.write("orders", order(1, "a", "2026-02-10 10:00", "web", 50, placed_device="desktop"),
                order(2, "b", "2026-02-10 10:00", "web", 9, placed_device="tv"))
    assert views.rows("SELECT device, persons, with_others, visits, interactions, orders, orders_a_visit, revenue"
                      " FROM onethread.device_mix ORDER BY device") == [
        ("desktop", 1, 1, 1, 1, 1, 1, 50), ("mobile", 3, 1, 3, 4, 0, 0, 0), ("tv", 0, 0, 0, 0, 1, None, 9),
        (None, 1, 1, 1, 1, 0, 0, 0)]


def test_channels_where_sessions_begin_pass_and_end(views: Engine) -> None:
    people(views, 1, 2)
    views.write("visits", visit(1, "web", None, 3), visit(1, "chat", None), visit(2, "web", None))
    for number, path in ((1, ["web", "chat"]), (2, ["web"])):
        views.write("sessions", row("sessions", person_id=person(number), session_id=person(number), channels=path,
                                    entry_channel=path[0], exit_channel=path[-1]))
    views.write("orders", order(1, "a", "2026-02-10 10:00", "chat", 50, status="partly_returned"))
    assert views.rows("SELECT channel, family, persons, visits, interactions, sessions, sessions_started,"
                      " sessions_ended, alone, buyers, orders, revenue, returned_orders"
                      " FROM onethread.channel_profile ORDER BY channel") == [
        ("chat", "online", 1, 1, 1, 1, 0, 1, 0, 1, 1, 50, 1), ("web", "online", 2, 2, 4, 2, 2, 1, 1, 0, 0, 0, 0)]
