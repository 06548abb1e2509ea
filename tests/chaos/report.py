"""What happened in a run: a line of JSON for each fault, and one table over all of them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import IO

from rich.table import Table

from tests.chaos.plan import Fault

COLUMNS = ("fault", "times", "in force, s", "recovered after, s: median", "longest")


@dataclass(frozen=True)
class Struck:
    """A fault that was: since when of the run, how long in force, how long until all was well after it was undone."""

    fault: Fault
    at_s: float
    lasted_s: float
    recovered_s: float
    beside: tuple[str, ...] = ()


class Journal:
    """The lines of a run, written as they come."""

    def __init__(self, path: Path) -> None:
        self._file: IO[str] = path.open("w")
        self.struck: list[Struck] = []

    def note(self, struck: Struck) -> None:
        self.struck.append(struck)
        values = asdict(struck.fault) | {k: v for k, v in asdict(struck).items() if k != "fault"}
        print(json.dumps(values), file=self._file, flush=True)


def rows(struck: Iterable[Struck]) -> list[tuple[str, ...]]:
    """A row for each kind, in the order of names, and one for all."""
    by_kind: defaultdict[str, list[Struck]] = defaultdict(list)
    every = list(struck)
    for one in every:
        by_kind[one.fault.kind].append(one)
    out = [_row(kind, found) for kind, found in sorted(by_kind.items(), key=lambda item: item[0].lower())]
    return [*out, _row("all", every)] if every else out


def _row(name: str, struck: Sequence[Struck]) -> tuple[str, ...]:
    lasted = sorted(one.lasted_s for one in struck)
    after = [one.recovered_s for one in struck]
    force = f"{lasted[0]:.0f}–{lasted[-1]:.0f}" if lasted[-1] >= 1 else "at once"
    return name, str(len(struck)), force, f"{median(after):.1f}", f"{max(after):.1f}"


def table(struck: Iterable[Struck], title: str) -> Table:
    """For a terminal."""
    made = Table(*COLUMNS[:1], title=title, title_justify="left")
    for column in COLUMNS[1:]:
        made.add_column(column, justify="right")
    for row in rows(struck):
        made.add_row(*row)
    return made


def markdown(struck: Iterable[Struck]) -> str:
    """For docs/reliability.md."""
    lines = [COLUMNS, ("---", *["---:"] * (len(COLUMNS) - 1)), *rows(struck)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
