"""The time of this machine, for whoever may ask for it: never the core, whose rows follow from events alone."""

import time


def now_ms() -> int:
    """Epoch milliseconds, now."""
    return time.time_ns() // 1_000_000
