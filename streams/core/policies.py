"""What rows are made under, by version: the policy and what else shapes facts.

Version 0 is what the deployment was started with, kept with the state, for a node that was asked for nothing since may
still have rows made under it. Each later version came as a message.
"""

import struct
from collections.abc import Mapping
from typing import Protocol

from streams.core import policy as policy_file
from streams.core.event import pack, unpack
from streams.core.policy import Policy
from streams.core.shaping import Shaping

PREFIX = b"y"


class Scanner(Protocol):
    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]: ...


class Policies:
    """Policies and shapings that rows of this partition were or are made under."""

    def __init__(self, first: Policy, shaping: Shaping, reader: Scanner) -> None:
        self._by_version = {0: (first, shaping)}
        self.version, self.present = 0, first
        self.received_ms = 0
        """When the present version was received."""
        self.unsaved: list[tuple[bytes, bytes]] = []
        """Records to store with the next commit."""
        known = reader.scan(PREFIX)
        for key, value in known:
            version = int(struct.unpack(">I", key[len(PREFIX) :])[0])
            self.received_ms, text, gap_ms, *rest = unpack(value)
            self._know(version, text, rest[0] if rest else _durations(gap_ms))
        if not known:
            self._save(0, "", shaping.durations())

    def __getitem__(self, version: int) -> Policy:
        return self._by_version[version][0]

    def shaping(self, version: int) -> Shaping:
        return self._by_version[version][1]

    def add(self, version: int, text: str, durations: Mapping[str, int], received_ms: int) -> bool:
        """Know one more version; what it leaves out is as it was. Whether it was news."""
        if version in self._by_version:
            return False
        self.received_ms = received_ms
        self._know(version, text, durations)
        self._save(version, text, durations)
        return True

    def _know(self, version: int, text: str, durations: Mapping[str, int]) -> None:
        before = max((v for v in self._by_version if v < version), default=0)
        policy, shaping = self._by_version[before]
        if text:
            policy = policy_file.parse(text, f"policy {version}")
        self._by_version[version] = policy, shaping.changed(durations)
        self.version = max(self._by_version)
        self.present = self[self.version]

    def _save(self, version: int, text: str, durations: Mapping[str, int]) -> None:
        record = self.received_ms, text, durations.get("session_gap_ms", 0), dict(durations)
        self.unsaved.append((PREFIX + struct.pack(">I", version), pack(record)))


def _durations(session_gap_ms: int) -> dict[str, int]:
    """As the first release stored them: one, 0 where it is as it was."""
    return {"session_gap_ms": session_gap_ms} if session_gap_ms else {}
