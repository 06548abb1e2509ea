"""What is said of one conversation, event by event: its row, and those of its messages.

Rules kept here:
- All events of one message_id are one message: when, where and by whom are its first event's, each other field the last
  event's that carries it.
- A *wait* runs from the customer's first unanswered message or missed call to our next message, call or consultation;
  what a caller waited on the line is one too. Only waits that ended are counted.
- A *repeat* is a message of the customer whose text was said before, or whose topic was raised last on another channel
  or before a change of staff; its first event tells both.
"""

from streams.core.event import Event
from streams.core.facts import Row
from streams.core.said import CALLS, SENT, SPEECH, WRITTEN, Talk

REPEAT_CHARACTERS_MIN = 12
"""A shorter text said twice is a greeting or a yes, not a question asked again."""

TOPICS_MAX = 200
"""Of a conversation's row, which has to fit a Kafka record though a producer tells every subject as a topic."""

_ANSWERS = frozenset({SENT, "call_answered", "call_received", "consulted"})


class _Message:
    """All events of one message, call or consultation."""

    __slots__ = ("duration_ms", "first", "recording_url", "staff", "text", "topic")

    def __init__(self, first: Event) -> None:
        self.first = first
        self.staff: str | None = None
        self.topic: str | None = None
        self.text: str | None = None
        self.recording_url: str | None = None
        self.duration_ms: int | None = None

    def add(self, event: Event, talk: Talk) -> None:
        self.staff = self.staff if event.staff is None else event.staff
        self.topic = self.topic if talk.topic is None else talk.topic
        self.text = self.text if talk.text is None else talk.text
        self.recording_url = self.recording_url if talk.recording_url is None else talk.recording_url
        self.duration_ms = self.duration_ms if talk.duration_ms is None else talk.duration_ms


class Transcript:
    """One conversation of one person; its speech comes in order. An event more costs the same however long it is."""

    __slots__ = (
        "_calls", "_channels", "_first_wait_ms", "_handovers", "_in", "_is_bot", "_last", "_last_staff",
        "_longest_wait_ms", "_messages", "_name", "_out", "_person_id", "_raised", "_repeats", "_staff",
        "_started_at", "_texts", "_topics", "_waiting_since",
    )

    def __init__(self, person_id: bytes, conversation_id: str) -> None:
        self._person_id, self._name = person_id, conversation_id
        self._messages: dict[str, _Message] = {}
        self._channels: dict[str, None] = {}
        self._staff: dict[str, None] = {}
        self._topics: dict[str, None] = {}
        self._texts: set[str] = set()
        self._raised: dict[str, tuple[str, int]] = {}
        """Where each topic was raised last: channel, and how many changes of staff there had been."""
        self._started_at: int | None = None
        self._last = 0
        self._last_staff: str | None = None
        self._is_bot = False
        self._in = self._out = self._calls = self._handovers = self._repeats = 0
        self._first_wait_ms: int | None = None
        self._longest_wait_ms = 0
        self._waiting_since: int | None = None

    def add(self, event: Event, talk: Talk) -> str | None:
        """The next speech; returns the message_id whose row is new by that."""
        self._started_at = event.at_ms if self._started_at is None else self._started_at
        self._last = event.at_ms
        self._channels[event.channel] = None
        if event.staff is not None:
            self._handovers += self._last_staff is not None and self._last_staff != event.staff
            self._staff[event.staff] = None
            self._last_staff = event.staff
        if talk.topic is not None and len(self._topics) < TOPICS_MAX:
            self._topics[talk.topic] = None
        self._is_bot = self._is_bot or talk.is_bot
        self._wait(event, talk)
        if event.type not in SPEECH and talk.text is None:
            return None
        key = event.message_id or event.event_id
        message = self._messages.get(key)
        if message is None:
            message = self._messages[key] = _Message(event)
            self._count(event, talk)
        message.add(event, talk)
        return key

    def row(self, order_id: str | None) -> Row:
        """Facts `conversations`; waits in whole seconds."""
        is_over = self._first_wait_ms is not None
        return (
            self._person_id, self._name, self._started_at, self._last, list(self._channels), list(self._staff),
            self._handovers, self._is_bot, self._in, self._out, self._calls,
            self._first_wait_ms // 1000 if self._first_wait_ms is not None else None,
            self._longest_wait_ms // 1000 if is_over else None, self._waiting_since, list(self._topics),
            self._repeats, order_id,
        )

    def message_row(self, message_id: str) -> Row:
        """Facts `conversation_messages`."""
        m = self._messages[message_id]
        return (
            self._person_id, self._name, message_id, m.first.at_ms, m.first.channel, m.first.type,
            _is_from_customer(m.first), m.staff, m.topic, m.text, m.recording_url, m.duration_ms,
        )

    def message_rows(self) -> list[Row]:
        return [self.message_row(message_id) for message_id in self._messages]

    def _wait(self, event: Event, talk: Talk) -> None:
        kind = event.type
        if kind in WRITTEN or kind == "call_missed":
            self._waiting_since = event.at_ms if self._waiting_since is None else self._waiting_since
        elif kind in _ANSWERS:
            if self._waiting_since is not None:
                self._end_wait(event.at_ms - self._waiting_since)
                self._waiting_since = None
            if kind == "call_received" and talk.wait_ms is not None:
                self._end_wait(talk.wait_ms)

    def _end_wait(self, wait_ms: int) -> None:
        self._first_wait_ms = wait_ms if self._first_wait_ms is None else self._first_wait_ms
        self._longest_wait_ms = max(self._longest_wait_ms, wait_ms)

    def _count(self, first: Event, talk: Talk) -> None:
        """A message more, by its first event."""
        kind = first.type
        self._in += kind in WRITTEN
        self._out += kind == SENT
        self._calls += kind in CALLS
        if not _is_from_customer(first):
            return
        text, to = " ".join((talk.text or "").casefold().split()), (first.channel, self._handovers)
        is_again = text in self._texts
        if len(text) >= REPEAT_CHARACTERS_MIN:
            self._texts.add(text)
        if talk.topic is not None:
            is_again = is_again or self._raised.get(talk.topic, to) != to
            self._raised[talk.topic] = to
        self._repeats += is_again


def _is_from_customer(first: Event) -> bool:
    """call_answered is an interaction, for the customer spoke; the call is ours."""
    return first.role == "interaction" and first.type != "call_answered"
