"""Records to Kafka, with word of every one that was not taken. Memory is bounded: the queue holds a number of bytes."""

from collections import Counter
from hashlib import blake2b
from typing import Self

from confluent_kafka import KafkaException, Producer

from schemas.records import Record
from schemas.registry import SchemaCache, client
from schemas.wire import frame
from streams.connections import kafka_config
from streams.errors import OneThreadError, Retryable
from streams.reaching import check

TIMEOUT_MS = 60_000

_CONFIG: dict[str, str | int | bool] = {
    "enable.idempotence": True,
    "compression.type": "lz4",
    "linger.ms": 20,
    "queue.buffering.max.kbytes": 65_536,
    "delivery.timeout.ms": TIMEOUT_MS,
    "log_level": 2,
}


def key_of(name: str) -> bytes:
    """A record's key: it spreads events and keeps the copies of one together; a hash, as keys must name nobody."""
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Delivery:
    """Produces records; use it as a context, leaving it waits until Kafka has everything.

    Shape:  `one` is what is sent, as errors name it ("an event"); `config` is librdkafka's, besides what is said here.
    Errors: OneThreadError where Kafka or the schema registry does not answer, or a record was not delivered.
    """

    def __init__(self, bootstrap: str, registry_url: str, one: str, config: dict[str, str | int]) -> None:
        self._bootstrap, self._one, self._many = bootstrap, one, one.split()[-1] + "s"
        self._schemas = SchemaCache(client(registry_url))
        self._ids: dict[str, int] = {}
        self._producer = Producer({**_CONFIG, **config, **kafka_config(bootstrap)})
        self._failed: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, at: object) -> None:
        if kind is None:
            self.flush()

    def flush(self) -> None:
        """Wait until Kafka has everything that was sent."""
        if self._producer.flush(TIMEOUT_MS / 1000):
            check(self._bootstrap)
            raise OneThreadError(f"Kafka at {self._bootstrap} does not take {self._many}: is the stack up?")
        self._check()

    def _produce(self, topic: str, record: Record, payload: bytes, key: bytes) -> None:
        self._put(topic, frame(self._id(topic, record), payload), key)

    def _put(self, topic: str, value: bytes, key: bytes | None, **where: int) -> None:
        """Produce a value as it is; `where` may name the partition."""
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=self._delivered, **where)
            except BufferError:  # the queue is full: let it drain
                self._producer.poll(0.1)
                self._check()
            except KafkaException as error:
                raise OneThreadError(f"Kafka refuses {self._one} for {topic}: {error.args[0].str()}") from error
            else:
                self._producer.poll(0)
                return

    def _id(self, topic: str, record: Record) -> int:
        if topic not in self._ids:
            try:
                self._ids[topic] = self._schemas.id_of(topic, record)
            except Retryable as error:
                raise OneThreadError(f"{error}: is the stack up?") from error
        return self._ids[topic]

    def _delivered(self, error: object, _message: object) -> None:
        if error is not None:
            self._failed[str(error)] += 1

    def _check(self) -> None:
        if self._failed:
            reason, _ = self._failed.most_common(1)[0]
            raise OneThreadError(f"{self._failed.total()} {self._many} were not delivered to Kafka: {reason}")
