"""The command `onethread`: one verb a file, listed here; errors become one message on stderr and an exit code.

Exit codes: 0 done, 1 the work failed, 2 wrong usage.
"""

import gc
import sys
from importlib import import_module

if sys.version_info < (3, 11):  # noqa: UP036 - the one line that an old Python must be able to read
    sys.exit("onethread needs Python 3.11 or newer; this is " + sys.version.split()[0])

import typer

from streams.errors import OneThreadError, UsageError

app = typer.Typer(
    name="onethread", no_args_is_help=True, add_completion=False, rich_markup_mode="markdown",
    pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
    help="""One customer, one thread through every channel.

Start with `onethread up --detach`, look with `onethread status`, ask with
`onethread sql 'SELECT count() FROM persons'`, stop with `onethread down`.

A stack lives in ONETHREAD_HOME (default `.onethread` here) on the forty ports from
ONETHREAD_PORT_BASE (default 19000), all on 127.0.0.1. Settings: `onethread.toml` in the home, or `ONETHREAD_<KEY>`.""",
)

VERBS = (
    "up",
    "down",
    "status",
    "top",
    "scale",
    "restart",
    "settle",
    "sql",
    "emit",
    "import",
    "load",
    "connectors",
    "who",
    "why",
    "export",
    "erase",
    "attribute",
    "rebuild",
    "backup",
    "restore",
    "report",
    "link",
    "unlink",
    "demo",
    "bench",
)
"""Each is a file `cli/<verb>.py` with a function `command`; its docstring is what `--help` says."""

FILES = {"import": "importing"}
"""A verb that Python has for itself has its file under another name."""

GROUPS = (
    "ltv",
    "rules",
    "policy",
    "config",
    "keys",
    "channels",
    "users",
    "dead-letters",
)
"""Each is a file `cli/<group>.py` with an `app` of several verbs."""


_typed = [word for word in sys.argv[1:2] if word in VERBS + GROUPS]
for _name in _typed or VERBS + GROUPS:  # a command does not wait for the imports of all others; help needs every one
    _module = import_module(f"cli.{FILES.get(_name, _name.replace('-', '_'))}")
    if _name in GROUPS:
        app.add_typer(_module.app, name=_name)
    else:
        app.command(name=_name)(_module.command)


@app.callback()
def verbs() -> None:
    """Keeps the verb's name on the command line even where only one is loaded."""


def main() -> None:
    """Run the command line. Exit 2 on wrong usage, 1 where the work failed, 130 when interrupted."""
    gc.freeze()  # what was imported stays: the collector went through all of it while a command made its rows
    try:
        app()
    except UsageError as error:
        _fail(error, 2)
    except OneThreadError as error:
        _fail(error, 1)
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(error: OneThreadError, code: int) -> None:
    print(f"onethread: {error}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
