"""`onethread connectors`: every way in, by name."""

import json
from typing import Annotated

import typer

from cli import looks
from cli.status import WIDE
from connectors.registry import CONNECTORS


def command(as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False) -> None:
    """List the ways in: what each is for, the channels of its events, how to try it.

    Example: onethread connectors --json
    """
    if as_json:
        print(json.dumps([
            {
                "name": c.name, "title": c.title, "way": c.way, "channels": list(c.channels), "try": c.try_it,
                "page": c.page,
            }
            for c in CONNECTORS.values()
        ], indent=2))
        return
    sheet = looks.sheet("name", "way", "channels", "try")
    for connector in CONNECTORS.values():
        channels = ", ".join(connector.channels) or "any"
        sheet.add_row(connector.name, connector.way, channels, connector.try_it)
    page = looks.page()
    page.width = page.width if page.is_terminal else WIDE
    page.print(sheet)
