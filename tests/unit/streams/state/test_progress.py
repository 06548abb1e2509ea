"""What is told of a restore."""

from streams.state.progress import Restoring


def test_percent_and_seconds_left_follow_from_what_is_done():
    assert Restoring(10.0, 1000).told(250, 13.0) == (75, 1)
    assert Restoring(10.0, 100_000).told(90_000, 12.0) == (10, 18)


def test_the_seconds_are_not_known_at_once():
    assert Restoring(10.0, 1000).told(900, 10.9) == (10, None)
    assert Restoring(10.0, 1000).told(1000, 60.0) == (0, None)


def test_a_hundred_percent_is_all_of_it():
    assert Restoring(0.0, 1000).told(1, 9.0) == (99, 1)
    assert Restoring(0.0, 1000).told(0, 9.0) == (100, 0)
    assert Restoring(0.0, 0).told(0, 9.0) == (100, 0)


def test_more_left_than_there_was_is_no_progress():
    """The end of the log is asked for anew at times."""
    assert Restoring(0.0, 1000).told(1100, 5.0) == (0, None)
