"""Who may write to the collector or read from it: the keys of a home, kept as hashes.

A key is `ot_` and 32 random characters, shown once; `keys.json` holds its SHA-256, which is enough for a text that
nobody can guess. What verifies a webhook's signature is named by reference, `env:NAME` or `file:PATH`, so that the file
holds no secret at all. The file is read again when it changes: a new key works at once, a dropped one no longer.
"""

import hashlib
import math
import os
import secrets
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import msgspec
import structlog

from connectors.source import Source
from streams import private_file
from streams.errors import OneThreadError, UsageError

FILE = "keys.json"
LOCAL_FILE = "write-key"
"""The key that `onethread up` made for this machine, as it is: who can read the home may write."""

LOCAL_SOURCE = "local"
_WANTED = "the keys that `onethread keys add` writes"
RATE_DEFAULT = 10_000.0
"""Events a second a key may write where nobody said otherwise."""

_log = structlog.get_logger()

LOOK_EVERY_S = 0.5
_PREFIX = "ot_"
_ID_LENGTH = 12


class Key(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of a key. `channels` names where its events may happen, the one taken for granted first."""

    hash: str
    source: str
    scope: str = "write"
    channels: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    """Sites whose pages may use the key; none: every site."""
    targets: tuple[str, ...] = ()
    """Hosts to which a tracked link without signature may lead."""
    links: bool = False
    """It signs tracked links, so it must not stand in a page."""
    rate: float = RATE_DEFAULT
    device: str | None = None
    currency: str | None = None
    secrets: dict[str, str] = {}
    """Name -> reference."""
    created_at: str = ""
    until: str = ""
    """From when on it is worth nothing, since another took its place; empty: for ever."""

    @property
    def id(self) -> str:
        """Names the key where the key itself must not stand: in links, pictures, lists and metrics."""
        return self.hash[:_ID_LENGTH]

    @property
    def channel(self) -> str:
        return self.channels[0] if self.channels else ""

    @property
    def is_over(self) -> bool:
        return bool(self.until) and self.until <= _instant(time.time())

    def allows(self, origin: str) -> bool:
        """Whether a page of that site may use the key."""
        return not self.origins or origin in self.origins

    def secret(self, name: str, environ: Mapping[str, str] = os.environ) -> str | None:
        """The secret a reference leads to, None where there is none, or nothing at its end."""
        kind, _, where = self.secrets.get(name, "").partition(":")
        if kind == "env":
            return environ.get(where) or None
        if kind == "file":
            with suppress(OSError):
                return Path(where).read_text().strip() or None
        return None


def source_of(key: Key) -> Source:
    return Source(key.source, key.channel, key.device, key.currency)


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


class Keys:
    """The keys of a home, as they are now."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE
        self._seen: tuple[int, int] | None = None
        self._looked_s = -math.inf
        self._by_hash: dict[str, Key] = {}

    def find(self, text: str) -> Key | None:
        """The key that a caller showed."""
        if not text:
            return None
        name = hash_of(text)
        found = self._now().get(name) or self._at_once().get(name)
        return None if found is None or found.is_over else found

    def of_id(self, key_id: str) -> Key | None:
        looks = (self._now, self._at_once)
        return next((key for look in looks for key in look().values() if key.id == key_id and not key.is_over), None)

    def of_source(self, source: str) -> list[Key]:
        """All keys of a source, in the order they were made."""
        looks = (self._now, self._at_once)
        for look in looks:
            if found := [key for key in look().values() if key.source == source and not key.is_over]:
                return found
        return []

    def all(self) -> list[Key]:
        return list(self._now().values())

    def look_again(self) -> None:
        """Read the file at the next question, however long ago the last look was."""
        self._looked_s = -math.inf

    def _at_once(self) -> dict[str, Key]:
        """What is not known may just have been added."""
        self.look_again()
        return self._now()

    def _now(self) -> dict[str, Key]:
        if time.monotonic() - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = time.monotonic()
            seen = private_file.stamp(self._path)
            if seen != self._seen:
                self._read(seen)
        return self._by_hash

    def _read(self, seen: tuple[int, int] | None) -> None:
        """Errors: OneThreadError where the first file seen is not ours; of a later one the keys before it stay."""
        try:
            self._by_hash = {key.hash: key for key in _read(self._path)}
        except OneThreadError as error:
            if self._seen is None:
                raise
            _log.error("keys_not_read", problem=str(error))
        self._seen = seen


def add(home: Path, source: str, **fields: Any) -> tuple[str, Key]:
    """Make a key; its text, which is kept nowhere, and what is kept. `fields` are those of `Key`."""
    text = _PREFIX + secrets.token_urlsafe(24)
    key = Key(hash_of(text), source, created_at=_instant(time.time()), **fields)
    with _changing(home) as keys:
        keys.append(key)
    return text, key


def rotate(home: Path, key_id: str, overlap_s: float) -> tuple[str, Key]:
    """Make a key that may what another may, which is worth nothing any more after `overlap_s` seconds.

    Shape: as `add`, of the new key. Errors: UsageError where there is no such key, or it is over already.
    """
    text, now_s = _PREFIX + secrets.token_urlsafe(24), time.time()
    with _changing(home) as keys:
        place = keys.index(_of_id(keys, key_id))
        before = keys[place]
        if before.until:
            raise UsageError(f"key {key_id} was rotated already: it is good until {before.until}")
        keys[place] = msgspec.structs.replace(before, until=_instant(now_s + overlap_s))
        key = msgspec.structs.replace(before, hash=hash_of(text), created_at=_instant(now_s))
        keys.append(key)
    return text, key


def drop(home: Path, key_id: str) -> Key:
    """Take a key back. Errors: UsageError where there is none of that id."""
    with _changing(home) as keys:
        found = _of_id(keys, key_id)
        keys.remove(found)
    return found


def _of_id(keys: list[Key], key_id: str) -> Key:
    for key in keys:
        if key.id == key_id:
            return key
    raise UsageError(f"no such key: {key_id}; `onethread keys list` shows them")


def _instant(at_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


def local(home: Path, channel: str = "web") -> str:
    """The key for this machine; made where there is none, or where it was dropped."""
    path = home / LOCAL_FILE
    text = path.read_text().strip() if path.exists() else ""
    if not Keys(home).find(text):
        text, _ = add(home, LOCAL_SOURCE, channels=(channel,))
        private_file.write(path, text.encode() + b"\n")
    return text


def _changing(home: Path) -> AbstractContextManager[list[Key]]:
    """The keys to change; written whole or not at all, by one process at a time."""
    return private_file.changing(home / FILE, Key, _WANTED)


def _read(path: Path) -> list[Key]:
    return private_file.entries(path, Key, _WANTED)
