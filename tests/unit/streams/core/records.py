"""Small events for tests: a page view on the web, changed where a test says so."""

import json
from typing import Any

from schemas.records import CHANNEL_EVENT
from streams.core.accept import Accepted, Outcome, Rules, accept
from streams.core.channels import registry
from streams.core.event import Event
from streams.core.policy import default
from streams.core.reading import Reader
from streams.core.refusal import Reject

READER = Reader(json.loads(CHANNEL_EVENT.text))
RULES = Rules(default(), registry({}), "UA", "Europe/Kyiv")

AT_MS = 1_770_285_600_000
"""2026-02-05, 10:00 UTC"""
KAFKA_MS = AT_MS + 1000
POSITION = ("events.web", 0, 7)
DIGEST = b"d" * 16

VIEW = {
    "event_id": "e-1", "channel": "web", "type": "page_viewed", "occurred_at": AT_MS,
    "identifiers": [{"kind": "anonymous_id", "value": "ck-1"}],
}


def told(**fields: Any) -> dict[str, Any]:
    """The JSON object of an event; a field given as None is left out."""
    return {name: value for name, value in (VIEW | fields).items() if value is not None}


def read(value: Any) -> dict[str, Any] | Reject:
    return READER.read(json.dumps(value).encode())


def judged(channel_of_topic: str | None = None, **fields: Any) -> Outcome:
    """What becomes of an event, read from JSON."""
    record = read(told(**fields))
    return record if isinstance(record, Reject) else accept(
        record, POSITION, KAFKA_MS, DIGEST, channel_of_topic, RULES)


def accepted(**fields: Any) -> Event:
    outcome = judged(**fields)
    assert isinstance(outcome, Accepted), outcome
    return outcome.event


def refused(**fields: Any) -> tuple[str, str]:
    """(reason, path) of a refusal."""
    outcome = judged(**fields)
    assert isinstance(outcome, Reject), outcome
    return str(outcome.reason), outcome.detail.split(": ")[0]


def named(kind: str, value: str, confidence: float | None = None) -> dict[str, Any]:
    return {"kind": kind, "value": value} | ({} if confidence is None else {"confidence": confidence})
