"""Which offset of one partition may be committed: exact acknowledgement of ranges, as plain arithmetic.

A partition is delivered as ranges [first, end) in order. `end` is the consumer's position after the range, so it lies
behind compacted records and transaction markers too, and holes between ranges need no book-keeping. Only the longest
prefix of delivered ranges that is acknowledged may be committed: an acknowledged range behind one that is still in
hand has to wait, or a crash would skip the one in hand.
"""

from collections import deque
from collections.abc import Collection


class Ranges:
    """The ranges of one partition that are delivered and not yet committed."""

    def __init__(self) -> None:
        self._in_flight: deque[tuple[int, int]] = deque()
        self._acknowledged: set[int] = set()

    def __len__(self) -> int:
        return len(self._in_flight)

    def deliver(self, first: int, end: int) -> None:
        """Note that [first, end) was handed to its agent.

        Errors: AssertionError when it is empty or overlaps what was delivered before: the consumer went back without
                forgetting, and counting on would skip or repeat records.
        """
        assert first < end, f"expected a range, came [{first}, {end})"
        if self._in_flight:
            assert first >= self._in_flight[-1][1], f"[{first}, {end}) overlaps {self._in_flight[-1]}"
        self._in_flight.append((first, end))

    def end_after(self, firsts: Collection[int]) -> int | None:
        """The offset that may be committed once the ranges that begin at `firsts` are done; None: nothing new."""
        end = None
        for first, range_end in self._in_flight:
            if first not in self._acknowledged and first not in firsts:
                break
            end = range_end
        return end

    def acknowledge(self, first: int) -> int | None:
        """Mark the range that begins at `first` as done; the offset that may now be committed, None: nothing new."""
        assert any(first == begin for begin, _ in self._in_flight), f"no range in flight begins at {first}"
        self._acknowledged.add(first)
        end = None
        while self._in_flight and self._in_flight[0][0] in self._acknowledged:
            begin, end = self._in_flight.popleft()
            self._acknowledged.discard(begin)
        return end

    def forget(self) -> None:
        """Drop everything in flight: the partition left, or will be read again from its committed offset."""
        self._in_flight.clear()
        self._acknowledged.clear()
