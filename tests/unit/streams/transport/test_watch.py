"""When a partition counts as stalled."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from streams.transport import watch
from streams.transport.watch import STALL_S, Progress

A, B = TP("a", 0), TP("a", 1)


def test_a_partition_that_lags_and_stands_still_is_found():
    progress = Progress()
    assert progress.stalled({A: (10, 20)}, 0) == []
    assert progress.stalled({A: (10, 30)}, STALL_S - 0.1) == []
    assert progress.stalled({A: (10, 30)}, STALL_S) == [A]


def test_progress_starts_the_count_anew():
    progress = Progress()
    progress.stalled({A: (10, 20)}, 0)
    progress.stalled({A: (11, 20)}, STALL_S - 1)
    assert progress.stalled({A: (11, 20)}, STALL_S) == []


def test_an_idle_partition_is_not_stalled():
    progress = Progress()
    progress.stalled({A: (20, 20)}, 0)
    assert progress.stalled({A: (20, 20)}, 10 * STALL_S) == []
    assert progress.stalled({A: (20, 21)}, 11 * STALL_S - 1) == []


def test_a_partition_that_came_back_is_new():
    progress = Progress()
    progress.stalled({A: (10, 20), B: (0, 1)}, 0)
    progress.stalled({B: (0, 1)}, 1)
    assert progress.stalled({A: (10, 20)}, STALL_S) == []


def test_waiting_on_purpose_is_excused():
    progress = Progress()
    progress.stalled({A: (10, 20)}, 0)
    progress.excuse(STALL_S - 1)
    assert progress.stalled({A: (10, 20)}, STALL_S) == []
    assert progress.stalled({A: (10, 20)}, 2 * STALL_S) == [A]


def test_the_time_of_standing_is_told_from_the_first_second():
    progress = Progress()
    progress.stalled({A: (10, 20), B: (5, 5)}, 0)
    progress.stalled({A: (10, 25), B: (5, 5)}, 7)
    assert progress.standing(7) == {A: 7, B: 0}
    progress.stalled({A: (11, 25)}, 9)
    assert progress.standing(9) == {A: 0}


class Watched:
    """A watch with looks of 10 ms over one lagging partition; `told` is what its gauges were told."""

    def __init__(self, patch: pytest.MonkeyPatch, commit_idle: Any) -> None:
        self.told: list[dict[TP, float]] = []
        self.enough = asyncio.Event()
        patch.setattr(watch, "LOOK_S", 0.01)
        patch.setattr(watch, "Gauges", lambda _: self)
        patch.setattr(watch, "graph_store", lambda _: None)
        patch.setattr(watch, "commit_idle", commit_idle)
        consumer = SimpleNamespace(lags=lambda: {A: (1, 2)}, waits_for_outside=0, failure=lambda: None)
        recovery = SimpleNamespace(reading=dict)
        self.app = SimpleNamespace(
            crashed=False, consumer=consumer, rebalancing=False, tables=SimpleNamespace(recovery=recovery))

    def tell(self, _app: object, _lags: object, standing: dict[TP, float], _now_s: float) -> None:
        self.told.append(standing)
        if len(self.told) >= self.looks:
            self.enough.set()

    async def run(self, looks: int) -> None:
        self.looks = looks
        watching = asyncio.create_task(watch.watch(self.app, None))  # type: ignore[arg-type]
        enough = asyncio.create_task(self.enough.wait())
        done, _ = await asyncio.wait({watching, enough}, return_when=asyncio.FIRST_COMPLETED)
        if watching in done:
            watching.result()
        watching.cancel()


def test_standing_still_is_told_while_a_commit_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []

    async def hangs(*_: object) -> None:
        begun.append(None)
        await asyncio.sleep(3600)

    watched = Watched(monkeypatch, hangs)
    asyncio.run(watched.run(looks=4))
    assert watched.told[-1][A] > watched.told[0][A] >= 0
    assert len(begun) == 1, "one at a time"


def test_a_commit_that_fails_ends_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        asyncio.run(Watched(monkeypatch, fails).run(looks=100))


async def _nothing(*_: object) -> None:
    """A commit of what is idle, with nothing idle."""


def test_a_part_in_the_group_that_ended_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody gives it partitions then, so none of them lags."""
    ended: list[Any] = []
    monkeypatch.setattr(watch, "die", lambda why, **told: ended.append((why, told)))
    watched = Watched(monkeypatch, _nothing)
    watched.app.consumer.lags = dict
    watched.app.consumer.failure = lambda: RuntimeError("a library's")
    asyncio.run(watched.run(looks=1))
    assert ended[0] == ("left_its_group", {"reason": repr(RuntimeError("a library's"))})


@pytest.mark.parametrize("reads", [False, True])
def test_a_restore_that_stands_still_ends_the_worker(monkeypatch: pytest.MonkeyPatch, reads: bool) -> None:
    """A consumer can stop fetching a changelog: then no partition is worked, so that none of them lags."""
    ended: list[Any] = []
    monkeypatch.setattr(watch, "STALL_S", 0.05)
    monkeypatch.setattr(watch, "die", lambda why, **told: ended.append((why, told["partitions"])))
    watched = Watched(monkeypatch, _nothing)
    watched.app.consumer.lags = dict
    position = iter(range(10_000))
    watched.app.tables.recovery.reading = lambda: {B: (next(position) if reads else 7, 10_000)}
    asyncio.run(watched.run(looks=20))
    assert bool(ended) is not reads
    assert reads or ended[0] == ("stalled", ["a/1"])
