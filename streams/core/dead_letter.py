"""A dead letter: an input that was refused, as the Avro record `onethread.DeadLetter`."""

from typing import Any

from streams.core.event import Position
from streams.core.refusal import Reject, kept


def dead_letter(
    reject: Reject, raw: bytes | None, at_ms: int, position: Position | None = None, schema_id: int | None = None,
    source: str | None = None,
) -> dict[str, Any]:
    """The record of one refusal.

    Shape:  raw is the input as it came; position None: refused before it reached Kafka. Bytes that must not or
            cannot be kept are left out (`streams.core.refusal.kept`).
    """
    topic, partition, offset = position or (None, None, None)
    return {
        "reason": str(reject.reason),
        "detail": reject.detail,
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "at": at_ms,
        "schema_id": schema_id,
        "source": source,
        "event_id": reject.event_id,
        "raw": kept(reject.reason, raw) if raw is not None else None,
    }
