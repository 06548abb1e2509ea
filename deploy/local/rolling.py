"""Restarts a running stack's workers one by one, and changes how many there are, while events flow.

Rules: the next worker is touched only when all others work, the one before has caught up, and the copies that standbys
keep are close enough to take over. Workers are added all at once and taken away one by one, the last first: what they
worked on moves to the others before the next one goes.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial

from deploy.local import orders, records, stack
from deploy.local.parts import COLLECTOR, REFITTER, http_text, worker_is_ready
from deploy.local.ports import WORKERS_MAX, Addresses
from deploy.local.readings import readings
from deploy.local.records import Record
from streams.errors import OneThreadError, UsageError
from streams.transport.assignment import WARM_RECORDS

READY_S_MAX = 180.0
"""A worker that restores a large state needs minutes; one that does not start is told of before."""
CAUGHT_UP_S_MAX = 120.0
LAG_SMALL = 2000
"""Records: less than a second's work."""
POLL_S = 0.2

Say = Callable[[str], object]


def workers(addresses: Addresses) -> list[str]:
    """Names of the stack's workers, in order."""
    names = (name for name in records.read_all(addresses.home) if name.startswith("worker-"))
    return sorted(names, key=lambda name: int(name.removeprefix("worker-")))


def restart(addresses: Addresses, names: list[str], say: Say = bool) -> Iterator[tuple[str, float]]:
    """Restart the parts in turn; each with the seconds until it worked again, as it is done.

    Errors: UsageError for a name that is none of the stack's; OneThreadError where one does not come back, or does
    not catch up; those after it were not touched then.
    """
    _check_runs(addresses)
    known = [*workers(addresses), *(n for n in (COLLECTOR, REFITTER) if records.read(addresses.home, n))]
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"cannot restart {', '.join(unknown)}: expected of {', '.join(known)}")
    for name in names:
        say(f"waiting until the others can do without {name}")
        lag = _await_calm(addresses)
        say(f"restarting {name}")
        before = records.read(addresses.home, name)
        started = time.monotonic()
        orders.restart(addresses.home, name)
        _await(partial(is_back, addresses, name, before), READY_S_MAX,
               f"{name} does not come back: see {addresses.home / 'logs' / name}.log")
        yield name, time.monotonic() - started
        say(f"{name} catches up")
        _await_calm(addresses, lag)


def scale(addresses: Addresses, number: int, say: Say = bool) -> tuple[int, int]:
    """Have `number` workers; (before, after).

    Errors: UsageError for a number that cannot be; OneThreadError where workers do not become ready.
    """
    if not 1 <= number <= WORKERS_MAX:
        raise UsageError(f"expected 1 to {WORKERS_MAX} workers; came {number}")
    _check_runs(addresses)
    before = len(workers(addresses))
    for wanted in range(before - 1, number - 1, -1) if number < before else (number,):
        if wanted == before:
            continue
        say(f"{wanted} workers")
        if wanted < before:
            _await_calm(addresses)
        orders.scale(addresses.home, wanted)
        _await(partial(_are, addresses, wanted), READY_S_MAX,
               f"the workers do not become ready: see {addresses.home / 'logs'}")
    return before, number


def _check_runs(addresses: Addresses) -> None:
    if not stack.is_running(addresses.home):
        raise OneThreadError(f"no supervisor runs in {addresses.home}: nobody there to restart or add workers")


def is_back(addresses: Addresses, name: str, before: Record | None) -> bool:
    """Whether another process than `before` works as the part. Errors: OneThreadError where none can be started."""
    record = records.read(addresses.home, name)
    if record is None or before is None:
        return False
    if record.pid == before.pid and record.last_error != before.last_error:
        raise OneThreadError(f"{name} goes on as it was, {record.last_error}")
    if record.state != "running" or record.pid == before.pid:
        return False
    return not name.startswith("worker-") or _is_ready(record)


def _are(addresses: Addresses, number: int) -> bool:
    return len(workers(addresses)) == number and _all_run(addresses)


def _all_run(addresses: Addresses) -> bool:
    """Every worker runs and has its partitions, once all have been told of them."""
    found = [record for name in workers(addresses) if (record := records.read(addresses.home, name))]
    return all(record.state == "running" and _is_ready(record) for record in found)


def _is_ready(record: Record) -> bool:
    return worker_is_ready(http_text(f"http://{record.address}/metrics"))


def _await_calm(addresses: Addresses, lag_before: int = 0) -> int:
    """Wait until all workers work, standbys are close and little waits, or no more than before; how much waits."""
    seen = [0, 0]

    def is_calm() -> bool:
        seen[:] = totals(addresses)
        lag, standby_lag = seen
        return _all_run(addresses) and standby_lag <= WARM_RECORDS and lag <= max(LAG_SMALL, lag_before)

    try:
        _await(is_calm, CAUGHT_UP_S_MAX, "")
    except OneThreadError:
        if not _all_run(addresses):
            raise OneThreadError("not every worker works: see `onethread status`; nothing more was changed") from None
        raise OneThreadError(
            f"after {CAUGHT_UP_S_MAX:.0f} s {seen[0]} records wait to be read and standbys are {seen[1]} behind; "
            "nothing more was changed"
        ) from None
    return seen[0]


def totals(addresses: Addresses) -> tuple[int, int]:
    """Records that wait for the workers, and offsets by which standbys are behind, as the workers tell."""
    lag = standby_lag = 0
    for name in workers(addresses):
        record = records.read(addresses.home, name)
        told = readings(http_text(f"http://{record.address}/metrics") or "") if record else {}
        lag += int(told.get("onethread_lag_records", 0))
        standby_lag += int(told.get("onethread_standby_lag_records", 0))
    return lag, standby_lag


def _await(condition: Callable[[], bool], limit_s: float, or_else: str) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise OneThreadError(or_else)
        time.sleep(POLL_S)
