"""Compressed bodies: round trips in small pieces, members in a row, and damage that is seen."""

import gzip

import lz4.frame
import pytest

from deploy.local.gateway import encodings
from deploy.local.gateway.errors import ClickHouseError

NAMES = ["gzip", "deflate", "zstd", "lz4", encodings.BLOCKS]
TEXT = b"".join(b"row %d\n" % number for number in range(300_000))  # more than one block


def packed(name: str, text: bytes) -> bytes:
    encoder = encodings.encoder(name)
    return encoder.compress(text[:1000]) + encoder.compress(text[1000:]) + encoder.flush()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_packed_comes_out_whole(name: str) -> None:
    """Whatever the pieces are."""
    data = packed(name, TEXT)
    decoder = encodings.decoder(name)
    assert b"".join(decoder.decompress(data[at : at + 7001]) for at in range(0, len(data), 7001)) == TEXT
    assert decoder.eof


@pytest.mark.parametrize("name", NAMES)
def test_a_shortened_body_is_seen(name: str) -> None:
    """The stream is not complete then."""
    decoder = encodings.decoder(name)
    decoder.decompress(packed(name, TEXT)[:-1])
    assert not decoder.eof


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("lz4", lz4.frame.compress)])
def test_members_in_a_row_are_one_body(name: str, pack: object) -> None:
    """Clients send one member a chunk."""
    decoder = encodings.decoder(name)
    assert decoder.decompress(pack(b"one ") + pack(b"two")) == b"one two"  # type: ignore[operator]
    assert decoder.eof


def test_a_block_with_a_wrong_checksum_is_refused() -> None:
    """One bit is enough."""
    data = bytearray(packed(encodings.BLOCKS, b"text"))
    data[-1] ^= 1
    with pytest.raises(ClickHouseError, match="CHECKSUM_DOESNT_MATCH"):
        encodings.decoder(encodings.BLOCKS).decompress(bytes(data))


def test_blocks_are_those_a_server_writes() -> None:
    """The answer of ClickHouse to `SELECT 1` with compress=1, taken from its source's description of the header."""
    data = packed(encodings.BLOCKS, b"1\n")
    assert data[16:] == bytes.fromhex("82 0c000000 02000000 20 310a")
    assert data[:16] == bytes.fromhex("de79cf087fb635049db816df195b016b")


def test_unknown_encoding_is_refused() -> None:
    """With ClickHouse's code."""
    with pytest.raises(ClickHouseError, match="UNKNOWN_COMPRESSION_METHOD"):
        encodings.decoder("br")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("gzip, deflate", "gzip"),
        ("br, ZSTD", "zstd"),
        ("lz4;q=0, gzip;q=0.5", "gzip"),
        ("identity", None),
        ("", None),
    ],
)
def test_answer_takes_the_first_known_encoding(header: str, name: str | None) -> None:
    """As the client orders them."""
    assert encodings.accepted(header) == name
