"""`onethread bench`: how fast this machine takes events from Kafka to ClickHouse, and how far the floor is from it."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.progress import StartProgress
from deploy.bench import collector as collecting
from deploy.bench import why as asking
from deploy.bench.events import people_for
from deploy.bench.report import collector_figures, figures, why_figures
from deploy.bench.run import Plan, run
from streams.errors import UsageError


def command(
    events: Annotated[int, typer.Option(min=100, help="How many events to send.")] = 100_000,
    people: Annotated[int, typer.Option(help="How many people send them; 0: one for every 12 events.")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed makes the same events.")] = 1,
    workers: Annotated[int, typer.Option(min=1, help="How many workers share the partitions.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    collector: Annotated[bool, typer.Option("--collector", help="Measure the HTTP collector alone.")] = False,
    why: Annotated[bool, typer.Option("--why", help="Measure `onethread why` on a large person alone.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the home with its data and logs, and say where.")] = False,
) -> None:
    """Measure the pipeline on a stack of its own: temporary home, free ports.

    Takes about two minutes for 100,000 events. Other stacks on this machine are left alone, but share its cores.
    """
    if collector and why:
        raise UsageError("expected --collector or --why, not both")
    home = Path(tempfile.mkdtemp(prefix="onethread-bench-"))
    console = Console(stderr=True)
    with StartProgress() as progress:
        if collector:
            document = collecting.run(events, home, keep, progress.waiting)
            table, show = collector_figures(document), _show_collector
        elif why:
            document = asking.run(home, keep, progress.waiting)
            table, show = why_figures(document), _show_why
        else:
            document = run(Plan(events, people or people_for(events), seed, workers), home, keep, progress.waiting)
            table, show = figures(document), _show
    document["table"] = [asdict(figure) for figure in table]
    if as_json:
        print(json.dumps(document, indent=2))
    else:
        show(document, Console())
    if keep:
        console.print(f"kept: {home}; go on with ONETHREAD_HOME={home} onethread up", highlight=False)


def _show(document: dict[str, Any], console: Console) -> None:
    plan = document["plan"]
    what = (f"{document['events']:,} events of {plan['people']:,} people, {document['floor']['bytes_mean']:.0f} bytes "
            f"each, seed {plan['seed']}, workers: {plan['workers']}")
    _show_table(what, "before", document, console)


def _show_collector(document: dict[str, Any], console: Console) -> None:
    what = f"{document['collector']['events']:,} events, {document['bytes_mean']:.0f} bytes of JSON each"
    _show_table(what, "after", document, console)


def _show_why(document: dict[str, Any], console: Console) -> None:
    what = (f"a person of {document['identifiers']:,} identifiers by {document['events']:,} events, each command "
            f"{document['times']} times in turns")
    _show_table(what, "after", document, console)


def _show_table(what: str, load_taken: str, document: dict[str, Any], console: Console) -> None:
    machine = document["machine"]
    console.print(
        f"{what}; {machine['cpus']} CPUs, {machine['system']}, Python {machine['python']}, load {load_taken} "
        f"{machine['load_before']}", highlight=False,
    )
    table = Table("figure", "goal", "measured", "of the floor", box=None, pad_edge=False)
    for row in document["table"]:
        share = "" if row["of_floor"] is None else f"{row['of_floor']:.2f}"
        table.add_row(row["name"], row["goal"], row["measured"], share)
    console.print(table, highlight=False)
