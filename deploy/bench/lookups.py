"""`python -m deploy.bench.lookups`: how fast the collector of a running stack answers look-ups at a steady rate.

Rules: requests leave on schedule whether answers come or not, and are timed from when they should have left, so that a
pause shows in every request it delays; the floor is an empty handler of the same process, asked at the same rate in
the same minutes. Persons are drawn at random from what the stack knows. The key is made for the run and dropped.
"""

import argparse
import asyncio
import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from urllib.parse import quote

import aiohttp

from connectors.collector import keys
from deploy.bench.latency import quantile
from deploy.bench.stack import process
from deploy.local import records
from deploy.local.ports import Addresses
from sinks.clickhouse.client import connect
from sinks.clickhouse.profile import select
from streams.errors import OneThreadError

WARM_S = 2.0
PERSONS_MAX = 20_000
SHARES = (0.5, 0.9, 0.99, 0.999)

SAMPLE = """
SELECT kind, value FROM onethread.facts_identifiers FINAL
WHERE NOT shared AND kind NOT IN ('order_id', 'click_id', 'email_sha256')
ORDER BY cityHash64(node) LIMIT {most:UInt32}
"""


async def measure(
    base: str, paths: Sequence[str], key: str, rate: float, seconds: float,
) -> tuple[list[float], Counter[int]]:
    """Seconds of each request, in order of size, and how often each status came."""
    took: list[float] = []
    statuses: Counter[int] = Counter()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(base, headers={"Authorization": f"Bearer {key}"}, connector=connector) as session:

        async def one(path: str, due: float) -> None:
            async with session.get(path) as answer:
                await answer.read()
                statuses[answer.status] += 1
            if due >= began + WARM_S:
                took.append(time.perf_counter() - due)

        began = time.perf_counter()
        tasks = []
        for number in range(int(rate * (seconds + WARM_S))):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(one(random.choice(paths), due)))
        await asyncio.gather(*tasks)
    return sorted(took), statuses


def persons(addresses: Addresses) -> list[str]:
    """Paths of look-ups. Errors: OneThreadError where the stack knows nobody."""
    rows = select(connect(addresses.clickhouse_url), SAMPLE, most=PERSONS_MAX)
    if not rows:
        raise OneThreadError("the stack knows nobody yet: emit some events first")
    return [f"/v1/persons/{row['kind']}/{quote(row['value'])}" for row in rows]


def cpu_s(addresses: Addresses) -> dict[str, float]:
    """CPU seconds that the parts have used which answer look-ups."""
    names = [name for name in records.read_all(addresses.home) if name == "collector" or name.startswith("worker-")]
    times = {name: process(addresses, name).cpu_times() for name in names}
    return {name: found.user + found.system for name, found in times.items()}


async def run(addresses: Addresses, rate: float, seconds: float, rounds: int) -> None:
    """Floor and look-ups in turns, and one line of each."""
    paths = persons(addresses)
    print(f"{len(paths):,} identifiers, {rate:g} requests a second, {rounds} times {seconds:g} s each, "
          f"{os.cpu_count()} CPUs, load before {os.getloadavg()[0]:.1f}")
    text, key = keys.add(addresses.home, "bench", scope="read")
    found: dict[str, list[float]] = {"empty handler": [], "look-up": []}
    used: dict[str, defaultdict[str, float]] = {name: defaultdict(float) for name in found}
    try:
        await asyncio.sleep(2 * keys.LOOK_EVERY_S)
        for _ in range(rounds):
            for name, asked in (("empty handler", ["/healthz"]), ("look-up", paths)):
                before = cpu_s(addresses)
                took, statuses = await measure(addresses.collector_url, asked, text, rate, seconds)
                for part, spent in cpu_s(addresses).items():
                    used[name][part] += (spent - before[part]) * 1000 / statuses.total() / rounds
                if set(statuses) != {200}:
                    print(f"{name}: other answers than 200: {dict(statuses)}", file=sys.stderr)
                found[name] += took
    finally:
        keys.drop(addresses.home, key.id)
    for name, took in found.items():
        took.sort()
        shown = "  ".join(f"p{100 * share:g} {1000 * quantile(took, share):6.1f} ms" for share in SHARES)
        print(f"{name:14} {len(took):6,} requests  {shown}  max {1000 * took[-1]:6.1f} ms")
    for name, per in used.items():
        print(f"{name:14} CPU a request: " + ", ".join(f"{part} {ms:.2f} ms" for part, ms in per.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    asyncio.run(run(Addresses.from_environ(), options.rate, options.seconds, options.rounds))


if __name__ == "__main__":
    main()
