"""Who is restarted when, against a supervisor that only keeps records."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local import orders, records, rolling
from deploy.local.ports import Addresses
from deploy.local.records import Record
from streams.errors import OneThreadError, UsageError
from streams.transport.assignment import WARM_RECORDS


class Stack:
    """Workers that come back when they are told to; what was done, in order."""

    def __init__(self, home: Path, number: int) -> None:
        self.addresses = Addresses(home)
        self.done: list[str] = []
        self.lags = [0]
        self.standby_lags = [0]
        self.comes_back = True
        self.fails = ""
        for index in range(number):
            self.start(index)
        records.write(home, Record("collector", "running", pid=1))

    def start(self, index: int) -> None:
        before = records.read(self.addresses.home, f"worker-{index}")
        pid = before.pid + 1 if before else 1
        records.write(self.addresses.home, Record(f"worker-{index}", "running", f"127.0.0.1:{index}", pid))

    def tick(self, _seconds: float) -> None:
        """As a supervisor does between two looks."""
        asked = orders.take(self.addresses.home)
        for name in asked.restarts:
            self.done.append(name)
            before = records.read(self.addresses.home, name)
            if self.fails and before:
                records.write(self.addresses.home, replace(before, last_error=self.fails))
            elif self.comes_back and name.startswith("worker"):
                self.start(int(name[-1]))
            elif self.comes_back:
                records.write(self.addresses.home, Record(name, "running", pid=99))
        if asked.workers is not None:
            self.done.append(f"{asked.workers} workers")
            for name in rolling.workers(self.addresses)[asked.workers:]:
                records.drop(self.addresses.home, name)
            for index in range(len(rolling.workers(self.addresses)), asked.workers):
                self.start(index)

    def page(self, _url: str) -> str:
        lag = self.lags.pop(0) if len(self.lags) > 1 else self.lags[0]
        standby_lag = self.standby_lags.pop(0) if len(self.standby_lags) > 1 else self.standby_lags[0]
        self.done.append(f"lag {lag}" if lag else "")
        return (f'onethread_worker_ready 1.0\nonethread_lag_records{{topic="a",partition="0"}} {lag}\n'
                f'onethread_standby_lag_records{{partition="0"}} {standby_lag}\n')

    @property
    def told(self) -> list[str]:
        return [step for step in self.done if step]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Stack]:
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds
        made[0].tick(seconds)

    made: list[Stack] = []

    def build(number: int) -> Stack:
        made.append(Stack(tmp_path, number))
        monkeypatch.setattr(rolling, "http_text", made[0].page)
        return made[0]

    monkeypatch.setattr(rolling.stack, "is_running", lambda _home: True)
    monkeypatch.setattr(rolling.time, "sleep", sleep)
    monkeypatch.setattr(rolling.time, "monotonic", lambda: clock[0])
    return build


def test_workers_are_restarted_in_turn(make) -> None:
    stack = make(3)
    assert [name for name, _ in rolling.restart(stack.addresses, rolling.workers(stack.addresses))] == [
        "worker-0", "worker-1", "worker-2"]
    assert stack.told == ["worker-0", "worker-1", "worker-2"]


def test_the_next_worker_waits_until_the_one_before_has_caught_up(make) -> None:
    stack = make(1)
    stack.lags = [0, 0, 9000, 9000, 0]
    list(rolling.restart(stack.addresses, ["worker-0", "worker-0"]))
    assert stack.told[0] == "worker-0"
    assert "lag 9000" in stack.told
    assert stack.told[-1] == "worker-0"


def test_nobody_is_restarted_while_standbys_are_far_behind(make) -> None:
    stack = make(2)
    stack.standby_lags = [WARM_RECORDS + 1]
    with pytest.raises(OneThreadError, match=r"standbys are \d+ behind; nothing more was changed"):
        list(rolling.restart(stack.addresses, ["worker-0"]))
    assert "worker-0" not in stack.told


def test_one_that_does_not_come_back_stops_the_rest(make) -> None:
    stack = make(2)
    stack.comes_back = False
    with pytest.raises(OneThreadError, match="worker-0 does not come back"):
        list(rolling.restart(stack.addresses, ["worker-0", "worker-1"]))
    assert "worker-1" not in stack.told


def test_one_whose_successor_cannot_start_goes_on(make) -> None:
    stack = make(2)
    stack.fails = "its successor did not start: exit 1"
    with pytest.raises(OneThreadError, match="worker-0 goes on as it was, its successor did not start: exit 1"):
        list(rolling.restart(stack.addresses, ["worker-0", "worker-1"]))
    assert "worker-1" not in stack.told


def test_the_collector_can_be_restarted_and_kafka_cannot(make) -> None:
    stack = make(1)
    assert [name for name, _ in rolling.restart(stack.addresses, ["collector"])] == ["collector"]
    with pytest.raises(UsageError, match="cannot restart kafka: expected of worker-0, collector"):
        list(rolling.restart(stack.addresses, ["kafka"]))


def test_workers_come_all_at_once_and_go_one_by_one(make) -> None:
    stack = make(1)
    assert rolling.scale(stack.addresses, 4) == (1, 4)
    assert rolling.scale(stack.addresses, 2) == (4, 2)
    assert rolling.scale(stack.addresses, 2) == (2, 2)
    assert stack.told == ["4 workers", "3 workers", "2 workers"]


@pytest.mark.parametrize("number", [0, 31])
def test_a_number_of_workers_that_cannot_be_is_refused(make, number) -> None:
    with pytest.raises(UsageError, match="expected 1 to 30 workers"):
        rolling.scale(make(1).addresses, number)


def test_without_a_supervisor_nobody_could_do_it(make, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = make(1)
    monkeypatch.setattr(rolling.stack, "is_running", lambda _home: False)
    for ask in (lambda: rolling.scale(stack.addresses, 2), lambda: list(rolling.restart(stack.addresses, []))):
        with pytest.raises(OneThreadError, match="no supervisor runs"):
            ask()
