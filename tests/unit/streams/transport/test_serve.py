"""A worker that cannot start says so and ends, for the supervisor to try again."""

import asyncio
from typing import Any

import pytest

from streams.transport import serve


class Died(Exception):  # noqa: N818 - in place of the end of the process
    pass


class App:
    def __init__(self, failure: BaseException | None) -> None:
        self.failure = failure

    async def start(self) -> None:
        if self.failure:
            raise self.failure


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []

    def died(event: str, **_: Any) -> None:
        raise Died(event)

    monkeypatch.setattr(serve, "die", died)
    monkeypatch.setattr(serve, "settle_memory", lambda: calls.append("settled"))
    return calls


def test_a_failed_start_ends_the_process(settled: list[str]) -> None:
    with pytest.raises(Died, match="start_failed"):
        asyncio.run(serve._start(App(OSError("the store is locked"))))
    assert settled == []


def test_memory_is_settled_once_all_is_started(settled: list[str]) -> None:
    asyncio.run(serve._start(App(None)))
    assert settled == ["settled"]


def test_a_start_that_is_called_off_is_no_failure() -> None:
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(serve._start(App(asyncio.CancelledError())))
