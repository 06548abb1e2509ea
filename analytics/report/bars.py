"""Bars: parts of a whole in one row, and rows of a few parts with their figure at the end."""

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.report.svg import CHARACTER, WIDTH, box, figure, line, shortened, text

_LABEL, _FIGURE, _ROW = 190, 110, 30


@dataclass(frozen=True)
class Part:
    """A part of a bar: its size, the class that colours it, and what it is."""

    name: str
    size: float
    kind: str


def whole(title: str, rows: Sequence[tuple[str, Sequence[Part]]]) -> str:
    """Each row a bar of the same length, divided by the parts' sizes; parts that are wide enough are named in it."""
    out: list[str] = []
    for place, (label, parts) in enumerate(rows):
        top, x = place * 56 + 4, float(_LABEL)
        out.append(text(_LABEL - 12, top + 25, label, "end", "strong"))
        total = sum(part.size for part in parts) or 1
        for part in parts:
            width = (WIDTH - _LABEL) * part.size / total
            share = f"{part.size / total:.1%}"
            out.append(box(x, top, max(width - 2, 1), 40, part.kind, f"{part.name}: {share}"))
            if width > (len(part.name) + 1) * CHARACTER:
                out.append(text(x + 8, top + 18, part.name, kind="on"))
                out.append(text(x + 8, top + 33, share, kind="on"))
            elif width > 6 * CHARACTER:
                out.append(text(x + 6, top + 25, share, kind="on"))
            x += width
    return figure(title, len(rows) * 56, out)


def rows(title: str, told: Sequence[tuple[str, Sequence[Part], str]]) -> str:
    """(label, parts, figure): bars of one scale, the longest as long as there is room; the figure stands at the end."""
    most = max((sum(part.size for part in parts) for _, parts, _ in told), default=0) or 1
    room = WIDTH - _LABEL - _FIGURE
    out: list[str] = []
    for place, (label, parts, told_figure) in enumerate(told):
        top, x = place * _ROW + 4, float(_LABEL)
        out.append(text(_LABEL - 12, top + 15, shortened(label, _LABEL - 16), "end"))
        for part in parts:
            width = room * part.size / most
            if part.size > 0:
                out.append(box(x, top, max(width - 1, 1), 20, part.kind, f"{label}, {part.name}: {part.size:,.6g}"))
            x += width
        out.append(text(x + 8, top + 15, told_figure, kind="strong"))
    height = len(told) * _ROW + 4
    return figure(title, height, [line(_LABEL, 0, _LABEL, height), *out])
