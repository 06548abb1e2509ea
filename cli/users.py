"""`onethread users`: who may ask ClickHouse besides the owner, and what each may read.

On the embedded engine users are the home's; on a server of one's own they are the server's, made there by statements.
"""

import hashlib
import json
import secrets
from pathlib import Path
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError

from cli import looks
from cli.stack import find_home
from deploy.local.gateway import users
from deploy.local.ports import Addresses
from sinks.clickhouse import cluster
from sinks.clickhouse.client import connect
from sinks.clickhouse.roles import OWNER, roles, statements, user_statements
from streams.errors import OneThreadError, UsageError
from streams.settings import load

app = typer.Typer(no_args_is_help=True, help="Users of ClickHouse and their roles: add, list, drop, roles, sql.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="As who they come.")],
    role: Annotated[str, typer.Option(help="analyst, marketer or sre; `onethread users roles` tells what each reads.")],
) -> None:
    """Make a user and print the password, once: only its hash is kept. Of a known user both are replaced.

    Example: onethread users add ann --role analyst
    """
    addresses = Addresses.from_environ()
    if addresses.is_outside("CLICKHOUSE"):
        print(_add_on_server(addresses, name, role))
        return
    path = _file()
    password = users.add(path, name, role)
    print(password)
    if not any(user.name == users.DEFAULT for user in users.read(path)):
        typer.echo("whoever reaches this machine's ports still reads everything as `default`, without a password: "
                   'set security = "tls" in onethread.toml and start the stack again', err=True)


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False) -> None:
    """List the users of this stack's ClickHouse and their roles."""
    found = [{"name": user.name, "role": user.role} for user in users.read(_file())]
    if as_json:
        print(json.dumps(found, indent=2))
        return
    sheet = looks.sheet("name", "role")
    for user in found:
        sheet.add_row(user["name"], user["role"])
    looks.page().print(sheet if found else "no users but default, without a password")


@app.command()
def drop(name: Annotated[str, typer.Argument(help="Who may no longer ask.")]) -> None:
    """Take a user away; from the next request on."""
    if name == users.DEFAULT:
        raise UsageError("our own programs come as default: it cannot be dropped")
    users.drop(_file(), name)


@app.command("roles")
def show_roles() -> None:
    """What each role may read."""
    sheet = looks.sheet("role", "reads", "but")
    for role in roles().values():
        partly = ", ".join(f"{view} ({len(columns)} columns)" for view, columns in role.reads.items() if columns)
        rows = ", ".join(f"of {view} only rows of who allows marketing" for view in role.rows)
        sheet.add_row(f"{role.name}: {role.about}", ", ".join(role.reads), ", ".join(filter(None, (partly, rows))))
    looks.page().print(sheet)


@app.command()
def sql() -> None:
    """Print what makes the roles on a ClickHouse server, or on the setting `clickhouse_cluster`; can be repeated."""
    over = load(Addresses.from_environ().home).clickhouse_cluster
    for statement in statements():
        for text in cluster.flavoured(statement, over):
            print(f"{text};")


def _file() -> Path:
    return find_home().home / users.FILE


def _add_on_server(addresses: Addresses, name: str, role: str) -> str:
    if role not in roles():
        raise UsageError(f"--role: expected one of {', '.join(roles())}; came {role!r}"
                         + (": give it on the server" if role == OWNER else ""))
    password, salt = secrets.token_urlsafe(24), secrets.token_hex(16)
    digest = hashlib.sha256((password + salt).encode()).hexdigest()
    try:
        client = connect(addresses.clickhouse_url)
        over = cluster.found(client) or ""
        for statement in [*statements(), *user_statements(name, role, salt, digest)]:
            for text in cluster.flavoured(statement, over):
                client.command(text)
    except ClickHouseError as error:
        raise OneThreadError(f"ClickHouse at {addresses.clickhouse_url} does not make the user: {error}: expected a "
                             "user who may manage access (ONETHREAD_CLICKHOUSE_USER)") from None
    return password
