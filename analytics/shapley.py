"""Shapley attribution by channel set: what each channel adds to a coalition, averaged over all orders of joining.

A coalition S of channels is worth the conversions that it can make alone: v(S) = the sum over sets T within S of the
conversions of journeys that met exactly the channels T. Source: Zhao, Mahboobi and Bagheri, "Shapley Value Methods for
Attribution Modeling in Online Advertising" (2018).

Rules kept: exact, in rational numbers. A game is held as its *dividends*, what each set adds beyond its subsets;
a Shapley value is then the sum of the dividends of the channel's sets, each divided by the set's size, so the cost
grows with the sets that occur and not with 2^channels. In the game above the dividends are the conversions themselves.
Who was met twice counts once; journeys that never convert change nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import combinations

from analytics.markov import Path

Coalition = frozenset[str]


def values(dividends: Mapping[Coalition, int | Fraction]) -> dict[str, Fraction]:
    """The Shapley value of each channel, by name; they sum to the worth of all channels together.

    Cost: O(sets × channels a set).
    """
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for coalition, dividend in dividends.items():
        for channel in coalition:
            sums[channel] += Fraction(dividend) / len(coalition)
    return dict(sorted(sums.items()))


def conversions(paths: Iterable[Path]) -> dict[Coalition, int]:
    """The dividends of the game: conversions by the exact set of channels met. Without a channel: not there."""
    dividends: dict[Coalition, int] = defaultdict(int)
    for path in paths:
        if path.channels:
            dividends[frozenset(path.channels)] += path.converted
    return dict(dividends)


def dividends_of(worth: Mapping[Coalition, int | Fraction]) -> dict[Coalition, Fraction]:
    """The dividends of any game told by the worth of each coalition (Harsanyi); a coalition not told is worth 0.

    Errors: ValueError where the empty coalition is worth something.
    Cost:   O(2^players): for games of few players.
    """
    if worth.get(frozenset()):
        raise ValueError("the empty coalition: expected a worth of 0")
    players = sorted(frozenset().union(*worth))
    dividends: dict[Coalition, Fraction] = {}
    for size in range(1, len(players) + 1):
        for members in combinations(players, size):
            coalition = frozenset(members)
            within = sum((dividends[frozenset(part)] for less in range(1, size)
                          for part in combinations(members, less)), Fraction())
            dividends[coalition] = Fraction(worth.get(coalition, 0)) - within
    return dividends
