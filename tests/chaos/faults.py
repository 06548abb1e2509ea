"""What each kind of fault does to a deployment, and how it is undone: one function a kind, a context; `FAULTS` has all.

Entering strikes, leaving undoes; what has to be started again is started by the product's own supervisor. When a fault
counts as recovered is the same for all of them and said in `recovery`.
"""

import contextlib
import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random

import psutil

from deploy.local import orders, rolling
from deploy.local.supervisor import WORKER
from streams.errors import OneThreadError
from tests.chaos import poison
from tests.chaos.deployment import SERVICES, Deployment
from tests.chaos.network import Rule
from tests.chaos.plan import Fault
from tests.large.command import say

Strike = Callable[[Deployment, Fault], AbstractContextManager[None]]

INSERT_S_MAX = 5.0
STATE_FILE_BYTES_MAX = 7_000
"""Below the size of the file of options that RocksDB writes when it opens a store."""
AHEAD_S = {"-90 days": -90 * 86_400, "-1 hour": -3_600, "+1 hour": 3_600, "+30 days": 30 * 86_400}
BROKERS = SERVICES[:3]


@contextlib.contextmanager
def killed(stack: Deployment, fault: Fault) -> Iterator[None]:
    stack.signal(fault.target, signal.SIGKILL)
    yield


@contextlib.contextmanager
def all_workers_killed(stack: Deployment, _fault: Fault) -> Iterator[None]:
    for name in stack.workers:
        stack.signal(name, signal.SIGKILL)
    yield


def paused(stack: Deployment, fault: Fault) -> AbstractContextManager[None]:
    return stack.paused(fault.target)


@contextlib.contextmanager
def rolling_restart(stack: Deployment, _fault: Fault) -> Iterator[None]:
    """`onethread restart`: one worker after another, each when the one before works again and has caught up."""
    commanded(lambda: list(rolling.restart(stack.direct, stack.workers)))
    yield


@contextlib.contextmanager
def membership(stack: Deployment, fault: Fault) -> Iterator[None]:
    """`onethread scale`; a worker that is removed by a kill is told to leave and gets SIGKILL at once."""
    number = int(fault.target.removeprefix(WORKER))
    wanted = number + 1 if fault.how == "added" else number
    if fault.how == "removed by a kill":
        orders.scale(stack.home, wanted)  # the command itself waits until every worker works
        stack.signal(fault.target, signal.SIGKILL)
    else:
        commanded(lambda: rolling.scale(stack.direct, wanted))
    yield


def commanded(work: Callable[[], object]) -> None:
    """What an operator types. Beside another fault it may refuse; whether all works again is told by the recovery."""
    try:
        work()
    except OneThreadError as error:
        say(f"            refused: {error}")


@contextlib.contextmanager
def torn(stack: Deployment, fault: Fault) -> Iterator[None]:
    """Kill a worker and, before it is started again, tear a file of one of its stores."""
    stack.signal(fault.target, signal.SIGKILL)
    random = Random(fault.number)
    stores = stack.stores(fault.target)
    if stores:
        tear(random.choice(stores), fault.how, random)
    yield


def tear(store: Path, how: str, random: Random) -> None:
    """Damage one file of a store: a data file where it has one, else the manifest."""
    manifest = sorted(store.glob("MANIFEST-*"))[-1:]
    data = sorted(store.glob("*.sst"))[-1:] or manifest
    with contextlib.suppress(FileNotFoundError):
        for path in data if how.startswith("file") else manifest if how.startswith("manifest") else ():
            if how.endswith("cut off"):
                os.truncate(path, random.randrange(path.stat().st_size))
            elif how.endswith("garbled"):
                content = bytearray(path.read_bytes())
                start = random.randrange(len(content))
                content[start:start + 64] = random.randbytes(len(content[start:start + 64]))
                path.write_bytes(content)
            else:
                path.unlink()
        if how == "CURRENT gone":
            (store / "CURRENT").unlink()
        if how == "all gone":
            for path in store.iterdir():
                path.unlink()


@contextlib.contextmanager
def unwritable_state(stack: Deployment, fault: Fault) -> Iterator[None]:
    """Writing to files fails for a worker, also for those that are started in its place, as on a full disk.

    The limit on the size of files does it without rights of an administrator (setrlimit(2): EFBIG).
    """
    over = threading.Event()

    def hold() -> None:
        limited: set[int] = set()
        while not over.wait(0.02):
            pid = stack.pid(fault.target)
            if pid and pid not in limited:
                _keep_log(stack.log(fault.target))
                limited.add(pid)
                _limit(pid, STATE_FILE_BYTES_MAX)

    holding = threading.Thread(target=hold)
    holding.start()
    time.sleep(0.1)
    stack.signal(fault.target, signal.SIGKILL)
    try:
        yield
    finally:
        over.set()
        holding.join()
        _limit(stack.pid(fault.target), resource.RLIM_INFINITY)


def _limit(pid: int | None, size: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        if pid:
            psutil.Process(pid).rlimit(psutil.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _keep_log(path: Path) -> None:
    """The log itself is to stay writable: what is in it goes to a file beside."""
    with path.with_suffix(".all").open("ab") as kept:
        kept.write(path.read_bytes())
    os.truncate(path, 0)


@contextlib.contextmanager
def clock_jumped(stack: Deployment, fault: Fault) -> Iterator[None]:
    path = stack.clock(fault.target)
    path.write_text(str(AHEAD_S[fault.how]))
    try:
        yield
    finally:
        path.write_text("0")


@contextlib.contextmanager
def killed_in_insert(stack: Deployment, fault: Fault) -> Iterator[None]:
    """SIGKILL when ClickHouse has half of a piece of an insert; if there is none for a while, without one."""
    pid = stack.pid(fault.target)
    if pid:
        stack.network.kill_at_next_insert(pid)
        deadline = time.monotonic() + INSERT_S_MAX
        while stack.pid(fault.target) == pid:
            if time.monotonic() > deadline:
                stack.signal(fault.target, signal.SIGKILL)
            time.sleep(0.05)
    yield


def ruled(*rules: Callable[[Fault], Rule]) -> Strike:
    """A kind that is rules of the network."""
    return lambda stack, fault: stack.network.during(*(rule(fault) for rule in rules))


@contextlib.contextmanager
def poisoned(stack: Deployment, fault: Fault) -> Iterator[None]:
    stack.poisoned += poison.send(stack, fault.how, Random(fault.number))
    yield


FAULTS: dict[str, Strike] = {
    "worker killed": killed,
    "worker paused": paused,
    "all workers killed": all_workers_killed,
    "rolling restart": rolling_restart,
    "worker added or removed": membership,
    "store torn": torn,
    "state cannot be written": unwritable_state,
    "clock jumped": clock_jumped,
    "collector killed": killed,
    "collector paused": paused,
    "collector's clock jumped": clock_jumped,
    "ClickHouse killed in an insert": killed_in_insert,
    "ClickHouse paused": paused,
    "ClickHouse slow": ruled(lambda _: Rule("clickhouse", None, "slow", 0.3, 30_000)),
    "broker killed": killed,
    "broker paused": paused,
    "registry killed": killed,
    "worker cut off from Kafka": ruled(*(lambda f, b=b: Rule(b, f.target, f.how) for b in BROKERS)),
    "worker slow to Kafka": ruled(*(lambda f, b=b: Rule(b, f.target, "slow", 0.1, 200_000) for b in BROKERS)),
    "workers cut off from ClickHouse": ruled(lambda f: Rule("clickhouse", None, f.how)),
    "collector cut off from Kafka": ruled(*(lambda f, b=b: Rule(b, f.target, f.how) for b in BROKERS)),
    "broker cut off from its clients": ruled(lambda f: Rule(f.target, None, f.how)),
    "registry cut off": ruled(lambda f: Rule("registry", None, f.how)),
    "poison messages": poisoned,
}
