"""Journeys on a terminal, and what each touch of one earned by six models."""

from decimal import Decimal
from typing import Any

from rich.table import Table
from rich.text import Text

from cli import looks

MODELS = {
    "first": "first", "last": "last", "last_non_direct": "non-direct", "linear": "linear", "time_decay": "decay",
    "position": "position",
}
"""Models by their name in the view, and what a column of the page calls them."""

OUTCOMES = {"converted": "green", "abandoned": "red", "open": ""}


def journeys(rows: list[dict[str, Any]], zone: str) -> Table | None:
    """Journeys with their path and what stood in the way; None without any."""
    if not rows:
        return None
    table = looks.sheet("began", "lasted", "outcome", "path", "stage", "obstacles", right=("lasted",))
    for row in rows:
        table.add_row(
            looks.moment(row["started_at"], zone), looks.pause(round(row["days"] * 86_400)),
            Text(row["outcome"], style=OUTCOMES[row["outcome"]]), looks.channels(row["path"]), row["stage"],
            ", ".join(row["obstacles"]),
        )
    return table


def credits(rows: list[dict[str, Any]], zone: str) -> Table:
    """The touches of one order, in order of time, with what each model gives them.

    Shape: rows of the view `credits` of one order, at least one.
    """
    table = looks.sheet("touch", "channel", "", *MODELS.values(), right=tuple(MODELS.values()))
    by_touch: dict[str, dict[str, dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["at"], row["event_id"])):
        by_touch.setdefault(row["event_id"], {})[row["model"]] = row
    for of_models in by_touch.values():
        touch = of_models["linear"]
        campaign = touch["campaign_name"] or touch["campaign_source"]
        table.add_row(
            looks.moment(touch["at"], zone), looks.channel(touch["channel"]),
            Text(touch["touch"] + (f" · {campaign}" if campaign else ""), style="dim"),
            *(_share(of_models[model]["credit"]) for model in MODELS),
        )
    return table


def _share(credit: Decimal) -> Text:
    return Text(f"{credit:.1%}") if credit else Text("·", style="dim")


def acquired(person: dict[str, Any], zone: str) -> str | None:
    """17 Feb 20:12 through ads, winter-light; None of whom nothing ever touched."""
    if person["acquired_at"] is None:
        return None
    campaign = person["acquisition_campaign"] or person["acquisition_source"]
    told = f"{looks.moment(person['acquired_at'], zone)} through {person['acquisition_channel']}"
    return told + (f", {campaign}" if campaign else "")
