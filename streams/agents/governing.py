"""Under which policy ingest works.

Events of a partition are accepted under the policy that the partition's stitching has come to: every log has that one
by then, so nobody meets a kind it does not know. Commands are read under the last policy commanded before them, so
that reading them again gives the same. Both are in the store; nothing here outlives a commit.
"""

import struct
from collections.abc import Iterable
from typing import Any

from streams.core import policies
from streams.core import policy as policy_file
from streams.core.accept import Rules
from streams.core.channels import registry
from streams.core.commands import PARTITION
from streams.core.event import pack, unpack
from streams.core.messages import PolicyChange
from streams.core.policy import Policy
from streams.settings import Settings

COMMANDED = b"k"
"""Key of the record (version, text) of the last policy commanded, in the commands' partition."""

_VERSIONS_A_PAGE = 100


class Governing:
    """Policies by version, read from the store when they first hold in a partition."""

    def __init__(self, settings: Settings, first: Policy, store: Any) -> None:
        self._settings, self._store = settings, store
        self._channels = registry(settings.channels)
        self._by_version = {0: self._rules(first)}
        self._last: dict[int, bytes] = {}
        """Key of the last policy's record seen in a partition."""

    def forget(self, partitions: Iterable[int]) -> None:
        for number in partitions:
            self._last.pop(number, None)

    def rules(self, partition: int) -> Rules:
        """What acceptance depends on in a partition now."""
        after = self._last.get(partition, policies.PREFIX)
        while found := self._store.page(partition, policies.PREFIX, after, _VERSIONS_A_PAGE):
            for key, data in found:  # each may leave alone what the one before it said
                self._learn(_version(key), unpack(data)[1])
            after = found[-1][0]
        self._last[partition] = after
        return self._by_version[_version(after)]

    def commanded(self) -> Policy:
        """The last policy commanded."""
        data = self._store.multi_get(PARTITION, [COMMANDED])[0]
        version, text = unpack(data) if data else (0, "")
        self._learn(version, text)
        return self._by_version[version].policy

    def command(self, change: PolicyChange) -> tuple[bytes, bytes]:
        """The record to store for a policy command."""
        return COMMANDED, pack((change.version, change.text))

    def _learn(self, version: int, text: str) -> None:
        if version not in self._by_version:
            before = max(v for v in self._by_version if v < version)
            policy = policy_file.parse(text, f"policy {version}") if text else self._by_version[before].policy
            self._by_version[version] = self._rules(policy)

    def _rules(self, policy: Policy) -> Rules:
        return Rules(policy, self._channels, self._settings.default_region, self._settings.reporting_zone)


def _version(key: bytes) -> int:
    suffix = key.removeprefix(policies.PREFIX)
    return int(struct.unpack(">I", suffix)[0]) if suffix else 0
