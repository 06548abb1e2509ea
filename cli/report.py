"""`onethread report`: the ready questions on one page."""

from pathlib import Path
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError

from cli.progress import line
from cli.stack import find
from examples.sample import golden
from sinks.clickhouse.client import connect
from streams.errors import OneThreadError, UsageError


def command(
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the page goes.")] = Path("report.html"),
) -> None:
    """Write one HTML page: who buys where, changes of channel, attribution, cohorts, LTV, white spots, obstacles.

    The page needs nothing from outside and names nobody; it follows the reader's choice of light or dark.

    Example: onethread report --out report.html
    """
    from analytics.report.page import page  # the template engine, which the help need not wait for
    from sinks.clickhouse.reporting import figures

    if out.is_dir() or not out.absolute().parent.is_dir():
        raise UsageError(f"--out: expected a file in a folder that is there; came {out}")
    addresses = find()
    try:
        with line("asking the views"):
            told = page(figures(connect(addresses.clickhouse_url), golden.ORDER))
    except ClickHouseError as error:
        raise OneThreadError(f"ClickHouse does not answer at {addresses.clickhouse_url}, or refuses: {error}") from None
    out.write_text(told, encoding="utf-8")
    print(f"the page: {out}")
