"""One person's talk, dense with promises and handovers: the rows are the oracle's, and so they are event by event."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.event import Event
from streams.core.facts import TABLES
from streams.core.keys import Keys
from streams.core.sayings import Changes, Rows, Sayings
from streams.core.shaping import Shaping
from tests.oracle import attributes, talk
from tests.oracle.build import event

WHO = bytes(16)
SHAPING = Shaping(Keys(b"", 1), 5, conversation_gap_ms=10, callback_due_ms=3)
TYPES = {
    "interaction": [
        "message_received", "call_received", "call_answered", "call_answered", "call_missed", "callback_requested",
        "callback_requested", "consulted", "order_placed", "page_viewed", "message_opened", "promise_cancelled",
    ],
    "exposure": [
        "message_sent", "call_made", "callback_promised", "callback_promised", "promise_made", "callback_done",
        "promise_kept", "message_delivered", "callback_cancelled",
    ],
    "order_fact": ["order_cancelled"],
}


def _event(random: Random, number: int) -> Event:
    def some(*values: Any) -> Any:
        return random.choice([None, *values])
    role = random.choice([*3 * ["interaction", "exposure"], "order_fact"])
    kind, order_id = random.choice(TYPES[role]), random.choice([None, None, "o1", "o2"])
    told = {
        "is_bot": random.choice([False, False, True]), "topic": some("price", "delivery"),
        "text": some("Where is my parcel?", " where  is my PARCEL?", "Yes."), "duration_ms": some(7),
        "wait_ms": some(0, 4000), "promise_id": some(None, None, "p1", "p2"),
        "promise_kind": some("callback", "refund"), "due_ms": some(None, 30),
    }
    # Few instants, so that events tie; pauses of the gap and of one more.
    at_ms = random.choice([0, 1, 2, 9, 10, 11, 20, 21, 22, 31, 41, 42])
    return event(
        f"e{random.randint(0, 9)}-{number}", at_ms, "email:a", type=kind, role=role,
        channel=random.choice(["chat", "call_centre", "web"]), staff=some("s1", "s2"), message_id=some("m1", "m2"),
        conversation_id=random.choice([None, None, None, "c1", "c2"]), order_id=order_id,
        **(told if role != "order_fact" and kind != "page_viewed" else {}),
        **({"traits": {"name": random.choice(["x", "y", ""])}} if random.random() < 0.2 else {}),
    )


def _events(random: Random) -> list[Event]:
    return [_event(random, n) for n in range(random.randint(1, 14))]


def _in_order(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda e: (e.at_ms, e.event_id))


def _oracle(events: list[Event]) -> Rows:
    conversations, messages = talk.conversation_rows(WHO, events, SHAPING.conversation_gap_ms)
    tables = attributes.attribute_rows(WHO, events) | {
        "conversations": conversations, "conversation_messages": messages,
        "promises": talk.promise_rows(WHO, events, SHAPING.durations()),
    }
    return {(table, *row[: TABLES[table].key]): row for table, rows in tables.items() for row in rows}


def _heard(events: list[Event]) -> Sayings:
    sayings = Sayings()
    for e in _in_order(events):
        sayings.hear(e)
    return sayings


@settings(max_examples=500, deadline=None)
@given(st.randoms(use_true_random=False))
def test_rows_of_talk_are_those_of_the_batch(random: Random) -> None:
    events = _events(random)
    sayings = _heard(events)
    assert sayings.rows(WHO, SHAPING) == _oracle(events)
    assert sayings.conversation_of == talk.parted(events, SHAPING.conversation_gap_ms)


@settings(max_examples=500, deadline=None)
@given(st.randoms(use_true_random=False))
def test_an_event_more_changes_what_the_whole_would(random: Random) -> None:
    events = _events(random)
    if random.choice([True, False]):  # as most events come
        events = _in_order(events)
    sayings, sink, of = Sayings(), Changes(), dict[str, str | None]()
    for e in events:
        changes, moves = sayings.insert(e, WHO, SHAPING)
        sink.update(changes)
        of.update(moves)
    assert {key: row for key, row in sink.items() if row is not None} == _oracle(events)
    assert {e: name for e, name in of.items() if name} == talk.parted(events, SHAPING.conversation_gap_ms)
