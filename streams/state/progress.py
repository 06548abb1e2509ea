"""How far a restore is, and how long it still takes. Pure: times come in."""

from dataclasses import dataclass

KNOWN_AFTER_S = 1.0
"""A speed measured over less says nothing."""


@dataclass(frozen=True)
class Restoring:
    """A restore that began at `started_s` with so many offsets to go."""

    started_s: float
    offsets: int
    applied_before: int = 0
    """Records applied until then, for the speed at the end."""
    cpu_before_s: float = 0.0
    """CPU seconds of the process until then."""

    def told(self, left: int, now_s: float) -> tuple[int, int | None]:
        """(percent done, seconds left); None while the speed is not known yet. 100 only when nothing is left."""
        done = self.offsets - left
        percent = 100 if left <= 0 else min(99, max(0, 100 * done // max(1, self.offsets)))
        passed = now_s - self.started_s
        if left <= 0:
            return percent, 0
        if done <= 0 or passed < KNOWN_AFTER_S:
            return percent, None
        return percent, max(1, round(left * passed / done))
