"""What was paid of an order, in however many parts, and when it was paid in full.

An order_paid, a payment_received and a receipt take money: the amounts of their payments, added up. An order_paid or a
receipt that tells no amounts pays all that is left; a payment_received without one tells only that there was one.
Money beyond the total is left out: an order_paid may repeat what parts of it told before.
"""

from collections.abc import Sequence
from typing import NamedTuple

from streams.core.worth import AMOUNT_MAX


class Taken(NamedTuple):
    """One event that took money: the sum of what its payments tell, None where they tell nothing."""

    at_ms: int
    amount: int | None
    is_whole: bool
    """Without an amount it pays all that is left."""


def paid(taken: Sequence[Taken], total: int | None) -> tuple[int | None, int | None]:
    """(paid_amount, paid_in_full_at): what was paid, None where nobody tells; and when that first came to the total.

    Shape: in order of time. paid_in_full_at is None without a total, unless all was paid at once.
    """
    amount: int | None = None
    for at_ms, told, is_whole in taken:
        if told is not None:
            amount = min((amount or 0) + told, AMOUNT_MAX)
        elif is_whole:
            return (amount, at_ms) if total is None else (total, at_ms)
        if amount is not None and total is not None and amount >= total:
            return total, at_ms
    return amount, None
