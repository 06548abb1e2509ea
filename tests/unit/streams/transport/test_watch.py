"""When a partition counts as stalled."""

from faust.types import TP

from streams.transport.watch import STALL_S, Progress

A, B = TP("a", 0), TP("a", 1)


def test_a_partition_that_lags_and_stands_still_is_found():
    progress = Progress()
    assert progress.stalled({A: (10, 20)}, 0) == []
    assert progress.stalled({A: (10, 30)}, STALL_S - 0.1) == []
    assert progress.stalled({A: (10, 30)}, STALL_S) == [A]


def test_progress_starts_the_count_anew():
    progress = Progress()
    progress.stalled({A: (10, 20)}, 0)
    progress.stalled({A: (11, 20)}, STALL_S - 1)
    assert progress.stalled({A: (11, 20)}, STALL_S) == []


def test_an_idle_partition_is_not_stalled():
    progress = Progress()
    progress.stalled({A: (20, 20)}, 0)
    assert progress.stalled({A: (20, 20)}, 10 * STALL_S) == []
    assert progress.stalled({A: (20, 21)}, 11 * STALL_S - 1) == []


def test_a_partition_that_came_back_is_new():
    progress = Progress()
    progress.stalled({A: (10, 20), B: (0, 1)}, 0)
    progress.stalled({B: (0, 1)}, 1)
    assert progress.stalled({A: (10, 20)}, STALL_S) == []


def test_waiting_on_purpose_is_excused():
    progress = Progress()
    progress.stalled({A: (10, 20)}, 0)
    progress.excuse(STALL_S - 1)
    assert progress.stalled({A: (10, 20)}, STALL_S) == []
    assert progress.stalled({A: (10, 20)}, 2 * STALL_S) == [A]


def test_the_time_of_standing_is_told_from_the_first_second():
    progress = Progress()
    progress.stalled({A: (10, 20), B: (5, 5)}, 0)
    progress.stalled({A: (10, 25), B: (5, 5)}, 7)
    assert progress.standing(7) == {A: 7, B: 0}
    progress.stalled({A: (11, 25)}, 9)
    assert progress.standing(9) == {A: 0}
