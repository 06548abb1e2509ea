"""Pieces of the report's charts: small SVG texts, well-formed, coloured by classes of the page's style.

Rules kept: nothing is told by colour alone, each mark has its text beside it or as its title; widths of texts are
estimated, for nobody measures them before the page is shown.
"""

from collections.abc import Iterable
from html import escape
from itertools import pairwise

WIDTH = 1000
CHARACTER = 6.7
"""About the width of a character of 12 pixels."""

FAMILIES = ("online", "store", "phone", "other")


def figure(title: str, height: float, parts: Iterable[str], width: float = WIDTH) -> str:
    """A chart of its own; `title` is what it says to those who do not see it."""
    return (f'<svg viewBox="0 0 {width:g} {height:.0f}" role="img" aria-label="{escape(title)}" '
            f'style="min-width:{width * 0.62:.0f}px">{"".join(parts)}</svg>')


def text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}>{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, kind: str, title: str = "", opacity: float = 1) -> str:
    faint = f' fill-opacity="{opacity:.2f}"' if opacity < 1 else ""
    inner = f"<title>{escape(title)}</title>" if title else ""
    return (f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" rx="2" '
            f'class="{kind}"{faint}>{inner}</rect>')


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "rule") -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}" />'


def shortened(words: str, width: float) -> str:
    """As much of a text as the width has room for."""
    room = max(1, int(width / CHARACTER))
    return words if len(words) <= room else words[: room - 1].rstrip() + "…"


def ceiling(value: float) -> float:
    """The next round number, for the end of a scale: 1, 2, 2.5 or 5 times a power of ten."""
    power = 1.0
    while power * 10 <= value:
        power *= 10
    while power > value > 0:
        power /= 10
    return next(power * step for step in (1, 2, 2.5, 5, 10) if power * step >= value)


def apart(wanted: list[float], distance: float) -> list[float]:
    """Heights for labels, in the order given, each at least a distance from the other ones and near to where wanted."""
    order = sorted(range(len(wanted)), key=lambda n: wanted[n])
    placed = list(wanted)
    for before, after in pairwise(order):
        placed[after] = max(placed[after], placed[before] + distance)
    return placed
