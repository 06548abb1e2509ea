"""Suspected duplicates: an order that looks like an earlier one of the same person on another channel.

Two counted orders of one person are alike when they are at most the window apart, on different channels, with equal
non-empty multisets of (sku, quantity), no receipt in common, and neither fully returned. The later then names the
earliest order it is alike to. Both stay counted.
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from streams.core.facts import Row, index_of

Rows: TypeAlias = Mapping[tuple[Any, ...], Row]
"""Rows of one order by (table, *key)."""

Basket: TypeAlias = tuple[bytes, tuple[tuple[str, int], ...]]
"""A person and the goods of an order."""

Spot: TypeAlias = tuple[int, str]
"""(placed_at, order_id)"""


_SHARED, _PLACED_AT = index_of("orders", "person_shared"), index_of("orders", "placed_at")
_CHANNEL, _STATUS = index_of("orders", "placed_channel"), index_of("orders", "status")
_RECEIPTS, _SUSPECTED = index_of("orders", "receipt_ids"), index_of("orders", "suspected_duplicate_of")
_SKU, _QUANTITY = index_of("order_items", "sku"), index_of("order_items", "quantity")


class Alike:
    """The orders of a cluster's persons by what is in them; kept beside the rows, so that an order costs its own."""

    def __init__(self, window_ms: int) -> None:
        self._window_ms = window_ms
        self._spots: defaultdict[Basket, list[Spot]] = defaultdict(list)
        self._rows: dict[tuple[bytes, str], tuple[Basket, Row]] = {}
        self._people: dict[str, list[bytes]] = {}

    def know(self, order_id: str, rows: Rows) -> list[tuple[Basket, int]]:
        """Take in an order's rows in place of what was known of it; the baskets and times where something changed."""
        changed = []
        for person_id in self._people.pop(order_id, ()):
            basket, row = self._rows.pop((person_id, order_id))
            spots = self._spots[basket]
            del spots[bisect_left(spots, (row[_PLACED_AT], order_id))]
            if not spots:
                del self._spots[basket]
            changed.append((basket, row[_PLACED_AT]))
        for basket, row in _baskets(rows):
            insort(self._spots[basket], (row[_PLACED_AT], order_id))
            self._rows[basket[0], order_id] = basket, row
            self._people.setdefault(order_id, []).append(basket[0])
            changed.append((basket, row[_PLACED_AT]))
        return changed

    def around(self, changed: Iterable[tuple[Basket, int]]) -> dict[tuple[str, bytes, str], Row]:
        """The rows of orders that a change may concern: those placed then and up to the window later."""
        out = {}
        for basket, at_ms in changed:
            spots = self._spots.get(basket, [])
            since, until = bisect_left(spots, (at_ms, "")), bisect_right(spots, at_ms + self._window_ms, key=_time)
            for n in range(since, until):
                out["orders", basket[0], spots[n][1]] = self._told(basket, spots, n)
        return out

    def all(self) -> dict[tuple[str, bytes, str], Row]:
        """The rows of every order of a basket that was bought more than once."""
        return {
            ("orders", basket[0], spot[1]): self._told(basket, spots, n)
            for basket, spots in self._spots.items() if len(spots) > 1
            for n, spot in enumerate(spots)
        }

    def _told(self, basket: Basket, spots: list[Spot], n: int) -> Row:
        """The row of order number `n`, naming the earliest that it is alike to."""
        _, row = self._rows[basket[0], spots[n][1]]
        for m in range(bisect_left(spots, (spots[n][0] - self._window_ms, "")), n):
            _, earlier = self._rows[basket[0], spots[m][1]]
            if earlier[_CHANNEL] != row[_CHANNEL] and set(earlier[_RECEIPTS]).isdisjoint(row[_RECEIPTS]):
                return (*row[:_SUSPECTED], spots[m][1], *row[_SUSPECTED + 1 :])
        return row


def _time(spot: Spot) -> int:
    return spot[0]


def _baskets(rows: Rows) -> list[tuple[Basket, Row]]:
    """The counted rows of one order, not fully returned, with what is in them; an order of nothing is like no other."""
    goods: defaultdict[bytes, list[tuple[str, int]]] = defaultdict(list)
    for key, row in rows.items():
        if key[0] == "order_items":
            goods[key[1]].append((row[_SKU], row[_QUANTITY]))
    return [
        ((key[1], tuple(sorted(goods[key[1]]))), row)
        for key, row in rows.items()
        if key[0] == "orders" and key[1] in goods and row[_PLACED_AT] is not None and not row[_SHARED]
        and row[_STATUS] not in ("cancelled", "returned")
    ]
