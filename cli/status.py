"""`onethread status`: parts, lag and books on one page."""

import json
import sys
import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.stack import find_home
from deploy.local.records import Record
from deploy.local.status import Status, read
from streams.settings import load

WIDE = 200
"""Columns in a pipe, where nothing needs to fit a screen."""


def command(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Show every part, what is still to be read of each topic, and the books. Exit 0 if every part runs, else 1."""
    addresses = find_home()
    status = read(addresses, load(addresses.home))
    if as_json:
        print(json.dumps(document(status), indent=2))
    else:
        _show(status, Console(width=None if sys.stdout.isatty() else WIDE))
    raise typer.Exit(0 if status.is_well else 1)


def document(status: Status) -> dict[str, Any]:
    """The status as JSON: times in ISO 8601, null where nothing answers."""
    return {
        "parts": [
            {
                "name": part.name, "state": part.state, "address": part.address, "pid": part.pid or None,
                "since": _iso(part), "restarts": part.restarts, "last_error": part.last_error or None,
            }
            for part in status.parts
        ],
        "lag": status.lag,
        "spool": status.spool,
        "books": status.books,
        "conflicting_duplicates": status.conflicting_duplicates,
        "unknown_types": status.unknown_types,
        "as_of": status.as_of,
        "rebuilding": status.is_rebuilding,
    }


def _show(status: Status, console: Console) -> None:
    parts = Table(box=None)
    for heading in ("part", "state", "address", "pid", "since", "restarts"):
        parts.add_column(heading, no_wrap=True)
    parts.add_column("last error")
    for part in status.parts:
        colour = "green" if part.state == "running" else "red"
        parts.add_row(part.name, f"[{colour}]{part.state}[/]", part.address, str(part.pid or ""), _iso(part),
                      str(part.restarts), part.last_error)
    console.print(parts)
    if status.lag is None:
        console.print("\nlag: Kafka does not answer", style="red")
    else:
        waiting = {topic: left for topic, left in status.lag.items() if left}
        text = ", ".join(f"{topic} {left}" for topic, left in waiting.items())
        console.print(f"\nlag: {text or 'none'}", highlight=False)
    if status.spool and status.spool["records"]:
        why = f": {status.spool['problem']}" if status.spool["problem"] else ""
        console.print(f"spool: {status.spool['records']} records of the collector wait for Kafka{why}", highlight=False)
    if status.books is None:
        console.print("books: ClickHouse does not answer", style="red")
        return
    console.print(_books(status.books))
    console.print(f"conflicting duplicates {status.conflicting_duplicates}, as of {status.as_of}", highlight=False)
    if status.is_rebuilding:
        console.print("a rebuild is under way: the views are those of before; `onethread rebuild` ends it")
    if status.unknown_types:
        console.print(f"unknown types: {', '.join(status.unknown_types)}", highlight=False)


def _books(books: dict[str, int]) -> str:
    """One line that can be added up by eye."""
    ways = " + ".join(f"{name.replace('_', ' ')} {books[name]}"
                      for name in books if name not in ("in", "difference"))
    verdict = "balanced" if books["difference"] == 0 else f"difference {books['difference']}"
    return f"books: in {books['in']} = {ways} ({verdict})"


def _iso(part: Record) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(part.since))
