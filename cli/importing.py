"""`onethread import`: any CSV or JSON lines through a mapping file to Kafka."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.progress import Tell, line
from cli.stack import find
from connectors.commands import policy_in_force
from connectors.files import mapping as mappings
from connectors.files.importing import run
from connectors.files.journal import Journal, Progress
from connectors.files.mapping import Mapping
from connectors.files.sending import RowSender
from deploy.local.ports import Addresses
from streams import settings
from streams.core.policy import Policy
from streams.errors import UsageError
from streams.settings import Settings

SHOWN_EVERY_S = 0.2


def command(
    mapping: Annotated[str, typer.Argument(metavar="MAPPING", help="A mapping file, or the name of a ready one.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="CSV or JSON lines, also packed by gzip.")],
    again: Annotated[bool, typer.Option("--again", help="Send it all again, also what was sent.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when anything was refused.")] = False,
) -> None:
    """Send the rows of files as channel events. What is refused becomes a dead letter and is listed by line.

    An import that was stopped goes on where it stood; a file that was sent whole is not sent again.

    Example: onethread import till_receipts receipts-2026-02.csv
    """
    for file in files:
        if not file.is_file():
            raise UsageError(f"no such file: {file}")
    path = mappings.find(mapping)
    compiled = mappings.load(path)
    addresses = find()
    chosen = settings.load(addresses.home)
    policy = policy_in_force(addresses.kafka_bootstrap, addresses.registry_url, chosen).policy
    refused = 0
    for file in files:
        refused += send(file, path, compiled, addresses, chosen, policy, again).refused_total
    if strict and refused:
        raise typer.Exit(1)


def send(
    file: Path, path: Path, mapping: Mapping, addresses: Addresses, chosen: Settings, policy: Policy, again: bool,
) -> Progress:
    """Import one file and tell what became of it."""
    journal = Journal(addresses.home, file, path)
    if again:
        journal.forget()
    before = journal.read()
    if before.is_finished:
        print(f"{file.name}: was imported before, nothing is sent; --again sends it again", file=sys.stderr)
        return before
    if before.rows:
        print(f"{file.name}: goes on after {before.rows:,} rows", file=sys.stderr)
    with (
        line(f"importing {file.name}") as tell,
        RowSender(addresses.kafka_bootstrap, addresses.registry_url, chosen, policy, mapping) as sender,
    ):
        progress = run(file, mapping, sender, journal, _Shown(tell, file.name, before.rows))
    _tell(file, progress, journal)
    return progress


def _tell(file: Path, progress: Progress, journal: Journal) -> None:
    passed = f", passed over {progress.passed_over:,}" if progress.passed_over else ""
    print(f"{file.name}: sent {progress.sent:,}, refused {progress.refused_total:,}{passed}", file=sys.stderr)
    for reason, count in sorted(progress.refused.items()):
        print(f"  {reason} {count:,}", file=sys.stderr)
    if progress.refused:
        print(f"  by line: {journal.told}", file=sys.stderr)


class _Shown:
    """The line of progress, changed a few times a second."""

    def __init__(self, tell: Tell, name: str, first: int) -> None:
        self._tell, self._name, self._first = tell, name, first
        self._began_s = self._next_s = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + SHOWN_EVERY_S
            rate = (progress.rows - self._first) / max(now_s - self._began_s, 0.001)
            self._tell(description=(
                f"{self._name}: {progress.rows:,} rows, {rate:,.0f} a second, sent {progress.sent:,}, "
                f"refused {progress.refused_total:,}"
            ))
