"""`python -m tests.fuzz.run --requests N --seed S`: requests of all kinds at the collector, each decided by the seed.

It must answer whatever keeps HTTP, never with 5xx, never die, keep its memory, and everything that it said it accepted
must arrive, as often as it counts it. What fails is written to a file, byte by byte, and its number printed:
`--only NUMBER` sends it again.
"""

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

from connectors.collector import keys
from deploy.local.parts import CHECKOUT, http_text, python_env
from deploy.local.ports import HOST
from deploy.local.readings import samples
from tests.conftest import free_base
from tests.fuzz.hooks import Signer
from tests.fuzz.requests import Access, Maker, Request
from tests.fuzz.site import ARRIVED

HOOKS, LETTERS = "hooks", "letters"
"""The sources of webhooks and of letters; all else comes from `fuzz`, whatever it says of itself."""

CONNECTIONS = 12
ANSWER_S = 30.0
ODD_ANSWER_S = 0.5
"""For what need not be answered."""
SAY_EVERY = 5_000
MEMORY_GROWTH_MAX = 80 << 20
CREEP_MAX = 8 << 20
"""Of a long run: how much more its last fifth may take than the second."""
CREEP_FROM = 50
"""Looks at the memory; fewer say nothing of a trend."""
WARM = 0.2
"""This share of the requests comes before memory is first judged."""


@dataclass
class Tally:
    """What came of the requests."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    wanted: set[str] = field(default_factory=set)
    """Ids of events that were accepted, as it is said in `site.ARRIVED`."""
    accepted: int = 0
    told: Counter[str] = field(default_factory=Counter)
    """Events that must arrive of webhooks and of letters."""
    unsure: int = 0
    failures: list[str] = field(default_factory=list)


class Line:
    """A connection, opened again when it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, request: Request) -> tuple[int, bytes] | None:
        """Status and body; None where the connection was closed without an answer."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(HOST, self._port, limit=1 << 20)
        assert self._reader is not None
        try:
            self._writer.write(request.data)
            if request.ends:
                await self._writer.drain()
                self._writer.write_eof()
            async with asyncio.timeout(ANSWER_S if request.is_whole else ODD_ANSWER_S):
                status, body, is_open = await _answer(self._reader, request.data.startswith(b"HEAD"))
        except TimeoutError:
            await self.close()
            if request.is_whole:
                raise
            return None
        except (OSError, asyncio.IncompleteReadError, ValueError):
            await self.close()
            return None
        if not is_open or not request.is_whole:
            await self.close()
        return status, body

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        self._writer = None


async def _answer(reader: asyncio.StreamReader, is_head: bool) -> tuple[int, bytes, bool]:
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        if status != 100:
            break
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    if is_head or status in (204, 304):
        return status, b"", fields.get("connection") != "close"
    if "chunked" in fields.get("transfer-encoding", ""):
        body = b""
        while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
    else:
        body = await reader.readexactly(int(fields.get("content-length", "0")))
    return status, body, fields.get("connection") != "close"


def judge(tally: Tally, request: Request, answer: tuple[int, bytes] | None) -> str:
    """Note an answer; what is wrong with it, else nothing."""
    tally.statuses[request.kind, answer[0] if answer else 0] += 1
    if answer is None:
        tally.unsure += 1
        return "no answer" if request.is_whole else ""
    status, body = answer
    if status >= 500 or status != (request.status or status):
        return f"{status}: {body[:200]!r}"
    tally.told[request.kind] += request.events
    if status == 200 and b'"accepted":' in body:
        tally.accepted += json.loads(body)["accepted"]
    if request.ids:
        if status != 200 or json.loads(body)["accepted"] != len(request.ids):
            return f"{status} for good events: {body[:200]!r}"
        tally.wanted.update(request.ids)
    return ""


class Site:
    """The collector in a process of its own."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port = home, port
        write, _ = keys.add(home, "fuzz", channels=("web", "app", "email", "crm"), rate=1e7)
        read, _ = keys.add(home, "reader", scope="read")
        letters, _ = keys.add(home, LETTERS, channels=("email",), links=True, rate=1e7)
        self.access = Access(write, read, letters, Signer())
        keys.add(home, HOOKS, channels=("web",), rate=1e7, secrets=dict(self._secrets()))
        self.log = (home / "log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.site", str(home), str(port)], cwd=CHECKOUT, stdout=self.log,
            stderr=self.log, env={**dict(_environ()), **python_env()},
        )
        while http_text(f"http://{HOST}:{port}/healthz") is None:
            assert self.process.poll() is None, f"the collector does not start: {home / 'log'}"
            time.sleep(0.1)

    def _secrets(self) -> Iterator[tuple[str, str]]:
        for system, text in self.access.signer.secrets.items():
            path = self.home / f"{system}.secret"
            path.write_text(text)
            yield system, f"file:{path}"

    def memory(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def await_drained(self) -> None:
        while json.loads(http_text(f"http://{HOST}:{self.port}/readyz", 10) or '{"waiting": 1}')["waiting"]:
            time.sleep(0.2)

    def arrived(self) -> Counter[str]:
        return Counter((self.home / ARRIVED).read_text().splitlines())

    def counted(self) -> Counter[str]:
        """What the collector's own metric says: events accepted by source, and `!`: refused."""
        page, found = http_text(f"http://{HOST}:{self.port}/metrics", 10) or "", Counter[str]()
        for name, labels, value in samples(page):
            if name == "onethread_collector_events_total":
                told = dict(labels)
                found[told["source"] if told["outcome"] == "accepted" else "!"] += int(value)
        return found

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


def _environ() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(CHECKOUT)}


async def fuzz(site: Site, maker: Maker, first: int, count: int, tally: Tally, memory: list[int]) -> None:
    """Send requests first … first + count over several connections."""
    numbers = iter(range(first, first + count))
    began = time.monotonic()

    async def connection() -> None:
        line = Line(site.port)
        for number in numbers:
            request = maker.request(number)
            try:
                wrong = judge(tally, request, await line.send(request))
            except TimeoutError:
                wrong = f"no answer within {ANSWER_S:g} s"
            if wrong:
                path = site.home / f"failure-{number}"
                path.write_bytes(request.data)
                tally.failures.append(f"{number} ({request.kind}): {wrong}; {path}")
                print(tally.failures[-1], flush=True)
            if (number - first + 1) % SAY_EVERY == 0:
                memory.append(site.memory())
                rate = (number - first + 1) / (time.monotonic() - began)
                print(f"{number + 1:,} requests, {rate:.0f}/s, {memory[-1] >> 20} MiB, {len(tally.failures)} failures",
                      flush=True)
            assert site.process.poll() is None, f"the collector ended with {site.process.returncode}"
        await line.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    memory.append(site.memory())


def verdict(site: Site, tally: Tally, memory: list[int]) -> list[str]:
    """What is wrong with the run as a whole."""
    site.await_drained()
    arrived, counted = site.arrived(), site.counted()
    letters = arrived.pop("!", 0)
    by_source = Counter[str]()
    for line, count in arrived.items():
        source = line.partition("\t")[0]
        by_source[source if source in (HOOKS, LETTERS) else "fuzz"] += count
    wrong = [*tally.failures, *_of_memory(memory)]
    if missing := {f"fuzz\t{name!r}" for name in tally.wanted} - arrived.keys():
        wrong.append(f"{len(missing)} accepted events did not arrive, such as {min(missing)!r}")
    if not tally.accepted <= by_source["fuzz"] <= tally.accepted + tally.unsure:
        wrong.append(f"accepted {tally.accepted:,}, arrived {by_source['fuzz']:,}, without an answer {tally.unsure:,}")
    for source, kind in ((HOOKS, "hook"), (LETTERS, "letter")):
        if by_source[source] < tally.told[kind]:
            wrong.append(f"{source}: expected at least {tally.told[kind]:,} events, arrived {by_source[source]:,}")
    if (here := by_source + Counter({"!": letters})) != counted:
        wrong.append(f"arrived {dict(here)}, but the collector counts {dict(counted)}")
    print(f"accepted {tally.accepted:,}, of these known by id {len(tally.wanted):,}; arrived {by_source['fuzz']:,}; "
          f"of webhooks {by_source[HOOKS]:,}, known {tally.told['hook']:,}; of letters {by_source[LETTERS]:,}, known "
          f"{tally.told['letter']:,}; dead letters {letters:,}; memory {memory[0] >> 20} to {max(memory) >> 20} MiB")
    for kind in sorted({kind for kind, _ in tally.statuses}):
        of_kind = sorted((status, n) for (of, status), n in tally.statuses.items() if of == kind)
        print(f"  {kind:7}", ", ".join(f"{status or 'closed'}: {n:,}" for status, n in of_kind))
    return wrong


def _of_memory(memory: list[int]) -> list[str]:
    warm = memory[int(len(memory) * WARM) :]
    if max(warm) > warm[0] + MEMORY_GROWTH_MAX:
        return [f"memory grew from {warm[0] >> 20} to {max(warm) >> 20} MiB"]
    fifth = len(memory) // 5
    creep = 0 if len(memory) < CREEP_FROM else median(memory[-fifth:]) - median(memory[fifth : 2 * fifth])
    return [f"memory creeps: {creep / 2**20:.1f} MiB over the run"] if creep > CREEP_MAX else []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="this one request of the seed")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="onethread-fuzz-"))
    site = Site(home, free_base())
    tally, memory = Tally(), [site.memory()]
    maker = Maker(options.seed, site.access)
    first, count = (0, options.requests) if options.only is None else (options.only, 1)
    try:
        asyncio.run(fuzz(site, maker, first, count, tally, memory))
        wrong = verdict(site, tally, memory)
    finally:
        site.stop()
    print("\n".join(wrong) or f"{count:,} requests, seed {options.seed}: nothing wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
