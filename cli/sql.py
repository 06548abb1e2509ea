"""`onethread sql`: a query to ClickHouse, in any of its formats."""

import shutil
import sys
from typing import Annotated

import httpx
import typer

from cli.stack import find
from streams import connections
from streams.errors import OneThreadError

READONLY = "164"
"""ClickHouse's code for what a read-only request may not do."""

_PATIENCE = httpx.Timeout(None, connect=5)
"""A query takes the time it takes; a server that is there accepts at once."""


def command(
    query: Annotated[str, typer.Argument(help="SQL; tables of the database onethread need no prefix.")],
    output: Annotated[str, typer.Option("--format", help="Any of ClickHouse's: JSONEachRow, CSV, Vertical …")] = "",
    write: Annotated[bool, typer.Option("--write", help="Allow statements that change something.")] = False,
) -> None:
    """Ask ClickHouse. Read-only without --write.

    Example: onethread sql 'SELECT channel, count() FROM touchpoints GROUP BY channel' --format CSV
    """
    addresses, login = find(), connections.clickhouse()
    on_terminal = sys.stdout.isatty()
    parameters = {
        "database": "onethread",
        "default_format": output or ("PrettyCompact" if on_terminal else "TabSeparated"),
        "output_format_pretty_max_value_width": str(shutil.get_terminal_size().columns),
    }
    if not write:
        parameters["readonly"] = "2"
    try:
        with httpx.Client(
            trust_env=False, timeout=_PATIENCE, auth=login.basic, verify=login.verify
        ) as client, client.stream(
            "POST", addresses.clickhouse_url, params=parameters, content=query.encode()
        ) as response:
            if response.status_code != 200:
                raise _refusal(response)
            for chunk in response.iter_bytes():
                sys.stdout.buffer.write(chunk)
            sys.stdout.flush()
    except httpx.TransportError as error:
        raise OneThreadError(f"ClickHouse does not answer at {addresses.clickhouse_url}: {error}") from error


def _refusal(response: httpx.Response) -> OneThreadError:
    text = response.read().decode(errors="replace").strip()
    if response.headers.get("X-ClickHouse-Exception-Code") == READONLY:
        return OneThreadError(f"without --write a query may only read; came something else ({text})")
    return OneThreadError(f"ClickHouse refuses: {text}")
