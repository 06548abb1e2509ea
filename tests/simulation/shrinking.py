"""Of something that fails: a smaller one that fails as well."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

T = TypeVar("T", bound=Any)
"""A frozen dataclass."""


def shrunk(failing: T, parts: Sequence[str], fails: Callable[[T], bool], tries_max: int = 300) -> T:
    """What is left when everything is left out of its parts, which are tuples, that it fails without.

    What is tried is each time the same; after so many tries it is as small as it came to be.
    """
    tries = 0

    def still(smaller: T) -> bool:
        nonlocal tries
        tries += 1
        return tries <= tries_max and fails(smaller)

    found = failing
    for part in parts:
        found = _less(found, part, still)
    return found


def _less(of: T, part: str, fails: Callable[[T], bool]) -> T:
    """Delta debugging by halves: leave out ever smaller runs of a part as long as it fails without them."""
    size = len(getattr(of, part))
    while size:
        start = 0
        while start < len(getattr(of, part)):
            items = getattr(of, part)
            fewer = replace(of, **{part: (*items[:start], *items[start + size :])})
            if fails(fewer):
                of = fewer
            else:
                start += size
        size //= 2
    return of
