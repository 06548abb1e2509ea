"""`onethread unlink`: two identifiers are two customers', whatever the evidence says."""

from typing import Annotated

import typer

from cli.ruling import rule


def command(
    a: Annotated[str, typer.Argument(metavar="A", help="KIND:VALUE, or person:UUID.")],
    b: Annotated[str, typer.Argument(metavar="B", help="KIND:VALUE, or person:UUID.")],
    reason: Annotated[str, typer.Option(help="Why; `onethread why` and `rules list` show it.")],
) -> None:
    """Hold two identifiers apart: no person has both. Prints the rule's id.

    Take it back with `onethread rules drop ID`; then all is as if it had never been.

    Example: onethread unlink loyalty_card:2600123 phone:+380670009001 --reason "the card was passed on"
    """
    print(rule("unlink", (a, b), reason))
