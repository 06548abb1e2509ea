"""Which offset of one partition may be committed: exact acknowledgement of ranges, as plain arithmetic.

A partition is delivered as ranges [start, end) that join without a hole: `start` is where the consumer stood before a
fetch, `end` where it stood after it, so compacted records and transaction markers need no book-keeping. Only the
longest prefix of done ranges may be committed: a range done behind one that is still in hand has to wait, or a crash
would skip the one in hand.
"""

from collections import deque
from collections.abc import Collection


class Ranges:
    """The ranges of one partition that are not yet committed, in the order of the log."""

    def __init__(self, position: int | None = None) -> None:
        self._position = position
        self._ranges: deque[tuple[int, int]] = deque()
        self._done: set[int] = set()

    @property
    def is_idle(self) -> bool:
        """Is nothing in hand?"""
        return len(self._done) == len(self._ranges)

    def deliver(self, start: int, end: int) -> None:
        """Note that [start, end) was handed to its agent.

        Errors: AssertionError when it is empty or does not begin where the last one ended: records were read and
                dropped on the way, and to go on would lose them.
        """
        assert start < end, f"expected a range, came [{start}, {end})"
        assert self._position in (None, start), f"[{start}, {end}) does not begin at {self._position}"
        self._position = end
        self._ranges.append((start, end))

    def skip(self, start: int, end: int) -> None:
        """Note that [start, end) holds no record to work on: transaction markers, aborted or compacted records."""
        self.deliver(start, end)
        self._done.add(start)

    def acknowledge(self, start: int) -> None:
        """The range that begins at `start` is done."""
        assert any(start == begin for begin, _ in self._ranges), f"no range in hand begins at {start}"
        self._done.add(start)

    def end_after(self, starts: Collection[int] = ()) -> int | None:
        """The offset that may be committed once the ranges that begin at `starts` are done too; None: nothing new."""
        end = None
        for start, range_end in self._ranges:
            if start not in self._done and start not in starts:
                break
            end = range_end
        return end

    def commit(self, end: int) -> None:
        """Everything before `end` is committed.

        Errors: AssertionError when a range before `end` is not done.
        """
        while self._ranges and self._ranges[0][1] <= end:
            start, _ = self._ranges.popleft()
            assert start in self._done, f"{end} is committed, the range from {start} is still in hand"
            self._done.discard(start)
