"""The page that shows whether a model of LTV holds: its estimates, and what it predicted against what came.

Rules kept: one file without anything from outside; light and dark by the reader's choice; each line is named where it
ends and not by colour alone; the same report gives the same bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from html import escape
from typing import Any

WIDTH, HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 96, 16, 36

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --quiet: #6b7280; --line: #e5e7eb; --actual: #2563a8;
  --model: #c2571a; --page: #ffffff }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --quiet: #9aa0a6; --line: #33373d; --actual: #7ab3ef;
  --model: #f0925a; --page: #16181b } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 2rem auto;
  max-width: 46rem; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem } .quiet { color: var(--quiet) }
table { border-collapse: collapse } th { font-weight: 500; color: var(--quiet); text-align: right }
td, th { padding: .2rem 1rem .2rem 0 } td { text-align: right; font-variant-numeric: tabular-nums }
td:first-child, th:first-child { text-align: left } svg { max-width: 100%; height: auto }
svg text { font: 12px system-ui, sans-serif; fill: var(--quiet) } .grid { stroke: var(--line) }
.cut { stroke: var(--quiet); stroke-dasharray: 2 4 } .actual { stroke: var(--actual); fill: none; stroke-width: 2 }
.model { stroke: var(--model); fill: none; stroke-width: 2; stroke-dasharray: 6 4 }
rect.actual { fill: var(--actual); stroke: none } rect.model { fill: var(--model); stroke: none }
svg .named-actual { fill: var(--actual) } svg .named-model { fill: var(--model) }
"""

_NAMES = {
    "r": "rate of buying: shape", "alpha": "rate of buying: scale, weeks", "a": "leaving", "b": "staying",
    "p": "value of a purchase: shape", "q": "mean value over customers: shape", "v": "mean value over customers: scale",
}


def page(parameters: Mapping[str, str], report: Mapping[str, Any]) -> str:
    """One HTML document of a run of LTV: `parameters` and `report` as model_runs keeps them."""
    body = [
        "<h1>LTV: does the model hold?</h1>",
        f"<p class=quiet>{escape(parameters['customers'])} customers with {escape(parameters['purchases'])} days of "
        f"purchase up to {escape(parameters['end_day'])}; {escape(parameters['repeaters'])} bought again.</p>",
        "<h2>Estimates</h2>", _estimates(parameters),
    ]
    if "groups" in report:
        body += ["<h2>Repeat purchases of all customers known at the cut, added up by week</h2>", tracking(report),
                 f"<p>{_verdict(report)}</p>",
                 "<h2>Purchases after the cut, a head, by repeats before it</h2>", bars(report["groups"]),
                 _groups(report["groups"])]
    else:
        body.append(f"<p>No comparison with a part that was held out: {escape(str(report['not_held_out']))}</p>")
    return ("<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            f"<title>LTV: does the model hold?</title><style>{_STYLE}</style>{''.join(body)}</html>\n")


def tracking(report: Mapping[str, Any]) -> str:
    """Two lines over weeks, cumulative, with the cut between what the model saw and what it did not."""
    weeks, actual, predicted = report["weeks"], report["actual"], report["predicted"]
    top = _ceiling(max([1.0, *actual, *predicted]))
    across = _scale(0, max(weeks, default=1), _LEFT, WIDTH - _RIGHT)
    up = _scale(0, top, HEIGHT - _BOTTOM, _TOP)
    cut = across(report["cut_week"])
    lines = [
        *_grid(top, up), *_weeks(weeks, across),
        f"<line class=cut x1={cut:.1f} x2={cut:.1f} y1={_TOP} y2={HEIGHT - _BOTTOM} />",
        f"<text x={cut + 5:.1f} y={_TOP + 10}>from here on not shown to the model</text>",
        *_line("actual", zip(weeks, actual, strict=True), across, up),
        *_line("model", zip(weeks, predicted, strict=True), across, up),
    ]
    if weeks:
        lines += _named({"actual": ("came", up(actual[-1])), "model": ("predicted", up(predicted[-1]))})
    return _svg("Repeat purchases by week: predicted and actual", lines)


def bars(groups: Sequence[Mapping[str, Any]]) -> str:
    """Two bars for each number of repeats before the cut."""
    top = _ceiling(max([0.1, *(max(group["actual"], group["predicted"]) for group in groups)]))
    up = _scale(0, top, HEIGHT - _BOTTOM, _TOP)
    step = (WIDTH - _LEFT - _RIGHT) / max(1, len(groups))
    lines = _grid(top, up)
    for place, group in enumerate(groups):
        left = _LEFT + place * step + step * 0.18
        for offset, (name, value) in enumerate((("actual", group["actual"]), ("model", group["predicted"]))):
            lines.append(f"<rect class={name} x={left + offset * step * 0.34:.1f} y={up(value):.1f} "
                         f"width={step * 0.3:.1f} height={HEIGHT - _BOTTOM - up(value):.1f} />")
        lines.append(f"<text x={left + step * 0.32:.1f} y={HEIGHT - 16} text-anchor=middle>"
                     f"{_repeats(group, groups)}</text>")
    lines += _named({"actual": ("came", _TOP + 12), "model": ("predicted", _TOP + 30)})
    return _svg("Purchases after the cut by repeats before it: predicted and actual", lines)


def _estimates(parameters: Mapping[str, str]) -> str:
    rows = [
        (f"{name}, {meaning}", f"{float(parameters[name]):.4f}",
         f"± {float(error):.4f}" if (error := parameters[f"{name}_standard_error"]) else "not told by the data")
        for name, meaning in _NAMES.items()
    ]
    return _table(("parameter", "estimate", "standard error"), rows)


def _groups(groups: Sequence[Mapping[str, Any]]) -> str:
    return _table(("repeats before", "customers", "came, a head", "predicted, a head"), [
        (_repeats(group, groups), f"{group['customers']:,}", f"{group['actual']:.3f}", f"{group['predicted']:.3f}")
        for group in groups
    ])


def _repeats(group: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> str:
    last = group["repeats"] == groups[-1]["repeats"] and group["repeats"] > 0
    return f"{group['repeats']}{' +' if last else ''}"


def _verdict(report: Mapping[str, Any]) -> str:
    came, expected = report["actual_after"], report["predicted_after"]
    off = f": {(expected - came) / came:+.1%}" if came else ""
    cut = date(1970, 1, 1) + timedelta(days=report["cut_day"])
    return f"After {cut:%Y-%m-%d} {came:,} purchases came, {expected:,.0f} were predicted{off}."


def _line(name: str, points: Iterable[tuple[float, float]], across: Any, up: Any) -> list[str]:
    path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in points)
    return [f"<polyline class={name} points='{path}' />"]


def _named(ends: Mapping[str, tuple[str, float]]) -> list[str]:
    """Names at the right edge, at least a line apart."""
    placed, last = [], -1e9
    for name, (text, height) in sorted(ends.items(), key=lambda end: end[1][1]):
        last = max(height + 4, last + 15)
        placed.append(f"<text class=named-{name} x={WIDTH - _RIGHT + 8} y={last:.1f}>{text}</text>")
    return placed


def _grid(top: float, up: Any) -> list[str]:
    lines = []
    for part in range(5):
        value = top * part / 4
        lines.append(f"<line class=grid x1={_LEFT} x2={WIDTH - _RIGHT} y1={up(value):.1f} y2={up(value):.1f} />")
        lines.append(f"<text x={_LEFT - 8} y={up(value) + 4:.1f} text-anchor=end>{value:,.6g}</text>")
    return lines


def _weeks(weeks: Sequence[int], across: Any) -> list[str]:
    step = max(1, -(-len(weeks) // 8))
    ticks = [f"<text x={across(week):.1f} y={HEIGHT - 16} text-anchor=middle>{week}</text>"
             for week in weeks if week % step == 0]
    return [*ticks, f"<text x={WIDTH - _RIGHT + 8} y={HEIGHT - 16}>weeks</text>"]


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _svg(title: str, lines: Iterable[str]) -> str:
    return (f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role=img aria-label='{escape(title)}'>"
            f"{''.join(lines)}</svg>")


def _scale(low: float, high: float, start: float, end: float) -> Any:
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _ceiling(value: float) -> float:
    """The next number whose quarters are short: one of a dozen times a power of ten."""
    power = 1.0
    while power * 10 <= value:
        power *= 10
    while power > value:
        power /= 10
    return next(power * step for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 4.8, 6, 8, 10)
                if power * step >= value)
