"""Confluent's wire format."""

import pytest

from schemas.wire import HEAD_BYTES, frame, schema_id


def test_a_frame_is_a_zero_byte_an_id_and_the_payload() -> None:
    assert frame(258, b"payload") == b"\0\0\0\1\2payload"


def test_the_id_comes_back() -> None:
    data = frame(2**31 - 1, b"p")
    assert (schema_id(data), data[HEAD_BYTES:]) == (2**31 - 1, b"p")


@pytest.mark.parametrize("data", [b"", b"\0\0\0\0", b"\1\0\0\0\1p", b'{"event_id"'])
def test_anything_else_has_no_id(data: bytes) -> None:
    assert schema_id(data) is None


def test_an_id_that_no_registry_gives_is_none():
    """A dead letter could not say it, and its record would stop the pipeline for good."""
    assert schema_id(b"\0\x7f\xff\xff\xff") == 2**31 - 1
    assert schema_id(b"\0\x80\0\0\0noise") is None
    assert schema_id(b"\0\xff\xff\xff\xff") is None
