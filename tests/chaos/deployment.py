"""The stack under test: the product's own parts and supervisor, with three brokers, and a network that can fail.

Kafka, registry, ClickHouse and collector run under one supervisor, each worker under one of its own, so that workers
can come and go while it runs. Workers, collector and the load reach the services through proxies only: each broker has
a second listener that names its proxy's port. The test itself looks at the services directly.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from deploy.local import downloads, kafka, parts, records, registry, stack
from deploy.local.parts import Part
from deploy.local.ports import BROKER_OFFSETS, HOST, Addresses
from deploy.local.supervisor import SUPERVISOR, Supervisor
from streams.errors import OneThreadError
from streams.settings import Settings, load
from tests.chaos.apart import NetworkApart

CLIENT_PORTS, PROXY_PORTS = 30, 33
"""Offsets from the base, behind those of the few workers there are."""
SERVICES = ("kafka", "kafka-1", "kafka-2", "registry", "clickhouse")
PARTITIONS = 6
START_S_MAX = 300
CLOCK = Path(__file__).parent / "clock"


class Keeper:
    """A supervisor in a thread, started anew if it gives up: an operator would do the same."""

    def __init__(self, supervisor_of: "Supervisor", again: bool = True) -> None:
        self._supervisor, self._again = supervisor_of, again
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.failure: BaseException | None = None
        self._thread.start()

    def _run(self) -> None:
        while not self._supervisor.stop.is_set():
            try:
                self._supervisor.run()
            except OneThreadError as error:
                if not self._again:
                    self.failure = error
                    return
                self._supervisor = replace(self._supervisor, _all=[], _lock=None)

    @property
    def home(self) -> Path:
        return self._supervisor.home

    def stop(self) -> None:
        self._supervisor.stop.set()
        self._thread.join()


class Parts:
    """The processes of a stack in this moment, by the records in its home."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def home_of(self, name: str) -> Path:
        """Where the part's supervisor keeps its record and log."""
        return self._home / "workers" / name if name.startswith("worker-") else self._home

    def names(self) -> list[str]:
        """The clients of the services: every worker there ever was, and the collector."""
        return [*(path.name for path in (self._home / "workers").glob("*")), parts.COLLECTOR]

    def pid(self, name: str) -> int | None:
        """The process of a part; None while it has none."""
        found = records.read(self.home_of(name), name)
        living = records.process(found) if found else None
        return int(living.pid) if living else None


class Deployment:
    """A running stack; a context. `direct` are its addresses, `proxied` the same ones through the network."""

    def __init__(self, home: Path, base: int, workers: int, environ: dict[str, str], standbys: int = 0) -> None:
        self.home, self._environ, self._standbys = home, environ, standbys
        self.direct = Addresses(home, base)
        bootstrap = ",".join(f"{HOST}:{base + PROXY_PORTS + node}" for node in range(len(BROKER_OFFSETS)))
        self.proxied = Addresses(home, base, (
            ("KAFKA", bootstrap), ("REGISTRY", f"http://{HOST}:{base + PROXY_PORTS + 3}/apis/ccompat/v7"),
            ("CLICKHOUSE", f"http://{HOST}:{base + PROXY_PORTS + 4}"),
        ))
        self._parts = Parts(home)
        self.pid, self._home_of = self._parts.pid, self._parts.home_of
        self.network = NetworkApart(self._ports(base), self._parts)
        self.keepers: dict[str, Keeper] = {}
        self.poisoned = 0
        """Records sent that must become dead letters."""
        self._first = workers
        self._base: Keeper | None = None

    def _ports(self, base: int) -> dict[str, tuple[int, int]]:
        to = [base + CLIENT_PORTS + node for node in range(3)] + [self.direct.registry, self.direct.clickhouse_http]
        return {name: (base + PROXY_PORTS + number, to[number]) for number, name in enumerate(SERVICES)}

    @property
    def settings(self) -> Settings:
        return load(self.home)

    @property
    def workers(self) -> list[str]:
        return list(self.keepers)

    # -- from start to stop

    def __enter__(self) -> "Deployment":
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "onethread.toml").write_text(
            f"brokers = 3\npartitions = {PARTITIONS}\nstandbys = {self._standbys}\n")
        os.environ |= self.direct.environ() | self._environ
        self.network.__enter__()
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        brokers = kafka.parts(self.direct, 3, downloads.kafka_jars())
        for node in range(3):
            self._give_listener(node)
        base = [*brokers, registry.part(self.direct, downloads.registry_folder()), parts.gateway(self.direct)]
        self._base = Keeper(Supervisor(
            self.home, base, [self._through(parts.collector(self.direct))],
            prepare=lambda: stack.prepare(self.direct, self.settings),
        ), again=False)
        self._await(lambda: self._state(self.home, SUPERVISOR) == "running")
        for number in range(self._first):
            self.add_worker(number)
        self._await(self.is_ready)

    def __exit__(self, *_: object) -> None:
        self.resume_all()
        for keeper in [*self.keepers.values(), *([self._base] if self._base else [])]:
            keeper.stop()
        self.network.__exit__()

    def _give_listener(self, node: int) -> None:
        """A listener for clients, under the address of the broker's proxy."""
        base = self.direct.base
        path = self.home / "kafka" / f"node-{node}.properties"
        text = path.read_text()
        for key, port in (("listeners", CLIENT_PORTS), ("advertised.listeners", PROXY_PORTS)):
            text = text.replace(f"\n{key}=", f"\n{key}=CLIENTS://{HOST}:{base + port + node},")
        text = text.replace("security.protocol.map=", "security.protocol.map=CLIENTS:PLAINTEXT,")
        path.write_text(text)

    def _through(self, part: Part) -> Part:
        """The part, with the services behind the proxies and a clock that can jump."""
        outside = {f"ONETHREAD_{name}": address for name, address in self.proxied.outside}
        path = os.pathsep.join((str(CLOCK), part.env["PYTHONPATH"]))
        clock = {"PYTHONPATH": path, "CHAOS_CLOCK": str(self.clock(part.name))}
        return replace(part, env={**part.env, **outside, **clock})

    def _await(self, there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_S_MAX
        while not there():
            if self._base and self._base.failure:
                raise self._base.failure
            assert time.monotonic() < deadline, f"the stack does not start; see {self.home}"
            time.sleep(0.2)

    # -- workers

    def add_worker(self, number: int) -> None:
        part = self._through(parts.worker(self.direct, number))
        self.keepers[part.name] = Keeper(Supervisor(self.home / "workers" / part.name, [part]))

    def remove_worker(self, name: str) -> None:
        """In order: SIGTERM, and nobody starts it again."""
        self.keepers.pop(name).stop()

    # -- processes

    def signal(self, name: str, number: signal.Signals) -> int | None:
        """Send a signal; the pid that got it, None where there was no process."""
        pid = self.pid(name)
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        return pid

    @contextlib.contextmanager
    def paused(self, name: str) -> Iterator[None]:
        pid = self.signal(name, signal.SIGSTOP)
        try:
            yield
        finally:
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def resume_all(self) -> None:
        for name in (*SERVICES, parts.COLLECTOR, *self.workers):
            self.signal(name, signal.SIGCONT)

    def restarts(self) -> dict[str, int]:
        """How often each part was started again."""
        homes = [self.home, *(self.home / "workers").glob("*")]
        return {name: record.restarts for home in homes for name, record in records.read_all(home).items()}

    def clock(self, name: str) -> Path:
        """The file that says by how many seconds the clock of a part is ahead."""
        return self.home / f"clock-{name}"

    # -- how it is

    def troubles(self) -> list[str]:
        """Parts that do not work at this moment."""
        off = [name for name in (*SERVICES, parts.COLLECTOR) if self._state(self.home, name) != "running"]
        for number, name in ((int(name.removeprefix("worker-")), name) for name in self.workers):
            page = parts.http_text(self.direct.metrics_url(number))
            if self._state(self._home_of(name), name) != "running" or not parts.worker_is_ready(page):
                off.append(name)
        return off

    def is_ready(self) -> bool:
        return not self.troubles()

    def _state(self, home: Path, name: str) -> str:
        found = records.read(home, name)
        return found.state if found else ""

    def log(self, name: str) -> Path:
        return self._home_of(name) / "logs" / f"{name}.log"

    def stores(self, name: str) -> list[Path]:
        """The stores of a worker, one a partition."""
        return sorted((self.home / "state" / name).glob("v*/tables/graph-*.db"))
