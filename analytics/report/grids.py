"""Figures in rows and columns: with a bar in each cell, or shaded by size."""

from collections.abc import Callable, Mapping, Sequence

from analytics.report.svg import WIDTH, box, figure, shortened, text

_HEAD, _LABEL = 34, 130


def matrix(
    title: str, rows: Sequence[str], columns: Sequence[str], cells: Mapping[tuple[str, str], float],
    kind: Callable[[str], str], told: Callable[[float], str],
) -> str:
    """A bar a cell, all of one scale, so that rows are compared within a column and columns within a row.

    `kind` is the class that colours a row, `told` how a figure is written; a cell that is absent stays empty.
    """
    step = (WIDTH - _LABEL) / max(1, len(columns))
    most = max(cells.values(), default=0) or 1
    out = [text(_LABEL + place * step, 14, shortened(name.replace("_", " "), step - 8), kind="quiet")
           for place, name in enumerate(columns)]
    for row, name in enumerate(rows):
        top = _HEAD + row * 30
        out.append(text(_LABEL - 12, top + 14, shortened(name, _LABEL - 16), "end"))
        for place, column in enumerate(columns):
            value, left = cells.get((name, column)), _LABEL + place * step
            out.append(box(left, top, step - 12, 20, "track"))
            if value:
                width = (step - 12) * value / most
                out.append(box(left, top, max(width, 1), 20, kind(name), f"{name}, {column}: {told(value)}", 0.55))
            if value is not None:
                out.append(text(left + 6, top + 14, told(value), kind="cell" if value else "quiet"))
    return figure(title, _HEAD + len(rows) * 30, out)


def heat(
    title: str, rows: Sequence[tuple[str, str]], columns: Sequence[str], cells: Mapping[tuple[str, str], float],
    told: Callable[[float], str], width: float = WIDTH,
) -> str:
    """Cells shaded by size; each row has a label and a second one, quiet."""
    label, step = 120.0, min(90.0, (width - 120) / max(1, len(columns)))
    most = max(cells.values(), default=0) or 1
    out = [text(label + (place + 0.5) * step, 14, name, "middle", "quiet") for place, name in enumerate(columns)]
    for row, (name, aside) in enumerate(rows):
        top = _HEAD - 10 + row * 30
        out += [text(0, top + 18, name), text(label - 12, top + 18, aside, "end", "quiet")]
        for place, column in enumerate(columns):
            value = cells.get((name, column))
            if value is not None:
                words = f"{name}, {column}: {told(value)}"
                out.append(box(label + place * step + 1, top, step - 2, 28, "accent", words, 0.08 + 0.5 * value / most))
                if step >= 34:
                    out.append(text(label + (place + 0.5) * step, top + 18, told(value), "middle", "cell"))
    return figure(title, _HEAD - 6 + len(rows) * 30, out, width)
