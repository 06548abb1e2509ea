"""What a dead letter may keep."""

import pytest

from schemas.records import DEAD_LETTER
from streams.core.dead_letter import dead_letter
from streams.core.refusal import RAW_BYTES_MAX, Reason, Reject, kept

REASONS = """bad_json bad_avro unknown_schema empty oversize missing_field unknown_field bad_value bad_amount bad_time
    too_early too_late unknown_channel channel_mismatch no_identifier too_many_identifiers card_number"""


def test_the_reasons_are_the_published_ones() -> None:
    assert [str(reason) for reason in Reason] == REASONS.split()


@pytest.mark.parametrize("raw", [b"", b"\x00\xff", b"4111111111111111", b"x" * RAW_BYTES_MAX])
def test_bytes_are_kept_as_they_came(raw: bytes) -> None:
    assert kept(Reason.BAD_JSON, raw) == raw


@pytest.mark.parametrize(("reason", "raw"), [
    (Reason.CARD_NUMBER, b"anything"),
    (Reason.OVERSIZE, b"x" * (RAW_BYTES_MAX + 1)),
    (Reason.BAD_JSON, b'{"kind": "payment_token", "value": "4111 1111 1111 1111"'),
])
def test_bytes_that_must_not_or_cannot_be_kept_are_not(reason: Reason, raw: bytes) -> None:
    assert kept(reason, raw) is None


def test_a_time_beside_a_payment_token_is_no_cards_number() -> None:
    raw = b'{"occurred_at": 1770285600000, "kind": "payment_token", "value": "tok_9f2c"'
    assert kept(Reason.BAD_JSON, raw) == raw


def test_a_dead_letter_is_its_avro_record() -> None:
    letter = dead_letter(Reject(Reason.EMPTY, "nothing", "e-1"), b"raw", 5, ("events.web", 2, 9), 17)
    assert letter == {
        "reason": "empty", "detail": "nothing", "topic": "events.web", "partition": 2, "offset": 9, "at": 5,
        "schema_id": 17, "source": None, "event_id": "e-1", "raw": b"raw",
    }
    assert DEAD_LETTER.decode(DEAD_LETTER.encode(letter)) == letter


def test_a_refusal_before_kafka_has_no_position() -> None:
    letter = dead_letter(Reject(Reason.BAD_JSON, "no"), b"{", 5, source="day.jsonl:7")
    place = [letter[name] for name in ("topic", "partition", "offset", "source")]
    assert place == [None, None, None, "day.jsonl:7"]
