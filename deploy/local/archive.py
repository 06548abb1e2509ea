"""The files of a backup: records of topics by partition, compressed and with checksums, and what tells what they are.

manifest.json is written last: a folder without it is no backup. Files hold what customers said of themselves, so only
their owner may read them. `topics/TOPIC/PARTITION.gz` holds records as msgpack arrays [offset, timestamp in ms, key,
value, headers], each behind its length in four bytes.
"""

import gzip
import hashlib
import json
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from streams.errors import OneThreadError

FORMAT = 1
MANIFEST = "manifest.json"
CHUNK = 1 << 20
LEVEL = 1
"""Of compression: Kafka's disk is the slower part from here on."""

_LENGTH = struct.Struct(">I")


class Record(NamedTuple):
    """As it lay in its partition."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


class Span(msgspec.Struct, frozen=True):
    """A partition's file: how many records it holds, and the offsets at which the partition began and ended."""

    file: str
    records: int
    start: int
    end: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct):
    """What a backup holds. `offsets` are where the workers' group was, by topic and partition."""

    format: int
    created_at: str
    layout: int
    partitions: int
    topic_prefix: str
    topics: dict[str, dict[int, Span]]
    offsets: dict[str, dict[int, int]]
    files: dict[str, str]
    """Other files of the folder with their SHA-256."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]).decode


def begin(folder: Path) -> None:
    """Make the folder, for its owner only. Errors: OneThreadError where there is something in it."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise OneThreadError(f"{folder}: expected an empty folder, or none; came one with files in it")
    folder.chmod(0o700)


def write_records(folder: Path, topic: str, number: int, records: Iterable[Any], start: int, end: int) -> Span:
    """Write a partition's file and say what it is. Memory: one record."""
    name = f"topics/{topic}/{number}.gz"
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with gzip.open(path, "wb", LEVEL) as file:
        for record in records:
            data = _encode((record.offset, record.timestamp, record.key, record.value, record.headers))
            file.write(_LENGTH.pack(len(data)))
            file.write(data)
            count += 1
    return Span(name, count, start, end, path.stat().st_size, checksum(path))


def records_of(folder: Path, span: Span) -> Iterator[Record]:
    """The records of a partition's file, in order. Errors: OneThreadError where it ends in the middle of one."""
    with gzip.open(folder / span.file, "rb") as file:
        while head := file.read(_LENGTH.size):
            (length,) = _LENGTH.unpack(head)
            data = file.read(length)
            if len(data) < length:
                raise OneThreadError(f"{span.file} ends in the middle of a record")
            yield Record(*_decode(data))


def write_file(folder: Path, name: str, data: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(data)


def finish(folder: Path, manifest: Manifest) -> None:
    """Everything on the disk, then the manifest: from here on it is a backup."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            path.chmod(0o600)
            _sync(path)
    whole = folder / f"{MANIFEST}.new"
    whole.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    whole.chmod(0o600)
    _sync(whole)
    whole.replace(folder / MANIFEST)
    _sync(folder)


def read(folder: Path) -> Manifest:
    """Errors: OneThreadError where the folder is no whole backup, or one of a newer onethread."""
    path = folder / MANIFEST
    if not path.is_file():
        raise OneThreadError(f"{folder} is no backup: it has no {MANIFEST}, which is written last")
    told = path.read_bytes()
    known = json.loads(told).get("format", 0)
    if known > FORMAT:
        raise OneThreadError(f"{folder} was written by a newer onethread (format {known}, this one knows {FORMAT})")
    return msgspec.json.decode(told, type=Manifest)


def problems(folder: Path, manifest: Manifest) -> list[str]:
    """What is not as it was written, a line each; empty where all is well. Cost: reads everything once."""
    found = []
    spans = {span.file: span.sha256 for parts in manifest.topics.values() for span in parts.values()}
    for name, expected in {**spans, **manifest.files}.items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name} is missing")
        elif checksum(path) != expected:
            found.append(f"{name} is not what was written: its checksum is another")
    return found


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            found.update(data)
    return found.hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems do not sync folders
            os.fsync(handle)
    finally:
        os.close(handle)
