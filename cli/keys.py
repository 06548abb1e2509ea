"""`onethread keys`: who may write to the collector, and who may read from it."""

import json
import re
from typing import Annotated, Any

import typer

from cli import looks
from connectors.collector import keys
from connectors.collector.keys import RATE_DEFAULT, Key
from deploy.local.ports import Addresses
from streams.core.channels import registry
from streams.errors import UsageError
from streams.settings import duration_ms, load

app = typer.Typer(no_args_is_help=True, help="Keys of the collector: add, list, rotate, drop.")

_is_source = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}").fullmatch
_is_reference = re.compile(r"[a-z0-9_]+=(env|file):.+").fullmatch
_is_origin = re.compile(r"https?://[^/\s]+").fullmatch


@app.command()
def add(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Which producer; becomes the events' source.")],
    channel: Annotated[list[str] | None, typer.Option(
        metavar="C", help="Where its events happen; the first is taken for granted. May be repeated.",
    )] = None,
    read: Annotated[bool, typer.Option("--read", help="A key that reads persons and writes nothing.")] = False,
    origin: Annotated[list[str] | None, typer.Option(
        metavar="URL", help="Site whose pages may use it, such as https://shop.example.com; without any, all may.",
    )] = None,
    rate: Annotated[float, typer.Option(min=0.1, help="Events a second it may write.")] = RATE_DEFAULT,
    links: Annotated[bool, typer.Option("--links", help="It signs tracked links; never put it into a page.")] = False,
    to: Annotated[list[str] | None, typer.Option(
        metavar="HOST", help="Host to which a tracked link may lead without a signature. May be repeated.",
    )] = None,
    secret: Annotated[list[str] | None, typer.Option(
        metavar="NAME=REF", help="What verifies a webhook: NAME=env:VARIABLE or NAME=file:PATH. May be repeated.",
    )] = None,
    device: Annotated[str | None, typer.Option(help="Device of events that do not say theirs.")] = None,
    currency: Annotated[str | None, typer.Option(help="Currency of amounts that come without one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Make a key and print it, once: only its hash is kept. It works at once.

    Example: onethread keys add web-shop --channel web --origin https://shop.example.com
    """
    home = Addresses.from_environ().home
    channels = tuple(channel or ())
    _check(source, channels, read, registry(load(home).channels))
    for name, values, expected in (("--origin", origin, _is_origin), ("--secret", secret, _is_reference)):
        for value in values or ():
            if not expected(value):
                raise UsageError(f"{name}: {value!r} is not of the form that --help shows")
    text, key = keys.add(
        home, source, scope="read" if read else "write", channels=channels, origins=tuple(origin or ()),
        targets=tuple(to or ()), links=links, rate=rate, device=device, currency=currency,
        secrets=dict(given.split("=", 1) for given in secret or ()),
    )
    if as_json:
        print(json.dumps({"key": text, **_shown(key)}, indent=2))
    else:
        print(text)


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False) -> None:
    """List the keys by their ids; a key itself is kept nowhere."""
    found = keys.Keys(Addresses.from_environ().home).all()
    if as_json:
        print(json.dumps([_shown(key) for key in found], indent=2))
        return
    sheet = looks.sheet("id", "source", "scope", "channels", "sites", "events/s", "made", "good until",
                        right=("events/s",))
    for key in found:
        sheet.add_row(key.id, key.source, key.scope, ", ".join(key.channels), ", ".join(key.origins) or "all",
                      f"{key.rate:g}", key.created_at, key.until or "it is dropped")
    looks.page().print(sheet if found else "no keys")


@app.command()
def rotate(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` shows it.")],
    overlap: Annotated[str, typer.Option(metavar="TIME", help="How long both are good: 30m, 24h, 7d.")] = "24h",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Make a key that may what another may, and print it, once; the other is good for a while yet.

    Example: onethread keys rotate 5f0c6a3b9d21 --overlap 7d
    """
    try:
        overlap_s = duration_ms(overlap) / 1000
    except ValueError as error:
        raise UsageError(f"--overlap: {error}; came {overlap!r}") from None
    text, key = keys.rotate(Addresses.from_environ().home, key_id, overlap_s)
    print(json.dumps({"key": text, **_shown(key)}, indent=2) if as_json else text)


@app.command()
def drop(key_id: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` shows it.")]) -> None:
    """Take a key back. Within a second nothing is taken with it any more."""
    key = keys.drop(Addresses.from_environ().home, key_id)
    print(f"dropped {key.id} of {key.source}")


def _check(source: str, channels: tuple[str, ...], read: bool, known: Any) -> None:
    """Errors: UsageError saying what was expected."""
    if not _is_source(source):
        raise UsageError(f"SOURCE: expected lower case letters, digits, '.', '_' and '-'; came {source[:60]!r}")
    if bool(channels) == read:
        raise UsageError("expected --channel, for a key that writes, or --read")
    for name in channels:
        if name not in known:
            raise UsageError(f"--channel: no such channel: {name[:60]}; there are {', '.join(sorted(known))}; "
                             "`onethread channels add` makes another")


def _shown(key: Key) -> dict[str, Any]:
    """A key without its hash."""
    return {
        "id": key.id, "source": key.source, "scope": key.scope, "channels": key.channels, "origins": key.origins,
        "targets": key.targets, "links": key.links, "rate": key.rate, "secrets": key.secrets,
        "created_at": key.created_at, "until": key.until or None,
    }
