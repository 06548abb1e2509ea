"""Commands to and from their topic: what operators decide about identities, in the order they decided it.

The topic is compacted and each command has its id as key, so that it stays for ever, and goes when somebody whom it
names is erased.
"""

import secrets
import time
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from schemas.records import COMMAND, Undecodable
from schemas.registry import SchemaCache, client
from schemas.wire import HEAD_BYTES, frame, schema_id
from streams import clock
from streams.connections import kafka_config
from streams.core.commands import PARTITION, InForce, in_force, on_nodes
from streams.core.event import NodeKey
from streams.core.keys import Keys
from streams.core.policy import default, default_text
from streams.errors import OneThreadError, Retryable
from streams.reaching import no_answer
from streams.settings import Settings
from streams.topics import Topics

PATIENCE_S = 15.0


def command_id() -> str:
    """A new id; of two made here the later sorts later, so that it also has the last word within a millisecond."""
    return f"{time.time_ns() // 1000:013x}-{secrets.token_hex(2)}"


def send(bootstrap: str, registry_url: str, settings: Settings, **fields: Any) -> tuple[str, int]:
    """Send one command (verb, a, b, reason, document); its id and offset.

    Errors: OneThreadError where Kafka or the schema registry does not take it.
    """
    topic, name = Topics(settings.topic_prefix).commands, command_id()
    record = {"command_id": name, "at": clock.now_ms(), **fields}
    try:
        number = SchemaCache(client(registry_url)).id_of(topic, COMMAND)
    except Retryable as error:
        raise OneThreadError(f"{error}: is the stack up?") from error
    (offset,) = _produce(bootstrap, topic, [(name, frame(number, COMMAND.encode(record)))])
    return name, offset


def forget(bootstrap: str, registry_url: str, settings: Settings, nodes: Collection[NodeKey], before: int) -> int:
    """Take out of the topic what was commanded, below an offset, on pairs that name one of these; how many.

    What it meant has gone with the erasure of the identifier. Kafka's files follow with the next compaction.
    Errors: as of `send`.
    """
    topic, keys = Topics(settings.topic_prefix).commands, Keys(settings.pepper.get_secret_value(), settings.partitions)
    told = [one for one in _records(bootstrap, settings, SchemaCache(client(registry_url))) if one[0] < before]
    first = InForce(0, default_text(), default())
    found = on_nodes(told, nodes, keys.node, first, settings.default_region)
    return len(_produce(bootstrap, topic, [(name, None) for name in dict.fromkeys(found)]))


def _produce(bootstrap: str, topic: str, records: Sequence[tuple[str, bytes | None]]) -> list[int]:
    """Send records by key; their offsets. Errors: OneThreadError where Kafka does not take all of them."""
    delivered: list[tuple[KafkaError | None, int]] = []
    producer = Producer({
        **kafka_config(bootstrap), "enable.idempotence": True, "log_level": 0,
        "delivery.timeout.ms": int(PATIENCE_S * 1000),
    })
    for key, value in records:
        producer.produce(
            topic, value, key=key.encode(), partition=PARTITION,
            on_delivery=lambda error, message: delivered.append((error, message.offset())),
        )
    producer.flush(2 * PATIENCE_S)
    faults = [error.str() for error, _ in delivered if error is not None]
    if faults or len(delivered) < len(records):
        raise OneThreadError(f"Kafka at {bootstrap} does not take the command: {(faults or ['no answer'])[0]}")
    return [offset for _, offset in delivered]


def policy_in_force(bootstrap: str, registry_url: str, settings: Settings) -> InForce:
    """The policy that the deployment works under: the last one commanded, else what comes with the product.

    Errors: OneThreadError where Kafka or the schema registry does not answer.
    """
    first = InForce(0, default_text(), default())
    schemas = SchemaCache(client(registry_url))
    return in_force(_records(bootstrap, settings, schemas), first)


def _records(bootstrap: str, settings: Settings, schemas: SchemaCache) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every readable command with its offset."""
    for message in _messages(bootstrap, Topics(settings.topic_prefix).commands):
        value = message.value() or b""
        number = schema_id(value)
        if number is None:
            continue
        try:
            schemas.learn([number])
            writer = schemas.writer(number)
            if writer is not None:
                yield message.offset(), COMMAND.read(value, HEAD_BYTES, writer)[0]
        except Undecodable:
            continue  # a dead letter by now
        except Retryable as error:
            raise OneThreadError(f"{error}: is the stack up?") from error


def _messages(bootstrap: str, topic: str) -> Iterator[Any]:
    """What the commands' partition holds at this moment."""
    consumer = Consumer({
        **kafka_config(bootstrap), "group.id": "unused", "enable.auto.commit": False, "log_level": 0,
        "isolation.level": "read_committed", "enable.partition.eof": True, "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 10,
    })
    try:
        tp = TopicPartition(topic, PARTITION)
        start, end = consumer.get_watermark_offsets(tp, timeout=PATIENCE_S)
        if start >= end:
            return
        consumer.assign([TopicPartition(topic, PARTITION, start)])
        while True:
            message = consumer.poll(PATIENCE_S)
            if message is None:
                raise OneThreadError(f"Kafka at {bootstrap} does not answer")
            problem = message.error()
            if problem is None:
                yield message
            elif problem.code() == KafkaError._PARTITION_EOF:
                return
            else:
                raise KafkaException(problem)
    except KafkaException as error:
        raise no_answer(bootstrap, error) from error
    finally:
        consumer.close()
