"""Conversations: which of a person's messages, calls, consultations and forms are one, and what is said of each.

Rules kept here:
- What makes a conversation is *speech* (`said.SPEECH`, and whatever names a conversation_id). One conversation_id is
  one conversation, however long the pauses in it. Speech without one goes on with the speech before it, unless the
  pause is longer than the gap; where none comes before it, it belongs to the first conversation_id that follows
  without such a pause, else it is a conversation of its own.
- Channels part nothing: a chat that goes on by phone is one conversation.
- What only *reports* on a message of ours belongs to that message's conversation. Promises, their outcomes, and orders
  asked for or placed on a channel that the conversation has used, belong to the one that is going on. None of these
  begins, prolongs or parts a conversation.
- Order is by (at_ms, event_id): everything is a function of the set of events.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from streams.core import ids
from streams.core.event import Event
from streams.core.facts import Row
from streams.core.said import (
    CALLS,
    CANCELLED_ORDER,
    ORDERS,
    OUTCOMES,
    PROMISES,
    REPORTS,
    SENT,
    SPEECH,
    WRITTEN,
    Talk,
    talk_of,
)
from streams.core.session import runs

REPEAT_CHARACTERS_MIN = 12
"""A shorter text said twice is a greeting or a yes, not a question asked again."""


class Conversations(NamedTuple):
    """The conversation of each event that belongs to one (by event_id), the speech of each, the first order of each."""

    of: dict[str, str]
    speech: dict[str, list[Event]]
    order_of: dict[str, str]


def converse(events: Sequence[Event], gap_ms: int) -> Conversations:
    """Part one person's talk into conversations.

    Shape: events that carry `talk`, by (at_ms, event_id).
    Unit:  gap_ms in milliseconds of event time; a pause equal to the gap goes on.
    Cost:  O(n).
    """
    found = Conversations({}, {}, {})
    said = [event for event in events if _is_speech(event)]
    for run in runs(said, gap_ms):
        for event, name in zip(run, _names(run), strict=True):
            found.of[event.event_id] = name
            found.speech.setdefault(name, []).append(event)
    if len(said) < len(events):
        _attach(events, said, gap_ms, found)
    for event in events:
        if event.order_id is not None and event.event_id in found.of and (event.type in ORDERS or _is_speech(event)):
            found.order_of.setdefault(found.of[event.event_id], event.order_id)
    return found


def _is_speech(event: Event) -> bool:
    if event.type in SPEECH:
        return True
    is_about = event.type in REPORTS or event.type in OUTCOMES or event.type == CANCELLED_ORDER
    return event.conversation_id is not None and not is_about


def _names(run: Sequence[Event]) -> Iterator[str]:
    """The conversation of each event of a run without a longer pause."""
    told = [event.conversation_id for event in run if event.conversation_id is not None]
    name = told[0] if told else ids.uuid_text(ids.conversation_id(run[0].event_id))
    for event in run:
        name = event.conversation_id or name
        yield name


def _attach(events: Sequence[Event], said: Sequence[Event], gap_ms: int, found: Conversations) -> None:
    """What belongs to a conversation without being speech."""
    sent: dict[str, str] = {}
    channels: dict[str, set[str]] = {}
    for event in said:
        if event.type == SENT and event.message_id is not None:
            sent.setdefault(event.message_id, found.of[event.event_id])
    last: Event | None = None
    for event in events:
        kind, name = event.type, event.conversation_id
        if event.event_id in found.of:
            last = event
            channels.setdefault(found.of[event.event_id], set()).add(event.channel)
            continue
        if name is None and kind in REPORTS and event.message_id is not None:
            name = sent.get(event.message_id)
        elif name is None and last is not None and event.at_ms - last.at_ms <= gap_ms:
            going_on = found.of[last.event_id]
            if kind in PROMISES or kind in OUTCOMES or (kind in ORDERS and event.channel in channels[going_on]):
                name = going_on
        if name is not None:
            found.of[event.event_id] = name


class _Message:
    """All events of one message, call or visit to an adviser."""

    __slots__ = ("after_handovers", "duration_ms", "first", "recording_url", "staff", "text", "topic")

    def __init__(self, first: Event, after_handovers: int) -> None:
        self.first, self.after_handovers = first, after_handovers
        self.staff: str | None = None
        self.topic: str | None = None
        self.text: str | None = None
        self.recording_url: str | None = None
        self.duration_ms: int | None = None

    def add(self, event: Event, talk: Talk) -> None:
        """Of each field the last event carrying it counts."""
        self.staff = self.staff if event.staff is None else event.staff
        self.topic = self.topic if talk.topic is None else talk.topic
        self.text = self.text if talk.text is None else talk.text
        self.recording_url = self.recording_url if talk.recording_url is None else talk.recording_url
        self.duration_ms = self.duration_ms if talk.duration_ms is None else talk.duration_ms

    @property
    def is_from_customer(self) -> bool:
        return self.first.role == "interaction" and self.first.type != "call_answered"


def conversation_rows(
    person_id: bytes, conversation_id: str, speech: Sequence[Event], order_id: str | None,
) -> tuple[Row, list[Row]]:
    """The row of facts `conversations` and its rows of `conversation_messages`.

    Shape: n > 0 events, the conversation's speech, by (at_ms, event_id).
    Unit:  waits in whole seconds.
    Cost:  O(n), and one decoding of each event's `talk`.
    """
    messages: dict[str, _Message] = {}
    channels: dict[str, None] = {}
    staff: list[str] = []
    is_bot = False
    waits = _Waits()
    for event in speech:
        talk = talk_of(event.talk)
        channels[event.channel] = None
        if event.staff is not None and (not staff or staff[-1] != event.staff):
            staff.append(event.staff)
        is_bot = is_bot or talk.is_bot
        waits.add(event, talk)
        if event.type in SPEECH or talk.text is not None:
            key = event.message_id or event.event_id
            if key not in messages:
                messages[key] = _Message(event, max(0, len(staff) - 1))
            messages[key].add(event, talk)
    told = messages.values()
    row = (
        person_id, conversation_id, speech[0].at_ms, speech[-1].at_ms, list(channels), list(dict.fromkeys(staff)),
        max(0, len(staff) - 1), is_bot, sum(m.first.type in WRITTEN for m in told),
        sum(m.first.type == SENT for m in told), sum(m.first.type in CALLS for m in told),
        waits.over[0] // 1000 if waits.over else None, max(waits.over) // 1000 if waits.over else None,
        waits.since_ms, list(dict.fromkeys(m.topic for m in told if m.topic is not None)), _repeats(told), order_id,
    )
    return row, [
        (
            person_id, conversation_id, message_id, m.first.at_ms, m.first.channel, m.first.type, m.is_from_customer,
            m.staff, m.topic, m.text, m.recording_url, m.duration_ms,
        )
        for message_id, m in messages.items()
    ]


class _Waits:
    """How long the customer waited for a word of ours, each time; a missed call is a question too.

    A call that we took ends a wait, and what its caller waited on the line is a wait of its own.
    """

    def __init__(self) -> None:
        self.over: list[int] = []
        self.since_ms: int | None = None

    def add(self, event: Event, talk: Talk) -> None:
        kind = event.type
        if kind in WRITTEN or kind == "call_missed":
            self.since_ms = event.at_ms if self.since_ms is None else self.since_ms
        elif kind in (SENT, "call_answered", "call_received", "consulted"):
            if self.since_ms is not None:
                self.over.append(event.at_ms - self.since_ms)
                self.since_ms = None
            if kind == "call_received" and talk.wait_ms is not None:
                self.over.append(talk.wait_ms)


def _repeats(messages: Iterable[_Message]) -> int:
    """How often the customer said again what had been said: a text, or a topic on another channel or to other staff."""
    count = 0
    texts: set[str] = set()
    raised: dict[str, tuple[str, int]] = {}
    for message in messages:
        if not message.is_from_customer:
            continue
        text = " ".join((message.text or "").casefold().split())
        to = message.first.channel, message.after_handovers
        is_again = text in texts
        if message.topic is not None:
            is_again = is_again or raised.get(message.topic, to) != to
            raised[message.topic] = to
        if len(text) >= REPEAT_CHARACTERS_MIN:
            texts.add(text)
        count += is_again
    return count
