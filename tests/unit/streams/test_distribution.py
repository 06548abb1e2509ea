"""A histogram of many values at once shows what the library's own shows of the same values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from streams.distribution import Distribution

BOUNDS = (0.5, 1, 10)


@given(st.lists(st.sampled_from([0, 0.5, 0.51, 1, 9.75, 10, 10.25, 1e9])))
def test_it_counts_as_the_library_does(values: list[float]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    Distribution("h", "What.", ["l"], BOUNDS, ours).labels("a").observe_all(values)
    stock = Histogram("h", "What.", ["l"], buckets=BOUNDS, registry=theirs)
    stock.labels("a")
    for value in values:
        stock.labels("a").observe(value)
    assert _samples(ours) == _samples(theirs)


def test_without_labels_it_is_there_before_its_first_value() -> None:
    registry = CollectorRegistry()
    Distribution("h", "What.", (), BOUNDS, registry)
    assert registry.get_sample_value("h_count") == 0


def test_bounds_ascend() -> None:
    with pytest.raises(AssertionError):
        Distribution("h", "What.", (), (2, 1), CollectorRegistry())


def _samples(registry: CollectorRegistry) -> list[bytes]:
    return sorted(line for line in generate_latest(registry).splitlines() if b"_created" not in line)
