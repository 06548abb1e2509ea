"""Where the parts of a stack are found: one home, one base port, forty ports on the loopback interface.

A command finds its stack by ONETHREAD_HOME and ONETHREAD_PORT_BASE. ONETHREAD_KAFKA, ONETHREAD_REGISTRY,
ONETHREAD_CLICKHOUSE and ONETHREAD_COLLECTOR replace single addresses, so that the same code runs against a cluster;
ONETHREAD_WORKERS says where its workers answer. In a container of its own a process answers on every interface:
ONETHREAD_BIND says where it listens, ONETHREAD_WORKER_PORT on which port a worker does.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from streams.connections import FOLDER, without_password
from streams.errors import UsageError

HOST = "127.0.0.1"
BASE_DEFAULT = 19000
PORTS = 40
WORKERS_MAX = PORTS - 10
BROKER_OFFSETS = ((3, 4), (6, 7), (8, 9))
"""(broker, controller) of node i, as offsets from the base."""


@dataclass(frozen=True)
class Addresses:
    """Every address of one stack. Plain names are ports; names that end in `_url` are ready to use.

    `kafka_bootstrap` is what a Kafka client takes; `outside` holds the addresses that the environment replaced.
    """

    home: Path
    base: int = BASE_DEFAULT
    outside: tuple[tuple[str, str], ...] = ()
    bind: str = HOST
    """Where our own processes listen."""
    worker_port: int = 0
    """Where a worker that is alone on its host listens; 0: on a port by its number."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> "Addresses":
        """The stack that the environment names.

        Errors: UsageError where ONETHREAD_PORT_BASE is no port with 39 more above it, or ONETHREAD_WORKER_PORT none.
        """
        environ = os.environ if environ is None else environ
        text = environ.get("ONETHREAD_PORT_BASE") or str(BASE_DEFAULT)
        if not text.isdigit() or not 1024 <= int(text) <= 65535 - PORTS:
            raise UsageError(f"ONETHREAD_PORT_BASE: expected a port from 1024 to {65535 - PORTS}; came {text!r}")
        home = Path(environ.get("ONETHREAD_HOME") or ".onethread").absolute()
        names = ("KAFKA", "REGISTRY", "CLICKHOUSE", "COLLECTOR")
        port = environ.get("ONETHREAD_WORKER_PORT") or "0"
        if not port.isdigit() or int(port) > 65535:
            raise UsageError(f"ONETHREAD_WORKER_PORT: expected a port; came {port!r}")
        given = {name: value for name in names if (value := environ.get(f"ONETHREAD_{name}"))}
        outside = tuple((name, without_password(name, value)) for name, value in given.items())
        return cls(home, int(text), outside, environ.get("ONETHREAD_BIND") or HOST, int(port))

    def environ(self) -> dict[str, str]:
        """What a process of this stack needs in its environment to find it again."""
        return {"ONETHREAD_HOME": str(self.home), "ONETHREAD_PORT_BASE": str(self.base)}

    @property
    def collector(self) -> int:
        return self.base

    @property
    def clickhouse_http(self) -> int:
        return self.base + 1

    @property
    def registry(self) -> int:
        return self.base + 2

    @property
    def kafka(self) -> int:
        return self.base + 3

    @property
    def controller(self) -> int:
        return self.base + 4

    @property
    def portal(self) -> int:
        return self.base + 5

    def worker_metrics(self, index: int) -> int:
        return self.worker_port or self.base + 10 + index

    def broker(self, node: int) -> tuple[int, int]:
        """(broker port, controller port) of the node, counted from 0."""
        broker, controller = BROKER_OFFSETS[node]
        return self.base + broker, self.base + controller

    @property
    def kafka_bootstrap(self) -> str:
        """Every node that was set up in the home, so that a client starts also while one of them is away."""
        nodes = [n for n in range(len(BROKER_OFFSETS)) if n == 0 or self.broker_properties(n).exists()]
        return self._outside("KAFKA") or ",".join(f"{HOST}:{self.broker(n)[0]}" for n in nodes)

    def broker_properties(self, node: int) -> Path:
        """What the node is set up by; there from its first start on."""
        return self.home / "kafka" / f"node-{node}.properties"

    @property
    def registry_url(self) -> str:
        """The root of the registry's Confluent-compatible interface."""
        return self._outside("REGISTRY") or f"http://{HOST}:{self.registry}/apis/ccompat/v7"

    @property
    def clickhouse_url(self) -> str:
        return self._outside("CLICKHOUSE") or f"{self._scheme}://{HOST}:{self.clickhouse_http}"

    @property
    def collector_url(self) -> str:
        return self._outside("COLLECTOR").rstrip("/") or f"{self._scheme}://{HOST}:{self.collector}"

    def metrics_url(self, index: int) -> str:
        return f"http://{HOST}:{self.worker_metrics(index)}/metrics"

    def is_outside(self, name: str) -> bool:
        """Whether the environment replaced the address of KAFKA, REGISTRY, CLICKHOUSE or COLLECTOR."""
        return bool(self._outside(name))

    @property
    def is_secured(self) -> bool:
        """Whether the home's stack speaks TLS and asks for passwords."""
        return (self.home / FOLDER / "operator.env").exists()

    @property
    def _scheme(self) -> str:
        return "https" if self.is_secured else "http"

    def _outside(self, name: str) -> str:
        return dict(self.outside).get(name, "")
