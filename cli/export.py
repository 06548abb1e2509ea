"""`onethread export`: everything that the views hold on a person, as one JSON document."""

import json
from typing import Annotated

import typer

from cli.who import asked, plain
from sinks.clickhouse.held import held


def command(
    who: Annotated[str, typer.Argument(metavar="KIND:VALUE", help="An identifier, or person:UUID.")],
) -> None:
    """Print everything held on a person, as one JSON document.

    Refused input that names one of the person's identifiers is part of it, under `dead_letters`.

    Example: onethread export phone:+380670009001 > person.json
    """
    found = asked(who, held)
    print(json.dumps(found, indent=2, ensure_ascii=False, default=plain))
