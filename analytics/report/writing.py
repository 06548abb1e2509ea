"""How values are written in the report."""

from datetime import datetime
from zoneinfo import ZoneInfo


def amount(value: float | None, currency: str = "") -> str:
    """1,234 UAH; a dash where there is none."""
    if value is None:
        return "–"
    digits = 2 if 0 < abs(value) < 100 and value != round(value) else 0
    return f"{value:,.{digits}f} {currency}".strip()


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def times(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} ×"


def moment(at: datetime, zone: str) -> str:
    """17 Feb 2026, 20:12, in the reporting zone."""
    return f"{at.astimezone(ZoneInfo(zone or 'UTC')):%-d %b %Y, %H:%M}"


def pause(seconds: float) -> str:
    """The largest two units: 16 h 12 min."""
    minutes = round(seconds / 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    told = [f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if number]
    return " ".join(told[:2]) or "under a minute"
