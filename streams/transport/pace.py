"""How many records a group may hold so that its work is over in a few seconds. Pure: times come in.

A worker that is only slow must not look like one that stands still: the watch ends a worker whose partition made no
progress for a minute, and progress is told group by group. So groups are small at first, grow while they are quick, and
shrink as soon as one was slow.
"""

RECORDS_MAX = 2000
RECORDS_FIRST = 500
RECORDS_MIN = 100
"""What is slow whatever its size, such as an insert on a busy machine, must not end in groups of one record."""
GROUP_S = 5.0
QUICK_S = GROUP_S / 2
"""Twice as many records would still be in time."""


class Pace:
    """Of one stage."""

    def __init__(self, records: int = RECORDS_FIRST) -> None:
        self.records = records
        """At most so many the next time."""

    def took(self, records: int, seconds: float) -> None:
        """A group of so many records took so long."""
        if seconds > GROUP_S:
            self.records = max(RECORDS_MIN, min(self.records, int(records * GROUP_S / seconds)))
        elif seconds < QUICK_S:
            self.records = min(RECORDS_MAX, self.records * 2)
