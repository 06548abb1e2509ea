"""Obstacles: what stood in a customer's way, as single events tell it, and messages that nobody answered in time."""

from collections.abc import Callable, Iterable

from streams.core.event import Event, unpack

ANSWER_WITHIN_MS = 3_600_000
"""A message from the customer that we leave without an answer for longer is an obstacle."""

ANSWERS = frozenset({"message_sent", "call_answered", "callback_done"})

_OBSTACLE_OF = {
    "payment_failed": "payment_failed", "call_missed": "call_missed", "complaint_made": "complaint",
    "back_in_stock_requested": "product_unavailable",
}


def first_unanswered(events: Iterable[Event], later: Callable[[Event], Iterable[Event]]) -> int | None:
    """When the first of the messages among these was written that had no answer in time."""
    for event in events:
        if event.type == "message_received" and not _is_answered(event, later(event)):
            return event.at_ms
    return None


def _is_answered(message: Event, later: Iterable[Event]) -> bool:
    for event in later:
        if event.at_ms - message.at_ms > ANSWER_WITHIN_MS:
            return False
        if event.type in ANSWERS and _answers(event, message):
            return True
    return False


def _answers(event: Event, message: Event) -> bool:
    """Spoken with, or written to in the same conversation; where one of the two names none, on the same channel."""
    if event.type != "message_sent":
        return True
    if event.conversation_id is None or message.conversation_id is None:
        return event.channel == message.channel
    return event.conversation_id == message.conversation_id


def obstacles_of(event: Event) -> list[str]:
    """What stood in the customer's way, as one event tells."""
    found = [_OBSTACLE_OF[event.type]] if event.type in _OBSTACLE_OF else []
    if event.unavailable and "product_unavailable" not in found:
        found.append("product_unavailable")
    if event.order:
        told = unpack(event.order)
        delivery = (told.get("order") or {}).get("delivery") or {}
        if delivery.get("status") == "delayed":
            found.append("delivery_delayed")
        if (told.get("return") or {}).get("outcome") == "refused":
            found.append("return_refused")
    return found
