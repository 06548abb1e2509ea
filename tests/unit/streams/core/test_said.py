"""What an event says to conversations, promises and attributes."""

from typing import Any

import pytest

from streams.core.said import Talk, Told, talk_of, told_of
from tests.unit.streams.core.records import accepted


def talk(**fields: Any) -> Talk | None:
    found = accepted(**fields).talk
    return talk_of(found) if found else None


def test_a_message_and_a_promise_are_packed() -> None:
    message = {
        "message_id": "m", "conversation_id": "c", "topic": "delivery", "text": "When?", "recording_url": "s3://r",
        "duration_ms": 0, "wait_ms": 5,
    }
    promise = {"promise_id": "p", "kind": "reply", "due_at": "2026-02-05T12:00:00Z"}
    assert talk(type="message_received", message=message, promise=promise, staff={"id": "b", "role": "bot"}) == Talk(
        True, "delivery", "When?", "s3://r", 0, 5, "p", "reply", 1_770_292_800_000,
    )


def test_a_complaint_says_what_its_feedback_says() -> None:
    assert talk(type="complaint_made", feedback={"text": "Too late."}) == Talk(text="Too late.")


@pytest.mark.parametrize("fields", [
    {"type": "call_missed"}, {"type": "consulted"}, {"type": "order_placed", "order": {"order_id": "o"}},
    {"type": "order_cancelled", "order": {"order_id": "o"}}, {"type": "promise_cancelled"},
    {"type": "page_viewed", "message": {"conversation_id": "c"}},
    {"type": "message_sent", "campaign": {"name": "spring"}, "message": {"reply_to": "m"}},
    {"type": "message_sent", "campaign": {"name": "spring"}, "message": {"conversation_id": "c"}},
    {"type": "message_received", "campaign": {"name": "spring"}},
])
def test_what_takes_part_in_talk(fields: dict[str, Any]) -> None:
    assert talk(**fields) is not None


@pytest.mark.parametrize("fields", [
    {"type": "page_viewed"}, {"type": "ad_viewed", "message": {"text": "x"}}, {"type": "order_paid", "order":
    {"order_id": "o"}}, {"type": "message_received", "role": "record"}, {"type": "wifi_seen"},
    {"type": "message_sent", "campaign": {"name": "spring"}}, {"type": "message_opened", "campaign": {"name": "s"}},
])
def test_what_does_not(fields: dict[str, Any]) -> None:
    assert accepted(**fields).talk == b""


def test_traits_preferences_and_consents_are_told_by_whoever_wrote_them_down() -> None:
    told = accepted(
        role="record", source="crm", traits={"name": " A ", "birthday": ""}, preference={"contact_mode": "write"},
        consent={"email": False},
    ).told
    assert told_of(told) == Told("crm", {"name": "A", "birthday": ""}, {"contact_mode": "write"}, {"email": False})


def test_an_address_is_a_trait_also_where_it_is_preferred() -> None:
    told = accepted(preference={"delivery_address": "Main 1", "language": "uk"}).told
    assert told_of(told) == Told("", {"delivery_address": "Main 1"}, {"language": "uk"}, {})


def test_texts_traits_and_addresses_are_in_no_other_part_of_an_event() -> None:
    """What the touchpoint shows is `content`, and orders show `order`: neither repeats what few may see."""
    event = accepted(
        type="complaint_made", message={"text": "said-by-message"}, feedback={"text": "said-by-feedback", "score": 1},
        traits={"name": "told-as-trait"}, preference={"delivery_address": "told-as-address"},
    )
    kept = event.content + event.order
    assert not any(said in kept for said in (b"said-by", b"told-as"))
    assert b"said-by-message" in event.talk
    assert b"told-as-trait" in event.told


def test_an_event_that_tells_nothing_of_the_customer_carries_nothing() -> None:
    assert accepted().told == b""
