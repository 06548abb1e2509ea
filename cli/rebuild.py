"""`onethread rebuild`: ClickHouse built again from topics and state."""

import time
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError

from cli.progress import line
from cli.stack import find
from deploy.local import rebuilding
from streams.errors import OneThreadError
from streams.settings import load


def command(
    cancel: Annotated[bool, typer.Option("--cancel", help="Give up a rebuild that was interrupted.")] = False,
) -> None:
    """Build ClickHouse's data again from topics and state, while events flow.

    The views show what they showed until the new data are whole, then those. Interrupted, it goes on when called again.
    """
    addresses = find()
    if cancel:
        try:
            ended = rebuilding.end(addresses)
        except ClickHouseError as error:
            raise OneThreadError(f"ClickHouse does not answer at {addresses.clickhouse_url}: {error}") from None
        print("given up; the views are as they were" if ended else "no rebuild is under way")
        return
    started = time.monotonic()
    with line("rebuilding") as tell:
        rows = rebuilding.rebuild(addresses, load(addresses.home), lambda text: tell(description=f"rebuilding: {text}"))
    print(f"rebuilt: {rows:,} rows in {time.monotonic() - started:.0f} s")
