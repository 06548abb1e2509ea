"""What a topic holds at this moment, read without being a member of any group."""

import time
from collections.abc import Callable, Collection, Iterator
from types import SimpleNamespace
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from faust.types import TP

from streams.errors import OneThreadError
from streams.reaching import no_answer, reader

_LOADING = (
    KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.UNKNOWN_TOPIC_OR_PART,
)

Found = TypeVar("Found")

CALL_S = 60.0
READ_S = 15.0
READ_RECORDS = 500
TURN_S = 0.1
"""What is read together: that many records, or what comes in that time."""
QUEUE_KB = 16_384
"""Of records fetched and not yet handed over, by partition."""


def batches(
    bootstrap: str, topic: str, partitions: Collection[int] | None = None, start: int = 0, end: int = 0,
) -> Iterator[Any]:
    """What was committed of a topic up to now, as batches of records of one partition, each partition in order.

    Shape:  as the loading stage gets them: `tp`, and `records` with topic, partition, offset, timestamp, key, value,
            headers; of all partitions, or of some. From `start` on; where `end` is given, records up to that offset,
            waiting for transactions that are open below it.
    Errors: OneThreadError where Kafka does not answer.
    """
    consumer = reader(bootstrap, QUEUE_KB)
    try:
        there = consumer.list_topics(topic, READ_S).topics[topic].partitions
        left = set(there if partitions is None else partitions)
        consumer.assign([TopicPartition(topic, number, start) for number in left])
        silent_s = 0.0
        while left:
            messages = consumer.consume(READ_RECORDS, TURN_S)
            silent_s = 0.0 if messages else silent_s + TURN_S
            if silent_s > READ_S:
                raise OneThreadError(f"Kafka at {bootstrap} does not answer")
            found: dict[int, list[Any]] = {}
            for message in messages:
                problem = message.error()
                if end and message.offset() >= end:
                    left.discard(message.partition())
                elif problem is None:
                    found.setdefault(message.partition(), []).append(_record(message))
                elif problem.code() == KafkaError._PARTITION_EOF:
                    if not end:
                        left.discard(message.partition())
                else:
                    raise KafkaException(problem)
            for number, records in found.items():
                yield SimpleNamespace(tp=TP(topic, number), records=records)
    except KafkaException as error:
        raise no_answer(bootstrap, error) from error
    finally:
        consumer.close()


def _record(message: Any) -> Any:
    return SimpleNamespace(
        topic=message.topic(), partition=message.partition(), offset=message.offset(),
        timestamp=message.timestamp()[1], key=message.key(), value=message.value(), headers=message.headers() or [],
    )


def patiently(ask: Callable[[], Found]) -> Found:
    """An answer; of a broker that has just started, or has just made a partition, it takes a moment."""
    deadline_s = time.monotonic() + CALL_S
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in _LOADING or time.monotonic() > deadline_s:
                raise
            time.sleep(0.5)
