"""A Sankey diagram of two columns: from where, to where, as wide as there are many."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import NamedTuple

from analytics.report.svg import WIDTH, box, figure, text

FLOWS_MAX = 60
_NODE, _GAP, _LABEL, _ROOM = 14, 13, 170, 420


class Flow(NamedTuple):
    """So many go from one to the other; `detail` is what more is to be told of them."""

    start: str
    end: str
    size: float
    detail: str = ""


class _Side:
    """A column: where each node begins, and how far it is taken."""

    def __init__(self, ends: Iterable[tuple[str, float]], unit: float) -> None:
        sizes: dict[str, float] = {}
        for name, size in ends:
            sizes[name] = sizes.get(name, 0) + size
        self.sizes = dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))
        self.tops: dict[str, float] = {}
        top = 24.0
        for name, size in self.sizes.items():
            self.tops[name] = top
            top += size * unit + _GAP
        self.height = top
        self._taken = dict(self.tops)

    def take(self, name: str, thickness: float) -> float:
        place = self._taken[name]
        self._taken[name] += thickness
        return place


def sankey(title: str, heads: tuple[str, str], flows: Sequence[Flow], kind: Callable[[str], str]) -> str:
    """The largest FLOWS_MAX flows; `kind` is the class that colours a node, and with it what leaves it."""
    shown = sorted((flow for flow in flows if flow.size > 0), key=lambda f: (-f.size, f.start, f.end))[:FLOWS_MAX]
    unit = _ROOM / (sum(flow.size for flow in shown) or 1)
    left, right = _Side(((f.start, f.size) for f in shown), unit), _Side(((f.end, f.size) for f in shown), unit)
    x1, x2 = _LABEL + _NODE, WIDTH - _LABEL - _NODE
    ribbons, nodes = [], [text(_LABEL + _NODE, 12, heads[0], "end", "quiet"), text(x2, 12, heads[1], kind="quiet")]
    order = {name: place for side in (left, right) for place, name in enumerate(side.sizes)}
    for flow in sorted(shown, key=lambda f: (left.tops[f.start], right.tops[f.end], order[f.end])):
        thick = flow.size * unit
        ribbons.append(_ribbon(x1, left.take(flow.start, thick), x2, right.take(flow.end, thick), thick, flow, kind))
    for side, x, anchor, at in ((left, _LABEL, "end", _LABEL - 8), (right, x2, "start", x2 + _NODE + 8)):
        for name, size in side.sizes.items():
            top, thick = side.tops[name], size * unit
            nodes.append(box(x, top, _NODE, max(thick, 1.5), kind(name), f"{name}: {size:,.0f}"))
            nodes.append(text(at, top + thick / 2 + 4, f"{name}  {size:,.0f}", anchor))
    return figure(title, max(left.height, right.height) + 4, [*ribbons, *nodes])


def _ribbon(
    x1: float, y1: float, x2: float, y2: float, thick: float, flow: Flow, kind: Callable[[str], str],
) -> str:
    middle, thick = (x1 + x2) / 2, max(thick, 0.75)
    told = f"{flow.start} → {flow.end}: {flow.size:,.0f}{flow.detail and ', ' + flow.detail}"
    path = (f"M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}v{thick:.1f}"
            f"C{middle:.1f} {y2 + thick:.1f} {middle:.1f} {y1 + thick:.1f} {x1:.1f} {y1 + thick:.1f}z")
    return f'<path d="{path}" class="ribbon {kind(flow.start)}"><title>{escape(told)}</title></path>'
