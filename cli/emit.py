"""`onethread emit`: channel events from JSON lines to Kafka."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.stack import find
from connectors.commands import policy_in_force
from connectors.emit import Emitter, Pace, lines
from streams import settings
from streams.errors import UsageError

SHOWN_EVERY = 500
"""Events between two looks of the progress line."""


def command(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Files of JSON lines; - is standard input.")],
    rate: Annotated[float | None, typer.Option(help="At most this many events a second.", min=0.001)] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when any event was refused.")] = False,
) -> None:
    """Send channel events. What is refused is written to the dead letters, with its reason.

    Example: onethread emit events.jsonl --rate 500
    """
    for name in files:
        if name != "-" and not Path(name).is_file():
            raise UsageError(f"no such file: {name}")
    addresses = find()
    chosen = settings.load(addresses.home)
    policy = policy_in_force(addresses.kafka_bootstrap, addresses.registry_url, chosen).policy
    with Emitter(addresses.kafka_bootstrap, addresses.registry_url, chosen, policy) as emitter:
        _send(files, Pace(rate), emitter)
    refused = emitter.refused.total()
    print(f"sent {emitter.sent}, refused {refused}", file=sys.stderr)
    for reason, count in sorted(emitter.refused.items()):
        print(f"  {reason} {count}", file=sys.stderr)
    if strict and refused:
        raise typer.Exit(1)


def _send(files: list[str], pace: Pace, emitter: Emitter) -> None:
    console = Console(stderr=True)
    with ExitStack() as stack:
        progress = stack.enter_context(Progress(
            SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
            console=console, transient=True, disable=not console.is_terminal,
        ))
        task = progress.add_task("sending", total=None)
        for name in files:
            file: BinaryIO = sys.stdin.buffer if name == "-" else stack.enter_context(Path(name).open("rb"))
            for number, line in enumerate(lines(file), 1):
                pace.wait()
                emitter.send(line, f"{name}:{number}")
                if number % SHOWN_EVERY == 0:
                    progress.update(task, description=f"{name}: sent {emitter.sent}, refused {emitter.refused.total()}")
