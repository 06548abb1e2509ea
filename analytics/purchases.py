"""What the models know of a customer: how often, how lately and for how long it has been buying, and what it spends.

Rules kept: purchases of one day are one purchase; the first one is where a customer's time begins, so it counts neither
as a repeat nor in the mean value; time is in weeks of seven days. These are the definitions of Fader, Hardie and Lee
(2005) that reproduce their published figures on CDNOW.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

WEEK_DAYS = 7.0


@dataclass(frozen=True)
class Purchases:
    """Purchases of many customers: three columns of one length, in any order."""

    customers: Integers
    """Whose: numbers from 0, none left out."""
    days: Integers
    """When: days counted from any one day."""
    values: Floats
    """How much, in money."""

    def until(self, day: int) -> "Purchases":
        """Those of `day` and before; a customer may be left with none."""
        kept = self.days <= day
        return Purchases(self.customers[kept], self.days[kept], self.values[kept])


@dataclass(frozen=True)
class Histories:
    """One entry a customer, in order of its number."""

    customers: Integers
    """The numbers, ascending; customers without a purchase are not there."""
    repeats: Floats
    """x: days with a purchase, less the first."""
    recency: Floats
    """t_x: weeks from the first purchase to the last; 0 without a repeat."""
    age: Floats
    """T: weeks from the first purchase to the end of what was observed."""
    value: Floats
    """m: mean value of the repeat days; 0 without a repeat."""
    first_value: Floats
    """Value of the first day, for those who have nothing else."""

    def __len__(self) -> int:
        return len(self.customers)


def histories(purchases: Purchases, end_day: int) -> Histories:
    """Fold purchases up to and with `end_day` into what the models need.

    Shape:  n >= 0 purchases -> one entry for each customer with a purchase by end_day.
    Unit:   days in, weeks out; values in the purchases' unit.
    Cost:   O(n log n); 300,000 purchases take 0.1 s.
    """
    known = purchases.until(end_day)
    if not len(known.days):
        nobody = np.zeros(0)
        return Histories(np.zeros(0, np.int64), nobody, nobody, nobody, nobody, nobody)
    order = np.lexsort((known.values, known.days, known.customers))
    customers, days, values = known.customers[order], known.days[order], known.values[order]
    new_day = np.r_[True, (np.diff(customers) != 0) | (np.diff(days) != 0)]
    starts = np.flatnonzero(new_day)
    spent = np.add.reduceat(values, starts)
    customers, days = customers[starts], days[starts]
    firsts = np.flatnonzero(np.r_[True, np.diff(customers) != 0])
    counts = np.diff(np.r_[firsts, len(customers)])
    last_days = days[firsts + counts - 1]
    repeats = counts - 1.0
    later = spent.copy()
    later[firsts] = 0.0
    total = np.add.reduceat(later, firsts)
    return Histories(
        customers=customers[firsts], repeats=repeats, recency=(last_days - days[firsts]) / WEEK_DAYS,
        age=(end_day - days[firsts]) / WEEK_DAYS,
        value=np.divide(total, repeats, out=np.zeros_like(total), where=repeats > 0), first_value=spent[firsts],
    )
