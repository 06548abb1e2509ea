"""The state of all partitions as its changelog tells it, without a word to the workers who keep it.

Only what was committed is read, each partition up to where it ended at the beginning of the reading.
"""

from collections.abc import Callable
from itertools import count

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.reaching import no_answer, reader

PATIENCE_S = 15.0
SAY_EVERY = 10_000
QUEUE_KB = 8_192
"""Of records fetched and not yet handed over, by partition."""

Put = Callable[[bytes, bytes | None], None]


def changelog_topic(prefix: str) -> str:
    """As Faust names it."""
    return f"{prefix}onethread-graph-changelog"


def read(bootstrap: str, topic: str, put: Put, say: Callable[[int, int], object] = lambda _done, _total: None) -> None:
    """Hand over every record of the changelog, of each partition in order; None in place of what was deleted.

    Shape:  `say` is told from time to time how many offsets of how many are read.
    Errors: OneThreadError where Kafka does not answer.
    """
    consumer = reader(bootstrap, QUEUE_KB)
    try:
        _read(consumer, topic, put, say)
    except KafkaException as error:
        raise no_answer(bootstrap, error) from error
    finally:
        consumer.close()


def _read(consumer: Consumer, topic: str, put: Put, say: Callable[[int, int], object]) -> None:
    known = consumer.list_topics(topic, timeout=PATIENCE_S).topics[topic]
    if known.error is not None:
        raise KafkaException(known.error)
    spans = {n: consumer.get_watermark_offsets(TopicPartition(topic, n), PATIENCE_S) for n in known.partitions}
    total = sum(end - start for start, end in spans.values())
    consumer.assign([TopicPartition(topic, n, start) for n, (start, _) in spans.items()])
    open_ends = {n: end for n, (start, end) in spans.items() if start < end}
    done = dict.fromkeys(spans, 0)
    for number in count(1):
        if not open_ends:
            return
        message = consumer.poll(PATIENCE_S)
        if message is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        problem, n = message.error(), message.partition()
        if problem is not None and problem.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(problem)
        if problem is None and n in open_ends:
            put(message.key(), message.value())
        done[n] = message.offset() + 1 - spans[n][0]
        if n in open_ends and (problem is not None or message.offset() + 1 >= open_ends[n]):
            del open_ends[n]
            consumer.pause([TopicPartition(topic, n)])
        if number % SAY_EVERY == 0:
            say(sum(done.values()), total)
