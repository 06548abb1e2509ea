"""One frame as an operator sees it: what is wrong is said, and in red."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from cli.flow import Part, flow
from cli.scraping import Scrape, parse
from cli.screen import rate, screen, seconds, sparkline

PAGE = (
    'onethread_events_in_total{topic="events.web"} %d\n'
    'onethread_lag_records{topic="facts",partition="0"} %d\n'
    "onethread_partitions_assigned 3\nonethread_partitions_expected 4\n"
    'onethread_books{entry="in"} 8\nonethread_books{entry="touchpoints"} 7\nonethread_books{entry="difference"} 1\n'
    "onethread_books_read_seconds 1\n"
)


def frame(lag: int, state: str = "running") -> str:
    pages = [Scrape(at, at, {"worker-0": parse(PAGE % (at * 100, lag))}) for at in (0, 2)]
    found = flow(pages, [Part("worker-0", state, 2)], ["worker-0", "collector"])
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(screen(found, "/home/x", datetime(2026, 1, 2, tzinfo=UTC)))
    return console.export_text()


def test_a_frame_says_how_the_stack_is() -> None:
    text = frame(lag=5)
    assert "onethread not well   100 events/s   lag 5" in text
    assert "3 of 4" in text
    assert "no answer" in text
    assert "in 8 = touchpoints 7  1 on their way" in text


def test_a_difference_while_nothing_lags_is_one() -> None:
    assert "in 8 = touchpoints 7  difference 1" in frame(lag=0)


def test_a_part_that_does_not_run_is_told_as_it_is() -> None:
    assert "restarting" in frame(0, "restarting")


@pytest.mark.parametrize(("values", "line"), [
    ([], ""), ([0, 0], "  "), ([1, 8], "▁█"), ([0, 4, 8], " ▄█"), ([7, 7], "██"), ([1, 1000], "▁█"),
])
def test_a_sparkline_has_a_bar_for_each_value(values: list[int], line: str) -> None:
    assert sparkline(values) == line


@pytest.mark.parametrize(("value", "text"), [
    (None, "–"), (0.0004, "0.4 ms"), (0.34, "340 ms"), (1.44, "1.4 s"), (119, "119.0 s"), (720, "12 min"),
    (3 * 3600, "3 h"), (86_400, "over 24 h"),
])
def test_seconds_are_told_in_their_unit(value: float | None, text: str) -> None:
    assert seconds(value) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (0.25, "0.2"), (9.94, "9.9"), (10, "10"), (1234.5, "1,234")])
def test_rates_are_told_to_the_digit_that_matters(value: float, text: str) -> None:
    assert rate(value) == text
