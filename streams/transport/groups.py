"""Group commit: what an agent works on is everything that waits for it, so that one transaction serves many batches."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from faust.types import TP

from streams.transport.batching import Batch
from streams.transport.membership import Membership
from streams.transport.pace import RECORDS_MAX, Pace

GROUP_BYTES_MAX = 1_000_000
"""Of values: some 1,500 events. Packed records hold hundreds of messages each, so their number alone bounds nothing."""

REST_STEP_S = 0.05
"""A rebalance waits for what is in hand, and so for this."""


@dataclass(eq=False)
class Group:
    """Batches of any number of partitions, all of one membership, to be committed together."""

    stream: Any
    events: list[Any]

    @property
    def batches(self) -> list[Batch]:
        """Per partition in the order of the log."""
        return [event.value for event in self.events]

    @property
    def membership(self) -> Membership:
        return self.batches[0].membership

    @cached_property
    def offsets(self) -> dict[TP, int]:
        """Per partition the offset to commit with this group's results.

        Errors: AssertionError when an earlier batch of the partition is still in hand: a transaction here would
                publish results whose offset cannot go with them.
        """
        ranges = self.stream.app.consumer.ranges
        starts: defaultdict[TP, list[int]] = defaultdict(list)
        for batch in self.batches:
            starts[batch.tp].append(batch.start)
        ends = {batch.tp: batch.end for batch in self.batches}
        for tp, end in ends.items():
            may = ranges[tp].end_after(starts[tp])
            assert (may or 0) >= end, f"{tp}: only {may} may be committed, the group ends at {end}"
        return ends

    @property
    def size(self) -> int:
        """Bytes of all values."""
        return sum(len(record.value or b"") for batch in self.batches for record in batch.records)

    def __len__(self) -> int:
        """Records in the group."""
        return sum(len(batch) for batch in self.batches)

    async def ack(self) -> None:
        """The group is committed, in Kafka and in the store."""
        for event in self.events:
            await self.stream.ack(event)
        self.stream.app.consumer.committed(self.offsets, self.membership)

    def release(self) -> None:
        """Give the group up uncommitted: the partitions are leaving, their next owner does it."""
        for event in self.events:
            self.stream.app.consumer.release(event.message)


async def groups(
    stream: Any, pace: Pace | None = None, bytes_max: int = GROUP_BYTES_MAX,
    rest: Callable[[], float] = lambda: 0.0,
) -> AsyncIterator[Group]:
    """The batch at hand and all that waits behind it, until the records of `pace` or `bytes_max` are reached.

    `rest` says how many seconds the handler wants more to gather before it takes a group.

    What is taken from the queue directly skips Faust's own checks, so they are repeated here: flow control, the
    generation, and the note that the message is in hand.
    """
    source = stream.noack()
    app, queue = source.app, source.channel.queue
    consumer = app.consumer
    async for event in source.events():
        await _rest(app, rest())
        if app.rebalancing or event.value.membership is not consumer.membership:
            consumer.release(event.message)
            continue
        group = Group(source, [event])
        records_max = pace.records if pace else RECORDS_MAX
        while len(group) < records_max and group.size < bytes_max and not queue.empty():
            more = queue.get_nowait()
            if not app.flow_control.is_active() or more.value.membership is not consumer.membership:
                continue
            if not more.message.tracked:
                more.message.tracked = True
                consumer.track_message(more.message)
            group.events.append(more)
        yield group
        del group, event  # the generator would keep the last message alive, and a rebalance waits for it


async def _rest(app: Any, seconds: float) -> None:
    """Let the queue fill; over as soon as the group rebalances or the worker stops."""
    until = time.monotonic() + seconds
    while (left_s := until - time.monotonic()) > 0:
        if app.rebalancing or app.should_stop:
            return
        await asyncio.sleep(min(left_s, REST_STEP_S))
