"""Exact acknowledgement as arithmetic: what may be committed, in which order, and what is refused."""

import pytest

from streams.transport.ranges import Ranges


def test_nothing_may_be_committed_before_the_first_range_is_done():
    ranges = Ranges(0)
    ranges.deliver(0, 100)
    ranges.deliver(100, 200)
    assert ranges.end_after() is None
    ranges.acknowledge(100)
    assert ranges.end_after() is None


def test_ranges_done_out_of_order_are_committed_as_one_prefix():
    ranges = Ranges(0)
    for start in (0, 100, 200):
        ranges.deliver(start, start + 100)
    ends = []
    for start in (100, 200, 0):
        ranges.acknowledge(start)
        ends.append(ranges.end_after())
    assert ends == [None, None, 300]


def test_a_group_counts_as_done_when_its_end_is_asked_for():
    ranges = Ranges(0)
    for start in (0, 100, 200):
        ranges.deliver(start, start + 100)
    assert ranges.end_after([0, 100]) == 200
    assert ranges.end_after([100]) is None


def test_a_committed_prefix_leaves_and_the_rest_stays():
    ranges = Ranges(0)
    for start in (0, 100, 200):
        ranges.deliver(start, start + 100)
    ranges.acknowledge(0)
    ranges.commit(100)
    assert ranges.end_after() is None
    assert ranges.end_after([100]) == 200


def test_committing_over_a_range_in_hand_is_a_bug():
    ranges = Ranges(0)
    ranges.deliver(0, 100)
    ranges.deliver(100, 200)
    ranges.acknowledge(100)
    with pytest.raises(AssertionError, match="still in hand"):
        ranges.commit(200)


def test_holes_inside_a_range_do_not_matter():
    """A range of 3 records may span 1,000 offsets: the others were compacted away or are transaction markers."""
    ranges = Ranges(0)
    ranges.deliver(0, 1000)
    ranges.acknowledge(0)
    assert ranges.end_after() == 1000


def test_markers_at_the_end_may_be_committed_when_nothing_is_in_hand():
    ranges = Ranges(0)
    ranges.deliver(0, 100)
    ranges.skip(100, 101)
    assert not ranges.is_idle
    ranges.acknowledge(0)
    assert ranges.is_idle
    assert ranges.end_after() == 101


def test_markers_behind_a_range_in_hand_wait_for_it():
    ranges = Ranges(0)
    ranges.deliver(0, 100)
    ranges.skip(100, 101)
    assert ranges.end_after() is None


def test_markers_before_a_range_go_with_it():
    ranges = Ranges(100)
    ranges.skip(100, 101)
    ranges.deliver(101, 150)
    assert not ranges.is_idle
    assert ranges.end_after([101]) == 150
    ranges.acknowledge(101)
    ranges.commit(150)
    assert ranges.is_idle
    assert ranges.end_after() is None


def test_records_dropped_on_the_way_are_noticed():
    ranges = Ranges(0)
    ranges.deliver(0, 100)
    with pytest.raises(AssertionError, match="does not begin at 100"):
        ranges.deliver(150, 200)


def test_after_a_rebalance_in_mid_batch_reading_starts_at_the_committed_offset():
    """What was in hand is not acknowledged: its next owner, or this worker again, reads it anew."""
    before = Ranges(0)
    before.deliver(0, 100)
    before.deliver(100, 200)
    before.acknowledge(0)
    committed = before.end_after()
    assert committed == 100
    again = Ranges(committed)
    again.deliver(100, 180)
    assert again.end_after([100]) == 180
    with pytest.raises(AssertionError, match="no range in hand"):
        again.acknowledge(0)


def test_a_restart_without_committed_offset_takes_the_first_position_that_comes():
    ranges = Ranges(None)
    ranges.deliver(42, 50)
    assert ranges.end_after([42]) == 50


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5)])
def test_an_empty_range_is_refused(start, end):
    with pytest.raises(AssertionError, match="expected a range"):
        Ranges(None).deliver(start, end)
