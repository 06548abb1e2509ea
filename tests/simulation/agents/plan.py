"""All that decides a run of a simulated deployment; and smaller plans that fail as well."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

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


def shrunk(failing: Plan, fails: Callable[[Plan], bool], tries_max: int = 300) -> Plan:
    """A plan with fewer faults and records that fails as well; what is tried is each time the same."""
    tries = 0

    def still(smaller: Plan) -> bool:
        nonlocal tries
        tries += 1
        return tries <= tries_max and fails(smaller)

    found = failing
    for part in ("faults", "told", "faults"):
        found = _less(found, part, still)
    return found


def _less(of: Plan, part: str, fails: Callable[[Plan], bool]) -> Plan:
    """Delta debugging by halves: leave out ever smaller runs of a plan's part as long as it fails without them."""
    size = len(getattr(of, part))
    while size:
        start = 0
        while start < len(getattr(of, part)):
            items = getattr(of, part)
            fewer = replace(of, **{part: (*items[:start], *items[start + size :])})
            if fails(fewer):
                of = fewer
            else:
                start += size
        size //= 2
    return of
