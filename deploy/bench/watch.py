"""Looks at the processes of a stack while they work: CPU, memory, and what the worker's metrics say."""

import threading
import time
from dataclasses import dataclass, field

import psutil
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.parts import http_text

LOOK_S = 0.25
"""Every look costs the worker about 2 ms."""

Labels = tuple[tuple[str, str], ...]
Metrics = dict[tuple[str, Labels], float]


@dataclass(frozen=True)
class Look:
    at: float
    metrics: Metrics
    cpu_s: dict[str, float]
    rss: dict[str, int]

    def total(self, name: str, **labels: str) -> float:
        """The sum of a metric over all labels that are not given."""
        wanted = set(labels.items())
        return sum(value for (found, has), value in self.metrics.items() if found == name and wanted <= set(has))


@dataclass
class Watch:
    """Looks at `processes` every quarter of a second, from the start of the block to its end."""

    metrics_url: str
    processes: dict[str, psutil.Process]
    looks: list[Look] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "Watch":
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()

    def cpu_us(self, name: str, events: int) -> float:
        """CPU of a process between the first look and the last, in µs an event."""
        return (self.looks[-1].cpu_s[name] - self.looks[0].cpu_s[name]) / events * 1e6

    def rss_mib(self, name: str) -> float:
        return self.looks[-1].rss[name] / 2**20

    def _run(self) -> None:
        while not self._stop.is_set():
            if (found := self.look()) is not None:
                self.looks.append(found)
            self._stop.wait(LOOK_S)

    def look(self) -> Look | None:
        text = http_text(self.metrics_url)
        if text is None:
            return None
        metrics: Metrics = {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text) for sample in family.samples
            if sample.name.startswith("onethread_") and not sample.name.endswith(("_bucket", "_created"))
        }
        try:
            cpu = {name: sum(process.cpu_times()[:2]) for name, process in self.processes.items()}
            rss = {name: process.memory_info().rss for name, process in self.processes.items()}
        except psutil.NoSuchProcess:
            return None
        return Look(time.monotonic(), metrics, cpu, rss)
