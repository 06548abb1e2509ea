"""Recovery: a store caught up from its changelog in whole fetches, one WriteBatch for thousands of records. The same
way keeps standbys up to date, so a standby that is promoted reads only what it had not yet.

Rules it keeps:
- It starts when no transaction is open on the input's offsets, then none on the changelog: a former owner's last commit
  may still be on its way. The offsets come first, because a transaction that was paused may carry them before its
  changelog records reach the broker, and without offsets of an earlier generation it can no longer commit. What a
  worker that left the group has open is ended for it: nobody waits for its time-out.
- It ends by position, not by record: the tail of a changelog is a transaction marker, or compacted away.
- Every run of records begins where the one before it ended; a hole stops the worker, it never becomes the state.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import structlog
from confluent_kafka import KafkaException
from faust.tables.manager import TableManager as StockTableManager
from faust.tables.recovery import Recovery as StockRecovery
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from streams import metrics
from streams.state.progress import Restoring
from streams.topics import FORGOTTEN_MS
from streams.transport.assignment import WARM_RECORDS
from streams.transport.batching import Run
from streams.transport.stable import PATIENCE_S, WAIT_S, committed_offsets, fence, wait_until_settled

WRITE_RECORDS_MAX = 5000
LOOK_S = 1.0
TELL_S = 5.0
"""How often a log line tells how far a restore is."""
REJOIN_S = 20.0
"""At most so often a worker asks the group for another assignment: each stands still for about a second then."""
LEFTOVERS_S = 600.0
"""How long a store stays on the disk of a worker whose partition is elsewhere: it may come back."""

COMPACT_S = FORGOTTEN_MS / 1000
"""As long as the changelog itself may keep what was deleted."""

log = structlog.get_logger()


class Recovery(StockRecovery):
    """Faust's recovery; its queue of single records is not used."""

    _epoch = 0
    """Counts seeks and rebalances: what a fetch brought before is not applied after."""
    _restoring: Restoring | None = None
    _asked_at = _told_at = _compacted_at = 0.0
    _changed_at = math.inf
    """When partitions were assigned last; before the first time nothing is dropped and nothing asked for."""
    applied_records = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._next: dict[TP, int] = {}

    async def on_rebalance(self, *args: Any, **kwargs: Any) -> None:
        self._epoch += 1
        self._changed_at = time.monotonic()
        await super().on_rebalance(*args, **kwargs)

    async def apply_run(self, tp: TP, run: Run) -> None:
        """Called by `Consumer.getmany` with what one fetch brought of one changelog partition."""
        if tp in self.active_tps:
            offsets, read = self.active_offsets, min(run.end - 1, self.active_highwaters.get(tp, run.end))
        elif tp in self.standby_tps:
            offsets, read = self.standby_offsets, run.end - 1
        else:
            return
        assert run.start == self._next[tp], f"{tp}: expected records from {self._next[tp]}, came {run.start}"
        records, done = run.records, offsets[tp]
        if done is not None and records and records[0].offset <= done:
            records = [record for record in records if record.offset > done]
        store, epoch = self.tp_to_table[tp].data, self._epoch
        for start in range(0, len(records), WRITE_RECORDS_MAX):
            store.apply(tp.partition, records[start : start + WRITE_RECORDS_MAX])
            await asyncio.sleep(0)
            if epoch != self._epoch:
                return
        self._next[tp] = run.end
        self.applied_records += len(records)
        metrics.RECOVERY_RECORDS.inc(len(records))
        # The last of it may be a marker or compacted away: what counts is how far we have read.
        offsets[tp] = max(done if done is not None else -1, read)
        self._maybe_end()

    def active_left(self) -> dict[TP, int]:
        """Offsets still to be read until each partition that is worked here is whole; 0 where it is."""
        return {tp: left(self.active_highwaters[tp], self.active_offsets.get(tp)) for tp in self.active_tps}

    def reading(self) -> dict[TP, tuple[int, int]]:
        """How far each partition is read that is not whole yet, and the last offset that it needs."""
        known = self.active_tps & self.active_highwaters.keys()  # none are while the ends are still asked for
        return {tp: (self.active_highwaters[tp] - n, self.active_highwaters[tp])
                for tp, n in self.active_left().items() if n and tp in known}

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
        self._told_at = time.monotonic()
        self._restoring = Restoring(self._told_at, self._left(), self.applied_records, time.process_time())

    def _set_recovery_ended(self) -> None:
        super()._set_recovery_ended()
        done, self._restoring = self._restoring, None
        if done and done.offsets:
            seconds, cpu_s = time.monotonic() - done.started_s, time.process_time() - done.cpu_before_s
            records = self.applied_records - done.applied_before
            metrics.RECOVERY_LAST.labels("wall").set(seconds)
            metrics.RECOVERY_LAST.labels("cpu").set(cpu_s)
            log.info("restored", records=records, seconds=round(seconds, 3), cpu_s=round(cpu_s, 3),
                     partitions=len(self.active_tps), records_per_s=round(records / seconds))

    def _left(self) -> int:
        return sum(self.active_left().values())

    def standby_remaining(self) -> Counter[TP]:
        """As `standby_left`, by what the last fetches told."""
        return Counter(self.standby_left(self.app.consumer.ends()))

    async def _build_highwaters(self, consumer: Any, tps: set[TP], destination: Any, title: str) -> None:
        if title == "active":  # a standby is read up to the last stable record, whatever it is just now
            inputs = set(consumer.assignment()) - tps - self.standby_tps
            try:
                await asyncio.to_thread(self._settle, inputs, set(tps), PATIENCE_S)
            except (KafkaException, TimeoutError):
                await asyncio.to_thread(self._end_what_is_open)
                await asyncio.to_thread(self._settle, inputs, set(tps), WAIT_S)
        await super()._build_highwaters(consumer, tps, destination, title)

    def _settle(self, inputs: set[TP], changelogs: set[TP], wait_s: float) -> None:
        if inputs and changelogs:
            committed_offsets(self._brokers(), self.app.conf.id, inputs, wait_s)
        wait_until_settled(self._brokers(), changelogs, wait_s)

    def _brokers(self) -> str:
        transport = self.app.transport
        return ",".join(driver.server_list(transport.url, transport.default_port))

    def _end_what_is_open(self) -> None:
        """End the transactions of workers that are gone."""
        gone = sorted(self.app.assignor.gone)
        log.warning("transaction_open", ending=gone)
        for name in gone:
            fence(self._brokers(), f"{self.app.conf.id}-{name.rpartition('-')[2]}")

    async def _seek_offsets(self, consumer: Any, tps: set[TP], offsets: Any, title: str) -> None:  # noqa: ARG002
        """To the record after the last one applied; stock reads that one again."""
        positions = {tp: offsets[tp] + 1 for tp in tps}
        self._epoch += 1
        self._next.update(positions)
        await consumer.seek_wait(positions)

    @Service.task
    async def _slurp_changelogs(self) -> None:
        """Takes the place of the loop over single records."""
        while not self.should_stop:
            await self.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Tell how far everything is; ask for another assignment or drop what is left over when it is time."""
        now = time.monotonic()
        if self._restoring and self._restoring.offsets and now - self._told_at >= TELL_S:
            self._told_at = now
            percent, seconds = self.progress()
            log.info("restoring", percent=percent, seconds_left=seconds, offsets_left=self._left())
        if self.in_recovery or self.app.rebalancing:
            return
        if not self.tables.standbys_ready and not self.standby_remaining_total():
            self.tables.on_standbys_ready()
        if now - max(self._asked_at, self._changed_at) >= REJOIN_S and self._wants_to_rejoin():
            self._asked_at = now
            await self.app.consumer.rejoin()
        if now - self._changed_at >= LEFTOVERS_S:
            for table in self.tables.values():
                table.data.drop(keep=())
        if now - max(self._compacted_at, self._changed_at) >= COMPACT_S:
            self._compacted_at = now
            for tp in sorted(self.standby_tps):
                await self._forget_deleted(self.tp_to_table[tp].data, tp.partition)

    async def _forget_deleted(self, store: Any, partition: int) -> None:
        """What was erased leaves the files of copies too; where it is worked on, the stage sees to it at once."""
        if partition in store.deleted:
            store.deleted.discard(partition)
            await asyncio.to_thread(store.compact, partition)

    def _wants_to_rejoin(self) -> bool:
        """Would another assignment be better: topics that others did not know yet, or that are read here no more, or
        partitions that may come now?"""
        assignor, consumer = self.app.assignor, self.app.consumer
        misplaced = assignor.left_out(consumer.subscribed()) | consumer.unread()
        is_warm = bool(self.standby_tps) and max(self.standby_remaining().values(), default=0) < WARM_RECORDS // 2
        if misplaced or (is_warm and assignor.has_less_than_its_share()):
            log.info("asks_for_another_assignment", topics=sorted(misplaced))
            return True
        return False

    def progress(self) -> tuple[int, int | None]:
        """(percent, seconds left) of the restore at hand; (100, 0) when there is none, None while it is not known."""
        return self._restoring.told(self._left(), time.monotonic()) if self._restoring else (100, 0)


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
