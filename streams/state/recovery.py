"""Recovery: a store caught up from its changelog in whole fetches, one WriteBatch for thousands of records.

Rules it keeps:
- It starts when no transaction is open on the input's offsets, then none on the changelog: a former owner's last commit
  may still be on its way. The offsets come first, because a transaction that was paused may carry them before its
  changelog records reach the broker, and without offsets of an earlier generation it can no longer commit.
- It ends by position, not by record: the tail of a changelog is a transaction marker, or compacted away.
- Every run of records begins where the one before it ended; a hole stops the worker, it never becomes the state.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from faust.tables.manager import TableManager as StockTableManager
from faust.tables.recovery import Recovery as StockRecovery
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from streams import metrics
from streams.transport.batching import Run
from streams.transport.stable import committed_offsets, wait_until_settled

WRITE_RECORDS_MAX = 5000


class Recovery(StockRecovery):
    """Faust's recovery; its queue of single records is not used."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._next: dict[TP, int] = {}
        self.applied_records = 0

    async def apply_run(self, tp: TP, run: Run) -> None:
        """Called by `Consumer.getmany` with what one fetch brought of one changelog partition."""
        if tp in self.active_tps:
            offsets, ends = self.active_offsets, self.active_highwaters
        elif tp in self.standby_tps:
            offsets, ends = self.standby_offsets, self.standby_highwaters
        else:
            return
        assert run.start == self._next[tp], f"{tp}: expected records from {self._next[tp]}, came {run.start}"
        records = [record for record in run.records if offsets[tp] is None or record.offset > offsets[tp]]
        store = self.tp_to_table[tp].data
        for start in range(0, len(records), WRITE_RECORDS_MAX):
            store.apply(tp.partition, records[start : start + WRITE_RECORDS_MAX])
            await asyncio.sleep(0)
        self._next[tp] = run.end
        self.applied_records += len(records)
        metrics.RECOVERY_RECORDS.inc(len(records))
        # The last of it may be a marker or compacted away: what counts is how far we have read.
        offsets[tp] = max(offsets[tp] if offsets[tp] is not None else -1, min(run.end - 1, ends.get(tp, run.end)))
        self._maybe_end()

    def active_left(self) -> dict[TP, int]:
        """Offsets still to be read until each partition that is worked here is whole; 0 where it is."""
        return {tp: left(self.active_highwaters[tp], self.active_offsets.get(tp)) for tp in self.active_tps}

    def standby_left(self, ends: Mapping[TP, int]) -> dict[TP, int]:
        """Offsets by which each copy that is kept for another worker is behind; `ends` are the changelogs' ends."""
        return {tp: left(ends[tp] - 1, self.standby_offsets.get(tp)) for tp in self.standby_tps if tp in ends}

    def _maybe_end(self) -> None:
        if self.in_recovery and not self.need_recovery():
            self._set_recovery_ended()
            self.signal_recovery_end.set()

    def _set_recovery_started(self) -> None:
        self.signal_recovery_end.clear()
        super()._set_recovery_started()

    async def _build_highwaters(self, consumer: Any, tps: set[TP], destination: Any, title: str) -> None:
        transport = self.app.transport
        brokers = ",".join(driver.server_list(transport.url, transport.default_port))
        inputs = consumer.assignment() - set(tps)
        if tps and inputs:
            await asyncio.to_thread(committed_offsets, brokers, self.app.conf.id, inputs)
        await asyncio.to_thread(wait_until_settled, brokers, set(tps))
        await super()._build_highwaters(consumer, tps, destination, title)

    async def _seek_offsets(self, consumer: Any, tps: set[TP], offsets: Any, title: str) -> None:  # noqa: ARG002
        """To the record after the last one applied; stock reads that one again."""
        positions = {tp: offsets[tp] + 1 for tp in tps}
        self._next.update(positions)
        await consumer.seek_wait(positions)

    @Service.task
    async def _slurp_changelogs(self) -> None:
        """Takes the place of the loop over single records."""
        while not self.should_stop:
            await self.sleep(1.0)
            if not self.tables.standbys_ready and not self.standby_remaining_total():
                self.tables.on_standbys_ready()


def left(last: int, applied: int | None) -> int:
    """Offsets between the last one applied and the last there is. None is: none applied yet, or nothing to apply."""
    return max(0, last - (-1 if applied is None else applied))


class TableManager(StockTableManager):
    """Faust's table manager with this recovery: `App(TableManager=…)`."""

    _recovery: Recovery | None

    @property
    def recovery(self) -> Recovery:
        if self._recovery is None:
            self._recovery = Recovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
