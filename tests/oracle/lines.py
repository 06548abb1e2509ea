"""The events that JSON lines become: what the batch answer needs to speak about a file, or about a running stack."""

import json
from collections.abc import Iterable
from hashlib import blake2b

from schemas.records import CHANNEL_EVENT
from streams.core.accept import Accepted, Rules, accept
from streams.core.channels import CHANNELS
from streams.core.event import Event
from streams.core.policy import default
from streams.core.reading import Reader

RULES = Rules(default(), CHANNELS, default_region="", reporting_zone="UTC")
KAFKA_MS = 1_900_000_000_000
"""After every event of the samples: received_at is to be left aside."""

_read = Reader(json.loads(CHANNEL_EVENT.text)).read


def accepted(lines: Iterable[str], rules: Rules = RULES, partitions: int = 4) -> list[Event]:
    """The accepted events of a file, in its order, each at a position of its own; the rest is left out."""
    events = []
    for offset, line in enumerate(lines):
        record = _read(line.encode())
        if isinstance(record, dict):
            digest = blake2b(CHANNEL_EVENT.encode(record), digest_size=16).digest()
            position = f"events.{record['channel']}", offset % partitions, offset
            outcome = accept(record, position, KAFKA_MS, digest, None, rules)
            if isinstance(outcome, Accepted):
                events.append(outcome.event)
    return events
