"""Network faults without rights of an administrator: TCP proxies between the parts, whose rules a test sets.

Rules: a proxy stands before one service; it knows by the port of a connection which part made it, so that one part can
be cut off while the others go on. Three ways to be in trouble: refused (connections are reset, new ones too), silent
(nothing arrives any more and nothing is said, as behind a firewall; what was under way arrives when it is over, as TCP
repeats it), slow (a delay for each piece, and a rate). The proxies live in a thread of their own, and a run's in a
process of their own (`apart`), or whatever else the run does would slow the network down.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

import psutil

HOST = "127.0.0.1"
CHUNK_BYTES = 64 << 10
Trap = Callable[[], None]


class Clients(Protocol):
    """Who connects: the parts that are told apart, and the process of each, None where it has none."""

    def names(self) -> list[str]: ...

    def pid(self, name: str) -> int | None: ...


@dataclass(frozen=True)
class Rule:
    """What happens to connections to `service` made by `client` (None: by anybody)."""

    service: str
    client: str | None
    how: str
    delay_s: float = 0.0
    bytes_a_second: float = float("inf")


class Link:
    """One connection through a proxy, made from a port."""

    def __init__(self, service: str, port: int, client: str | None, writers: list[asyncio.StreamWriter]) -> None:
        self.service, self.port, self.client, self.writers = service, port, client, writers

    def is_of(self, rule: Rule) -> bool:
        return rule.service == self.service and rule.client in (None, self.client)

    def reset(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


class Network:
    """The proxies of a deployment; a context, and `during` sets a rule for a while.

    Shape: `services` maps a name to (port of the proxy, port of the service).
    """

    def __init__(self, services: Mapping[str, tuple[int, int]], clients: Clients) -> None:
        self._services, self._clients = services, clients
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._rules: list[Rule] = []
        self._links: set[Link] = set()
        self._changed = asyncio.Condition()
        self._servers: list[asyncio.Server] = []
        self._trap: Trap | None = None

    def __enter__(self) -> "Network":
        self._thread.start()
        for service, (port, to) in self._services.items():
            self._do(self._serve(service, port, to)).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close()).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @contextlib.contextmanager
    def during(self, *rules: Rule) -> Iterator[None]:
        """The rules hold inside the block."""
        self.begin(*rules)
        try:
            yield
        finally:
            self.end(*rules)

    def begin(self, *rules: Rule) -> None:
        self._do(self._set(rules, [])).result(10)

    def end(self, *rules: Rule) -> None:
        self._do(self._set([], rules)).result(10)

    def at_next_insert(self, trap: Trap) -> None:
        """Call `trap` when half of a piece of the next insert has gone to ClickHouse."""
        self._trap = trap

    # -- in the thread of the proxies

    def _do(self, work: Coroutine[Any, Any, None]) -> "Future[None]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _serve(self, service: str, port: int, to: int) -> None:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._join(service, to, reader, writer)

        self._servers.append(await asyncio.start_server(accept, HOST, port))

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for link in list(self._links):
            link.reset()
        await asyncio.sleep(0.05)

    async def _set(self, new: Any, gone: Any) -> None:
        await self._name_all()
        async with self._changed:
            self._rules += new
            for rule in gone:
                self._rules.remove(rule)
            for link in list(self._links):
                if any(rule.how == "refused" and link.is_of(rule) for rule in self._rules):
                    link.reset()
            self._changed.notify_all()

    async def _name_all(self) -> None:
        """A process that takes a worker's place connects before its supervisor has noted that it does."""
        owners = await asyncio.to_thread(self._owners)
        for link in self._links:
            link.client = link.client or owners.get(link.port)

    async def _join(
        self, service: str, to: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
    ) -> None:
        port = writer.get_extra_info("peername")[1]
        owners = await asyncio.to_thread(self._owners)
        link = Link(service, port, owners.get(port), [writer])
        self._links.add(link)
        try:
            if self._holds(link, "refused"):
                return
            await self._until_heard(link)
            far_reader, far_writer = await asyncio.open_connection(HOST, to)
            link.writers.append(far_writer)
            await asyncio.gather(
                self._pump(link, reader, far_writer, True), self._pump(link, far_reader, writer, False))
        except OSError:
            pass  # either side went away; so does the other
        finally:
            self._links.discard(link)
            link.reset()

    async def _pump(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_request: bool,
    ) -> None:
        while data := await reader.read(CHUNK_BYTES):
            await self._until_heard(link)
            for rule in self._rules:
                if rule.how == "slow" and link.is_of(rule):
                    await asyncio.sleep(rule.delay_s + len(data) / rule.bytes_a_second)
            if is_request and self._trap and link.service == "clickhouse" and b"INSERT" in data:
                trap, self._trap = self._trap, None
                writer.write(data[: len(data) // 2])
                await writer.drain()
                trap()
                data = data[len(data) // 2 :]
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()

    async def _until_heard(self, link: Link) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._holds(link, "silent"))

    def _holds(self, link: Link, how: str) -> bool:
        return any(rule.how == how and link.is_of(rule) for rule in self._rules)

    def _owners(self) -> dict[int, str]:
        """Whose connections they are, by the port that they came from."""
        found: dict[int, str] = {}
        for name in self._clients.names():
            pid = self._clients.pid(name)
            with contextlib.suppress(psutil.Error):
                if pid:
                    found |= {c.laddr.port: name for c in psutil.Process(pid).net_connections("tcp4")}
        return found
