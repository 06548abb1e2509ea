"""`onethread scale N`: another number of workers on a running stack."""

from typing import Annotated

import typer

from cli.progress import line
from cli.stack import find
from deploy.local import rolling


def command(workers: Annotated[int, typer.Argument(metavar="N", help="How many workers share the work.")]) -> None:
    """Add workers to the running stack or take some away, while events flow.

    Until the stack is started anew: `onethread up --workers N` says with how many that is. More workers than the
    setting `partitions` find nothing to do.
    """
    addresses = find()
    with line("scaling") as tell:
        before, after = rolling.scale(addresses, workers, lambda text: tell(description=text))
    print(f"{before} workers before, {after} now" if before != after else f"there are {after} already")
