"""Groups are as large as a few seconds allow."""

from streams.transport.pace import GROUP_S, QUICK_S, RECORDS_FIRST, RECORDS_MAX, RECORDS_MIN, Pace


def test_quick_groups_let_the_next_grow_up_to_the_most():
    pace = Pace()
    sizes = []
    for _ in range(4):
        sizes.append(pace.records)
        pace.took(pace.records, 0.1)
    assert sizes == [RECORDS_FIRST, 2 * RECORDS_FIRST, RECORDS_MAX, RECORDS_MAX]


def test_a_slow_group_cuts_the_next_to_what_would_have_been_in_time():
    pace = Pace(2000)
    pace.took(2000, 50.0)
    assert pace.records == 200
    pace.took(200, GROUP_S)
    pace.took(200, QUICK_S)
    assert pace.records == 200


def test_what_is_slow_whatever_its_size_does_not_end_in_groups_of_one():
    pace = Pace()
    for _ in range(10):
        pace.took(pace.records, 20.0)
    assert pace.records == RECORDS_MIN


def test_a_small_group_that_is_slow_says_nothing_of_larger_ones():
    """Never more than before."""
    pace = Pace(200)
    pace.took(2000, 6.0)
    assert pace.records == 200
