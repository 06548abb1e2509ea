"""A person's thread: every step in order of time, and which identifier tied it to the steps before.

A step hangs on an identifier that it names and that came up before; the identifiers that come up for the first time
are what later steps can hang on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, TypeAlias
from uuid import UUID

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli import looks
from streams.core.event import Identifier

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


def steps(touchpoints: Rows, identifiers: Rows) -> list[Step]:
    """What ties each touchpoint to those before it.

    Shape: one person's rows of the views touchpoints (in order of time) and identifiers -> a step for each touchpoint.
    """
    names: dict[UUID, Identifier] = {i["node"]: (i["kind"], i["value"]) for i in identifiers if i["kind"] != DERIVED}
    origin: dict[Identifier, int] = {}
    found = []
    for number, touchpoint in enumerate(touchpoints, 1):
        named = [names[node] for node in touchpoint["nodes"] if node in names]
        new = [identifier for identifier in named if identifier not in origin]
        tie = _tie(touchpoint["identified_by"], {i: origin[i] for i in named if i in origin})
        found.append(Step(number, touchpoint, tie, tuple(kind for kind, _ in new)))
        origin |= dict.fromkeys(new, number)
    return found


def _tie(identified_by: str, earlier: dict[Identifier, int]) -> tuple[str, int] | None:
    """Of what came up before, the kind that found the person, else what came up last."""
    if not earlier:
        return None
    tie = min(earlier, key=lambda i: (i[0] != identified_by, -earlier[i], i))
    return tie[0], earlier[tie]


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
