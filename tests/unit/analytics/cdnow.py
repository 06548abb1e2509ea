"""The CDNOW sample as the papers cut it, and what they publish on it."""

import json
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from analytics.purchases import Histories, Purchases, histories

FOLDER = Path(__file__).parents[2] / "fixtures" / "cdnow"
PUBLISHED: dict[str, Any] = json.loads((FOLDER / "published.json").read_text())
CALIBRATED = date(1997, 9, 30)
END = date(1998, 6, 30)


def lines() -> list[tuple[str, date, float]]:
    """(customer, day, dollars) of each line of the file."""
    fields = [line.split() for line in (FOLDER / "CDNOW_sample.txt").read_text().splitlines()]
    return [(master, date.fromisoformat(day), float(dollars)) for master, _, day, _, dollars in fields]


def purchases() -> Purchases:
    numbers: dict[str, int] = defaultdict(lambda: len(numbers))
    rows = [(numbers[customer], day.toordinal(), dollars) for customer, day, dollars in lines()]
    customers, days, values = zip(*rows, strict=True)
    return Purchases(np.array(customers), np.array(days), np.array(values))


def calibration() -> Histories:
    return histories(purchases(), CALIBRATED.toordinal())
