"""Recovery: a store caught up from its changelog in whole fetches, one WriteBatch for thousands of records.

Rules it keeps:
- It starts when no transaction is open on the changelog: a former owner's last commit may still be on its way.
- It ends by position, not by record: the tail of a changelog is a transaction marker, or compacted away.
- The position is asked inside `Consumer.getmany` and nowhere else: from another task, records in hand would be taken
  for applied.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from faust.tables.manager import TableManager as StockTableManager
from faust.tables.recovery import Recovery as StockRecovery
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from streams.transport.stable import wait_until_settled

WRITE_RECORDS_MAX = 5000


class Recovery(StockRecovery):
    """Faust's recovery; its queue of single records is not used."""

    applied_records = 0

    async def apply_records(self, tp: TP, records: Sequence[Any]) -> None:
        """Called by `Consumer.getmany` with what one fetch brought of one changelog partition."""
        if tp in self.active_tps:
            offsets = self.active_offsets
        elif tp in self.standby_tps:
            offsets = self.standby_offsets
        else:
            return
        seen = offsets.get(tp)
        if seen is not None and records[0].offset <= seen:
            records = [record for record in records if record.offset > seen]
        store = self.tp_to_table[tp].data
        for start in range(0, len(records), WRITE_RECORDS_MAX):
            store.apply(tp.partition, records[start : start + WRITE_RECORDS_MAX])
            await asyncio.sleep(0)
        if records:
            offsets[tp] = records[-1].offset
            self.applied_records += len(records)
        self._maybe_end()

    async def check_tails(self) -> None:
        """Called by `Consumer.getmany` when a fetch brought nothing: are we past the end of what lacks records?"""
        for tp in list(self.active_tps):
            end, have = self.active_highwaters.get(tp), self.active_offsets.get(tp)
            if end is not None and have is not None and have < end:
                position = await self.app.consumer.position(tp)
                if position is not None and position > end:
                    self.active_offsets[tp] = end
        self._maybe_end()

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
        await asyncio.to_thread(wait_until_settled, brokers, set(tps))
        await super()._build_highwaters(consumer, tps, destination, title)

    @Service.task
    async def _slurp_changelogs(self) -> None:
        """Takes the place of the loop over single records."""
        while not self.should_stop:
            await self.sleep(1.0)
            if not self.tables.standbys_ready and not self.standby_remaining_total():
                self.tables.on_standbys_ready()


class TableManager(StockTableManager):
    """Faust's table manager with this recovery: `App(TableManager=…)`."""

    _recovery: Recovery | None

    @property
    def recovery(self) -> Recovery:
        if self._recovery is None:
            self._recovery = Recovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
