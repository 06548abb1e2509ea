"""Journeys on literal days: where they are cut, what joins them, how far they came."""

from itertools import pairwise
from typing import Any

import pytest

from streams.core.event import Event, pack
from streams.core.facts import TABLES
from streams.core.journey import Journey, Place, course
from streams.core.order import placed_by
from tests.oracle.build import CONTENT, event

GAP_MS = 1000
HOUR_MS = 3_600_000


def touch(event_id: str, at_ms: int, **fields: Any) -> Event:
    return event(event_id, at_ms, "email:a", **fields)


def exposure(event_id: str, at_ms: int, **fields: Any) -> Event:
    return touch(event_id, at_ms, **{"role": "exposure", "type": "message_sent", "channel": "email", **fields})


def order(event_id: str, at_ms: int, type_: str = "order_placed", **fields: Any) -> Event:
    role = "interaction" if type_ in ("order_placed", "order_requested") else "order_fact"
    return touch(event_id, at_ms, **{"type": type_, "role": role, "order": {"order_id": "o"}, **fields})


def journeys(*events: Event) -> list[Journey]:
    def place_of(order_id: str) -> Place | None:
        placing = placed_by(e for e in events if e.order_id == order_id)
        return (placing.at_ms, placing.event_id) if placing else None

    return course(b"p" * 16, sorted(events, key=lambda e: (e.at_ms, e.event_id)), place_of, GAP_MS).journeys


def one(*events: Event) -> Journey:
    [found] = journeys(*events)
    return found


def numbers(*events: Event) -> list[int]:
    return [j.touchpoints for j in journeys(*events)]


def test_a_journey_is_a_row_column_by_column() -> None:
    assert Journey._fields == tuple(c.name for c in TABLES["journeys"].columns)


def test_a_pause_of_exactly_the_gap_stays_and_a_millisecond_more_cuts() -> None:
    assert numbers(touch("1", 0), touch("2", GAP_MS)) == [2]
    assert numbers(touch("1", 0), touch("2", GAP_MS + 1)) == [1, 1]


def test_a_placing_ends_its_journey_and_belongs_to_it() -> None:
    first, second = journeys(touch("1", 0), order("2", 1), touch("3", 2))
    assert (first.order_id, first.stage, first.touchpoints, first.last_step_at) == ("o", "buy", 2, 1)
    assert (second.order_id, second.stage, second.touchpoints) == (None, "consider", 1)


def test_a_lone_receipt_is_a_journey_of_its_own() -> None:
    receipt = one(order("1", 5, channel="pos"))
    assert (receipt.path, receipt.touchpoints, receipt.order_id, receipt.start_event_id) == (["pos"], 1, "o", "1")


def test_a_payment_places_where_nothing_else_does_and_ends_the_journey() -> None:
    paid = one(touch("1", 0), order("2", 1, "order_paid"))
    assert (paid.order_id, paid.touchpoints, paid.end_type) == ("o", 2, "order_paid")


def test_after_sale_is_left_out_before_cutting() -> None:
    """Without it the pause between placing and the next visit is longer than the gap; it holds nothing together."""
    found = journeys(
        touch("1", 0), order("2", 1), order("3", GAP_MS - 1, "order_paid"),
        touch("4", GAP_MS, order={"order_id": "o"}), touch("5", 2 * GAP_MS), touch("6", 3 * GAP_MS),
    )
    assert [(j.touchpoints, j.after_sale, j.stage) for j in found] == [(2, 2, "after_sale"), (2, 0, "consider")]


def test_what_names_the_order_before_its_placing_is_a_step() -> None:
    assert one(order("1", 0, "order_requested"), order("2", 1)).touchpoints == 2


@pytest.mark.parametrize(("at_ms", "expected"), [
    (0, [1]),  # more than the gap before the only step
    (9_000, [2]),  # exactly the gap before it
    (11_000, [2]),  # exactly the gap after it
    (11_001, [1]),
])
def test_an_exposure_joins_a_step_at_most_a_gap_away(at_ms: int, expected: list[int]) -> None:
    assert numbers(exposure("e", at_ms), touch("1", 10_000)) == expected


def test_an_exposure_prefers_the_next_step() -> None:
    before, after = journeys(touch("1", 0), exposure("e", 700), touch("2", 1700))
    assert (before.touchpoints, after.touchpoints, after.start_event_id) == (1, 2, "e")
    before, after = journeys(touch("1", 0), exposure("e", 699), touch("2", 1700))
    assert (before.touchpoints, after.touchpoints, before.end_type) == (2, 1, "message_sent")


def test_an_exposure_after_a_conversion_joins_the_next_journey_or_none() -> None:
    assert numbers(order("1", 0), exposure("e", 1)) == [1]
    assert numbers(order("1", 0), exposure("e", 1), touch("2", 1 + GAP_MS)) == [1, 2]


def test_an_unread_weekly_newsletter_makes_no_journey_and_ends_none() -> None:
    letters = [exposure(f"n{week}", week * 600) for week in range(10)]
    assert journeys(*letters) == []
    found = one(*letters, touch("1", 1500))
    assert (found.touchpoints, found.last_step_at) == (5, 1500)  # two letters before it, two after


def test_an_import_of_contacts_makes_no_journey() -> None:
    records = [touch(str(n), n, role="record", type="identified", channel="crm") for n in range(5)]
    assert journeys(*records, order("o1", 9, role="record"), order("o2", 10, "order_paid")) == []


def test_the_path_draws_runs_of_one_channel_together() -> None:
    found = one(
        touch("1", 0, channel="ads", type="ad_clicked"), touch("2", 1, device="desktop"), touch("3", 2),
        touch("4", 3, channel="chat"), touch("5", 4, device="mobile"), exposure("6", 5, channel="web"),
    )
    assert (found.path, found.path_at) == (["ads", "web", "chat", "web"], [0, 1, 3, 4])
    assert (found.path_touchpoints, found.path_devices) == ([1, 2, 1, 2], ["", "desktop", "", "mobile"])
    assert (found.channels, found.device_switches, found.last_device) == (["ads", "web", "chat"], 1, "mobile")
    assert (found.start_channel, found.end_channel, found.end_type) == ("ads", "web", "message_sent")


def test_a_journey_tells_the_campaign_that_began_it() -> None:
    content = list(CONTENT)
    content[5], content[7] = "google", "spring"
    found = one(touch("1", 0, campaign="spring", content=pack(content)), touch("2", 1))
    assert (found.start_campaign_source, found.start_campaign_name) == ("google", "spring")


def test_the_stage_is_the_furthest() -> None:
    told = [
        exposure("1", 0), touch("2", 1, type="ad_clicked"), touch("3", 2, type="product_viewed"),
        touch("4", 3, type="checkout_started"), order("5", 4), order("6", 5, "order_fulfilled"),
    ]
    stages = [one(*told[:n]).stage for n in range(2, 7)]
    assert stages == ["aware", "consider", "intend", "buy", "after_sale"]
    assert all(a != b for a, b in pairwise(stages))


def test_obstacles_of_the_way_and_of_the_after_sale() -> None:
    found = one(
        touch("1", 0, unavailable=True), touch("2", 1, type="payment_failed"), touch("3", 2, type="payment_failed"),
        touch("4", 3, type="call_missed"), order("5", 4),
        order("6", 5, "delivery_updated", order={"order_id": "o", "delivery": {"status": "delayed"}}),
        order("7", 6, "order_returned", returned={"return_id": "r", "outcome": "refused"}),
        touch("8", 7, type="complaint_made", order={"order_id": "o"}),
    )
    assert found.obstacles == [
        "product_unavailable", "payment_failed", "call_missed", "delivery_delayed", "return_refused", "complaint",
    ]


def asked(event_id: str = "1", at_ms: int = 0, **fields: Any) -> Event:
    return touch(event_id, at_ms, **{"type": "message_received", "channel": "chat", **fields})


@pytest.mark.parametrize(("answer", "expected"), [
    (exposure("2", HOUR_MS, channel="chat"), None),
    (exposure("2", HOUR_MS + 1, channel="chat"), 0),
    (exposure("2", 5, channel="email"), 0),
    (exposure("2", 5, channel="email", conversation_id="c"), None),
    (exposure("2", 5, channel="chat", conversation_id="d"), 0),
    (touch("2", 5, type="call_answered", channel="call_centre"), None),
    (exposure("2", 5, type="call_made", channel="call_centre"), 0),
])
def test_a_message_is_answered_within_an_hour_in_its_conversation_or_by_voice(
    answer: Event, expected: int | None,
) -> None:
    message = asked(conversation_id="c" if answer.conversation_id else None)
    assert journeys(message, answer)[0].unanswered_at == expected


def test_the_first_message_without_an_answer_counts() -> None:
    found = journeys(asked("1", 0), exposure("2", 1, channel="chat"), asked("3", 2), asked("4", 3))
    assert found[0].unanswered_at == 2
