"""What a look-up needs of ClickHouse, kept at hand: figures on everybody, anew every while, and predictions by person.

Rules kept: no look-up waits for figures; predictions of one run never change, so they are kept until the next run: all
of them where they are few, else those that were asked for, asked for together; where ClickHouse does not answer in
time, the look-up is answered without.
"""

import asyncio
import contextlib
from collections.abc import Callable
from itertools import islice
from typing import Any, TypeAlias
from uuid import UUID

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from connectors.lookup.standing import Figures
from sinks.clickhouse import figures
from sinks.clickhouse.runs import LTV, Run, last_run

EVERY_S = 30.0
GAP_EVERY = 20
"""The usual gap costs a pass over all orders and hardly moves: it is asked for every twentieth time."""
WAIT_S = 0.05
"""For predictions; a till waits no longer. What comes later is kept for the next time."""
KEPT_MAX = 50_000
"""Predictions in memory, some 400 bytes each."""
TOGETHER_MAX = 500

Prediction: TypeAlias = dict[str, Any] | None

_log = structlog.get_logger()


class NotTold(Exception):  # noqa: N818 - a verdict
    """ClickHouse does not answer, or not in time."""


class Desk:
    """Figures and predictions; `start` in a running event loop, `stop` at the end.

    Shape: `connect` gives a connection to ClickHouse, which several threads may use at a time.
    """

    def __init__(self, connect: Callable[[], Client], every_s: float = EVERY_S, wait_s: float = WAIT_S) -> None:
        self._connect, self._every_s, self._wait_s = connect, every_s, wait_s
        self._client: Client | None = None
        self.figures: Figures | None = None
        """None until ClickHouse has answered once."""
        self._gap: float | None = None
        self._kept: dict[UUID, Prediction] = {}
        self._has_all = False
        self._waiting: dict[UUID, asyncio.Future[Prediction]] = {}
        self._asking: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._refreshing = asyncio.create_task(self._refresh())

    async def stop(self) -> None:
        for task in (self._refreshing, self._asking):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def check(self) -> None:
        """Errors: whatever ended the refreshing: nothing of the outside world does, so it is a fault of ours."""
        if self._refreshing is not None and self._refreshing.done():
            self._refreshing.result()

    async def prediction(self, person_id: UUID) -> Prediction:
        """What the last run predicts; None where it predicts nothing. Errors: NotTold."""
        if self.figures is None or self.figures.run_id is None:
            return None
        if person_id in self._kept:
            return self._kept[person_id]
        if self._has_all:
            return None
        found = self._waiting.setdefault(person_id, asyncio.get_running_loop().create_future())
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        try:
            return await asyncio.wait_for(asyncio.shield(found), self._wait_s)
        except TimeoutError:
            raise NotTold from None

    async def _ask(self) -> None:
        """Ask for all that wait, again and again until nobody does."""
        while self._waiting:
            asked = dict(islice(self._waiting.items(), TOGETHER_MAX))
            try:
                told = await asyncio.to_thread(self._predictions, list(asked))
            except (ClickHouseError, NotTold):
                told = None
            for person_id, future in asked.items():
                del self._waiting[person_id]
                if told is not None:
                    self._keep(person_id, told.get(person_id))
                    future.set_result(told.get(person_id))
                else:
                    future.set_exception(NotTold())
                    future.exception()  # nobody may wait any more, and that is no error

    def _keep(self, person_id: UUID, prediction: Prediction) -> None:
        if len(self._kept) >= KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        self._kept[person_id] = prediction

    def _predictions(self, person_ids: list[UUID]) -> dict[UUID, dict[str, Any]]:
        assert self.figures is not None
        assert self.figures.run_id is not None, "asked before there is a run"
        if self._client is None:
            raise NotTold
        return figures.predictions(self._client, self.figures.run_id, person_ids)

    def _all_predictions(self, run_id: UUID) -> dict[UUID, Prediction]:
        assert self._client is not None, "the run was read with it"
        return dict(figures.all_predictions(self._client, run_id, KEPT_MAX + 1))

    async def _refresh(self) -> None:
        turn, is_told = 0, False
        while True:
            try:
                fresh = await asyncio.to_thread(self._read, turn % GAP_EVERY == 0)
                if fresh.run_id is not None and (self.figures is None or fresh.run_id != self.figures.run_id):
                    known = await asyncio.to_thread(self._all_predictions, fresh.run_id)
                    self._has_all = len(known) <= KEPT_MAX
                    self._kept = dict(islice(known.items(), KEPT_MAX))
                self.figures = fresh
                turn += 1
                is_told = False
            except ClickHouseError:
                if not is_told:
                    _log.warning("lookup_figures_not_refreshed")
                is_told = True
            await asyncio.sleep(self._every_s if self.figures else 1.0)

    def _read(self, with_gap: bool) -> Figures:
        if self._client is None:
            self._client = self._connect()
        if with_gap:
            self._gap = figures.usual_gap_days(self._client)
        run: Run | None = last_run(self._client, LTV)
        rates = figures.rates(self._client)
        if run is None:
            return Figures(gap_days=self._gap, rates=rates)
        return Figures(run.run_id, run.as_of, run.parameters, self._gap, rates)
