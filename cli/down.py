"""`onethread down`: stop what `up` started."""

import sys
from typing import Annotated

import typer

from cli.progress import line
from deploy.local import home, stack
from deploy.local.ports import Addresses
from streams.errors import UsageError


def command(
    wipe: Annotated[bool, typer.Option("--wipe", help="Also remove the state: topics, tables, logs, pepper.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Stop only what `up` started. Nothing running is fine too."""
    folder = Addresses.from_environ().home
    if wipe and home.exists(folder) and not yes:
        if not sys.stdin.isatty():
            raise UsageError("--wipe removes all data of the stack: say --yes where nobody can be asked")
        typer.confirm(f"Remove all state in {folder}?", abort=True)
    with line("stopping"):
        stopped = stack.stop(folder)
    print(f"stopped {folder}" if stopped else f"nothing running in {folder}")
    if wipe:
        home.wipe(folder)
        print(f"removed the state in {folder}")
