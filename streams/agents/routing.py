"""What ingest knows of shared identifiers, so that events go past them to whom they are about; and who is suppressed.

A claim stands in the log of every partition before anything that is made knowing it, as a policy does, and stitching
stores it. What ingest has not heard of yet is told by the identifier's own node: a hop more, the same result.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from streams.core.event import NodeKey, unpack
from streams.core.nodes import SHARED
from streams.core.traces import SUPPRESSED

_CLAIMS_A_PAGE = 1000


class Routing:
    """Claims by node key, of all partitions this worker owns or owned; the larger number is the later word."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._claims: dict[NodeKey, int] = {}
        self._suppressed: set[NodeKey] = set()
        self._last: dict[tuple[int, bytes], bytes] = {}
        """Key of the last record read of a table, in a partition."""

    def forget(self, partitions: Iterable[int]) -> None:
        """What the partitions' stores say is read anew."""
        for number in partitions:
            for table in (SHARED, SUPPRESSED):
                self._last.pop((number, table), None)

    def claims(self, partitions: Iterable[int]) -> Mapping[NodeKey, int]:
        """All claims, the partitions' latest among them. Cost: one ordered read a partition, and what is new."""
        for data in self._news(partitions, SHARED):
            node, n = unpack(data)
            self._claims[node] = max(n, self._claims.get(node, 0))
        return self._claims

    def suppressed(self, partitions: Iterable[int]) -> Collection[NodeKey]:
        """Node keys of identifiers whose events are refused. Cost: as of `claims`."""
        self._suppressed.update(NodeKey(data) for data in self._news(partitions, SUPPRESSED))
        return self._suppressed

    def _news(self, partitions: Iterable[int], table: bytes) -> Iterator[bytes]:
        """Values of a table's records that were not read before."""
        for number in partitions:
            while found := self._store.page(number, table, self._last.get((number, table), table), _CLAIMS_A_PAGE):
                yield from (data for _, data in found)
                self._last[number, table] = found[-1][0]
