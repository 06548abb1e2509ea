"""Commands to and from their topic: what operators decide about identities, in the order they decided it."""

import secrets
import time
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from schemas.records import COMMAND, Undecodable
from schemas.registry import SchemaCache, client
from schemas.wire import HEAD_BYTES, frame, schema_id
from streams.core.commands import PARTITION, InForce, in_force
from streams.core.policy import default, default_text
from streams.errors import OneThreadError, Retryable
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
    record = {"command_id": name, "at": time.time_ns() // 1_000_000, **fields}
    try:
        number = SchemaCache(client(registry_url)).id_of(topic, COMMAND)
    except Retryable as error:
        raise OneThreadError(f"{error}: is the stack up?") from error
    delivered: list[tuple[KafkaError | None, int]] = []
    producer = Producer({
        "bootstrap.servers": bootstrap, "enable.idempotence": True, "log_level": 0,
        "delivery.timeout.ms": int(PATIENCE_S * 1000),
    })
    producer.produce(
        topic, frame(number, COMMAND.encode(record)), partition=PARTITION,
        on_delivery=lambda error, message: delivered.append((error, message.offset())),
    )
    producer.flush(2 * PATIENCE_S)
    if not delivered or delivered[0][0] is not None:
        reason = delivered[0][0].str() if delivered and delivered[0][0] else "no answer"
        raise OneThreadError(f"Kafka at {bootstrap} does not take the command: {reason}")
    return name, delivered[0][1]


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
        "bootstrap.servers": bootstrap, "group.id": "unused", "enable.auto.commit": False, "log_level": 0,
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
        raise OneThreadError(f"Kafka does not answer at {bootstrap}: {error.args[0].str()}") from error
    finally:
        consumer.close()
