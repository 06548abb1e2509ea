"""What ingest knows of shared identifiers, so that events go past them to whom they are about.

A claim stands in the log of every partition before anything that is made knowing it, as a policy does, and stitching
stores it. What ingest has not heard of yet is told by the identifier's own node: a hop more, the same result.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from streams.core.event import NodeKey, unpack
from streams.core.nodes import SHARED

_CLAIMS_A_PAGE = 1000


class Routing:
    """Claims by node key, of all partitions this worker owns or owned; the larger number is the later word."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._claims: dict[NodeKey, int] = {}
        self._last: dict[int, bytes] = {}
        """Key of the last claim read in a partition."""

    def forget(self, partitions: Iterable[int]) -> None:
        """What the partitions' stores say is read anew."""
        for number in partitions:
            self._last.pop(number, None)

    def claims(self, partitions: Iterable[int]) -> Mapping[NodeKey, int]:
        """All claims, the partitions' latest among them. Cost: one ordered read a partition, and what is new."""
        for number in partitions:
            while found := self._store.page(number, SHARED, self._last.get(number, SHARED), _CLAIMS_A_PAGE):
                for _, data in found:
                    node, n = unpack(data)
                    self._claims[node] = max(n, self._claims.get(node, 0))
                self._last[number] = found[-1][0]
        return self._claims
