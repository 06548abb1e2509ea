"""Where a customer stands: status, probability alive, and what was earned, as the view `persons` says it.

The view says it of everybody at once; this says it of one person in microseconds, from the same orders and touchpoints.
A test holds the two against each other. Days are of the reporting zone, money is in the reporting currency.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from statistics import median
from typing import NamedTuple
from uuid import UUID

from streams.core.event import SCALE
from streams.core.facts import Row, index_of
from streams.settings import Settings

RATE_DAYS = 7
"""A rate holds on its day and so many days more."""
GAPS_FROM_DAYS = 4
"""From so many days of orders on a person has a usual gap of its own."""
SEEN_DAYS = 2
SEEN_TYPES = frozenset({"store_visited", "wifi_seen", "face_seen", "consulted"})

_WHOLE = Decimal("0.0001")
_PLACED, _STATUS, _SHARED, _REVENUE, _CURRENCY, _DUPLICATE = (index_of("orders", name) for name in (
    "placed_at", "status", "person_shared", "revenue", "currency", "suspected_duplicate_of"))
_AT, _TYPE, _CHANNEL = (index_of("touchpoints", name) for name in ("occurred_at", "type", "channel"))


@dataclass(frozen=True)
class Figures:
    """What is said of everybody: the last fit of LTV, the usual gap between orders (None without any), rates.

    `rates` are of each currency (day, what one unit is worth in the reporting currency), by day.
    """

    run_id: UUID | None = None
    fitted_at: datetime | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    gap_days: float | None = None
    rates: Mapping[str, Sequence[tuple[date, Decimal]]] = field(default_factory=dict)


class Standing(NamedTuple):
    """`status` is None of whom nobody knows who it is; revenue is of counted orders, `unconverted` lack a rate."""

    status: str | None
    unnoticed_by: list[str]
    alive: float | None
    orders: int
    revenue: Decimal
    unconverted: int
    has_bought: bool


def standing(
    is_known: bool, orders: Sequence[Row], touchpoints: Sequence[Row], figures: Figures, settings: Settings,
    now: datetime,
) -> Standing:
    """Where a person that is not shared stands at `now`.

    Shape: rows of facts of one person. Cost: O(n).
    """
    def day(ms: int) -> date:
        return datetime.fromtimestamp(ms / 1000, settings.zone).date()

    counted = [row for row in orders if is_counted(row)]
    worth = [reporting(row, day(row[_PLACED]), figures, settings) for row in counted]
    told = [value for value in worth if value is not None]
    bought = sorted({
        day(row[_PLACED]) for row, value in zip(counted, worth, strict=True)
        if value is not None and value > 0 and row[_DUPLICATE] is None
    })
    money = len(counted), sum(told, Decimal(0)), len(counted) - len(told), bool(bought)
    if not is_known:
        return Standing(None, [], None, *money)
    today = now.astimezone(settings.zone).date()
    alive = _alive(bought, today, figures.parameters)
    days = sorted({day(row[_PLACED]) for row in counted})
    if not days:
        return Standing("prospect", [], alive, *money)
    silent, gap = (today - days[-1]).days, _usual_gap(days, figures, settings)
    if len(days) == 1 and silent <= settings.new_days:
        return Standing("new", [], alive, *money)
    status = _status(alive, silent, gap, settings)
    seen = [
        (day(row[_AT]), row[_CHANNEL]) for row in touchpoints if status != "active" and row[_TYPE] in SEEN_TYPES
    ]
    since = [(at, channel) for at, channel in seen if (at - days[-1]).days >= gap and at <= today]
    if len({at for at, _ in since}) >= SEEN_DAYS:
        return Standing("unnoticed", sorted({channel for _, channel in since}), alive, *money)
    return Standing(status, [], alive, *money)


def is_counted(order: Row) -> bool:
    """Placed, not cancelled, of a person who is not shared."""
    return order[_PLACED] is not None and order[_STATUS] != "cancelled" and not order[_SHARED]


def reporting(order: Row, day: date, figures: Figures, settings: Settings) -> Decimal | None:
    """An order's revenue in the reporting currency; None without a revenue or a rate that holds on its day."""
    revenue, currency = order[_REVENUE], order[_CURRENCY]
    if revenue is None:
        return None
    rate = Decimal(1) if currency == settings.reporting_currency else _rate(figures.rates.get(currency, ()), day)
    if rate is None:
        return None
    return (Decimal(revenue) / SCALE * rate).quantize(_WHOLE, ROUND_HALF_EVEN)


def _rate(rates: Sequence[tuple[date, Decimal]], day: date) -> Decimal | None:
    last = max((rate for rate in rates if rate[0] <= day), default=None)
    return last[1] if last is not None and (day - last[0]).days <= RATE_DAYS else None


def _usual_gap(days: Sequence[date], figures: Figures, settings: Settings) -> float:
    if len(days) >= GAPS_FROM_DAYS:
        return float(median((later - earlier).days for earlier, later in pairwise(days)))
    return float(settings.new_days) if figures.gap_days is None else figures.gap_days


def _status(alive: float | None, silent: int, gap: float, settings: Settings) -> str:
    if alive is not None:
        active, at_risk = alive >= settings.active_probability, alive >= settings.at_risk_probability
    else:
        active, at_risk = silent <= settings.active_ratio * gap, silent <= settings.at_risk_ratio * gap
    return "active" if active else "at_risk" if at_risk else "churned"


def _alive(bought: Sequence[date], today: date, parameters: Mapping[str, str]) -> float | None:
    """Probability alive under BG/NBD, from the days of purchase; None before a fit or a purchase.

    Source: Fader, Hardie, Lee (2008), "Computing P(alive) Using the BG/NBD Model".
    """
    if not bought or not parameters:
        return None
    again = len(bought) - 1
    if again == 0:
        return 1.0
    r, alpha, a, b = (float(parameters.get(name) or 0) for name in ("r", "alpha", "a", "b"))
    last_weeks = (bought[-1] - bought[0]).days / 7
    weeks = max((today - bought[0]).days / 7, last_weeks)
    odds = a / (b + again - 1) * math.exp((r + again) * (math.log(alpha + weeks) - math.log(alpha + last_weeks)))
    return 1 / (1 + odds)


def moment(settings: Settings) -> datetime:
    """The present of this deployment: the setting as_of, else now."""
    return settings.as_of_at or datetime.now(UTC)
