"""What the processes of a stack say at one moment: their `/metrics`, read together.

Counters of several workers are added where they are asked for; what only one may tell is told by one.
"""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from deploy.local.parts import http_text
from deploy.local.readings import Labels, samples
from streams import connections
from streams.connections import NOBODY

Page = Mapping[str, Mapping[Labels, float]]
"""Values of one process by name and labels."""

SCRAPE_S_MAX = 1.5


@dataclass(frozen=True)
class Scrape:
    """The pages of the processes that answered, by their names, and when (monotonic and Unix seconds)."""

    at_s: float
    unix_s: float
    pages: Mapping[str, Page]

    def find(self, name: str, **labels: str) -> Iterator[tuple[str, dict[str, str], float]]:
        """(process, labels, value) of every series of a metric that has these labels."""
        wanted = labels.items()
        for process, page in self.pages.items():
            for pairs, value in page.get(name, {}).items():
                has = dict(pairs)
                if wanted <= has.items():
                    yield process, has, value

    def total(self, name: str, **labels: str) -> float:
        """The sum over all processes; 0 where nobody tells it."""
        return sum(value for _, _, value in self.find(name, **labels))

    def largest(self, name: str, **labels: str) -> float | None:
        return max((value for _, _, value in self.find(name, **labels)), default=None)

    def by(self, label: str, name: str, **labels: str) -> dict[str, float]:
        """Sums by the values of a label."""
        found: dict[str, float] = {}
        for _, has, value in self.find(name, **labels):
            found[has[label]] = found.get(has[label], 0.0) + value
        return found


def scrape(urls: Mapping[str, str]) -> Scrape:
    """Ask all at once; who does not answer within SCRAPE_S_MAX is not there."""
    secured = connections.collector() if any(url.startswith("https:") for url in urls.values()) else NOBODY

    def ask(url: str) -> str | None:
        return http_text(url, SCRAPE_S_MAX, secured if url.startswith("https:") else NOBODY)

    with ThreadPoolExecutor(max(1, len(urls))) as threads:
        texts = dict(zip(urls, threads.map(ask, urls.values()), strict=True))
    pages = {name: parse(text) for name, text in texts.items() if text is not None}
    return Scrape(time.monotonic(), time.time(), pages)


def parse(text: str) -> Page:
    """Our metrics, and those of the process. Lines of others are passed over."""
    page: dict[str, dict[Labels, float]] = {}
    for name, labels, value in samples(text):
        if name.startswith(("onethread_", "process_")):
            page.setdefault(name, {})[labels] = value
    return page
