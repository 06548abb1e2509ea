"""Lines over time, each named where it ends."""

from collections.abc import Callable, Mapping, Sequence

from analytics.report.svg import WIDTH, apart, ceiling, figure, line, shortened, text

_LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 56, 150, 12, 30, 280
LINES_MAX = 8
_TICKS_MAX = 10


def lines(
    title: str, times: Sequence[str], series: Mapping[str, Mapping[str, float]], told: Callable[[float], str],
) -> str:
    """Series over the same times, the first LINES_MAX of them; a time without a figure breaks no line."""
    shown = dict(list(series.items())[:LINES_MAX])
    top = ceiling(max((value for points in shown.values() for value in points.values()), default=1) or 1)
    span = max(1, len(times) - 1)

    def across(time: str) -> float:
        return _LEFT + times.index(time) / span * (WIDTH - _LEFT - _RIGHT)

    def up(value: float) -> float:
        return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM)

    out = [piece for part in range(5) for piece in (
        line(_LEFT, up(top * part / 4), WIDTH - _RIGHT, up(top * part / 4)),
        text(_LEFT - 8, up(top * part / 4) + 4, told(top * part / 4), "end", "quiet"),
    )]
    step = -(-len(times) // _TICKS_MAX)
    out += [text(across(time), _HEIGHT - 8, time, "middle", "quiet") for time in times[::max(1, step)]]
    ends = [up(list(points.values())[-1]) for points in shown.values()]
    for number, ((name, points), end) in enumerate(zip(shown.items(), apart(ends, 16), strict=True)):
        path = " ".join(f"{across(time):.1f},{up(value):.1f}" for time, value in points.items())
        out.append(f'<polyline points="{path}" class="line s{number}" />')
        out += [f'<circle cx="{across(time):.1f}" cy="{up(value):.1f}" r="3.5" class="s{number}">'
                f"<title>{told(value)}</title></circle>" for time, value in points.items()]
        out.append(text(WIDTH - _RIGHT + 12, end + 4, shortened(name, _RIGHT - 14), kind=f"name s{number}"))
    return figure(title, _HEIGHT, out)
