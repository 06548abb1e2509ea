"""A Kafka in memory, as far as this product can tell the difference: logs with holes, transactions, offsets.

- A record of a transaction is in the log at once and visible to readers of committed records only when the marker of
  its transaction is in that partition; markers arrive partition by partition, whatever became of the producer.
- Offsets are consecutive over records and markers. Nothing is compacted: readers see every record there ever was.
- A transaction carries offsets, checked against the group's present generation when they are sent, visible with its
  marker. Starting a producer anew fences the one before and ends its transaction; so does a time-out.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException
from faust.types import TP

from streams.transport.commit import TRANSACTION_TIMEOUT_MS
from tests.simulation.agents.loop import NOBODY, Loop, nap

SWEEP_S = 10.0
"""How late a broker finds out that a transaction is over its time."""
MARKER_S = (0.005, 0.005, 0.1, 2.0)
"""How long a marker takes at most, after the one before it."""


class Record(NamedTuple):
    """What a consumer gets."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


@dataclass(eq=False)
class Transaction:
    producer: str
    epoch: int
    state: str = "open"
    """open, committing or aborting while markers are on their way, committed, aborted"""
    partitions: set[TP] = field(default_factory=set)
    offsets: dict[TP, int] = field(default_factory=dict)
    over_s: float = 0.0
    """When its last marker will be written."""

    @property
    def is_over(self) -> bool:
        return self.state in ("committed", "aborted")


@dataclass(eq=False)
class Log:
    entries: list[tuple[Record, Transaction | None]] = field(default_factory=list)
    """A marker is a record of its transaction without key and value, in a transaction of its own that is None."""
    markers: set[int] = field(default_factory=set)
    unfinished: dict[Transaction, int] = field(default_factory=dict)
    """First offset of each transaction whose marker is not here yet."""

    @property
    def end(self) -> int:
        return len(self.entries)

    @property
    def stable_end(self) -> int:
        return min(self.unfinished.values(), default=self.end)

    def is_committed(self, offset: int) -> bool:
        transaction = self.entries[offset][1]
        return offset not in self.markers and (transaction is None or transaction.state in ("committing", "committed"))

    def committed(self) -> list[Record]:
        """All that readers of committed records see in the end."""
        return [self.entries[n][0] for n in range(self.stable_end) if self.is_committed(n)]


AT_THE_END = "at the end of the transaction"
"""Whoever is fenced there cannot know whether it was committed."""


def fenced(at: str = "") -> KafkaException:
    """As librdkafka says that another has taken the producer's place: this one can do nothing any more."""
    return KafkaException(KafkaError(KafkaError._FENCED, at, True))


class Broker:
    """All logs of a deployment, the coordinator of transactions, and the group's offsets."""

    def __init__(self, loop: Loop, random: Random, base_ms: int, accepts: Callable[[bytes], bool]) -> None:
        self._loop, self._random, self._base_ms, self._accepts = loop, random, base_ms, accepts
        self.logs: defaultdict[TP, Log] = defaultdict(Log)
        self.offsets: dict[TP, int] = {}
        self._pending: dict[Transaction, None] = {}
        """Transactions that carry offsets and are not over."""
        self._last: dict[str, Transaction] = {}
        self._epochs: dict[str, int] = defaultdict(int)
        self.changed: Callable[[], None] = lambda: None
        """Called when readers may find more."""
        self.refused = 0
        """Commits of a generation that is no more."""

    def now_ms(self) -> int:
        return self._base_ms + int(self._loop.time() * 1000)

    # -- logs

    def append(self, tp: TP, key: bytes | None, value: bytes | None, transaction: Transaction | None = None) -> int:
        log = self.logs[tp]
        offset = log.end
        if transaction is not None:
            transaction.partitions.add(tp)
            log.unfinished.setdefault(transaction, offset)
        log.entries.append((Record(tp.topic, tp.partition, offset, self.now_ms(), key, value), transaction))
        if transaction is None:
            self.changed()
        return offset

    def read(self, tp: TP, position: int, count: int) -> tuple[list[Record], int]:
        """At most `count` committed records from `position` on, and where a consumer stands after them."""
        log = self.logs[tp]
        records: list[Record] = []
        for offset in range(position, log.stable_end):
            if len(records) == count:
                return records, offset
            if log.is_committed(offset):
                records.append(log.entries[offset][0])
        if records and self._random.random() < 0.3:  # what is at the end may be found to be no record only later
            return records, records[-1].offset + 1
        return records, max(position, log.stable_end)

    # -- transactions

    def init(self, producer: str) -> int:
        """Fence the earlier self of a producer, end its transaction, and give it an epoch; blocks."""
        self.fence(producer)
        epoch = self._epochs[producer]
        self._wait_for(self._last.get(producer))
        self.check(producer, epoch)
        return epoch

    def _wait_for(self, transaction: Transaction | None) -> None:
        while transaction is not None and not transaction.is_over:
            nap(max(0.001, transaction.over_s - self._loop.time()))

    def fence(self, producer: str) -> None:
        """Take a producer's place, as others do for one that they take for gone."""
        self._epochs[producer] += 1
        last = self._last.get(producer)
        if last is not None and last.state == "open":
            self._end(last, "aborting")

    def check(self, producer: str, epoch: int, at: str = "") -> None:
        """Errors: KafkaException where another has taken the producer's place, or its time was over."""
        if self._epochs[producer] != epoch:
            raise fenced(at)

    def begin(self, producer: str, epoch: int) -> Transaction:
        """A transaction, once the one before is over; blocks."""
        last = self._last.get(producer)
        self._wait_for(last)
        self.check(producer, epoch)
        transaction = self._last[producer] = Transaction(producer, epoch)
        late_s = TRANSACTION_TIMEOUT_MS / 1000 + self._random.uniform(0, SWEEP_S)
        self._loop.call_later(late_s, self._time_out, transaction, context=NOBODY)
        return transaction

    def send_offsets(self, transaction: Transaction, offsets: Mapping[TP, int], membership: bytes) -> None:
        """Errors: KafkaException where the group's generation is another by now."""
        self.check(transaction.producer, transaction.epoch)
        if not self._accepts(membership):
            self.refused += 1
            raise KafkaException(KafkaError(KafkaError.ILLEGAL_GENERATION))
        transaction.offsets.update(offsets)
        self._pending[transaction] = None

    def end(self, transaction: Transaction, state: str) -> None:
        """Decide a transaction; its markers follow by themselves."""
        self.check(transaction.producer, transaction.epoch, AT_THE_END)
        self._end(transaction, state)

    def _time_out(self, transaction: Transaction) -> None:
        if transaction.state == "open":
            self._epochs[transaction.producer] += 1
            self._end(transaction, "aborting")

    def _end(self, transaction: Transaction, state: str) -> None:
        assert transaction.state == "open", f"a transaction that is {transaction.state} cannot end again"
        transaction.state = state
        places: list[TP | None] = [*sorted(transaction.partitions), None]  # None: the group's offsets
        self._random.shuffle(places)
        after_s, late_s = 0.0, self._random.choice(MARKER_S)
        for n, place in enumerate(places):
            after_s += self._random.uniform(0, late_s)
            transaction.over_s = self._loop.time() + after_s
            is_last = n == len(places) - 1
            self._loop.call_later(after_s, self._mark, transaction, place, is_last, context=NOBODY)

    def _mark(self, transaction: Transaction, place: TP | None, is_last: bool) -> None:
        if place is not None:
            log = self.logs[place]
            log.unfinished.pop(transaction, None)
            log.markers.add(log.end)
            self.append(place, None, None)
        else:
            if transaction.state == "committing":
                for tp, offset in transaction.offsets.items():
                    assert offset >= self.offsets.get(tp, 0), f"the offset of {tp} goes back to {offset}"
                    self.offsets[tp] = offset
            self._pending.pop(transaction, None)
        if is_last:
            transaction.state = "committed" if transaction.state == "committing" else "aborted"

    # -- what is certain

    def stable_offsets(self, tps: Collection[TP]) -> dict[TP, int | None]:
        """The group's offsets, when no transaction is open that carries one of them; blocks."""
        while any(not t.offsets.keys().isdisjoint(tps) for t in self._pending):
            nap(0.4)
        return {tp: self.offsets.get(tp) for tp in sorted(tps)}

    def settle(self, tps: Collection[TP]) -> None:
        """Until no transaction is open on `tps`; blocks."""
        while any(self.logs[tp].unfinished for tp in tps):
            nap(0.4)

    @property
    def is_settled(self) -> bool:
        return not self._pending and not any(log.unfinished for log in self.logs.values())
