"""How much a key may write: a bucket of tokens a key, one token an event.

A request goes through when the bucket is not empty, whatever its size, and is paid for afterwards: a batch larger than
the bucket is slowed down and never refused for ever. Memory: one bucket a key that exists.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from connectors.collector.answers import Refused
from connectors.collector.keys import Key

BURST_S = 2.0
"""A bucket holds what the key may write in this time."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float


class Limits:
    """The buckets of all keys."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, key: Key, events: int) -> dict[str, str]:
        """Pay for a request's events; the headers that tell how much is left, and which share of the limit is used.

        Errors: Refused (429) with the limit and, in Retry-After, when the bucket holds something again.
        """
        capacity, now_s = key.rate * BURST_S, self._clock()
        bucket = self._buckets.setdefault(key.hash, _Bucket(capacity, now_s))
        bucket.tokens = min(capacity, bucket.tokens + (now_s - bucket.at_s) * key.rate)
        bucket.at_s = now_s
        if bucket.tokens < 1:
            wait_s = max(1, math.ceil((1 - bucket.tokens) / key.rate))
            detail = f"expected at most {key.rate:g} events a second with this key"
            headers = {**_headers(key, bucket, capacity), "Retry-After": str(wait_s)}
            raise Refused(429, "rate_limit", detail, headers)
        bucket.tokens -= events
        return _headers(key, bucket, capacity)


def _headers(key: Key, bucket: _Bucket, capacity: float) -> dict[str, str]:
    left = max(0.0, bucket.tokens)
    return {
        "X-RateLimit-Limit": f"{key.rate:g}",
        "X-RateLimit-Remaining": str(int(left)),
        "X-RateLimit-Used": f"{1 - left / capacity:.2f}",
    }
