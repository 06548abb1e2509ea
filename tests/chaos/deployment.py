"""The stack under test: the product's own parts and supervisor, with three brokers, and a network that can fail.

The supervisor runs in a thread of the test and tells Prometheus of the whole, as that of `onethread up` does, and obeys
the same orders. Workers, collector and the load reach the services through proxies only: each broker has a second
listener that names its proxy's port. The test itself looks at the services directly.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from deploy.local import downloads, kafka, parts, records, registry, rolling, stack
from deploy.local.exporting import Exporter
from deploy.local.parts import Part
from deploy.local.ports import BROKER_OFFSETS, HOST, Addresses
from deploy.local.supervisor import SUPERVISOR, WORKER, Supervisor, log_path
from streams.settings import Settings, load
from tests.chaos.apart import NetworkApart

CLIENT_PORTS, PROXY_PORTS = 30, 33
"""Offsets from the base, behind those of the few workers there are."""
SERVICES = ("kafka", "kafka-1", "kafka-2", "registry", "clickhouse")
PARTITIONS = 6
START_S_MAX = 300
CLOCK = Path(__file__).parent / "clock"


class Parts:
    """The processes of a stack in this moment, by the records in its home."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def names(self) -> list[str]:
        """The clients of the services: the workers and the collector."""
        return [name for name in records.read_all(self._home) if name.startswith(WORKER) or name == parts.COLLECTOR]

    def pid(self, name: str) -> int | None:
        """The process of a part; None while it has none."""
        found = records.read(self._home, name)
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
        self.pid = self._parts.pid
        self.network = NetworkApart(self._ports(base), self._parts)
        self.poisoned = 0
        """Records sent that must become dead letters."""
        self._first = workers
        self._supervisor: Supervisor | None = None
        self._exporter: Exporter | None = None
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._failure: BaseException | None = None

    def _ports(self, base: int) -> dict[str, tuple[int, int]]:
        to = [base + CLIENT_PORTS + node for node in range(3)] + [self.direct.registry, self.direct.clickhouse_http]
        return {name: (base + PROXY_PORTS + number, to[number]) for number, name in enumerate(SERVICES)}

    @property
    def settings(self) -> Settings:
        return load(self.home)

    @property
    def workers(self) -> list[str]:
        return rolling.workers(self.direct)

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
        clients = [parts.collector(self.direct), *(parts.worker(self.direct, n) for n in range(self._first))]
        self._supervisor = Supervisor(
            self.home, base, [self._through(part) for part in clients],
            prepare=lambda: stack.prepare(self.direct, self.settings),
            worker=lambda number: self._through(parts.worker(self.direct, number)),
        )
        self._thread.start()
        self._exporter = Exporter(self.direct, self.settings)
        self._exporter.start()
        self._await(lambda: self._state(SUPERVISOR) == "running")
        self._await(self.is_ready)

    def _supervise(self) -> None:
        assert self._supervisor
        try:
            self._supervisor.run()
        except BaseException as error:
            self._failure = error

    def __exit__(self, *_: object) -> None:
        self.resume_all()
        if self._exporter:
            self._exporter.stop()
        if self._supervisor:
            self._supervisor.stop.set()
            self._thread.join()
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
            if self._failure:
                raise self._failure
            assert time.monotonic() < deadline, f"the stack does not start; see {self.home}"
            time.sleep(0.2)

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
        return {name: record.restarts for name, record in records.read_all(self.home).items()}

    def clock(self, name: str) -> Path:
        """The file that says by how many seconds the clock of a part is ahead."""
        return self.home / f"clock-{name}"

    # -- how it is

    def troubles(self) -> list[str]:
        """Parts that do not work at this moment."""
        off = [name for name in (*SERVICES, parts.COLLECTOR) if self._state(name) != "running"]
        for name in self.workers:
            page = parts.http_text(self.direct.metrics_url(int(name.removeprefix(WORKER))))
            if self._state(name) != "running" or not parts.worker_is_ready(page):
                off.append(name)
        return off

    def is_ready(self) -> bool:
        return not self.troubles()

    def _state(self, name: str) -> str:
        found = records.read(self.home, name)
        return found.state if found else ""

    def log(self, name: str) -> Path:
        return log_path(self.home, name)

    def stores(self, name: str) -> list[Path]:
        """The stores of a worker, one a partition."""
        return sorted((self.home / "state" / name).glob("v*/tables/graph-*.db"))
