"""Predictions and figures at hand: asked for together, kept for a run, left out when ClickHouse does not answer."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from clickhouse_connect.driver.exceptions import OperationalError

from connectors.lookup import figures
from connectors.lookup.figures import Desk, NotTold

ONE, OTHER = uuid4(), uuid4()


class Client:
    """Answers what the desk asks, by a word in the query; `asked` are the persons of each question."""

    def __init__(self) -> None:
        self.asked: list[set[UUID]] = []
        self.all = [uuid4() for _ in range(figures.KEPT_MAX + 1)]
        self.run = uuid4()
        self.is_away = False
        self.gate = threading.Event()
        self.gate.set()

    def query(self, query: str, parameters: dict[str, Any], tz_mode: str) -> Any:
        if self.is_away:
            raise OperationalError("away")
        return _Result(self._rows(query, parameters))

    def _rows(self, query: str, parameters: dict[str, Any]) -> Sequence[dict[str, Any]]:
        if "LIMIT" in query and "batch_predictions" in query:
            return [{"person_id": one, "predicted_orders": 1.0} for one in self.all[: parameters["most"]]]
        if "batch_predictions" in query:
            self.gate.wait(5)
            self.asked.append({UUID(one) for one in parameters["ids"]})
            return [{"person_id": ONE, "predicted_orders": 2.5}] if str(ONE) in parameters["ids"] else []
        if "batch_runs" in query:
            return [{"run_id": self.run, "model": "ltv", "at": _AT, "as_of": _AT, "parameters": {}, "report": "{}"}]
        return [{"gap": 10.0, "pauses": 3}] if "gaps" in query else []


_AT = datetime(2026, 3, 1, tzinfo=UTC)


class _Result:
    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self._rows = rows

    def named_results(self) -> Sequence[dict[str, Any]]:
        return self._rows


async def _ready(client: Client, every_s: float = 60, wait_s: float = 1.0) -> Desk:
    desk = Desk(lambda: client, every_s, wait_s)  # type: ignore[arg-type, return-value]
    desk.start()
    for _ in range(200):
        if desk.figures is not None:
            break
        await asyncio.sleep(0.01)
    assert desk.figures is not None
    assert desk.figures.gap_days == 10.0
    return desk


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "KEPT_MAX", 3)


def test_few_predictions_are_known_before_anybody_asks() -> None:
    async def run() -> None:
        client = Client()
        client.all = client.all[:3]
        desk = await _ready(client)
        assert await desk.prediction(client.all[2]) == {"predicted_orders": 1.0}
        assert await desk.prediction(ONE) is None
        assert client.asked == []
        await desk.stop()

    asyncio.run(run())


def test_a_prediction_is_asked_for_once_a_run() -> None:
    async def run() -> None:
        client = Client()
        desk = await _ready(client, every_s=0.05)
        assert [await desk.prediction(ONE) for _ in range(3)] == 3 * [{"predicted_orders": 2.5}]
        assert await desk.prediction(OTHER) is None
        assert client.asked == [{ONE}, {OTHER}]
        client.run = uuid4()
        await asyncio.sleep(0.3)
        await desk.prediction(ONE)
        assert client.asked[2:] == [{ONE}]
        await desk.stop()

    asyncio.run(run())


def test_those_asked_for_at_one_time_are_asked_for_together() -> None:
    async def run() -> None:
        client = Client()
        desk = await _ready(client)
        client.gate.clear()
        first = asyncio.create_task(desk.prediction(uuid4()))
        await asyncio.sleep(0.05)
        rest = [asyncio.create_task(desk.prediction(one)) for one in (ONE, OTHER, ONE)]
        await asyncio.sleep(0.05)
        client.gate.set()
        assert await asyncio.gather(first, *rest) == [None, {"predicted_orders": 2.5}, None, {"predicted_orders": 2.5}]
        assert client.asked[1:] == [{ONE, OTHER}]
        await desk.stop()

    asyncio.run(run())


def test_what_clickhouse_does_not_tell_in_time_is_left_out() -> None:
    async def run() -> None:
        client = Client()
        desk = await _ready(client, wait_s=0.05)
        client.is_away = True
        with pytest.raises(NotTold):
            await desk.prediction(ONE)
        client.is_away = False
        client.gate.clear()
        with pytest.raises(NotTold):
            await desk.prediction(OTHER)
        client.gate.set()
        await desk.stop()

    asyncio.run(run())


def test_a_fault_of_ours_is_seen_and_not_slept_over() -> None:
    async def run() -> None:
        client = Client()
        desk = await _ready(client, every_s=0.02)
        desk.check()
        client.query = _fail  # type: ignore[method-assign]
        await asyncio.sleep(0.3)
        with pytest.raises(ValueError, match="no such column"):
            desk.check()

    asyncio.run(run())


def _fail(*_: Any, **__: Any) -> Any:
    raise ValueError("no such column")
