"""Channel events from JSON lines to their channels' topics, checked before they reach Kafka.

The rules are those of ingest. What is refused goes to the dead letters from here, without a position, so that the
books count it. Memory is bounded: lines are read one by one, and the producer's queue holds a fixed number of bytes.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from typing import BinaryIO, NamedTuple

from confluent_kafka import KafkaException, Producer

from schemas.records import CHANNEL_EVENT, DEAD_LETTER, Record
from schemas.registry import SchemaCache, client
from schemas.wire import frame
from streams.core.accept import Rules, accept
from streams.core.channels import registry
from streams.core.dead_letter import dead_letter
from streams.core.policy import Policy
from streams.core.reading import Reader
from streams.core.refusal import EVENT_BYTES_MAX, Reason, Reject
from streams.errors import OneThreadError, Retryable
from streams.settings import Settings
from streams.topics import Topics

DELIVERY_TIMEOUT_MS = 60_000

CONFIG = {
    "enable.idempotence": True,
    "compression.type": "lz4",
    "linger.ms": 20,
    "message.max.bytes": 1_000_000,
    "queue.buffering.max.kbytes": 65_536,
    "delivery.timeout.ms": DELIVERY_TIMEOUT_MS,
    "log_level": 2,
}

_BEFORE_KAFKA = ("", 0, 0)
_LINE_BYTES_MAX = EVENT_BYTES_MAX + 1024
"""A longer line is refused for its size, wherever it ends; spaces and the line's end may exceed the event itself."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _Checked(NamedTuple):
    channel: str
    event_id: str
    payload: bytes


class Emitter:
    """Checks and sends events; use it as a context, leaving it waits until Kafka has everything.

    Errors: OneThreadError where Kafka or the schema registry does not answer, or an event was not delivered.
    """

    def __init__(self, bootstrap: str, registry_url: str, settings: Settings, policy: Policy) -> None:
        self._topics = Topics(settings.topic_prefix)
        self._rules = Rules(policy, registry(settings.channels), settings.default_region, settings.reporting_zone)
        self._reader = Reader(json.loads(CHANNEL_EVENT.text))
        self._schemas = SchemaCache(client(registry_url))
        self._ids: dict[str, int] = {}
        self._bootstrap = bootstrap
        self._producer = Producer({**CONFIG, "bootstrap.servers": bootstrap})
        self._failed: Counter[str] = Counter()
        self.sent = 0
        self.refused: Counter[str] = Counter()

    def __enter__(self) -> "Emitter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, at: object) -> None:
        if kind is None:
            self.flush()

    def send(self, line: bytes, source: str) -> Reject | None:
        """Send one event, or its dead letter; the reason where it was refused.

        Shape: line is one JSON object, source says where it stands (a file and its line).
        """
        now_ms = time.time_ns() // 1_000_000
        checked = self._checked(line, now_ms)
        if isinstance(checked, Reject):
            letter = DEAD_LETTER.encode(dead_letter(checked, line, now_ms, source=source))
            self._produce(self._topics.dead_letters, DEAD_LETTER, letter, source)
            self.refused[str(checked.reason)] += 1
            return checked
        self._produce(self._topics.events(checked.channel), CHANNEL_EVENT, checked.payload, checked.event_id)
        self.sent += 1
        return None

    def _checked(self, line: bytes, now_ms: int) -> "_Checked | Reject":
        """An event that ingest will accept as well."""
        record = self._reader.read(line)
        if isinstance(record, Reject):
            return record
        outcome = accept(record, _BEFORE_KAFKA, now_ms, b"", None, self._rules)
        if isinstance(outcome, Reject):
            return outcome
        payload = CHANNEL_EVENT.encode(record)
        if len(payload) > EVENT_BYTES_MAX:
            return Reject(Reason.OVERSIZE, f"expected at most {EVENT_BYTES_MAX} bytes as Avro", record["event_id"])
        return _Checked(record["channel"], record["event_id"], payload)

    def flush(self) -> None:
        """Wait until Kafka has everything that was sent."""
        if self._producer.flush(DELIVERY_TIMEOUT_MS / 1000):
            raise OneThreadError(f"Kafka at {self._bootstrap} does not take events: is the stack up?")
        self._check()

    def _produce(self, topic: str, record: Record, payload: bytes, name: str) -> None:
        """The key spreads events and keeps the copies of one together; it is a hash, as keys must name nobody."""
        value = frame(self._id(topic, record), payload)
        key = blake2b(name.encode(), digest_size=16).digest()
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=self._delivered)
            except BufferError:  # the queue is full: let it drain
                self._producer.poll(0.1)
                self._check()
            except KafkaException as error:
                raise OneThreadError(f"Kafka refuses an event for {topic}: {error.args[0].str()}") from error
            else:
                self._producer.poll(0)
                return

    def _delivered(self, error: object, _message: object) -> None:
        if error is not None:
            self._failed[str(error)] += 1

    def _check(self) -> None:
        if self._failed:
            reason, _ = self._failed.most_common(1)[0]
            raise OneThreadError(f"{self._failed.total()} events were not delivered to Kafka: {reason}")

    def _id(self, topic: str, record: Record) -> int:
        if topic not in self._ids:
            try:
                self._ids[topic] = self._schemas.id_of(topic, record)
            except Retryable as error:
                raise OneThreadError(f"{error}: is the stack up?") from error
        return self._ids[topic]


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
