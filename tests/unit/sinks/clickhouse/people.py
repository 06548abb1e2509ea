"""People, what they bought and where they were seen, counted in days before one day."""

import uuid
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from analytics import bgnbd
from analytics.bgnbd import BgNbd
from analytics.lifetime import Predictions
from sinks.clickhouse.buyers import write_predictions
from sinks.clickhouse.runs import Run
from tests.unit.sinks.clickhouse.conftest import Engine, person, row

DAY_MS = 86_400_000
TODAY = 20_000
"""2024-10-04."""
AS_OF = datetime.fromtimestamp(TODAY * 86_400 + 43_200, UTC)
MODEL = BgNbd(0.243, 4.414, 0.793, 2.426)


def people(engine: Engine, *numbers: int, **values: Any) -> None:
    engine.write("persons", *(row("persons", person_id=person(n), **{"shared": False} | values) for n in numbers))


def bought(engine: Engine, number: int, *days_ago: float, **values: Any) -> None:
    """Orders at noon of the days so many days before today."""
    placed = {"placed_channel": "web", "status": "placed", "person_shared": False, "currency": "EUR",
              "revenue": 10_0000}
    engine.write("orders", *(
        row("orders", person_id=person(number), order_id=f"{number}/{place}",
            **{"placed_at": int((TODAY + 0.5 - ago) * DAY_MS)} | placed | values)
        for place, ago in enumerate(days_ago)))


def seen(engine: Engine, number: int, *days_ago: float, kind: str = "wifi_seen", channel: str = "wifi") -> None:
    engine.write("touchpoints", *(
        row("touchpoints", person_id=person(number), event_id=f"{kind}/{number}/{ago}", type=kind, channel=channel,
            conflicts=0, occurred_at=int((TODAY + 0.5 - ago) * DAY_MS)) for ago in days_ago))


def fitted(engine: Engine, model: BgNbd = MODEL, **predicted: float) -> None:
    """A run of LTV with these parameters, predicting for person 1."""
    parameters = {name: repr(getattr(model, name)) for name in bgnbd.NAMES}
    one, run = np.ones(1), Run(uuid.uuid4(), "ltv", datetime.now(UTC), AS_OF, parameters)
    write_predictions(
        engine.client, run, pa.array([person(1)], pa.binary(16)),
        Predictions(one, one * predicted.get("orders", 1.5), one * predicted.get("revenue", 30.1234567), one * np.nan))
