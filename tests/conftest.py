"""Fixtures that start a local stack, or pieces of one, in a temporary home on free ports; no test skips without one."""

import contextlib
import os
import random
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

from deploy.local import checks, downloads, kafka, parts, registry, stack
from deploy.local.parts import Part
from deploy.local.ports import PORTS, Addresses
from deploy.local.supervisor import Supervisor

hypothesis.settings.register_profile("ci", derandomize=True, print_blob=True)
"""The same examples for the same code: a change is judged by what it changed. `make simulate` hunts at random."""
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

PEPPER = "0" * 64
"""Fixed, so that person ids are the same in every run."""

CHECKOUT = Path(__file__).parents[1]
SERVICES = "tests/integration/"

FOREIGN_TOPIC = "crm.public.contacts"
"""Of the session's stack: its records become events through the ready mapping of contacts."""

_BASES = range(22000, 32000, PORTS)
"""Below the range from which systems give out ports by themselves."""


def free_base() -> int:
    """A base whose forty ports are free at this moment."""
    candidates = list(_BASES)
    random.Random(os.getpid()).shuffle(candidates)
    return next(base for base in candidates if all(checks.is_free(port) for port in range(base, base + PORTS)))


class ServicesTogether(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Tests that share a service run one after the other in one process: those of the session's stack in one, those of
    its broker and its ClickHouse in another; other files fill the cores meanwhile."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        if not file.startswith(SERVICES):
            return file
        return "stack" if "running_stack" in (CHECKOUT / file).read_text(encoding="utf-8") else "pieces"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ServicesTogether:
    return ServicesTogether(config, log)


@contextlib.contextmanager
def supervised(home: Path, pieces: Sequence[Part]) -> Iterator[Supervisor]:
    """The parts, running and answering, with a supervisor in a thread of the test; stopped in order at the end."""
    ready = threading.Event()
    supervisor = Supervisor(home, pieces, prepare=ready.set)
    failure: list[BaseException] = []

    def run() -> None:
        try:
            supervisor.run()
        except BaseException as error:
            failure.append(error)
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(180), "the parts do not answer"
        assert not failure, failure
        yield supervisor
    finally:
        supervisor.stop.set()
        thread.join()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """Kafka and the schema registry, without topics."""
    addresses = Addresses(tmp_path_factory.mktemp("broker"), free_base())
    pieces = [*kafka.parts(addresses, 1, downloads.kafka_jars()),
              registry.part(addresses, downloads.registry_folder())]
    with supervised(addresses.home, pieces):
        yield addresses


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """ClickHouse's engine behind its gateway, without tables."""
    addresses = Addresses(tmp_path_factory.mktemp("clickhouse"), free_base())
    with supervised(addresses.home, [parts.gateway(addresses)]):
        yield addresses


@pytest.fixture(scope="session")
def running_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """A whole stack with one worker, as `onethread up --detach` starts it."""
    addresses = Addresses(tmp_path_factory.mktemp("stack"), free_base())
    (addresses.home / "onethread.toml").write_text(f'[mappings."{FOREIGN_TOPIC}"]\nfile = "crm_contacts"\n')
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**addresses.environ(), "ONETHREAD_PEPPER": PEPPER}.items():
            patch.setenv(name, value)
        stack.start(addresses, workers=1)
        try:
            yield addresses
        finally:
            stack.stop(addresses.home)
