"""`onethread policy`: the identity policy in force, and changing it."""

import typer

from cli.stack import find
from connectors.commands import policy_in_force
from streams.settings import load

app = typer.Typer(no_args_is_help=True, help="The identity policy: show, check, diff, apply.")


@app.command()
def show() -> None:
    """Print the policy in force, as a file that can be changed and applied."""
    addresses = find()
    print(policy_in_force(addresses.kafka_bootstrap, addresses.registry_url, load(addresses.home)).text, end="")


@app.callback()
def verbs() -> None:
    """Keeps the verb's name on the command line."""
