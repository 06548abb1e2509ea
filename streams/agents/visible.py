"""How long it took until rows were in ClickHouse, and how old the oldest record is that is not there yet.

Measured is what each event waited once, when its first touchpoint row was acknowledged: stitching notes the times of
the events that came to a partition with a batch beside the rows of the batch, so a row sent again after a merge, or by
a rebuild, counts for nothing. Counted from: the time at which Kafka took the event in (the record's timestamp, which
the producer sets), and the time at which it occurred. A merge counts from the event or command that caused it.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from faust.types import TP

from streams import metrics
from streams.core.facts import Facts, index_of

_MERGES, _MERGED_AT = "merges", index_of("merges", "at") + 1
"""The version stands before the row."""

_OCCURRED, _PRODUCED, _MERGE = (metrics.VISIBLE_SECONDS.labels(since) for since in ("occurred", "produced", "merge"))


class Visible:
    """Times of what one group of facts brings; a group that is tried again begins anew."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self._arrived: list[tuple[int, int]] = []
        self._merged: list[int] = []

    def meet(self, packed: Facts) -> None:
        """Note what a record of facts tells."""
        self._arrived += packed.arrived
        if packed.table == _MERGES:
            self._merged += [row[_MERGED_AT] for row in packed.upserts]

    def tell(self, now_ms: int) -> None:
        """Everything of the group is in ClickHouse now. A producer's clock may be ahead of ours: then it took 0 s."""
        if self._arrived:
            _OCCURRED.observe_all(max(0, now_ms - occurred_ms) / 1000 for occurred_ms, _ in self._arrived)
            _PRODUCED.observe_all(max(0, now_ms - received_ms) / 1000 for _, received_ms in self._arrived)
        if self._merged:
            _MERGE.observe_all(max(0, now_ms - at_ms) / 1000 for at_ms in self._merged)


class Waiting:
    """The age of the oldest record of some topics that was read by nobody yet, or is in hand. Pure: times come in."""

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = frozenset(topics)
        self._in_hand: dict[TP, int] = {}
        self._through_ms: dict[TP, int] = {}
        """Up to when everything of a partition was done."""

    def take(self, batches: Iterable[Any]) -> None:
        """A group is in hand, with the times of its records."""
        for batch in batches:
            self._in_hand.setdefault(batch.tp, batch.records[0].timestamp)

    def done(self, batches: Iterable[Any]) -> None:
        for batch in batches:
            self._in_hand.pop(batch.tp, None)
            self._through_ms[batch.tp] = batch.records[-1].timestamp

    def give_up(self) -> None:
        """Partitions leave: what was in hand is another's."""
        self._in_hand.clear()

    def age_ms(self, lags: Mapping[TP, tuple[int, int]], now_ms: int) -> int:
        """By how far the oldest one waits; `lags` are (committed, end of the log). 0 where nothing waits.

        Before the first record of a backlog was read, its age counts from the first look at it.
        """
        oldest_ms = now_ms
        for tp, (done, end) in lags.items():
            if tp.topic not in self._topics:
                continue
            if done >= end:
                self._through_ms[tp] = now_ms
            else:
                since_ms = self._in_hand.get(tp) or self._through_ms.setdefault(tp, now_ms)
                oldest_ms = min(oldest_ms, since_ms)
        return now_ms - oldest_ms
