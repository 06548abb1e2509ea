"""Lines over time as an SVG picture: no library, and the same bytes for the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, PANEL, LEFT, TOP, GAP, RIGHT = 860, 200, 70, 34, 56, 150
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#17becf")
STEPS = 4

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """Lines by name over minutes, with one scale from 0."""

    title: str
    lines: dict[str, Points]


def svg(panels: Sequence[Panel]) -> str:
    """Panels one below the other, over the same time."""
    end = max((x for panel in panels for points in panel.lines.values() for x, _ in points), default=1.0) or 1.0
    height = TOP + len(panels) * (PANEL + GAP)
    body = "".join(_panel(panel, TOP + n * (PANEL + GAP), end) for n, panel in enumerate(panels))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" '
            f'font-size="12"><rect width="100%" height="100%" fill="white"/>{body}</svg>\n')


def _panel(panel: Panel, top: float, end: float) -> str:
    highest = max((y for points in panel.lines.values() for _, y in points), default=1.0) or 1.0
    right, bottom = WIDTH - RIGHT, top + PANEL
    parts = [f'<text x="{LEFT}" y="{top - 8}" font-weight="bold">{escape(panel.title)}</text>']
    for step in range(STEPS + 1):
        y, x = bottom - PANEL * step / STEPS, LEFT + (right - LEFT) * step / STEPS
        parts.append(f'<line x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{highest * step / STEPS:,.4g}</text>'
                     f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{end * step / STEPS:.3g} min</text>')
    for n, (name, points) in enumerate(panel.lines.items()):
        colour = COLOURS[n % len(COLOURS)]
        path = " ".join(f"{LEFT + (right - LEFT) * x / end:.1f},{bottom - PANEL * y / highest:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
                     f'<text x="{right + 8}" y="{top + 12 + 16 * n}" fill="{colour}">{escape(name)}</text>')
    return "".join(parts)
