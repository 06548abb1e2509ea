"""`onethread load`: reference records from a file."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.progress import Tell, line
from cli.stack import find
from connectors.reference import Loader, Problem, checked, records
from streams import settings
from streams.core import reference
from streams.core.facts import Table
from streams.errors import OneThreadError, UsageError

PROBLEMS_SHOWN = 20
SHOWN_EVERY = 1000
"""Records between two looks of the progress line."""


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="One of: " + ", ".join(reference.TABLES) + ".")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header, or JSON lines; in UTF-8.")],
) -> None:
    """Load reference records: stores, products, stock, campaign_costs, rates, staff. The last value of a key wins.

    The whole file is checked first; with one wrong line nothing of it is loaded. Columns: docs/reference.md.

    Example: onethread load rates rates.csv
    """
    table = reference.TABLES.get(name)
    if table is None:
        raise UsageError(f"no such reference records: {name}; expected one of {', '.join(reference.TABLES)}")
    if not file.is_file():
        raise UsageError(f"no such file: {file}")
    addresses = find()
    count = _check(table, file)
    with Loader(addresses.kafka_bootstrap, addresses.registry_url, settings.load(addresses.home), name) as loader:
        _send(table, file, loader, count)
    print(f"loaded {count} {name}", file=sys.stderr)


def _check(table: Table, file: Path) -> int:
    """How many records the file has. Errors: OneThreadError naming the lines that are wrong."""
    with line(f"checking {file.name}") as tell:
        count, problems, bad = checked(table, file, _now_and_then(tell, f"checking {file.name}"), PROBLEMS_SHOWN)
    if problems:
        shown = [f"{file}:{problem.line}: {problem.detail}" for problem in problems]
        more = [f"… and {bad - len(shown)} more"] if bad > len(shown) else []
        told = "\n".join([*shown, *more])
        raise OneThreadError(f"nothing was loaded: {bad} of {count + bad} records are wrong\n{told}")
    return count


def _send(table: Table, file: Path, loader: Loader, count: int) -> None:
    with line(f"loading {table.name}", count) as tell:
        for number, one in enumerate(records(table, file), 1):
            if isinstance(one, Problem):
                raise OneThreadError(f"{file} was changed while it was loaded: line {one.line}: {one.detail}")
            _, key, record = one
            loader.send(key, record)
            if number % SHOWN_EVERY == 0:
                tell(completed=number)


def _now_and_then(tell: Tell, text: str) -> Tell:
    def told(number: int) -> None:
        if number % SHOWN_EVERY == 0:
            tell(description=f"{text}: {number}")

    return told
