"""`onethread link`: two identifiers are one customer's, whatever the evidence says."""

from typing import Annotated

import typer

from cli.ruling import rule


def command(
    a: Annotated[str, typer.Argument(metavar="A", help="KIND:VALUE, or person:UUID.")],
    b: Annotated[str, typer.Argument(metavar="B", help="KIND:VALUE, or person:UUID.")],
    reason: Annotated[str, typer.Option(help="Why; `onethread why` and `rules list` show it.")],
) -> None:
    """Make two persons one, also beyond the policy's limits. Prints the rule's id.

    It yields to `unlink`; an identifier of many people stays nobody's. Take it back with `onethread rules drop ID`.

    Example: onethread link phone:+380670009001 email:a@example.com --reason "told us at the till"
    """
    print(rule("link", (a, b), reason))
