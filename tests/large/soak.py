"""`python -m tests.large.soak --minutes 30 --rate 1600`: a steady load for long, and whether anything grows.

A stack of its own in a temporary home; the bench's events at one rate, new people all the time, so that the state
grows. Every ten seconds each part's resident memory, open files and threads are taken, with lag, age of the newest row
and size of the state. Written as CSV and as an SVG plot.

Flat is: over the second half, the line of least squares through a part's memory rises by no more than `RISE_MIB_H` a
hour, or by no more than twice its standard error; and of its open files the median of the last quarter is no more than
that of the quarter before and `FILES_MORE`. Exit 1 where a part is not flat, or the books do not balance.
"""

import argparse
import csv
import math
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from clickhouse_connect.driver.exceptions import ClickHouseError
from confluent_kafka import KafkaException

from deploy.bench.events import generate, people_for
from deploy.bench.plot import Panel, svg
from deploy.bench.sender import Sender
from deploy.bench.stack import free_base
from deploy.local import records, settle, stack
from deploy.local.ports import Addresses
from deploy.local.status import read as status
from sinks.clickhouse.client import connect
from streams.settings import Settings, load

EVERY_S = 10.0
STRETCH_S = 10
"""Events are made ready for so long at once."""
RISE_MIB_H = 20.0
FILES_MORE = 8


@dataclass(frozen=True)
class Sample:
    """A part, or with name `stack` the whole, at a moment. Absent figures are NaN."""

    at_s: float
    name: str
    memory_mib: float = math.nan
    files: float = math.nan
    threads: float = math.nan
    pid: int = 0
    lag: float = math.nan
    delay_s: float = math.nan
    state_mib: float = math.nan
    sent: int = 0


def look(addresses: Addresses, settings: Settings, at_s: float, sent: int) -> Iterator[Sample]:
    for record in records.read_all(addresses.home).values():
        process = records.process(record)
        if process is not None:
            try:
                with process.oneshot():
                    memory = process.memory_info().rss / 2**20
                    yield Sample(at_s, record.name, memory, process.num_fds(), process.num_threads(), process.pid)
            except psutil.NoSuchProcess:
                continue
    yield Sample(at_s, "stack", lag=_lag(addresses, settings), delay_s=_delay_s(addresses),
                 state_mib=_size(addresses.home / "state") / 2**20, sent=sent)


def _lag(addresses: Addresses, settings: Settings) -> float:
    try:
        return sum(settle.lag(addresses.kafka_bootstrap, settings).values())
    except KafkaException:
        return math.nan


def _delay_s(addresses: Addresses) -> float:
    """How old the newest row is; the load comes every 20 ms."""
    try:
        query = "SELECT (toUnixTimestamp64Milli(now64(3)) - toUnixTimestamp64Milli(max(received_at))) / 1000 " \
                "FROM onethread.facts_touchpoints"
        return float(connect(addresses.clickhouse_url).query(query).result_rows[0][0])
    except ClickHouseError:
        return math.nan


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # RocksDB and ClickHouse remove files as they work
            continue
    return total


class Load(threading.Thread):
    """Sends events at one rate until told to stop."""

    def __init__(self, addresses: Addresses, settings: Settings, rate: float) -> None:
        super().__init__(daemon=True)
        self._sender, self._rate, self._over = Sender(addresses, settings), rate, threading.Event()
        self.sent = 0

    def run(self) -> None:
        seed = 0
        while not self._over.is_set():
            count = int(self._rate * STRETCH_S)
            encoded = [self._sender.encode(event) for event in generate(count, people_for(count), seed)]
            self._sender.send_at(encoded, self._rate, self._noted)
            seed += 1

    def _noted(self, _number: int) -> None:
        self.sent += 1

    def stop(self) -> None:
        self._over.set()
        self.join()


def rise(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Slope of the line of least squares and its standard error, both an hour; x in seconds."""
    n = len(points)
    mean_x, mean_y = statistics.fmean(x for x, _ in points), statistics.fmean(y for _, y in points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    left = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in points)
    error = math.sqrt(left / (n - 2) / spread)
    return slope * 3600, error * 3600


def verdicts(samples: Sequence[Sample]) -> Iterator[tuple[str, str, bool]]:
    """Of each part: its name, what was found, whether it is flat."""
    end_s = max(sample.at_s for sample in samples)
    for name in sorted({sample.name for sample in samples} - {"stack", "supervisor"}):
        mine = [sample for sample in samples if sample.name == name]
        late = [sample for sample in mine if sample.at_s >= end_s / 2]
        slope, error = rise([(sample.at_s, sample.memory_mib) for sample in late])
        third, last = ([sample.files for sample in late if (sample.at_s >= end_s * 3 / 4) == is_last]
                       for is_last in (False, True))
        files = statistics.median(last) - statistics.median(third)
        restarts = len({sample.pid for sample in mine}) - 1
        flat = (slope <= RISE_MIB_H or slope <= 2 * error) and files <= FILES_MORE and not restarts
        yield name, (f"{late[-1].memory_mib:,.0f} MiB, {slope:+,.0f} ± {error:,.0f} MiB/h; {late[-1].files:.0f} files, "
                     f"{files:+.0f}; {late[-1].threads:.0f} threads; {restarts} restarts"), flat


def panels(samples: Sequence[Sample]) -> list[Panel]:
    names = sorted({sample.name for sample in samples} - {"stack", "supervisor"})

    def lines(field: str, of: Sequence[str]) -> dict[str, list[tuple[float, float]]]:
        return {name: [(sample.at_s / 60, getattr(sample, field)) for sample in samples
                       if sample.name == name and not math.isnan(getattr(sample, field))] for name in of}

    whole = {"lag": "records not yet consumed", "delay_s": "age of the newest row, seconds",
             "state_mib": "state on disk, MiB"}
    return [Panel("resident memory, MiB", lines("memory_mib", names)), Panel("open files", lines("files", names)),
            *(Panel(title, lines(field, ["stack"])) for field, title in whole.items())]


def soak(addresses: Addresses, minutes: float, rate: float, workers: int) -> list[Sample]:
    stack.start(addresses, workers)
    samples: list[Sample] = []
    settings = load(addresses.home)
    try:
        source = Load(addresses, settings, rate)
        started_s = time.monotonic()
        source.start()
        while (at_s := time.monotonic() - started_s) < minutes * 60:
            samples += look(addresses, settings, at_s, source.sent)
            print(f"{at_s / 60:5.1f} min, {source.sent:,} sent, lag {samples[-1].lag:,.0f}, rows "
                  f"{samples[-1].delay_s:.1f} s old", file=sys.stderr, flush=True)
            time.sleep(EVERY_S)
        source.stop()
        print(f"{source.sent:,} events in {minutes:g} minutes: {source.sent / minutes / 60:,.0f} a second, "
              f"{rate:,.0f} wanted")
        if left := settle.settle(addresses.kafka_bootstrap, settings, 900):
            sys.exit(f"not settled: {left}")
        books = status(addresses, settings).books
        print(f"books: {books}")
        if not books or books["difference"] or books["in"] != source.sent:
            sys.exit("the books do not balance")
        return samples
    finally:
        stack.stop(addresses.home)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=1650, help="events a second")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--csv", type=Path, default=Path("soak.csv"))
    parser.add_argument("--svg", type=Path, default=Path("docs/soak.svg"))
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        samples = soak(Addresses(Path(folder), free_base()), chosen.minutes, chosen.rate, chosen.workers)
    with chosen.csv.open("w") as file:
        writer = csv.writer(file)
        writer.writerow(Sample.__dataclass_fields__)
        writer.writerows([getattr(sample, field) for field in Sample.__dataclass_fields__] for sample in samples)
    chosen.svg.write_text(svg(panels(samples)))
    found = list(verdicts(samples))
    for name, text, is_flat in found:
        print(f"{'flat' if is_flat else 'NOT FLAT':9} {name}: {text}")
    sys.exit(not all(is_flat for _, _, is_flat in found))


if __name__ == "__main__":
    main()
