"""Why an input is refused: one list of reasons, the same before Kafka and after it.

A refusal is a value, `Reject`, that becomes a dead letter. Within the checks it travels as the exception `Refusal`,
so that a check deep in a record needs no return path of its own; `streams.core.accept` and `streams.core.reading`
turn it into the value.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    BAD_JSON = "bad_json"
    BAD_AVRO = "bad_avro"
    UNKNOWN_SCHEMA = "unknown_schema"
    EMPTY = "empty"
    OVERSIZE = "oversize"
    MISSING_FIELD = "missing_field"
    UNKNOWN_FIELD = "unknown_field"
    BAD_VALUE = "bad_value"
    BAD_AMOUNT = "bad_amount"
    BAD_TIME = "bad_time"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    UNKNOWN_CHANNEL = "unknown_channel"
    CHANNEL_MISMATCH = "channel_mismatch"
    NO_IDENTIFIER = "no_identifier"
    TOO_MANY_IDENTIFIERS = "too_many_identifiers"
    CARD_NUMBER = "card_number"


EVENT_BYTES_MAX = 256 * 1024
"""A larger event is refused as oversize."""

RAW_BYTES_MAX = 900_000
"""Refused bytes above this are not kept: with them a dead letter would exceed Kafka's default of 1 MiB a record."""
assert EVENT_BYTES_MAX <= RAW_BYTES_MAX < 1_000_000


_card_numbers = re.compile(rb"(?<![0-9])[2-9][0-9]{12,18}(?![0-9])").search
"""No card's number begins with 0 or 1, and every epoch millisecond until 2033 begins with 1."""


def kept(reason: Reason, raw: bytes) -> bytes | None:
    """The bytes a dead letter may hold: none where they are, or in a payment token may be, a card's number."""
    if reason == Reason.CARD_NUMBER or len(raw) > RAW_BYTES_MAX:
        return None
    if b"payment_token" in raw and _card_numbers(re.sub(rb"[ -]", b"", raw)):
        return None
    return raw


@dataclass(frozen=True)
class Reject:
    """An input that was refused. `detail` says where, what was expected and what came, never a personal value."""

    reason: Reason
    detail: str
    event_id: str | None = None


class Refusal(Exception):  # noqa: N818 - not an error of the program
    """Carries a `Reject` out of a check."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail

    def reject(self, event_id: str | None = None) -> Reject:
        return Reject(self.reason, self.detail, event_id)
