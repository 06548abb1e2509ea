"""A `Flow` as one screen: what an operator looks at first stands at the top."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.flow import Flow
from cli.looks import colour

BARS = "▁▂▃▄▅▆▇█"
ROWS_MAX = 9
DAY_S = 86_400
SLOW_S, STALL_S = 5.0, 10.0
"""From here on a time is shown in red."""


def screen(flow: Flow, where: str, at: datetime) -> RenderableType:
    grid = Table.grid(expand=True, padding=(0, 1, 0, 0))
    grid.add_column(ratio=1)
    grid.add_column(ratio=1)
    grid.add_row(_panel("parts", _parts(flow)), _panel("lag", _lags(flow)))
    grid.add_row(_panel("events a second", _channels(flow)), _panel("until visible in SQL", _latency(flow)))
    grid.add_row(_panel("stages", _stages(flow)), _panel("ClickHouse, identity, spool", _figures(flow)))
    return Group(_head(flow, where, at), grid, _books(flow))


def sparkline(values: Sequence[int]) -> str:
    """One bar a value, the highest for the largest; none of a value is a blank."""
    top = max(values, default=0)
    return "".join(BARS[max(0, -(-value * len(BARS) // top) - 1)] if value else " " for value in values)


def seconds(value: float | None) -> str:
    """340 ms, 1.4 s, 12 min; a dash where there is none. Histograms of times end at a day."""
    if value is None:
        return "–"
    if value < 0.0995:
        return f"{value * 1000:.1f} ms"
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 120:
        return f"{value:.1f} s"
    if value < 7200:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.0f} h" if value < DAY_S else "over 24 h"


def rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 9.95 or not value else f"{value:.1f}"


def size(count: int) -> str:
    return f"{count / 2**20:,.1f} MiB"


def _head(flow: Flow, where: str, at: datetime) -> Text:
    well = bool(flow.parts) and all(part.state == "running" for part in flow.parts) and not flow.silent
    p99 = next((one.p99_s for one in flow.latency if one.since == "produced"), None)
    return Text.assemble(
        ("onethread ", "bold"), ("well" if well else "not well", "green" if well else "bold red"),
        f"   {rate(flow.events_s)} events/s   lag {sum(lag.records for lag in flow.lags):,}   p99 {seconds(p99)}   ",
        (f"{at:%H:%M:%S}  {where}", "dim"), no_wrap=True, overflow="ellipsis",
    )


def _panel(title: str, body: RenderableType) -> Panel:
    return Panel(body, title=title, title_align="left", border_style="dim", padding=(0, 1))


def _table(*headers: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0), expand=False)
    for number, header in enumerate(headers):
        table.add_column(header, justify="left" if number == 0 else "right", no_wrap=True)
    return table


def _parts(flow: Flow) -> Table:
    table = _table("", "state", "restarts")
    for part in flow.parts:
        state = "no answer" if part.name in flow.silent and part.state == "running" else part.state
        table.add_row(part.name, Text(state, "green" if state == "running" else "bold red"),
                      Text(str(part.restarts), "yellow" if part.restarts else "dim"))
    for name in [one for one in flow.silent if one not in {part.name for part in flow.parts}]:
        table.add_row(name, Text("no answer", "bold red"), "")
    assigned, expected = flow.partitions
    table.add_row("partitions owned", Text(f"{assigned} of {expected}", "red" if assigned < expected else ""), "")
    if flow.recovery_left:
        table.add_row("being restored", f"{flow.recovery_left:,} records left", "")
    return table


def _lags(flow: Flow) -> Table:
    table = _table("", "records", "stands", "")
    for lag in flow.lags[:ROWS_MAX]:
        stands = Text(seconds(lag.stalled_s) if lag.stalled_s >= 1 else "", "red" if lag.stalled_s > STALL_S else "")
        table.add_row(lag.topic, f"{lag.records:,}", stands, Text(sparkline(lag.history), "cyan"))
    return table


def _channels(flow: Flow) -> Table:
    table = _table("", "events/s", "")
    top = max(flow.channels.values(), default=0.0)
    for name, value in list(flow.channels.items())[:ROWS_MAX]:
        bar = Text("█" * round(20 * value / top) if top else "", colour(name), justify="left")
        table.add_row(Text(name, colour(name)), rate(value), bar)
    for reason, value in sorted(flow.refused_s.items(), key=lambda item: -item[1])[:3]:
        table.add_row(Text(f"refused: {reason}", "red"), Text(rate(value), "red"), "")
    return table


def _latency(flow: Flow) -> Table:
    table = _table("since", "p50", "p99", "events")
    for one in flow.latency:
        is_slow = one.since != "occurred" and (one.p99_s or 0) > SLOW_S
        table.add_row(one.since, seconds(one.p50_s), Text(seconds(one.p99_s), "red" if is_slow else ""),
                      f"{one.events:,}")
    table.add_row("not in ClickHouse for", "", Text(
        seconds(flow.clickhouse_delay_s), "red" if flow.clickhouse_delay_s > SLOW_S else ""), "")
    return table


def _stages(flow: Flow) -> Table:
    table = _table("", "groups/s", "records", "handle", "commit")
    for stage in flow.stages:
        table.add_row(stage.name, rate(stage.groups_s), "–" if stage.records is None else rate(stage.records),
                      seconds(stage.handle_s), seconds(stage.commit_s))
    for step, value in flow.commit_steps_s.items():
        table.add_row(Text(f"  commit: {step}", "dim"), "", "", "", Text(seconds(value), "dim"))
    age = seconds(flow.last_commit_age_s)
    table.add_row("commits", rate(flow.commits_s), "", "last", age)
    if flow.commit_failures:
        table.add_row(Text("failed commits", "red"), Text(str(flow.commit_failures), "red"), "", "", "")
    return table


def _figures(flow: Flow) -> Table:
    table = _table("", "")
    table.add_row("rows/s", rate(flow.rows_s))
    table.add_row("errors/s", Text(rate(flow.clickhouse_errors_s), "red" if flow.clickhouse_errors_s else ""))
    for action, value in flow.merges_s.items():
        table.add_row(f"{action}/s", rate(value))
    table.add_row("duplicates/s", rate(flow.duplicates_s))
    table.add_row("largest cluster", f"{flow.largest_cluster:,} identifiers")
    for word, count in flow.identifiers.items():
        table.add_row(word, f"{count:,}")
    table.add_row("state", size(flow.state_bytes))
    table.add_row("spool", f"{flow.spool_records:,} records, {seconds(flow.spool_age_s)}")
    return table


def _books(flow: Flow) -> Text:
    if flow.books is None:
        return Text("books: nobody tells them", "red")
    ways = " + ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in flow.books.items()
                      if count and name not in ("in", "difference"))
    off = flow.books["difference"]
    waits = sum(lag.records for lag in flow.lags)
    verdict = ("balanced", "green") if not off else (
        (f"{off:,} on their way", "yellow") if waits else (f"difference {off:,}", "bold red"))
    return Text.assemble(f"books: in {flow.books['in']:,} = {ways}  ", verdict)
