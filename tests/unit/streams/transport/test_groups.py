"""How long a group may grow before its handler takes it."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from streams.transport import groups as module
from streams.transport.groups import Group, groups


class Source:
    """One stream of batches: the first is waited for, the others lie in the queue."""

    def __init__(self) -> None:
        self.released: list[Any] = []
        self.app = SimpleNamespace(
            rebalancing=False, should_stop=False, flow_control=SimpleNamespace(is_active=lambda: True),
            consumer=SimpleNamespace(membership="now", release=self.released.append, track_message=id),
        )
        self.channel = SimpleNamespace(queue=asyncio.Queue())

    def noack(self) -> "Source":
        return self

    async def events(self) -> AsyncIterator[Any]:
        yield batch(1)


def batch(number: int) -> Any:
    return SimpleNamespace(value=Records(number), message=SimpleNamespace(tracked=False, number=number))


class Records(list[Any]):
    """A batch of one record."""

    membership = "now"

    def __init__(self, number: int) -> None:
        super().__init__([number])
        self.records = [SimpleNamespace(value=b"x")]


async def first(source: Source, rest_s: float) -> Group | None:
    return await anext(aiter(groups(source, rest=lambda: rest_s)), None)


def test_a_group_takes_in_what_comes_while_its_handler_rests() -> None:
    async def run() -> Group | None:
        source = Source()
        asyncio.get_running_loop().call_later(0.01, source.channel.queue.put_nowait, batch(2))
        return await first(source, 0.1)

    group = asyncio.run(run())
    assert group is not None
    assert [records[0] for records in group.batches] == [1, 2]  # type: ignore[index]  # a batch of the test's own


def test_a_rebalance_does_not_wait_for_a_handler_that_rests() -> None:
    async def run() -> tuple[Group | None, list[Any]]:
        source = Source()
        asyncio.get_running_loop().call_later(0.01, setattr, source.app, "rebalancing", True)
        return await asyncio.wait_for(first(source, 60), module.REST_STEP_S * 20), source.released

    group, released = asyncio.run(run())
    assert (group, [message.number for message in released]) == (None, [1])
