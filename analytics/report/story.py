"""One journey of the report, run by run, and what its touches earned by each model."""

from collections.abc import Sequence

from analytics.report import grids
from analytics.report.figures import Figures
from analytics.report.parts import MODELS, Part, kind_of
from analytics.report.svg import WIDTH, box, figure, line, text
from analytics.report.writing import amount, moment, pause, percent

_STEP, _A_ROW = 160.0, 6


def journey(found: Figures) -> Part:
    head = ("journey", "One journey", "What does a way to an order look like?")
    one = found.journey
    if one is None:
        return Part(*head, empty="No journey over several channels has led to an order yet.")
    zone, lasted = found.head["zone"], pause(one["days"] * 86_400)
    runs = [
        (channel, device, number, moment(at, zone))
        for channel, device, number, at in
        zip(one["path"], one["path_devices"], one["path_touchpoints"], one["path_at"], strict=True)
    ]
    gaps = [pause((later - at).total_seconds()) for at, later in zip(one["path_at"], one["path_at"][1:], strict=False)]
    charts = [(f"{one['touchpoints']} touchpoints over {one['switches']} changes of channel, within {lasted}, to an "
               f"order of {amount(one['revenue'], one['currency'] or '')}", _path(runs, gaps, found))]
    if found.journey_credits:
        charts.append(("What each touch before the order gets of it", _credits(found)))
    return Part(*head, charts)


def _path(runs: Sequence[tuple[str, str, int, str]], gaps: Sequence[str], found: Figures) -> str:
    """Runs in a row, and in further rows where there are many."""
    kind, out = kind_of(found), []
    for place, (channel, device, number, at) in enumerate(runs):
        row, column = divmod(place, _A_ROW)
        x, y = column * _STEP + 4, row * 92 + 22.0
        if place < len(gaps) and column < _A_ROW - 1:
            out.append(line(x + 118, y + 18, x + _STEP, y + 18))
        out.append(box(x, y, 118, 36, kind(channel), f"{channel}, {at}"))
        out.append(text(x + 59, y + 23, channel, "middle", "on strong"))
        out.append(text(x, y - 7, at.rpartition(",")[0][:-5] + at.rpartition(",")[2], kind="quiet"))
        events = f"{number} event{'s' * (number != 1)}"
        out.append(text(x, y + 52, f"{events}, {device}" if device else events, kind="quiet"))
        if place < len(gaps):
            out.append(text(x, y + 66, f"then {gaps[place]}", kind="quiet"))
    return figure("A journey, run by run", (1 + (len(runs) - 1) // _A_ROW) * 92 + 8, out, WIDTH)


def _credits(found: Figures) -> str:
    ordered = sorted(found.journey_credits, key=lambda row: (row["at"], row["event_id"]))
    touches = {row["event_id"]: row for row in ordered}
    names = {event: f"{number}. {row['channel']}" for number, (event, row) in enumerate(touches.items(), 1)}
    cells = {(names[row["event_id"]], row["model"]): row["credit"] for row in found.journey_credits}
    models = [model for model in MODELS if any(row["model"] == model for row in found.journey_credits)]
    kinds = {names[event]: kind_of(found)(row["channel"]) for event, row in touches.items()}
    rows = list(names.values())
    return grids.matrix("Credits of one order by model", rows, models, cells, kinds.__getitem__, percent)
