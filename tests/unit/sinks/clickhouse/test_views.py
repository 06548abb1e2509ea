"""The views: each right for counting, whatever lies in the tables under it."""

import uuid
from decimal import Decimal
from typing import Any

import pytest

from sinks.clickhouse import migrations
from sinks.clickhouse.columns import TABLES, Rows, physical
from streams.core.credit import MODELS
from streams.settings import Settings
from tests.unit.sinks.clickhouse.conftest import Engine, columns, person, row

DAY_MS = 86_400_000


def order(number: int, order_id: str, version: int = 1, **values: Any) -> list[Any]:
    placed = {"placed_at": DAY_MS, "placed_channel": "web", "status": "placed", "person_shared": False,
              "currency": "EUR", "revenue": 100_0000, "margin": 30_0000, "returned_amount": 0, "returns": 0}
    return row("orders", version, person_id=person(number), order_id=order_id, **placed | values)


def test_a_tombstone_hides_its_row_before_any_merge(engine: Engine) -> None:
    engine.write("sessions", row("sessions", 1, session_id=person(1)), row("sessions", 1, session_id=person(2)))
    engine.write("sessions", gone=([2, bytes(16), person(1)],))
    assert engine.rows("SELECT session_id FROM onethread.sessions") == [(uuid.UUID(int=2),)]


def test_a_row_older_than_its_tombstone_stays_hidden_even_after_a_merge(engine: Engine) -> None:
    engine.write("sessions", gone=([2, bytes(16), person(1)],))
    engine.client.command(f"OPTIMIZE TABLE onethread.{physical('sessions')} FINAL")
    engine.write("sessions", row("sessions", 1, session_id=person(1)))
    assert engine.rows("SELECT count() FROM onethread.sessions") == [(0,)]


def test_a_filter_meets_only_the_current_version_of_a_row(engine: Engine) -> None:
    for version, channel in ((1, "web"), (2, "pos")):
        engine.write("touchpoints", row("touchpoints", version, event_id="1", channel=channel, order_id=channel))
    for condition in ("channel = 'web'", "order_id = 'web'", "lower(channel) = 'web'"):
        assert engine.rows(f"SELECT count() FROM onethread.touchpoints WHERE {condition}") == [(0,)]


def test_cleanup_of_tombstones_is_not_possible(engine: Engine) -> None:
    with pytest.raises(Exception, match="SUPPORT_IS_DISABLED"):
        engine.client.command(f"OPTIMIZE TABLE onethread.{physical('sessions')} FINAL CLEANUP")


def test_of_an_order_id_the_row_placed_first_is_shown(engine: Engine) -> None:
    engine.write("orders", order(1, "a", placed_at=2), order(2, "a", placed_at=1), order(3, "a", placed_at=None))
    engine.write("order_items", *(row("order_items", person_id=person(n), order_id="a", line_id="1", sku=f"of-{n}")
                                  for n in (1, 2, 3)))
    assert engine.rows("SELECT order_id, person_id FROM onethread.orders") == [("a", uuid.UUID(int=2))]
    assert engine.rows("SELECT sku FROM onethread.order_items") == [("of-2",)]


def test_orders_of_equal_times_go_to_the_least_person_as_text(engine: Engine) -> None:
    first, second = uuid.UUID(int=(1 << 64) + 9), uuid.UUID(int=2 << 64)
    assert str(first) < str(second)
    engine.write("orders", order(first.int, "a"), order(second.int, "a"), order(5, "never", placed_at=None))
    assert engine.rows("SELECT order_id, person_id FROM onethread.orders ORDER BY order_id") == [
        ("a", first), ("never", uuid.UUID(int=5))]


def test_money_of_another_currency_is_told_apart(engine: Engine) -> None:
    engine.write("orders", order(1, "a"), order(1, "b", currency="UAH"), order(1, "c", currency=None))
    assert engine.rows("SELECT order_id, revenue, revenue_reporting FROM onethread.orders ORDER BY order_id") == [
        ("a", Decimal(100), Decimal(100)), ("b", Decimal(100), None), ("c", Decimal(100), None)]
    engine.write("touchpoints", row("touchpoints", event_id="1", cost=5_0000, cost_currency="EUR"),
                 row("touchpoints", event_id="2", cost=5_0000, cost_currency="UAH"), row("touchpoints", event_id="3"))
    assert engine.rows("SELECT cost_reporting FROM onethread.touchpoints ORDER BY event_id") == [(5,), (None,), (None,)]


def test_persons_carry_their_counted_orders(engine: Engine) -> None:
    engine.write("persons", *(row("persons", person_id=person(n), shared=n == 3) for n in (1, 2, 3)))
    engine.write(
        "orders",
        order(1, "a", placed_at=DAY_MS, returned_amount=10_0000), order(1, "b", placed_at=2 * DAY_MS, margin=None),
        order(1, "in-uah", placed_at=3 * DAY_MS, currency="UAH"), order(1, "cancelled", status="cancelled"),
        order(1, "never-placed", placed_at=None), order(3, "of-many", person_shared=True),
    )
    assert engine.rows(
        "SELECT shared, orders, revenue, margin, returned, currency, unconverted,"
        " toUnixTimestamp64Milli(first_order_at), toUnixTimestamp64Milli(last_order_at)"
        " FROM onethread.persons ORDER BY toString(person_id)"
    ) == [
        (False, 3, Decimal(200), Decimal(30), Decimal(10), "EUR", 1, DAY_MS, 3 * DAY_MS),
        (False, 0, Decimal(0), None, Decimal(0), "EUR", 0, None, None),
        (True, 0, Decimal(0), None, Decimal(0), "EUR", 0, None, None),
    ]


def test_a_promise_has_its_status_at_as_of(engine: Engine) -> None:
    now, second = 1_767_225_600_000, 1000
    migrations.apply(engine.url, Settings(as_of="2026-01-01"))
    engine.write("promises", *(
        row("promises", promise_id=str(n), due_at=due, done_at=done, cancelled_at=cancelled)
        for n, (due, done, cancelled) in enumerate([
            (now, None, None), (now - 1, None, None), (None, None, None), (now, now, None), (now, now + 1, None),
            (None, now, None), (now - 90 * second, None, None), (now - 90 * second, now, None),
            (now - second, None, now)])))
    assert engine.rows("SELECT status, delay_s FROM onethread.promises ORDER BY promise_id") == [
        ("open", 0), ("overdue", 1), ("open", None), ("done", 0), ("late", 0), ("done", None), ("overdue", 90),
        ("late", 90), ("cancelled", None)]
    migrations.apply(engine.url, Settings())


def test_a_conversation_is_open_until_its_gap_is_over(engine: Engine) -> None:
    migrations.apply(engine.url, Settings(as_of="2026-01-02", conversation_gap="24h"))
    now = 1_767_225_600_000
    engine.write("conversations", *(row("conversations", conversation_id=str(at), ended_at=now + at) for at in (-1, 0)))
    assert engine.rows("SELECT conversation_id, open FROM onethread.conversations ORDER BY conversation_id") == [
        ("-1", False), ("0", True)]
    migrations.apply(engine.url, Settings())


def test_persons_carry_what_they_prefer_and_allow_now(engine: Engine) -> None:
    engine.write("persons", row("persons", preferences={"contact_mode": "write"}, consent={"email": False}))
    assert engine.rows("SELECT preferences, consent FROM onethread.persons") == [
        ({"contact_mode": "write"}, {"email": False})]


def test_persons_are_the_same_for_a_reader_whose_joins_use_nulls(engine: Engine) -> None:
    engine.write("persons", row("persons"))
    assert engine.rows("SELECT orders, revenue FROM onethread.persons SETTINGS join_use_nulls = 1") == [(0, Decimal(0))]


def test_an_identifier_was_last_seen_when_anybody_was_seen_with_it(engine: Engine) -> None:
    engine.write("identifiers", row("identifiers", node=person(1), value="a", first_seen_at=10),
                 row("identifiers", node=person(2), value="b", first_seen_at=10))
    engine.write("identifier_sightings",
                 row("identifier_sightings", person_id=person(7), node=person(1), first_seen_at=10, last_seen_at=30),
                 row("identifier_sightings", person_id=person(8), node=person(1), first_seen_at=20, last_seen_at=50))
    assert engine.rows(
        "SELECT value, toUnixTimestamp64Milli(first_seen_at), toUnixTimestamp64Milli(last_seen_at)"
        " FROM onethread.identifiers ORDER BY value"
    ) == [("a", 10, 50), ("b", 10, 10)]


def test_visits_have_the_columns_of_sessions(engine: Engine) -> None:
    engine.write("visits", row("visits", channel="web", device="mobile"))
    sessions, visits = (columns(engine, view) for view in ("sessions", "visits"))
    assert sessions <= visits
    assert engine.rows("SELECT channels, devices, switches, parallel, entry_channel FROM onethread.visits") == [
        (["web"], ["mobile"], 0, False, "web")]
    engine.clear()
    engine.write("visits", row("visits", device=None))
    assert engine.rows("SELECT devices FROM onethread.visits") == [([],)]


def test_person_channels_join_what_was_done_with_what_was_bought(engine: Engine) -> None:
    touches = {"first_at": 1, "exposures": 0, "visits": 1, "sessions_started": 1}
    engine.write(
        "person_channels",
        row("person_channels", person_id=person(1), channel="web", last_at=5, interactions=2, **touches),
        row("person_channels", person_id=person(1), channel="pos", last_at=9, interactions=2, **touches),
        row("person_channels", person_id=person(2), channel="sms", last_at=9, interactions=0, **touches),
    )
    engine.write("orders", order(1, "a", returns=1), order(1, "b", placed_channel="call_centre"),
                 order(3, "shared", person_shared=True))
    assert engine.rows(
        "SELECT channel, interactions, orders, revenue, returns, preferred, first_at IS NULL"
        " FROM onethread.person_channels ORDER BY toString(person_id), channel"
    ) == [
        ("call_centre", 0, 1, Decimal(100), 0, False, True),
        ("pos", 2, 0, Decimal(0), 0, True, False),
        ("web", 2, 1, Decimal(100), 1, False, False),
        ("sms", 0, 0, Decimal(0), 0, False, False),
    ]


def test_every_view_shows_a_row_sent_twice_once(engine: Engine) -> None:
    for _ in range(2):
        engine.writer.write([Rows(table, [row(table)]) for table in TABLES])
    views = [view for view in migrations.VIEWS if not view.startswith("facts_") and view not in NOT_OF_ONE_ROW]
    expected = dict.fromkeys(views, 1) | {"credits": len(MODELS)}
    assert {view: len(engine.rows(f"SELECT * FROM onethread.{view}")) for view in views} == expected
    counted = {view: engine.rows(f"SELECT count() FROM onethread.{view}")[0][0] for view in views}
    assert counted == expected


def test_returns_that_name_no_order_count_in_the_person_once(engine: Engine) -> None:
    """A return told to one person with an order and without is the order's."""
    engine.write("persons", *(row("persons", person_id=person(n), shared=n == 2) for n in (1, 2)))
    back = {"returned_at": DAY_MS, "amount": 10_0000, "currency": "EUR", "outcome": "accepted", "person_shared": False}
    engine.write("orders", order(1, "a", returned_amount=10_0000))
    engine.write("returns", *(
        row("returns", **back | {"person_id": person(who), "order_id": order_id, "return_id": return_id} | more)
        for who, order_id, return_id, more in (
            (1, "a", "r1", {}), (1, "", "r1", {}), (1, "", "r2", {}), (1, "", "r3", {"outcome": "refused"}),
            (1, "", "r4", {"currency": "UAH"}), (1, "", "r5", {"amount": None}), (2, "", "r1", {"person_shared": True}),
        )
    ))
    assert engine.rows("SELECT order_id, return_id FROM onethread.returns ORDER BY toString(person_id), return_id") == [
        ("a", "r1"), (None, "r2"), (None, "r3"), (None, "r4"), (None, "r5"), (None, "r1")]
    assert engine.rows("SELECT returned, unconverted FROM onethread.persons ORDER BY toString(person_id)") == [
        (Decimal(20), 1), (Decimal(0), 0)]


def test_returns_and_shipments_are_of_the_row_that_orders_shows(engine: Engine) -> None:
    engine.write("orders", order(1, "a", placed_at=2), order(2, "a", placed_at=1), order(1, "b"))
    for table in ("returns", "shipments"):
        engine.write(table, *(row(table, person_id=person(n), order_id=of) for n, of in ((1, "a"), (2, "a"), (1, "b"))))
        assert engine.rows(f"SELECT order_id, person_id FROM onethread.{table} ORDER BY order_id") == [
            ("a", uuid.UUID(int=2)), ("b", uuid.UUID(int=1))]


@pytest.mark.parametrize(("shipment", "late"), [
    ({"promised_at": 10, "delivered_at": 10}, False),
    ({"promised_at": 10, "delivered_at": 11}, True),
    ({"promised_at": 10, "delivered_at": 11, "status": "cancelled"}, True),
    ({"promised_at": 10}, True),
    ({"promised_at": 10, "status": "cancelled"}, None),
    ({"promised_at": 4_000_000_000_000}, False),
    ({"delivered_at": 11}, None),
    ({}, None),
])
def test_a_shipment_is_late_after_its_promise(engine: Engine, shipment: dict[str, Any], late: bool | None) -> None:
    engine.write("shipments", row("shipments", **shipment))
    assert engine.rows("SELECT late FROM onethread.shipments") == [(late,)]


NOT_OF_ONE_ROW = (*migrations.PARAMETERISED, "identity_alerts", "model_runs", "model_weights", "model_credits",
                  "cohorts", "ltv_by_acquisition", "win_back_return", "click_and_collect", "duplicate_orders",
                  "lost_to_stock", "price_differences", "refused_returns", "response_times", "satisfaction",
                  "trait_coverage", "duplicate_contacts", "campaign_return", "channel_switches", "obstacles",
                  "journey_paths", "time_to_purchase",
                  "abandoned_carts", "channel_mix", "channel_profile", "connectivity", "counted_orders", "device_mix",
                  "identification", "receipts", "ropo", "store_funnel", "white_spots")

CONTRACT = {
    "persons": "person_id known shared first_seen_at last_seen_at last_interaction_at first_channel channels devices "
               "identifier_kinds touchpoints sessions journeys orders revenue margin returned currency unconverted "
               "first_order_at last_order_at home_store_id status unnoticed_by acquisition_channel acquisition_source "
               "acquisition_medium acquisition_campaign acquired_at probability_alive predicted_orders "
               "predicted_revenue predicted_margin predicted_at preferences consent",
    "identifiers": "kind value person_id first_seen_at last_seen_at shared contested",
    "touchpoints": "event_id person_id session_id visit_id journey_id order_id conversation_id message_id occurred_at "
                   "local_at received_at channel source device language type role store_id staff skus query "
                   "campaign_source campaign_medium campaign_name campaign_term campaign_content click_id cost "
                   "cost_reporting amount currency after_sale identified_by properties",
    "sessions": "session_id person_id started_at ended_at touchpoints channels devices switches device_switches "
                "parallel entry_channel exit_channel entry_campaign stores order_ids",
    "visits": "visit_id person_id started_at ended_at touchpoints channels devices switches device_switches parallel "
              "entry_channel exit_channel entry_campaign stores order_ids channel device referrer",
    "orders": "order_id person_id journey_id requested_at requested_channel placed_at placed_channel placed_device "
              "placed_store_id placed_staff paid_at paid_channel payment_methods ready_at fulfilled_at "
              "fulfilled_channel fulfilled_store_id fulfilment_method promised_at cancelled_at status total currency "
              "revenue revenue_reporting margin returned_amount discount shipping tax points_spent promo_code "
              "anonymous identified_by receipt_ids returns suspected_duplicate_of",
    "order_items": "order_id person_id line_id sku name category brand quantity unit returned_quantity price discount "
                   "margin currency placed_at channel store_id",
    "returns": "return_id order_id person_id returned_at channel store_id staff amount currency outcome reason",
    "shipments": "shipment_id order_id person_id method carrier status promised_at delivered_at late",
    "stores": "store_id name city region country zone opening_hours",
    "products": "sku name category brand cost currency",
    "stock": "sku store_id available reserved incoming expected_at price currency at",
    "campaign_costs": "day source medium name impressions clicks cost currency",
    "rates": "day currency rate",
    "staff": "id name role team skills",
    "person_channels": "person_id channel first_at last_at interactions exposures visits sessions_started orders "
                       "revenue returns preferred",
    "conversations": "conversation_id person_id started_at ended_at channels staff staff_changes bot messages_in "
                     "messages_out calls first_response_s longest_wait_s topics repeats order_id open",
    "conversation_messages": "message_id conversation_id person_id at channel from_customer staff text recording_url "
                             "duration_ms",
    "promises": "promise_id person_id conversation_id kind requested_at promised_at promised_channel promised_by "
                "due_at done_at done_channel done_by status attempts delay_s",
    "consents": "person_id key value valid_from valid_to event_id source",
    "preferences": "person_id key value valid_from valid_to event_id source",
    "person_traits": "person_id key value valid_from valid_to event_id source",
    "evidence": "person_id kind_a value_a kind_b value_b events first_seen_at last_seen_at first_event_id conducts "
                "refused_because",
    "identifier_history": "kind value person_id valid_from valid_to",
    "rules": "rule_id verb kind_a value_a kind_b value_b at reason",
    "identity_alerts": "at kind person_id identifier_kind figure limit detail",
    "merges": "at action person_id other_person_id event_id reason",
    "erasures": "at receipt_id month currency touchpoints orders revenue",
    "dead_letters": "at reason detail topic partition offset raw replayed_at",
    "identifier_notes": "event_id kind note at",
    "unidentifiable": "event_id channel type occurred_at reason",
    "channels": "channel family",
    "model_runs": "run_id model at as_of parameters report",
    "model_credits": "run_id order_id person_id model event_id touch at channel campaign_source campaign_medium "
                     "campaign_name credit revenue revenue_reporting currency",
}


@pytest.mark.parametrize("view", CONTRACT)
def test_a_view_has_every_column_of_the_contract(engine: Engine, view: str) -> None:
    assert set(CONTRACT[view].split()) <= columns(engine, view)


def test_a_column_that_is_always_there_is_not_nullable(engine: Engine) -> None:
    types = dict(engine.rows("SELECT table || '.' || name, type FROM system.columns WHERE database = 'onethread'"))
    assert types["persons.currency"] == "String"
    assert types["person_channels.preferred"] == "Bool"
    assert {types[f"settings.{name}"] for name in ("session_gap", "half_life", "active_ratio")} == {"Float64"}
    assert {types[f"settings.{name}"] for name in ("partitions", "new_days")} == {"UInt64"}


def test_notes_on_an_event_that_came_twice_stand_once(engine: Engine) -> None:
    """Two notes of one copy are two: an event may name two bad phones."""
    engine.write("identifier_notes", *(
        row("identifier_notes", topic="events.web", partition=0, offset=offset, ordinal=ordinal, event_id="e-1",
            kind="phone", note="blocked")
        for offset in (3, 7) for ordinal in (0, 1)
    ))
    found = engine.rows("SELECT event_id, kind, note FROM onethread.identifier_notes")
    assert found == [("e-1", "phone", "blocked")] * 2
