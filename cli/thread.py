"""A person's thread: every step in order of time, and which identifier tied it to the steps before.

A touchpoint says through which kind of identifier its person was found. Where that identifier came up earlier, the
step hangs on it; the identifiers that come up for the first time are what later steps can hang on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, TypeAlias

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli import looks

Rows: TypeAlias = list[dict[str, Any]]

DERIVED = "email_sha256"
"""Comes with every e-mail and says nothing new."""
PAUSE_SHOWN_S = 3600
INDENT = 2


@dataclass(frozen=True)
class Step:
    """One touchpoint. `tie`: the kind that ties it on and the step that brought it; `brings`: the kinds it adds."""

    number: int
    touchpoint: dict[str, Any]
    tie: tuple[str, int] | None
    brings: tuple[str, ...]


def steps(touchpoints: Rows, identifiers: Rows, joins: Rows) -> list[Step]:
    """What ties each touchpoint to those before it.

    Shape: one person's rows of the views touchpoints (in order of time) and identifiers, and of the view merges what
           their events brought about -> a step for each touchpoint.
    """
    reasons = {join["event_id"]: join["reason"] for join in joins}
    waiting = [i for i in identifiers if i["kind"] != DERIVED]
    origin: dict[tuple[str, str], int] = {}
    found = []
    for number, touchpoint in enumerate(touchpoints, 1):
        new = [i for i in waiting if i["first_seen_at"] == touchpoint["occurred_at"]]
        waiting = [i for i in waiting if i not in new]
        joined = reasons.get(touchpoint["event_id"], "").split(" with ")
        found.append(Step(number, touchpoint, _tie(touchpoint, joined, origin), tuple(i["kind"] for i in new)))
        origin |= {(i["kind"], i["value"]): number for i in new}
    return found


def _tie(
    touchpoint: dict[str, Any], joined: list[str], origin: dict[tuple[str, str], int],
) -> tuple[str, int] | None:
    """The identifier that found the person, where it is known from before.

    Else the click or the order that the touchpoint names, else the kinds whose meeting in it merged two persons.
    """
    named = {kind: touchpoint[kind] for kind in ("click_id", "order_id") if touchpoint[kind]}
    for kind in (touchpoint["identified_by"], *named, *joined):
        earlier = [number for (k, value), number in origin.items() if k == kind and named.get(k, value) == value]
        if earlier:
            return kind, max(earlier)
    return None


def rendered(found: list[Step], zone: str, width: int = looks.PAGE_WIDTH) -> RenderableType:
    """The thread, day by day, with the pauses in between; `width` columns wide."""
    head = _grid(width)
    head.add_row(*(Text(name, style="dim") for name in ("", "", "at", "channel", "device", "", "what", "tied on by")))
    parts: list[RenderableType] = [Padding(head, (0, 0, 0, INDENT))]
    for day, of_day in _days(found, zone).items():
        if len(parts) > 1:
            parts.append(Text("  ┊", style="dim"))
        parts.append(Text(f"  {day}", style="bold"))
        parts.append(Padding(_table(of_day, zone, width), (0, 0, 0, INDENT)))
    return Group(*parts)


def _days(found: Iterable[Step], zone: str) -> dict[str, list[Step]]:
    days: dict[str, list[Step]] = {}
    for step in found:
        days.setdefault(looks.day(step.touchpoint["occurred_at"], zone), []).append(step)
    return days


def _grid(width: int) -> Table:
    """Equal columns for every day: the narrow ones as they are, the two with words share what is left."""
    narrow = (1, 2, 5, 11, 7, 2)
    words = width - INDENT - sum(narrow) - len(narrow) - 2
    table = Table.grid(padding=(0, 1, 0, 0))
    for column in (*narrow, words - words * 15 // 32, words * 15 // 32):
        table.add_column(width=column)
    return table


def _table(found: list[Step], zone: str, width: int) -> Table:
    table = _grid(width)
    for before, step in pairwise([None, *found]):
        if before and (seconds := _seconds(before, step)) >= PAUSE_SHOWN_S:
            table.add_row(Text("┊", style="dim"), "", "", Text(looks.pause(seconds), style="dim italic"))
        assert step
        table.add_row(*_cells(step, zone))
    return table


def _seconds(before: Step, after: Step | None) -> float:
    assert after
    start: datetime = before.touchpoint["occurred_at"]
    end: datetime = after.touchpoint["occurred_at"]
    return (end - start).total_seconds()


def _cells(step: Step, zone: str) -> tuple[RenderableType, ...]:
    row = step.touchpoint
    style = looks.colour(row["channel"])
    return (
        Text("●", style=style), Text(f"{step.number:2}", style="dim"), looks.clock(row["occurred_at"], zone),
        looks.channel(row["channel"]), row["device"] or "", row["store_id"] or "", _deed(row), _knot(step),
    )


def _deed(row: dict[str, Any]) -> Text:
    """What happened, and with what: the campaign, the goods, the money."""
    text = Text(str(row["type"]).replace("_", " "))
    if row["order_id"] and row["amount"] is not None:
        detail = looks.money(row["amount"], row["currency"])
    else:
        detail = next((d for d in (", ".join(row["skus"]), row["query"], row["campaign_name"]) if d), "")
    return text.append(f" · {detail}", style="dim") if detail else text


def _knot(step: Step) -> Text:
    text = Text()
    if step.tie:
        kind, number = step.tie
        text.append(kind, style="bold").append(f" from {number}", style="dim")
    for kind in step.brings:
        text.append(" " if text else "").append(f"+{kind}", style="blue")
    return text
