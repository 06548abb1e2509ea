"""What counts as flat, and the picture of it."""

from xml.etree import ElementTree

import pytest

from deploy.bench.plot import Panel, svg
from tests.large.soak import Sample, panels, rise, verdicts


def samples(mib_h: float, files: int = 0, restart: bool = False) -> list[Sample]:
    """An hour of one worker, with a little noise; files come in the last quarter."""
    return [Sample(at, "worker-0", 400 + mib_h * at / 3600 + at % 3, 100 + files * (at >= 2700), 40,
                   1 + (restart and at > 600)) for at in map(float, range(0, 3600, 10))]


def is_flat(found: list[Sample]) -> bool:
    ((name, _, flat),) = verdicts([*found, Sample(3600, "stack", lag=0)])
    assert name == "worker-0"
    return flat


def test_a_rise_over_the_limit_is_not_flat() -> None:
    assert is_flat(samples(0))
    assert is_flat(samples(15))
    assert not is_flat(samples(30))


def test_more_open_files_are_not_flat() -> None:
    assert is_flat(samples(0, files=8))
    assert not is_flat(samples(0, files=9))


def test_a_restart_is_not_flat() -> None:
    assert not is_flat(samples(0, restart=True))


def test_the_slope_comes_with_its_error() -> None:
    slope, error = rise([(0, 1.0), (1800, 2.0), (3600, 3.0)])
    assert (slope, error) == pytest.approx((2.0, 0.0))
    assert rise([(0, 1.0), (1, 3.0), (2, 1.0), (3, 3.0)])[1] > 0


def test_the_picture_holds_a_line_for_every_name() -> None:
    found = ElementTree.fromstring(svg([Panel("a < b", {"one": [(0, 1), (1, 2)], "two": [(0, 0)]})]))
    assert len(found.findall(".//{*}polyline")) == 2
    assert [panel.title for panel in panels(samples(0))][:2] == ["resident memory, MiB", "open files"]
