"""Conversations: which of a person's messages, calls, consultations and forms are one.

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

from collections.abc import Sequence

from streams.core import ids
from streams.core.event import Event
from streams.core.said import CANCELLED_ORDER, ORDERS, OUTCOMES, PROMISES, REPORTS, SENT, SPEECH
from streams.core.session import runs


class Conversations:
    """One person's talk, parted.

    `of`: the conversation of each event that belongs to one, by event_id; `speech`: what each is made of, in order;
    `order_of`: the first order that its speech names, or that was asked for or placed in it.
    """

    def __init__(self, events: Sequence[Event], gap_ms: int) -> None:
        """Shape: events that carry `talk`, by (at_ms, event_id).

        Unit:  gap_ms in milliseconds of event time; a pause equal to the gap goes on.
        Cost:  O(n).
        """
        self.of: dict[str, str] = {}
        self.speech: dict[str, list[Event]] = {}
        self.order_of: dict[str, str] = {}
        self._gap_ms = gap_ms
        self._last: Event | None = None
        self._sent: dict[str, str] = {}
        """The conversation of each message of ours, by message_id."""
        self._unknown: set[str] = set()
        """Messages that were reported on and are not known."""
        self._channels: dict[str, set[str]] = {}
        self._is_named = False
        """Whether an id was told since the last pause."""
        for run in runs([event for event in events if is_speech(event)], gap_ms):
            self._add_run(run)
        for event in events:
            self._pass(event)

    def append(self, event: Event) -> bool:
        """One event more at the end; False, and nothing done, where it changes what was before it."""
        if is_speech(event):
            goes_on = self._last is not None and event.at_ms - self._last.at_ms <= self._gap_ms
            is_named = event.conversation_id is not None
            if (goes_on and is_named and not self._is_named) or event.message_id in self._unknown:
                return False
            name = event.conversation_id
            if name is None and goes_on and self._last is not None:
                name = self.of[self._last.event_id]
            self._is_named = is_named or (goes_on and self._is_named)
            self._add(event, name or _own_name(event))
        self._pass(event)
        return True

    def _add_run(self, run: Sequence[Event]) -> None:
        """Speech without a longer pause."""
        told = [event.conversation_id for event in run if event.conversation_id is not None]
        self._is_named = bool(told)
        name = told[0] if told else _own_name(run[0])
        for event in run:
            name = event.conversation_id or name
            self._add(event, name)

    def _add(self, event: Event, name: str) -> None:
        self.of[event.event_id] = name
        self.speech.setdefault(name, []).append(event)
        if event.type == SENT and event.message_id is not None:
            self._sent.setdefault(event.message_id, name)

    def _pass(self, event: Event) -> None:
        """The next event in order: where it belongs, if it is no speech, and what later ones need of it."""
        name = self.of.get(event.event_id)
        if name is not None:
            self._last = event
            self._channels.setdefault(name, set()).add(event.channel)
        else:
            name = event.conversation_id or self._near(event)
            if name is None:
                return
            self.of[event.event_id] = name
            if event.type not in ORDERS:
                return
        if event.order_id is not None:
            self.order_of.setdefault(name, event.order_id)

    def _near(self, event: Event) -> str | None:
        """The conversation of an event that is no speech and names none."""
        kind = event.type
        if kind in REPORTS:
            if event.message_id is not None and event.message_id not in self._sent:
                self._unknown.add(event.message_id)
            return self._sent.get(event.message_id or "")
        if self._last is None or event.at_ms - self._last.at_ms > self._gap_ms:
            return None
        going_on = self.of[self._last.event_id]
        is_here = kind in ORDERS and event.channel in self._channels[going_on]
        return going_on if is_here or kind in PROMISES or kind in OUTCOMES else None


def is_speech(event: Event) -> bool:
    """Of an event that carries `talk`: whether it makes a conversation."""
    if event.type in SPEECH:
        return True
    is_about = event.type in REPORTS or event.type in OUTCOMES or event.type == CANCELLED_ORDER
    return event.conversation_id is not None and not is_about


def _own_name(first: Event) -> str:
    return ids.uuid_text(ids.conversation_id(first.event_id))
