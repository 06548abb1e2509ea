"""The network of a run in a process of its own: what else the run does must not slow it down."""

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection

from tests.chaos.network import Clients, Network, Rule

START_S_MAX = 60
_CONTEXT = multiprocessing.get_context("spawn")


class NetworkApart:
    """A `Network`, a context, asked from another process. `clients` and rules travel pickled."""

    def __init__(self, services: Mapping[str, tuple[int, int]], clients: Clients) -> None:
        self._here, there = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(there, dict(services), clients), daemon=True)

    def __enter__(self) -> "NetworkApart":
        self._process.start()
        self._answered()
        return self

    def __exit__(self, *_: object) -> None:
        self._here.send(None)
        self._process.join(START_S_MAX)

    @contextlib.contextmanager
    def during(self, *rules: Rule) -> Iterator[None]:
        """The rules hold inside the block."""
        self._ask("begin", rules)
        try:
            yield
        finally:
            self._ask("end", rules)

    def kill_at_next_insert(self, pid: int) -> None:
        """SIGKILL the process when ClickHouse has half of a piece of the next insert."""
        self._ask("kill", (pid,))

    def _ask(self, what: str, values: tuple[object, ...]) -> None:
        self._here.send((what, values))
        self._answered()

    def _answered(self) -> None:
        assert self._here.poll(START_S_MAX), "the network does not answer"
        assert self._here.recv() == "done"


def _serve(asked: Connection, services: dict[str, tuple[int, int]], clients: Clients) -> None:
    with Network(services, clients) as network:
        asked.send("done")
        while (question := asked.recv()) is not None:
            what, values = question
            if what == "begin":
                network.begin(*values)
            elif what == "end":
                network.end(*values)
            else:
                network.at_next_insert(lambda pid=values[0]: _kill(pid))  # type: ignore[misc]
            asked.send("done")


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
