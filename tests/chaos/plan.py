"""Which faults strike when, from one seed. Pure: the same seed gives the same plan on every machine.

Rules: kinds are dealt like cards, so that every kind comes up before one comes up again more often than its weight
says; a worker that was struck lately is left alone for a while, as the supervisor's patience with one that dies often
is another matter; the last worker leaves first, as `onethread scale` has it; two faults at once never strike the same
part, and at most one of Kafka's three brokers.
"""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

PAIRS = 0.15
"""So many steps have two faults at once."""
PAUSE_S = (0.2, 2.0)
WORKERS_MORE_MAX = 2


@dataclass(frozen=True)
class Fault:
    """One fault: what it does, to which part, how in detail, and for how long before it is undone."""

    number: int
    kind: str
    target: str
    how: str
    seconds: float


@dataclass(frozen=True)
class Step:
    """Faults that strike together, so long after everything had recovered from the last ones."""

    pause_s: float
    faults: tuple[Fault, ...]


class Kind(NamedTuple):
    """`target` is a family of parts: worker, workers, kafka, or a part by its name."""

    weight: int
    target: str
    seconds: tuple[float, float] = (0.0, 0.0)
    ways: tuple[str, ...] = ("",)


SESSION_S = 6.0
"""Of a worker in its group; a pause and a cut must last longer."""

KINDS = {
    "worker killed": Kind(3, "worker"),
    "worker paused": Kind(2, "worker", (SESSION_S + 1, SESSION_S + 5)),
    "all workers killed": Kind(1, "workers"),
    "rolling restart": Kind(1, "workers"),
    "worker added or removed": Kind(2, "membership"),
    "store torn": Kind(3, "worker", ways=(
        "file cut off", "file garbled", "file gone", "manifest cut off", "CURRENT gone", "all gone",
    )),
    "state cannot be written": Kind(1, "worker", (4.0, 7.0)),
    "clock jumped": Kind(2, "worker", (2.0, 4.0), ("-90 days", "-1 hour", "+1 hour", "+30 days")),
    "collector killed": Kind(2, "collector"),
    "collector paused": Kind(1, "collector", (3.0, 7.0)),
    "collector's clock jumped": Kind(1, "collector", (2.0, 4.0), ("-90 days", "-1 hour", "+30 days")),
    "ClickHouse killed in an insert": Kind(2, "clickhouse"),
    "ClickHouse paused": Kind(1, "clickhouse", (4.0, 8.0)),
    "ClickHouse slow": Kind(1, "clickhouse", (4.0, 8.0)),
    "broker killed": Kind(2, "kafka"),
    "broker paused": Kind(1, "kafka", (4.0, 12.0)),
    "registry killed": Kind(1, "registry"),
    "worker cut off from Kafka": Kind(2, "worker", (SESSION_S + 1, SESSION_S + 4), ("refused", "silent")),
    "worker slow to Kafka": Kind(1, "worker", (4.0, 8.0)),
    "workers cut off from ClickHouse": Kind(1, "clickhouse", (3.0, 7.0), ("refused", "silent")),
    "collector cut off from Kafka": Kind(1, "collector", (3.0, 7.0), ("refused", "silent")),
    "broker cut off from its clients": Kind(1, "kafka", (4.0, 8.0), ("refused", "silent")),
    "registry cut off": Kind(1, "registry", (3.0, 6.0), ("refused", "silent")),
    "poison messages": Kind(2, "ingest", ways=(
        "noise", "no value", "tombstone", "unknown schema", "no schema's id", "cut short", "too large",
        "of another channel",
    )),
}


def plan(seed: int, faults: int, workers: int, brokers: int) -> list[Step]:
    """The steps of a run; `faults` in all, over a stack that begins with so many workers and brokers."""
    assert faults > 0
    assert workers > 1, "with one worker nobody takes over"
    assert brokers > 2, "with two brokers the loss of one stops all writes"
    dealer = _Dealer(Random(seed), workers, brokers)
    steps: list[Step] = []
    while dealer.dealt < faults:
        wanted = 2 if dealer.random.random() < PAIRS and faults - dealer.dealt > 1 else 1
        pause_s = round(dealer.random.uniform(*PAUSE_S), 2)
        steps.append(Step(pause_s, tuple(dealer.together(wanted))))
    return steps


class _Dealer:
    """Deals faults, and remembers which workers there are and when each was struck."""

    def __init__(self, random: Random, workers: int, brokers: int) -> None:
        self.random = random
        self.dealt = 0
        self._deck: list[str] = []
        self._workers = list(range(workers))
        self._least, self._most = workers, workers + WORKERS_MORE_MAX
        self._struck = dict.fromkeys(self._workers, 0)
        self._brokers = brokers

    def together(self, wanted: int) -> list[Fault]:
        faults: list[Fault] = []
        taken: set[str] = set()
        while len(faults) < wanted:
            kind = self._draw(taken)
            faults.append(self._fault(kind))
            taken |= _family(KINDS[kind].target)
        return faults

    def _draw(self, taken: set[str]) -> str:
        """The next kind that strikes none of the parts that are taken."""
        for _ in range(2):
            for name in self._deck:
                if not taken & _family(KINDS[name].target):
                    self._deck.remove(name)
                    return name
            fresh = [name for name, kind in KINDS.items() for _ in range(kind.weight)]
            self.random.shuffle(fresh)
            self._deck += fresh
        raise AssertionError("no kind of fault fits beside the others")

    def _fault(self, name: str) -> Fault:
        kind = KINDS[name]
        self.dealt += 1
        seconds = round(self.random.uniform(*kind.seconds), 1)
        how, target = self.random.choice(kind.ways), kind.target
        if target == "worker":
            target = f"worker-{self._rested()}"
        elif target == "kafka":
            number = self.random.randrange(self._brokers)
            target = f"kafka-{number}" if number else "kafka"
        elif target == "membership":
            how, target = self._change()
        return Fault(self.dealt, name, target, how, seconds)

    def _rested(self) -> int:
        """One of the workers, of the half that was struck longest ago."""
        order = sorted(self._workers, key=lambda worker: (self._struck[worker], worker))
        worker = self.random.choice(order[: (len(order) + 1) // 2])
        self._struck[worker] = self.dealt
        return worker

    def _change(self) -> tuple[str, str]:
        count = len(self._workers)
        if count == self._least or (count < self._most and self.random.random() < 0.5):
            self._workers.append(count)
            self._struck[count] = self.dealt
            return "added", f"worker-{count}"
        return self.random.choice(("removed in order", "removed by a kill")), f"worker-{self._workers.pop()}"


def _family(target: str) -> set[str]:
    """Parts that are taken while a fault of this target lasts; all that strike workers exclude each other."""
    return {"worker"} if target in ("worker", "workers", "membership") else {target}
