"""Every event of the sample passes the rules of acceptance; every bad line is refused for the reason it names."""

import json
from collections import Counter
from pathlib import Path

import pytest

from examples.sample.faults import FAULTS
from examples.sample.world import lines
from streams.core.accept import Accepted, Outcome, Rules, Unidentifiable, accept
from streams.core.channels import registry
from streams.core.policy import default
from streams.core.reading import Reader
from streams.core.refusal import Reject

RULES = Rules(policy=default(), channels=registry({}), default_region="UA", reporting_zone="Europe/Kyiv")
KAFKA_MS = 1_790_000_000_000


@pytest.fixture(scope="module")
def reader() -> Reader:
    schema = Path(__file__).parents[3] / "schemas/events/channel_event.avsc"
    return Reader(json.loads(schema.read_text()))


def _outcome(reader: Reader, line: str) -> Outcome:
    record = reader.read(line.encode())
    if isinstance(record, Reject):
        return record
    return accept(record, ("events.web", 0, 0), KAFKA_MS, b"", None, RULES)


def test_every_event_is_accepted_or_a_sensor_that_saw_nobody(reader):
    outcomes: Counter[type] = Counter()
    notes: Counter[tuple[str, str]] = Counter()
    for line in lines():
        if '"bad:' not in line[:40]:
            outcome = _outcome(reader, line)
            assert isinstance(outcome, Accepted | Unidentifiable), outcome
            outcomes[type(outcome)] += 1
            notes.update(outcome.notes if isinstance(outcome, Accepted) else ())
    assert outcomes[Unidentifiable] >= 100
    assert notes.keys() == {("email", "blocked")}


@pytest.mark.parametrize("reason", FAULTS)
def test_each_fault_is_refused_for_the_reason_it_names(reader, reason):
    outcome = _outcome(reader, FAULTS[reason](0))
    assert isinstance(outcome, Reject)
    assert outcome.reason == reason
