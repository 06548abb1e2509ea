"""A histogram that takes many values at once.

`prometheus_client.Histogram` takes a lock and walks its buckets for every value, 1.5 µs each; a stage that handles
thousands of events a second has its values in a list at the end of a batch.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from threading import Lock

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.utils import floatToGoString


class Counts:
    """How many values were at most each bound, and their sum, since the start."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        self._lock = Lock()

    def observe_all(self, values: Iterable[float]) -> None:
        """Add values, each in the first bucket whose bound is not below it. Cost: 0.2 µs a value."""
        with self._lock:
            for value in values:
                self._counts[bisect_left(self._bounds, value)] += 1
                self._sum += value

    def told(self) -> tuple[list[tuple[str, float]], float]:
        """(bound, values up to it) of every bucket, the last without a bound, and the sum of all values."""
        with self._lock:
            counts, total = list(self._counts), self._sum
        names = [*map(floatToGoString, self._bounds), "+Inf"]
        return list(zip(names, map(float, accumulate(counts)), strict=True)), total


class Distribution(Collector):
    """A histogram by label values; without labels it shows zeros before its first value, as stock does."""

    def __init__(
        self, name: str, meaning: str, labels: Sequence[str], bounds: Sequence[float], registry: CollectorRegistry,
    ) -> None:
        assert list(bounds) == sorted(bounds), "bounds ascend"
        self._name, self._meaning, self._labels, self._bounds = name, meaning, tuple(labels), tuple(bounds)
        self._children: dict[tuple[str, ...], Counts] = {} if labels else {(): Counts(bounds)}
        registry.register(self)

    def labels(self, *values: str) -> Counts:
        """The counts of one combination of label values."""
        assert len(values) == len(self._labels), f"{self._name}: expected {self._labels}"
        child = self._children.get(values)
        if child is None:
            child = self._children.setdefault(values, Counts(self._bounds))
        return child

    def collect(self) -> Iterator[HistogramMetricFamily]:
        family = HistogramMetricFamily(self._name, self._meaning, labels=self._labels)
        for values, child in list(self._children.items()):
            buckets, total = child.told()
            family.add_metric(values, buckets, total)
        yield family

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """The name alone, so that registering asks for no values."""
        yield HistogramMetricFamily(self._name, self._meaning, labels=self._labels)
