"""A file through a mapping to Kafka: row by row, resumed where it stopped, refusals told by line.

The file itself is what waits while Kafka is away: nothing is read further than Kafka takes, and an import that gives up
goes on from its journal. Rows already worked are read again and passed over, which costs a tenth of sending them.
"""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from connectors.files.journal import Journal, Progress
from connectors.files.mapping import Mapping
from connectors.files.reading import Found, rows
from connectors.files.sending import RowSender
from streams.core.refusal import Reject

NOTED_EVERY = 5_000
"""Rows between two notes in the journal; each waits for Kafka, some 20 ms."""

TOLD = ("file", "line", "reason", "detail")
"""Columns of the list of refusals."""

Tell = Callable[[Progress], object]


def run(path: Path, mapping: Mapping, sender: RowSender, journal: Journal, tell: Tell) -> Progress:
    """Send a file from where its journal stands to its end.

    Shape:  `tell` is told after each row.
    Errors: MappingError where the file does not fit the mapping; OneThreadError where Kafka does not take what is sent.
    Cost:   75 µs a receipt of three lines.
    """
    progress = journal.read()
    if progress.is_finished:
        return progress
    with _list_of_refusals(journal, progress) as told:
        for found in islice(rows(path, mapping), progress.rows, None):
            for reject in _work(found, path, sender, progress):
                csv.writer(told).writerow((path.name, found.line, reject.reason, reject.detail))
            progress.rows += 1
            tell(progress)
            if progress.rows % NOTED_EVERY == 0:
                _note(sender, journal, progress, told)
        progress.is_finished = True
        _note(sender, journal, progress, told)
    return progress


def _work(found: Found, path: Path, sender: RowSender, progress: Progress) -> list[Reject]:
    source, before = f"{path.name}:{found.line}", sender.events.unidentifiable
    if found.row is None or found.problem is not None:
        assert found.problem is not None, "a row that is not there has a reason"
        sender.refuse(found.problem, found.row, source)
        sent, refused = 0, [found.problem]
    else:
        sent, refused = sender.send(found.row, source)
    progress.sent += sent
    progress.unidentifiable += sender.events.unidentifiable - before
    progress.passed_over += not (sent or refused)
    for reject in refused:
        progress.refuse(str(reject.reason))
    return refused


def _note(sender: RowSender, journal: Journal, progress: Progress, told: TextIO) -> None:
    sender.flush()
    told.flush()
    progress.told_bytes = told.tell()
    journal.write(progress)


@contextmanager
def _list_of_refusals(journal: Journal, progress: Progress) -> Iterator[Any]:
    """The list, cut back to where the journal stands; gone again where it is empty."""
    journal.told.parent.mkdir(parents=True, exist_ok=True)
    with journal.told.open("a", encoding="utf-8", newline="") as told:
        told.truncate(progress.told_bytes)
        if not progress.told_bytes:
            csv.writer(told).writerow(TOLD)
        yield told
    if not progress.refused:
        journal.told.unlink()
