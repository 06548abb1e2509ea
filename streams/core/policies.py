"""The policies of a deployment by version: what comes with the start is version 0, each later one came as a message."""

import struct
from typing import Protocol

from streams.core import policy as policy_file
from streams.core.event import pack, unpack
from streams.core.policy import Policy

PREFIX = b"y"


class Scanner(Protocol):
    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]: ...


class Policies:
    """Policies that rows of this partition were or are made under."""

    def __init__(self, first: Policy, reader: Scanner) -> None:
        self._by_version = {0: first}
        self.received_ms = 0
        """When the present policy was received."""
        for key, value in reader.scan(PREFIX):
            version = int(struct.unpack(">I", key[len(PREFIX) :])[0])
            self.received_ms, text = unpack(value)
            self._by_version[version] = policy_file.parse(text, f"policy {version}")

    @property
    def version(self) -> int:
        return max(self._by_version)

    @property
    def present(self) -> Policy:
        return self._by_version[self.version]

    def __getitem__(self, version: int) -> Policy:
        return self._by_version[version]

    def add(self, version: int, text: str, received_ms: int) -> tuple[bytes, bytes] | None:
        """Know one more policy; the record to store, None where it is known."""
        if version in self._by_version:
            return None
        self._by_version[version] = policy_file.parse(text, f"policy {version}")
        self.received_ms = received_ms
        return PREFIX + struct.pack(">I", version), pack((received_ms, text))
