"""The parts of a local stack: what each runs, where it answers, and in which order they start and stop."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.local.ports import HOST, Addresses
from deploy.local.security import Secured
from streams import connections
from streams.connections import COMPONENT, NOBODY, Login

COLLECTOR = "collector"
REFITTER = "refitter"
CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Part:
    """One process of the stack.

    `answers` asks the part itself whether it is ready to work. `stop_after_s` is the time between SIGTERM and SIGKILL.
    `leave_by` is what ends it when it will not come back. A part with `takes_turns` can be started while its earlier
    self still works: it gets ready, makes the file that ONETHREAD_PREPARED names, and waits for the other's end.
    """

    name: str
    command: tuple[str, ...]
    address: str
    answers: Callable[[], bool]
    env: Mapping[str, str] = field(default_factory=dict)
    stop_after_s: float = 20.0
    leave_by: signal.Signals = signal.SIGTERM
    takes_turns: bool = False


def gateway(addresses: Addresses) -> Part:
    """ClickHouse's engine behind HTTP."""
    command = (sys.executable, "-m", "deploy.local.gateway", "--path", str(addresses.home / "clickhouse"),
               "--port", str(addresses.clickhouse_http))
    env = {**python_env(), **serving(addresses)}
    return Part(
        "clickhouse", command, f"{HOST}:{addresses.clickhouse_http}",
        lambda: http_text(f"{addresses.clickhouse_url}/ping", login=connections.clickhouse()) is not None, env,
    )


def worker(addresses: Addresses, index: int) -> Part:
    """One process of the Faust application; ready when it has its partitions and their state."""
    env = {**python_env(), **addresses.environ(), COMPONENT: "worker", "ONETHREAD_WORKER": str(index)}
    return Part(
        f"worker-{index}", (sys.executable, "-m", "streams.worker"), f"{HOST}:{addresses.worker_metrics(index)}",
        lambda: worker_is_ready(http_text(addresses.metrics_url(index))), env, leave_by=signal.SIGUSR1,
        takes_turns=True,
    )


def collector(addresses: Addresses) -> Part:
    """What takes events by HTTP; ready when it answers, also while Kafka is away."""
    return Part(
        COLLECTOR, (sys.executable, "-m", "connectors.collector"), f"{HOST}:{addresses.collector}",
        lambda: http_text(f"{addresses.collector_url}/healthz", login=connections.collector()) is not None,
        {**python_env(), **addresses.environ(), **serving(addresses), COMPONENT: "collector"},
    )


def refitter(addresses: Addresses) -> Part:
    """What fits LTV anew from time to time; a client of ClickHouse that nobody asks anything."""
    return Part(REFITTER, (sys.executable, "-m", "deploy.local.refitting"), "", lambda: True,
                {**python_env(), **addresses.environ(), COMPONENT: "operator"})


def serving(addresses: Addresses) -> dict[str, str]:
    """What makes an HTTP server of a secured home speak TLS."""
    pem = str(Secured(addresses.home).pem("http"))
    return {"ONETHREAD_TLS_CERT": pem, "ONETHREAD_TLS_KEY": pem} if addresses.is_secured else {}


def worker_is_ready(metrics: str | None) -> bool:
    lines = (metrics or "").splitlines()
    return any(line.startswith("onethread_worker_ready ") and float(line.split()[1]) == 1 for line in lines)


def python_env() -> dict[str, str]:
    """Our packages are found wherever the command is typed; output reaches the log as it is written."""
    path = os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH", ""))))
    return {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def http_text(url: str, timeout_s: float = 1.0, login: Login = NOBODY) -> str | None:
    """The body of a page that answers 200, else None. Proxies of the environment are not for the loopback interface."""
    try:
        response = httpx.get(url, timeout=timeout_s, trust_env=False, auth=login.basic, verify=login.verify_at(url))
    except httpx.HTTPError:
        return None
    return response.text if response.status_code == 200 else None
