"""Failed commits are counted over restarts, by words that are few."""

from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams import metrics
from streams.transport.failures import Failures, word_of


@pytest.mark.parametrize(("error", "word"), [
    (KafkaException(KafkaError(KafkaError._FENCED)), "fenced"),
    (KafkaException(KafkaError(KafkaError.ILLEGAL_GENERATION)), "generation"),
    (KafkaException(KafkaError(KafkaError._TIMED_OUT)), "timeout"),
    (KafkaException(KafkaError(KafkaError.NOT_ENOUGH_REPLICAS)), "other"),
    (RuntimeError("disk"), "other"),
])
def test_a_failure_is_told_by_one_of_four_words(error: Exception, word: str) -> None:
    assert word_of(error) == word


def test_what_ended_the_process_is_counted_by_the_next(tmp_path: Path) -> None:
    def told(word: str) -> float:
        return metrics.WORKER.get_sample_value("onethread_commit_failures_total", {"error": word}) or 0

    Failures(tmp_path / "failures.json").note(KafkaException(KafkaError(KafkaError._TIMED_OUT)))
    metrics.COMMIT_FAILURES.clear()
    Failures(tmp_path / "failures.json")
    assert (told("timeout"), told("other")) == (1, 0)
