"""Looks at the processes of a stack while they work: CPU, memory, and what the workers' metrics say, summed."""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field

import psutil

from deploy.local.parts import http_text
from deploy.local.readings import Labels, samples

LOOK_S = 0.25
"""Every look costs the worker about 2 ms."""

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
    """Looks at processes, named by their part (`worker-0`), every quarter of a second while the block runs."""

    metrics_urls: list[str]
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

    def cpu_us(self, part: str, events: int) -> float:
        """CPU of a part's processes between the first look and the last, in µs an event."""
        first, last = self.looks[0].cpu_s, self.looks[-1].cpu_s
        return sum(last[name] - first[name] for name in last if name.startswith(part)) / events * 1e6

    def rss_mib(self, part: str) -> float:
        """Resident memory of a part at the last look: of several processes the largest."""
        return max(size for name, size in self.looks[-1].rss.items() if name.startswith(part)) / 2**20

    def _run(self) -> None:
        while not self._stop.is_set():
            if (found := self.look()) is not None:
                self.looks.append(found)
            self._stop.wait(LOOK_S)

    def look(self) -> Look | None:
        metrics: Metrics = defaultdict(float)
        for url in self.metrics_urls:
            text = http_text(url)
            if text is None:
                return None
            for name, labels, value in samples(text):
                if name.startswith("onethread_") and not name.endswith("_bucket"):
                    metrics[name, labels] += value
        try:
            cpu = {name: sum(process.cpu_times()[:2]) for name, process in self.processes.items()}
            rss = {name: process.memory_info().rss for name, process in self.processes.items()}
        except psutil.NoSuchProcess:
            return None
        return Look(time.monotonic(), metrics, cpu, rss)
