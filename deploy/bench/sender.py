"""Events into Kafka in the producers' way: Avro in Confluent's wire format, each to its channel's topic."""

import time
from collections.abc import Callable, Iterable, Sequence

from confluent_kafka import Producer

from deploy.bench.events import Event
from deploy.local.ports import Addresses
from schemas.records import CHANNEL_EVENT
from schemas.registry import SchemaCache, client
from schemas.wire import frame
from streams.connections import kafka_config
from streams.errors import OneThreadError
from streams.settings import Settings
from streams.topics import Topics

FLUSH_S_MAX = 120.0
TICK_S = 0.02

Encoded = tuple[str, bytes]
"""(topic, value)"""


class Sender:
    """A producer with the ids of the channels' schemas."""

    def __init__(self, addresses: Addresses, settings: Settings) -> None:
        self._topics = Topics(settings.topic_prefix)
        self._schemas = SchemaCache(client(addresses.registry_url))
        self._ids: dict[str, int] = {}
        self._failed = 0
        self._producer = Producer({
            **kafka_config(addresses.kafka_bootstrap), "linger.ms": 5, "compression.type": "lz4",
            "enable.idempotence": True, "queue.buffering.max.messages": 200_000, "log_level": 0,
        })

    def encode(self, event: Event) -> Encoded:
        topic = self._topics.events(event["channel"])
        if topic not in self._ids:
            self._ids[topic] = self._schemas.id_of(topic, CHANNEL_EVENT)
        return topic, frame(self._ids[topic], CHANNEL_EVENT.encode(event))

    def send(self, encoded: Iterable[Encoded]) -> int:
        """Produce all and wait until Kafka has them; how many they were. Errors: OneThreadError where it has not."""
        count = 0
        for one in encoded:
            self._produce(one)
            count += 1
        self.flush()
        return count

    def send_at(self, encoded: Sequence[Encoded], rate: float, sent: Callable[[int], None]) -> None:
        """Produce at `rate` a second, in steps of 20 ms; `sent` is told the number of each. Errors: as `send`."""
        started = time.monotonic()
        done = 0
        while done < len(encoded):
            due = min(len(encoded), int((time.monotonic() - started) * rate) + 1)
            for number in range(done, due):
                self._produce(encoded[number])
                sent(number)
            done = max(done, due)
            self._producer.poll(0)
            time.sleep(TICK_S)
        self.flush()

    def flush(self) -> None:
        left = self._producer.flush(FLUSH_S_MAX)
        if left or self._failed:
            raise OneThreadError(f"Kafka did not take {left + self._failed} events")

    def _produce(self, encoded: Encoded) -> None:
        topic, value = encoded
        while True:
            try:
                self._producer.produce(topic, value, on_delivery=self._noted)
            except BufferError:  # the queue is full: let it drain
                self._producer.poll(0.05)
            else:
                self._producer.poll(0)
                return

    def _noted(self, error: object, _message: object) -> None:
        self._failed += error is not None
