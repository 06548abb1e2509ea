"""Two scrapes as what an operator reads: rates, quantiles, lags; a process that began anew counts from 0."""

import pytest

from cli.flow import WINDOW_S, Lag, Part, flow, quantile
from cli.scraping import Scrape, parse

PARTS = [Part("worker-0", "running", 1)]


def scrape(at_s: float, text: str, process: str = "worker-0") -> Scrape:
    return Scrape(at_s, 1000 + at_s, {process: parse(text)})


def events(count: int, topic: str = "p.events.web") -> str:
    return f'onethread_events_in_total{{topic="{topic}"}} {count}\n'


def test_a_rate_is_the_increase_over_the_last_seconds() -> None:
    scrapes = [scrape(0, events(0)), scrape(50, events(1000)), scrape(50 + WINDOW_S, events(1250))]
    found = flow(scrapes, PARTS, ["worker-0"])
    assert (found.events_s, found.channels, found.seconds) == (25, {"web": 25}, WINDOW_S)


def test_a_worker_that_began_anew_counts_from_0_and_one_that_is_new_not_yet() -> None:
    assert flow([scrape(0, events(500)), scrape(10, events(20))], PARTS, []).events_s == 2
    assert flow([scrape(0, "", "other"), scrape(10, events(20))], PARTS, []).events_s == 0


def test_who_does_not_answer_is_silent() -> None:
    assert flow([scrape(0, ""), scrape(1, "")], PARTS, ["worker-0", "collector"]).silent == ["collector"]


def test_channels_come_the_busiest_first() -> None:
    old, new = events(0, "events.pos") + events(0), events(10, "events.pos") + events(30)
    assert flow([scrape(0, old), scrape(10, new)], [], []).channels == {"web": 3, "pos": 1}


def test_lags_of_partitions_are_added_and_a_topic_that_lagged_stays() -> None:
    def lags(facts: int, pos: int) -> str:
        return "".join((
            f'onethread_lag_records{{topic="facts",partition="0"}} {facts}\n',
            f'onethread_lag_records{{topic="facts",partition="1"}} {facts}\n',
            'onethread_stalled_seconds{topic="facts",partition="0"} 4\n',
            'onethread_stalled_seconds{topic="facts",partition="1"} 9\n',
            f'onethread_lag_records{{topic="events.pos",partition="0"}} {pos}\n',
            'onethread_lag_records{topic="events.web",partition="0"} 0\n',
        ))

    found = flow([scrape(0, lags(5, 1)), scrape(2, lags(7, 0))], [], [])
    assert found.lags == [Lag("facts", 14, [10, 14], 9), Lag("events.pos", 0, [1, 0], 0)]


def test_a_stage_tells_means_of_what_it_did_meanwhile() -> None:
    def stage(count: int, records: int, handle: float) -> str:
        return (f'onethread_batch_records_count{{stage="load"}} {count}\n'
                f'onethread_batch_records_sum{{stage="load"}} {records}\n'
                f'onethread_batch_seconds_count{{stage="load",step="handle"}} {count}\n'
                f'onethread_batch_seconds_sum{{stage="load",step="handle"}} {handle}\n')

    (load,) = flow([scrape(0, stage(10, 100, 1)), scrape(10, stage(15, 400, 2))], [], []).stages
    assert (load.name, load.groups_s, load.records, load.handle_s, load.commit_s) == ("load", 0.5, 60, 0.2, None)


def test_latency_is_of_the_events_that_became_visible_meanwhile() -> None:
    def visible(fast: int, slow: int) -> str:
        head = 'onethread_visible_seconds_bucket{since="produced",le='
        return (f'{head}"1.0"}} {fast}\n{head}"2.0"}} {fast + slow}\n{head}"+Inf"}} {fast + slow}\n'
                f'onethread_visible_seconds_count{{since="produced"}} {fast + slow}\n')

    found = flow([scrape(0, visible(1000, 0)), scrape(10, visible(1000, 100))], [], []).latency[1]
    assert (found.since, found.events, found.p50_s, found.p99_s) == ("produced", 100, 1.5, pytest.approx(1.99))


@pytest.mark.parametrize(("share", "wanted"), [(0.0, 0), (0.25, 0.5), (0.5, 1), (0.75, 3), (0.8, 3)])
def test_a_quantile_lies_on_a_straight_line_within_its_bucket(share: float, wanted: float) -> None:
    """Above the last bound it is that bound."""
    assert quantile(share, {"+Inf": 20, "3": 15, "1.0": 10}) == pytest.approx(wanted)


def test_nothing_has_no_quantile() -> None:
    assert quantile(0.5, {}) is None
    assert quantile(0.5, {"1": 0, "+Inf": 0}) is None


def test_books_are_told_once_clickhouse_told_them() -> None:
    book = 'onethread_books{entry="in"} 8\nonethread_books{entry="difference"} 0\n'
    unread = scrape(1, book + "onethread_books_read_seconds 0\n", "supervisor")
    read = scrape(1, book + "onethread_books_read_seconds 5\n", "supervisor")
    assert flow([unread, unread], [], []).books is None
    assert flow([unread, read], [], []).books == {"in": 8, "difference": 0}


def test_the_last_commit_has_an_age() -> None:
    told = scrape(5, "onethread_last_commit_seconds 1000\n")
    never = scrape(5, "onethread_last_commit_seconds 0\n")
    assert flow([told, told], [], []).last_commit_age_s == 5
    assert flow([never, never], [], []).last_commit_age_s is None
