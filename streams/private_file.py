"""Files that hold secrets or their hashes: readable by their owner alone, changed whole or not at all."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from streams.errors import OneThreadError

Entry = TypeVar("Entry")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one process at a time is in here for a path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write(path: Path, data: bytes) -> None:
    """Put `data` in the place of what is there; on disk when this returns."""
    whole = path.with_name(path.name + ".new")
    handle = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    whole.replace(path)


def stamp(path: Path) -> tuple[int, int] | None:
    """Another one after every `write`; None where there is no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_ino


def entries(path: Path, kind: type[Entry], wanted: str) -> list[Entry]:
    """What a file of JSON lists; nothing where there is none. Errors: OneThreadError that says what was `wanted`."""
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[kind])  # type: ignore[valid-type]
    except msgspec.MsgspecError as error:
        raise OneThreadError(f"{path}: expected {wanted}: {error}") from None


@contextlib.contextmanager
def changing(path: Path, kind: type[Entry], wanted: str) -> Iterator[list[Entry]]:
    """The entries to change, by one process at a time; kept when all goes well. Errors: as `entries`."""
    with locked(path):
        found = entries(path, kind, wanted)
        yield found
        write(path, msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
