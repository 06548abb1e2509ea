"""From a spool to Kafka, in order: a thread that sends what waits and forgets what Kafka acknowledged.

Rules: one idempotent producer, whose records never time out, so that a broker that is away for an hour changes no
order. Only a window of records is in memory; the rest waits on disk. What was sent and not yet forgotten when the
process died is sent again: a repeat with the same event_id, which the pipeline counts as a duplicate. Where a record is
not taken, everything from it on is sent anew, after a pause, by a new producer.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from confluent_kafka import KafkaException, Producer

from connectors.spool import Spool, Waiting
from schemas.records import Record
from schemas.registry import SchemaCache
from schemas.wire import frame
from streams.connections import kafka_config
from streams.errors import OneThreadError, Retryable

WINDOW_RECORDS = 5_000
WINDOW_BYTES = 16 * 1024 * 1024
READ_RECORDS = 500
assert READ_RECORDS <= WINDOW_RECORDS

IDLE_S = 0.1
"""How long a record may wait where nobody calls `wake`."""

POLL_S = 0.01
DROP_EVERY_S = 0.2
"""Acknowledged records are forgotten together: each time costs a flush of the disk."""

TIDY_AFTER_S = 2.0
TELL_EVERY_S = 60.0
PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0)
STOP_S_MAX = 5.0

_CONFIG: dict[str, str | int | bool] = {
    "enable.idempotence": True,
    "compression.type": "lz4",
    "linger.ms": 5,
    "message.timeout.ms": 0,  # never: the order is kept, and the spool holds what waits
    "message.max.bytes": 1_000_000,
    "queue.buffering.max.messages": 2 * WINDOW_RECORDS,
    "queue.buffering.max.kbytes": 2 * WINDOW_BYTES // 1024,
    "reconnect.backoff.max.ms": 1_000,
    "log_level": 2,
}

_log = structlog.get_logger()


class _Refused(Exception):  # noqa: N818 - what the broker did
    """A record was not taken; those behind it must not pass it."""


@dataclass(slots=True)
class _Sent:
    """A record on its way."""

    number: int
    size: int
    is_done: bool = False


class Drain:
    """Sends a spool's records; `start` makes the thread, `stop` ends it when what is on its way has arrived.

    Shape: `producer` makes librdkafka's producer, or in tests whatever has its produce, poll, flush and purge.
    """

    def __init__(
        self, spool: Spool, bootstrap: str, schemas: SchemaCache, producer: Callable[[dict[str, Any]], Any] = Producer,
    ) -> None:
        self._spool, self._schemas, self._make = spool, schemas, producer
        self._config = {**_CONFIG, **kafka_config(bootstrap), "error_cb": self._troubled}
        self._ids: dict[tuple[str, Record], int] = {}
        self._stopping, self._something = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="drain", daemon=True)
        self._told_s = -TELL_EVERY_S
        self.sent = 0
        """Records that Kafka acknowledged since the start."""
        self.problem = ""
        """Why nothing is sent at the moment; empty where all is well. Names no customer."""

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Something was appended."""
        self._something.set()

    def stop(self) -> None:
        self._stopping.set()
        self._something.set()
        self._thread.join(2 * STOP_S_MAX)

    def schema_id(self, topic: str, record: Record) -> int:
        """The id of a record's schema in the registry. Errors: Retryable, OneThreadError as `SchemaCache.id_of`."""
        if (topic, record) not in self._ids:
            self._ids[topic, record] = self._schemas.id_of(topic, record)
        return self._ids[topic, record]

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            before = self.sent
            try:
                _Run(self, self._spool, self._make(self._config)).run(self._stopping, self._something)
            except (_Refused, KafkaException, Retryable) as error:
                failures = 1 if self.sent > before else failures + 1
                pause_s = PAUSES_S[min(failures, len(PAUSES_S)) - 1]
                self.problem = str(error)
                _log.warning("drain_paused", problem=self.problem, pause_s=pause_s, waiting=self._spool.depth.records)
                self._stopping.wait(pause_s)

    def _troubled(self, error: Any) -> None:
        """librdkafka tells of each attempt to connect; the log does when it begins, and now and then."""
        self.problem = error.str()
        if time.monotonic() - self._told_s >= TELL_EVERY_S:
            self._told_s = time.monotonic()
            _log.warning("kafka_in_trouble", problem=self.problem, waiting=self._spool.depth.records)


class _Run:
    """The life of one producer."""

    def __init__(self, drain: Drain, spool: Spool, producer: Any) -> None:
        self._drain, self._spool, self._producer = drain, spool, producer
        self._window: deque[_Sent] = deque()
        self._bytes = 0
        self._read_up_to = spool.first - 1
        self._acknowledged = self._dropped = self._read_up_to
        self._dropped_s = self._busy_s = time.monotonic()
        self._is_tidy = False
        self._failure = ""

    def run(self, stopping: threading.Event, something: threading.Event) -> None:
        """Send until told to stop. Errors: _Refused, KafkaException, SpoolFull: begin anew after a pause."""
        try:
            while not stopping.is_set():
                something.clear()
                self._fill()
                self._producer.poll(POLL_S if self._window else 0)
                self._settle()
                if not self._window and self._read_up_to >= self._spool.last:
                    self._rest()
                    something.wait(IDLE_S)
            self._producer.flush(STOP_S_MAX)
            self._settle(at_once=True)
        finally:
            self._producer.purge()
            self._producer.flush(1.0)

    def _fill(self) -> None:
        """Send what fits into the window."""
        while (self._read_up_to < self._spool.last and len(self._window) <= WINDOW_RECORDS - READ_RECORDS
               and self._bytes < WINDOW_BYTES):
            for waiting in self._spool.read(self._read_up_to, READ_RECORDS):
                try:
                    number = self._drain.schema_id(waiting.spooled.topic, waiting.spooled.record)
                except (Retryable, OneThreadError) as error:
                    self._drain.problem = str(error)
                    time.sleep(IDLE_S)
                    return
                self._send(waiting, number)
            self._producer.poll(0)

    def _send(self, waiting: Waiting, schema_id: int) -> None:
        topic, key, value, _ = waiting.spooled
        sent = _Sent(waiting.number, len(value))
        self._window.append(sent)
        self._bytes += sent.size
        self._read_up_to = waiting.number

        def delivered(error: Any, _message: Any) -> None:
            if error is None:
                sent.is_done = True
            else:
                self._failure = self._failure or f"Kafka does not take a record for {topic}: {error.str()}"

        self._producer.produce(topic, frame(schema_id, value), key, on_delivery=delivered)
        self._busy_s, self._is_tidy = time.monotonic(), False

    def _settle(self, at_once: bool = False) -> None:
        """Forget what Kafka has, now and then. Errors: _Refused where it did not take a record."""
        while self._window and self._window[0].is_done:
            sent = self._window.popleft()
            self._acknowledged = sent.number
            self._bytes -= sent.size
            self._drain.sent += 1
            self._drain.problem = ""
        is_due = at_once or self._failure or time.monotonic() - self._dropped_s >= DROP_EVERY_S
        if self._acknowledged > self._dropped and is_due:
            self._spool.drop(self._acknowledged)
            self._dropped, self._dropped_s = self._acknowledged, time.monotonic()
        if self._failure:
            raise _Refused(self._failure)

    def _rest(self) -> None:
        if not self._is_tidy and time.monotonic() - self._busy_s > TIDY_AFTER_S:
            self._spool.tidy()
            self._is_tidy = True
