"""The watch over a worker: how far behind it is, whether it is ready, and whether it still moves.

A consumer can stop quietly: a lost rebalance, a dead task in a library. So a partition that lags and makes no progress
for STALL_S ends the process, and so does a state that is restored and makes none, or a part in the group that ended;
exact acknowledgement makes that always safe, and the supervisor starts it again. Waiting on purpose for the outside
world counts as progress.
"""

import asyncio
import time
from typing import Any

import structlog
from faust.types import TP

from streams.transport.application import graph_store
from streams.transport.commit import Committer, Work
from streams.transport.gauges import Gauges
from streams.transport.loop import die

STALL_S = 60.0
LOOK_S = 0.5

log = structlog.get_logger()


class Progress:
    """When each partition last moved. Pure: positions and times come in."""

    def __init__(self) -> None:
        self._seen: dict[TP, tuple[int, float]] = {}

    def stalled(self, lags: dict[TP, tuple[int, int]], now: float) -> list[TP]:
        """Partitions that lag and stood still for STALL_S; `lags` is (committed end, end of the log) of each."""
        found = []
        for tp, (done, end) in lags.items():
            before = self._seen.get(tp)
            if before is None or before[0] != done or done >= end:
                self._seen[tp] = (done, now)
            elif now - before[1] >= STALL_S:
                found.append(tp)
        for tp in self._seen.keys() - lags.keys():
            del self._seen[tp]
        return found

    def standing(self, now: float) -> dict[TP, float]:
        """For how many seconds each partition has lagged without moving; 0 for the others. After `stalled`."""
        return {tp: now - since for tp, (_, since) in self._seen.items()}

    def excuse(self, now: float) -> None:
        """Everything waits on purpose: start counting anew."""
        self._seen = {tp: (done, now) for tp, (done, _) in self._seen.items()}


async def watch(app: Any, committer: Committer) -> None:
    """Set the gauges, commit past markers, and leave when a partition stands still. Runs as long as the application."""
    progress, restoring, gauges = Progress(), Progress(), Gauges(graph_store(app))
    idle: asyncio.Task[None] | None = None
    while True:
        await asyncio.sleep(LOOK_S)
        if app.crashed:
            die("crashed", reason=repr(app.crash_reason))
        consumer = app.consumer
        if (failure := consumer.failure()) is not None:
            die("left_its_group", reason=repr(failure))
        if idle is None or idle.done():  # not waited for: while a commit hangs, standing still must show
            if idle is not None:
                idle.result()
            idle = asyncio.create_task(commit_idle(app, committer))
            await asyncio.wait({idle}, timeout=LOOK_S)
        lags = consumer.lags()
        now = time.monotonic()
        if consumer.waits_for_outside:
            progress.excuse(now)
        stalled = progress.stalled(lags, now) + restoring.stalled(app.tables.recovery.reading(), now)
        gauges.tell(app, lags, progress.standing(now), now)
        if stalled:
            die("stalled", partitions=[f"{tp.topic}/{tp.partition}" for tp in stalled], rebalancing=app.rebalancing)


async def commit_idle(app: Any, committer: Committer) -> None:
    """Commit the offsets of partitions that ended in markers, so that what is consumed does not seem to lag.

    Only where nothing is in hand: the offset is taken and queued for the commit without a pause, and what is delivered
    after that is committed after it.
    """
    consumer = app.consumer
    async with consumer.idle_commit:
        ends = {} if app.rebalancing else consumer.idle_ends()
        if ends:
            membership = consumer.membership
            await committer.commit(Work(offsets=ends), membership)
            consumer.committed(ends, membership)
