"""LTV fitted on a schedule: not before its time, not twice, and not at all with too few buyers."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.local import refitting
from streams.errors import OneThreadError

EPOCH = datetime.fromtimestamp(0, UTC)


class World:
    """A clock that goes on as long as somebody waits, and fits that are only noted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, last_fit_at: datetime, until: datetime) -> None:
        self.time = datetime(2026, 3, 1, tzinfo=UTC)
        self.last, self.until, self.fits = last_fit_at, until, list[datetime]()
        self.refused = False
        monkeypatch.setattr(refitting, "connect", lambda _: self)
        monkeypatch.setattr(refitting, "last_fit_at", lambda _: self.last)
        monkeypatch.setattr(refitting, "fit", self.fit)

    def fit(self, _: Any) -> Any:
        self.fits.append(self.time)
        if self.refused:
            raise OneThreadError("expected 20 customers or more")
        self.last = self.time
        return type("Run", (), {"run_id": "r", "parameters": {"customers": "7"}})

    def wait(self, seconds: float) -> bool:
        self.time += timedelta(seconds=seconds)
        return self.time >= self.until

    def close(self) -> None:
        self.closed = True

    def run(self, every: timedelta) -> list[datetime]:
        stop = threading.Event()
        stop.wait = self.wait  # type: ignore[method-assign, assignment]
        refitting.keep_fitted("", every.total_seconds(), stop, lambda: self.time)
        assert self.closed
        return self.fits


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch, EPOCH, datetime(2026, 3, 4, 0, 0, 1, tzinfo=UTC))


def test_it_fits_at_once_and_then_every_day(world: World) -> None:
    assert world.run(timedelta(days=1)) == [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3, 4)]


def test_a_fit_by_hand_puts_the_next_one_off(world: World) -> None:
    world.last = datetime(2026, 2, 28, 18, tzinfo=UTC)
    assert world.run(timedelta(days=2)) == [datetime(2026, 3, 2, 18, tzinfo=UTC)]


def test_with_too_few_buyers_it_waits_for_the_next_time(world: World) -> None:
    world.refused = True
    assert world.run(timedelta(days=2)) == [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 3)]
