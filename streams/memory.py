"""How a worker's process treats the garbage collector: a worker makes hardly any cycles and very many objects that live
as long as a cache holds them.

Python's collector walks every object that was made since it last ran, once or more often. Under load it found a few
hundred objects an hour, and cost an eighth of the stitching stage's CPU even at thresholds of 50,000. So it is off, and
runs from time to time for what cycles there are: libraries' exceptions, above all.
"""

import asyncio
import gc

TIDY_S = 600.0
"""A full collection walks all that the caches hold: under a second."""


def settle_memory() -> None:
    """Call once all is imported and started: what lives now lives for good and is not looked at again, neither by
    `tidy_memory` nor when Faust calls the collector at a rebalance."""
    gc.collect()
    gc.freeze()
    gc.disable()


async def tidy_memory() -> None:
    """Collect what settling leaves uncollected. Runs as long as the process."""
    while True:
        await asyncio.sleep(TIDY_S)
        gc.collect()
