"""Channel events from JSON lines to their channels' topics, checked before they reach Kafka.

The rules are those of ingest. What is refused goes to the dead letters from here, without a position, so that the
books count it. Memory is bounded: lines are read one by one, and the producer's queue holds a fixed number of bytes.
"""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from connectors.checking import Checked, Checker
from connectors.delivery import Delivery, key_of
from schemas.records import CHANNEL_EVENT, DEAD_LETTER
from streams import clock
from streams.core.dead_letter import dead_letter
from streams.core.policy import Policy
from streams.core.refusal import EVENT_BYTES_MAX, Reject
from streams.settings import Settings
from streams.topics import Topics

_LINE_BYTES_MAX = EVENT_BYTES_MAX + 1024
"""A longer line is refused for its size, wherever it ends; spaces and the line's end may exceed the event itself."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Emitter(Delivery):
    """Checks and sends events."""

    def __init__(self, bootstrap: str, registry_url: str, settings: Settings, policy: Policy) -> None:
        super().__init__(bootstrap, registry_url, "an event", {"message.max.bytes": 1_000_000})
        self._topics = Topics(settings.topic_prefix)
        self._checker = Checker(settings, policy)
        self.sent = 0
        self.unidentifiable = 0
        """Of those sent."""
        self.refused: Counter[str] = Counter()

    def send(self, given: bytes | dict[str, Any], source: str) -> Reject | None:
        """Send one event, or its dead letter; the reason where it was refused.

        Shape: given is one JSON object, as a line or already read; source says where it stands (a file and its line).
        """
        checked = self._checker.check(given, clock.now_ms())
        if isinstance(checked, Reject):
            self.refuse(checked, given if isinstance(given, bytes) else msgspec.json.encode(given), source)
            return checked
        self.send_checked(checked)
        return None

    def send_checked(self, checked: Checked) -> None:
        topic = self._topics.events(checked.channel)
        self._produce(topic, CHANNEL_EVENT, checked.payload, key_of(checked.event_id))
        self.sent += 1
        self.unidentifiable += checked.is_unidentifiable

    def refuse(self, reject: Reject, raw: bytes | None, source: str) -> None:
        """Write a dead letter."""
        letter = DEAD_LETTER.encode(dead_letter(reject, raw, clock.now_ms(), source=source))
        self._produce(self._topics.dead_letters, DEAD_LETTER, letter, key_of(source))
        self.refused[str(reject.reason)] += 1


def lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file, each at most a little more than an event may have: of a longer one, its beginning."""
    line = file.readline(_LINE_BYTES_MAX).removeprefix(_BYTE_ORDER_MARK)
    while line:
        yield line
        while line and not line.endswith(b"\n"):
            line = file.readline(_LINE_BYTES_MAX)
        line = file.readline(_LINE_BYTES_MAX)


class Pace:
    """Keeps a steady rate: waits as long as we are ahead of it."""

    def __init__(self, per_second: float | None) -> None:
        self._interval_s = 1 / per_second if per_second else 0.0
        self._next_s = time.monotonic()

    def wait(self) -> None:
        if self._interval_s:
            now_s = time.monotonic()
            if now_s < self._next_s:
                time.sleep(self._next_s - now_s)
            # Time lost is not made up for: the rate is a limit.
            self._next_s = max(self._next_s, now_s) + self._interval_s
