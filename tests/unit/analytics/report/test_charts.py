"""Charts: what is drawn is as large as what it stands for, and labels keep off each other."""

import re
from xml.etree import ElementTree

import pytest

from analytics.report import bars, grids, lines
from analytics.report.sankey import FLOWS_MAX, Flow, sankey
from analytics.report.svg import apart, ceiling, shortened
from analytics.report.writing import amount, pause, percent


def boxes(chart: str) -> dict[str, tuple[float, float]]:
    """(width, height) of every box by its title."""
    return {
        one.findtext("title", ""): (float(one.get("width", 0)), float(one.get("height", 0)))
        for one in ElementTree.fromstring(chart).iter("rect")
    }


def test_parts_of_a_whole_are_as_wide_as_their_shares() -> None:
    found = boxes(bars.whole("t", [("row", [bars.Part("a", 3, "online"), bars.Part("b", 1, "store")])]))
    widths = {name: width + 2 for name, (width, _) in found.items()}
    assert widths["a: 75.0%"] == pytest.approx(3 * widths["b: 25.0%"], abs=0.5)


def test_bars_have_one_scale() -> None:
    found = boxes(bars.rows("t", [("x", [bars.Part("a", 10, "s0")], "10"), ("y", [bars.Part("a", 5, "s0")], "5")]))
    assert found["x, a: 10"][0] + 1 == pytest.approx(2 * (found["y, a: 5"][0] + 1), abs=0.5)


def test_nodes_of_a_sankey_are_as_high_as_what_flows_through_them() -> None:
    flows = [Flow("a", "x", 30), Flow("a", "y", 10), Flow("b", "x", 20)]
    chart = sankey("t", ("from", "to"), flows, lambda _: "online")
    found = {name: height for name, (_, height) in boxes(chart).items()}
    assert found["a: 40"] == pytest.approx(2 * found["b: 20"], abs=0.5)
    assert found["x: 50"] == pytest.approx(5 * found["y: 10"], abs=0.5)
    assert chart.count("<path") == 3


def test_a_channel_may_be_on_both_sides_of_a_sankey() -> None:
    chart = sankey("t", ("from", "to"), [Flow("a", "b", 1), Flow("b", "a", 1)], lambda _: "online")
    assert sorted(name for name in re.findall(r">(\w)  1<", chart)) == ["a", "a", "b", "b"]


def test_of_many_flows_the_largest_are_shown() -> None:
    flows = [Flow(f"s{n}", "e", n) for n in range(FLOWS_MAX + 5)]
    chart = sankey("t", ("from", "to"), flows, lambda _: "online")
    assert chart.count("<path") == FLOWS_MAX
    assert "s4 → e" not in chart


def test_cells_of_a_matrix_have_one_scale() -> None:
    cells = {("a", "first"): 0.8, ("a", "last"): 0.4}
    found = boxes(grids.matrix("t", ["a"], ["first", "last"], cells, lambda _: "online", percent))
    assert found["a, first: 80.0%"][0] == pytest.approx(2 * found["a, last: 40.0%"][0], abs=0.5)


def test_a_heat_map_leaves_out_what_is_not_there() -> None:
    cells = {("Jan", "0"): 1.0, ("Feb", "1"): 0.5}
    found = boxes(grids.heat("t", [("Jan", "3"), ("Feb", "2")], ["0", "1"], cells, percent))
    assert set(found) == {"Jan, 0: 100.0%", "Feb, 1: 50.0%"}


def test_lines_are_named_at_their_ends_apart_from_each_other() -> None:
    times = ["1 Jan", "8 Jan"]
    chart = lines.lines("t", times, {name: dict.fromkeys(times, 0.5) for name in ("a", "b")}, percent)
    ends = [float(one.get("y", 0)) for one in ElementTree.fromstring(chart).iter("text")
            if "name" in one.get("class", "")]
    assert abs(ends[0] - ends[1]) >= 16


@pytest.mark.parametrize(("wanted", "placed"), [
    ([10, 50], [10, 50]), ([50, 10], [50, 10]), ([10, 12, 14], [10, 26, 42]), ([14, 10], [26, 10]), ([], []),
])
def test_labels_keep_apart(wanted: list[float], placed: list[float]) -> None:
    assert apart(wanted, 16) == placed


@pytest.mark.parametrize(("value", "top"), [(0.41, 0.5), (1, 1), (7, 10), (180, 200), (2.1, 2.5), (0.09, 0.1)])
def test_scales_end_at_round_numbers(value: float, top: float) -> None:
    assert ceiling(value) == pytest.approx(top)


def test_long_labels_are_cut() -> None:
    assert shortened("short", 100) == "short"
    assert shortened("a rather long name", 60) == "a rathe…"


@pytest.mark.parametrize(("value", "told"), [
    (1234.4, "1,234 UAH"), (12.5, "12.50 UAH"), (12.0, "12 UAH"), (0.0, "0 UAH"), (None, "–"),
])
def test_amounts(value: float | None, told: str) -> None:
    assert amount(value, "UAH") == told


@pytest.mark.parametrize(("seconds", "told"), [
    (10, "under a minute"), (90, "2 min"), (3_600, "1 h"), (58_320, "16 h 12 min"), (90_061, "1 d 1 h"),
])
def test_pauses(seconds: float, told: str) -> None:
    assert pause(seconds) == told
