"""Failed commits, counted over the restarts of a worker: most end the process, and its counter would end unseen.

The counts are in a file beside the worker's state; who has none counts from 0.
"""

import json
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException

from streams import metrics

FENCED, GENERATION, TIMEOUT, OTHER = "fenced", "generation", "timeout", "other"

_WORDS = {
    KafkaError._FENCED: FENCED, KafkaError.PRODUCER_FENCED: FENCED, KafkaError.INVALID_PRODUCER_EPOCH: FENCED,
    KafkaError._FATAL: FENCED,  # what a fenced producer answers to the next record
    KafkaError.ILLEGAL_GENERATION: GENERATION, KafkaError.UNKNOWN_MEMBER_ID: GENERATION,
    KafkaError.FENCED_INSTANCE_ID: GENERATION, KafkaError.REBALANCE_IN_PROGRESS: GENERATION,
    KafkaError._TIMED_OUT: TIMEOUT, KafkaError._MSG_TIMED_OUT: TIMEOUT, KafkaError.REQUEST_TIMED_OUT: TIMEOUT,
}
"""fenced: others took the worker for gone, or another process commits under its name; generation: the group went on
without it; timeout: Kafka did not answer in time."""


class Failures:
    """Counts by the words above; all of them are told from the beginning, so that a first failure is an increase."""

    def __init__(self, path: Path) -> None:
        self._path = path
        found = json.loads(path.read_text()) if path.exists() else {}
        self._counts: dict[str, int] = {word: found.get(word, 0) for word in (FENCED, GENERATION, TIMEOUT, OTHER)}
        for word, count in self._counts.items():
            metrics.COMMIT_FAILURES.labels(word).inc(count)

    def note(self, error: BaseException) -> None:
        """One more; it is on disk when this returns."""
        word = word_of(error)
        self._counts[word] += 1
        metrics.COMMIT_FAILURES.labels(word).inc()
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(self._counts))
        new.replace(self._path)


def word_of(error: BaseException) -> str:
    """What kind of failure it is; anything but Kafka's own is `other`."""
    if isinstance(error, KafkaException) and error.args and isinstance(error.args[0], KafkaError):
        return _WORDS.get(error.args[0].code(), OTHER)
    return OTHER
