"""Walks over several workers, on real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import pytest

from connectors.lookup.held import Held
from connectors.lookup.state import State
from streams.core.policy import default
from streams.errors import OneThreadError, Retryable
from streams.transport.pages import Pages, StatePages
from tests.oracle.build import event
from tests.unit.streams.core.graphs import Graph

HOST = "127.0.0.1"
IDS = [("anonymous_id", f"c{n}") for n in range(12)]

T = TypeVar("T")


class Workers:
    """Three workers, each with one of the graph's three partitions."""

    def __init__(self) -> None:
        self.graph = Graph(3)
        for n in range(1, len(IDS)):
            self.graph.see(event(f"e{n}", n, f"anonymous_id:c{n - 1}", f"anonymous_id:c{n}"))
        self.has: list[dict[int, Any]] = [{n: store} for n, store in enumerate(self.graph.stores)]
        self.pages = [Pages(HOST, 0) for _ in self.has]
        for n, pages in enumerate(self.pages):
            pages.state = StatePages(self.graph.keys, lambda n=n: self.has[n])
            pages.start()

    @property
    def urls(self) -> list[str]:
        return [f"http://{HOST}:{pages.port}" for pages in self.pages]


def asked(ask: Callable[[State, Workers], Awaitable[T]], patience_s: float = 0.3) -> T:
    async def run() -> T:
        async with _workers() as workers:
            state = State(lambda: workers.urls, workers.graph.shaping, default(), patience_s)
            try:
                return await ask(state, workers)
            finally:
                await state.close()

    return asyncio.run(run())


@contextlib.asynccontextmanager
async def _workers() -> AsyncIterator[Workers]:
    workers = Workers()
    yield workers
    for pages in workers.pages:
        pages.stop()


def test_a_walk_goes_on_at_whoever_has_the_next_partition() -> None:
    async def ask(state: State, _: Workers) -> set[bytes | None]:
        found = [await state.of_identifier(x) for x in IDS]
        return {held.person_id if held else None for held in found}

    owners = {Graph(3).keys.owner(x) for x in IDS}
    assert owners == {0, 1, 2}
    (who,) = asked(ask)
    assert who is not None


def test_a_person_is_found_by_its_id() -> None:
    async def ask(state: State, workers: Workers) -> tuple[Held | None, bytes]:
        who = workers.graph.person("anonymous_id", "c0")
        return await state.of_person(who), who

    held, who = asked(ask)
    assert held is not None
    assert held.person_id == who
    assert len(held.rows["touchpoints"]) == len(IDS) - 1


def test_a_partition_that_moved_is_found_again() -> None:
    async def ask(state: State, workers: Workers) -> tuple[Held | None, Held | None]:
        before = await state.of_identifier(IDS[0])
        workers.has = [{**workers.has[1], **workers.has[2]}, {}, dict(workers.has[0])]
        return before, await state.of_identifier(IDS[0])

    before, after = asked(ask)
    assert before is not None
    assert before == after


def test_a_worker_that_is_gone_is_left_out() -> None:
    async def ask(state: State, workers: Workers) -> Held | None:
        assert await state.of_identifier(IDS[0]) is not None
        workers.has[0] = {0: workers.has[0][0], 1: workers.has[1][1], 2: workers.has[2][2]}
        for pages in workers.pages[1:]:
            pages.stop()
        return await state.of_identifier(IDS[0])

    assert asked(ask, patience_s=1.0) is not None


def test_where_nobody_has_the_partition_one_is_told_to_come_again() -> None:
    async def ask(state: State, workers: Workers) -> None:
        workers.has = [{}, {}, {}]
        with pytest.raises(Retryable):
            await state.of_identifier(IDS[0])

    asked(ask)


def test_another_pepper_is_an_error_that_says_so() -> None:
    async def ask(_: State, workers: Workers) -> None:
        other = Graph(3, conversation_gap_ms=1)
        other.keys.token = "0" * 64
        state = State(lambda: workers.urls, other.shaping, default(), 0.2)
        try:
            with pytest.raises(OneThreadError, match="pepper"):
                await state.of_identifier(IDS[0])
        finally:
            await state.close()

    asked(ask)


def test_the_policy_in_force_is_the_states() -> None:
    async def ask(state: State, _: Workers) -> str:
        return (await state.policy()).version

    assert asked(ask) == default().version


def test_nobody_has_what_was_never_seen() -> None:
    async def ask(state: State, _: Workers) -> Held | None:
        return await state.of_identifier(("phone", "never"))

    assert asked(ask) is None
