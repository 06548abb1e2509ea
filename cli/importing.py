"""`onethread import`: any CSV or JSON lines through a mapping file to Kafka."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.previewing import preview
from cli.progress import Tell, line
from cli.stack import find
from connectors.commands import policy_in_force
from connectors.files import mapping as mappings
from connectors.files.errors import MappingError
from connectors.files.importing import run
from connectors.files.journal import Journal, Progress
from connectors.files.mapping import Mapping
from connectors.files.sending import RowSender
from connectors.files.watching import DONE, REFUSED, Watcher
from streams import settings
from streams.errors import OneThreadError, UsageError

SHOWN_EVERY_S = 0.2
LOOK_S, RETRY_S = 1.0, 5.0
"""Between two looks at a watched folder; until what Kafka did not take is tried again."""


def command(
    mapping: Annotated[str, typer.Argument(metavar="MAPPING", help="A mapping file, or the name of a ready one.")],
    files: Annotated[list[str] | None, typer.Argument(
        metavar="FILE…", help="CSV or JSON lines, also packed by gzip; MAPPING=FILE goes through another mapping.",
    )] = None,
    report: Annotated[bool, typer.Option("--report", help="Send nothing: tell what would become of it.")] = False,
    into: Annotated[Path | None, typer.Option("--list", help="With --report: write every line it names here.")] = None,
    watch: Annotated[Path | None, typer.Option(
        metavar="FOLDER", help="Take files as they are dropped here, until interrupted.",
    )] = None,
    again: Annotated[bool, typer.Option("--again", help="Send it all again, also what was sent.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when anything was refused.")] = False,
) -> None:
    """Send the rows of files as channel events. What is refused becomes a dead letter and is listed by line.

    An import that was stopped goes on where it stood; a file that was sent whole is not sent again.

    Example: onethread import till_receipts receipts-2026-02.csv --report
    Example: onethread import crm_contacts contacts.csv loyalty_members=members.csv --report
    """
    given = [_given(text, mapping) for text in files or ()]
    if bool(files) == bool(watch) or (watch and report):
        raise UsageError("expected files, or --watch and a folder")
    if watch and not watch.is_dir():
        raise UsageError(f"no such folder: {watch}")
    paths = {name: mappings.find(name) for name in (mapping, *(name for _, name in given))}
    compiled = {name: mappings.load(path) for name, path in paths.items()}
    if report:
        preview([(file, compiled[name]) for file, name in given], into)
        return
    importers = {name: _Importer(path, compiled[name], again) for name, path in paths.items()}
    if watch:
        _watch(importers[mapping], Watcher(watch))
    refused = sum(importers[name].send(file).refused_total for file, name in given)
    if strict and refused:
        raise typer.Exit(1)


def _given(text: str, mapping: str) -> tuple[Path, str]:
    """A file and its mapping. Errors: UsageError where there is no such file."""
    name, _, rest = text.rpartition("=")
    if not name or Path(text).is_file():
        name, rest = mapping, text
    if not Path(rest).is_file():
        raise UsageError(f"no such file: {rest}")
    return Path(rest), name


class _Importer:
    """Sends files through one mapping to the stack that the environment names."""

    def __init__(self, path: Path, mapping: Mapping, again: bool) -> None:
        self._path, self._mapping, self._again = path, mapping, again
        self._addresses = find()
        self._settings = settings.load(self._addresses.home)

    def send(self, file: Path) -> Progress:
        """Import one file and tell what became of it."""
        addresses = self._addresses
        journal = Journal(addresses.home, file, self._path)
        if self._again:
            journal.forget()
        before = journal.read()
        if before.is_finished:
            print(f"{file.name}: was imported before, nothing is sent; --again sends it again", file=sys.stderr)
            return before
        if before.rows:
            print(f"{file.name}: goes on after {before.rows:,} rows", file=sys.stderr)
        policy = policy_in_force(addresses.kafka_bootstrap, addresses.registry_url, self._settings).policy
        kafka, registry = addresses.kafka_bootstrap, addresses.registry_url
        with (
            line(f"importing {file.name}") as tell,
            RowSender(kafka, registry, self._settings, policy, self._mapping) as sender,
        ):
            progress = run(file, self._mapping, sender, journal, _Shown(tell, file.name, before.rows))
        _tell(file, progress, journal)
        return progress


def _watch(importer: _Importer, watcher: Watcher) -> None:
    """Take files until interrupted; one that Kafka does not take now is taken up again later."""
    while True:
        for file in watcher.complete(time.monotonic()):
            try:
                progress = importer.send(file)
            except MappingError as error:
                print(f"{error}\n  moved to {watcher.move(file, REFUSED)}", file=sys.stderr)
            except OneThreadError as error:
                print(f"{file.name}: {error}; tried again in {RETRY_S:.0f} s", file=sys.stderr)
                time.sleep(RETRY_S)
            else:
                is_refused = progress.refused_total and not progress.sent
                watcher.move(file, REFUSED if is_refused else DONE)
        time.sleep(LOOK_S)


def _tell(file: Path, progress: Progress, journal: Journal) -> None:
    passed = f", passed over {progress.passed_over:,}" if progress.passed_over else ""
    nobody = f"; of those sent {progress.unidentifiable:,} unidentifiable" if progress.unidentifiable else ""
    print(f"{file.name}: sent {progress.sent:,}, refused {progress.refused_total:,}{passed}{nobody}", file=sys.stderr)
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
