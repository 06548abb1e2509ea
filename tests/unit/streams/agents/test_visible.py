"""What counts as becoming visible, once, and how old the oldest is that is not."""

from types import SimpleNamespace
from typing import Any

from faust.types import TP

from streams import metrics
from streams.agents.visible import Visible, Waiting
from streams.core.facts import Facts, decode, encode

A, B, OTHER = TP("facts", 0), TP("facts", 1), TP("identity", 0)


def counted(since: str) -> tuple[float, float]:
    read = metrics.WORKER.get_sample_value
    labels = {"since": since}
    return (read("onethread_visible_seconds_count", labels) or 0, read("onethread_visible_seconds_sum", labels) or 0)


def batch(tp: TP, *timestamps: int) -> Any:
    return SimpleNamespace(tp=tp, records=[SimpleNamespace(timestamp=at) for at in timestamps])


def test_an_event_counts_from_its_own_time_and_from_kafkas() -> None:
    (occurred, occurred_s), (produced, produced_s), visible = counted("occurred"), counted("produced"), Visible()
    visible.meet(decode(encode(Facts("touchpoints", [], [], [(1000, 9000), (2000, 9500)]))))
    visible.tell(10_000)
    assert counted("occurred") == (occurred + 2, occurred_s + 9 + 8)
    assert counted("produced") == (produced + 2, produced_s + 1 + 0.5)


def test_rows_that_are_sent_again_count_for_nothing() -> None:
    before, visible = counted("produced"), Visible()
    visible.meet(decode(encode(Facts("touchpoints", [[1, "row"]], []))))
    visible.tell(10_000)
    assert counted("produced") == before


def test_a_merge_counts_from_what_caused_it() -> None:
    (count, seconds), visible = counted("merge"), Visible()
    visible.meet(Facts("merges", [(5, b"p", b"q", "merged", "e1", 7000, "phone with email")], []))
    visible.tell(10_000)
    assert counted("merge") == (count + 1, seconds + 3)


def test_a_group_tried_again_counts_once_and_a_clock_ahead_of_ours_as_nothing() -> None:
    (count, seconds), visible = counted("produced"), Visible()
    for _ in range(2):
        visible.begin()
        visible.meet(Facts("touchpoints", [], [], [(1000, 12_000)]))
    visible.tell(10_000)
    assert counted("produced") == (count + 1, seconds)


def test_nothing_waits_where_all_is_read() -> None:
    assert Waiting({"facts"}).age_ms({A: (5, 5), OTHER: (0, 9)}, 1000) == 0


def test_what_is_in_hand_waits_since_its_first_record() -> None:
    waiting = Waiting({"facts"})
    waiting.take([batch(A, 400, 900), batch(B, 700)])
    assert waiting.age_ms({A: (5, 7), B: (0, 1)}, 1000) == 600
    waiting.take([batch(A, 800)])
    assert waiting.age_ms({A: (5, 7), B: (0, 1)}, 1000) == 600, "the same group, tried again"
    waiting.done([batch(A, 400, 900)])
    assert waiting.age_ms({A: (6, 7), B: (0, 1)}, 1000) == 300


def test_what_nobody_has_read_yet_is_younger_than_the_last_that_was_done() -> None:
    waiting = Waiting({"facts"})
    waiting.done([batch(A, 400, 900)])
    assert waiting.age_ms({A: (6, 7)}, 1000) == 100
    assert waiting.age_ms({A: (7, 7)}, 2000) == 0
    assert waiting.age_ms({A: (7, 8)}, 2500) == 500


def test_an_unknown_backlog_counts_from_the_first_look() -> None:
    waiting = Waiting({"facts"})
    assert waiting.age_ms({A: (0, 9)}, 1000) == 0
    assert waiting.age_ms({A: (0, 9)}, 4000) == 3000
    waiting.take([batch(A, 400)])
    waiting.give_up()
    assert waiting.age_ms({A: (0, 9)}, 4000) == 3000
