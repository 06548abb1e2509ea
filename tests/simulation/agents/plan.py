"""All that decides a run of a simulated deployment."""

from collections.abc import Mapping
from dataclasses import dataclass

from streams.core.policy import Policy
from tests.oracle.erasure import Erasure
from tests.oracle.rules import Word
from tests.strategies import Change


@dataclass(frozen=True)
class Fault:
    """At the step of that number: what happens, for how long, and to a disk of a worker that dies (kept, torn, lost).

    crash: the worker dies, and is started again after `seconds`. pause: it stands still for so long. leave: it is
    stopped as by SIGTERM, removed from the group, and comes back. rebalance: the group meets anew, and partitions
    change hands. fence: the others take the worker for gone, and end its transaction. clickhouse, registry: they are
    away for so long.
    """

    step: int
    kind: str
    seconds: float = 1.0
    disk: str = "kept"


@dataclass(frozen=True)
class Told:
    """One record for Kafka, so many seconds after the one before."""

    topic: str
    partition: int
    value: bytes | None
    after_s: float = 0.0


@dataclass(frozen=True)
class Plan:
    """All that decides a run."""

    seed: int
    policy: Policy
    durations: Mapping[str, int]
    told: tuple[Told, ...]
    commands: Mapping[bytes, Word | Change | Erasure]
    """What the records of the commands' topic mean."""
    faults: tuple[Fault, ...] = ()
    workers: int = 2
    partitions: int = 3
