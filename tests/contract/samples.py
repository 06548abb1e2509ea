"""The samples of a connector: what such a system sends, as its maker publishes it.

Those of webhooks are files of requests: a name, headers, a body or a form, and the events that come of it;
`about_no_customer` where none does. Those of the collector are files of one body, or of a list of them. Of other ways
each file is one input as it is; the events of a file that is imported stand in `tests/fixtures/files`.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from connectors.incoming import Event, Incoming
from connectors.registry import Connector

ROOT = Path(__file__).parents[2]
URL = "https://collector.example.com/webhooks/sample"


class Sample(NamedTuple):
    name: str
    incoming: Incoming
    is_empty: bool
    events: list[Event] | None = None
    """What comes of it, where the sample says so."""


@cache
def samples(connector: Connector) -> tuple[Sample, ...]:
    return tuple(_samples(connector))


def _samples(connector: Connector) -> Iterator[Sample]:
    if connector.samples is None:
        return
    path = ROOT / connector.samples
    if connector.way == "webhook":
        for request in json.loads(path.read_text())["requests"]:
            headers = {name.lower(): value for name, value in request.get("headers", {}).items()}
            body = urlencode(request["form"]) if "form" in request else json.dumps(request["body"], ensure_ascii=False)
            incoming = Incoming(body.encode(), headers, URL)
            yield Sample(request["name"], incoming, "about_no_customer" in request, request["events"])
        return
    for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
        if connector.way != "collector":
            yield Sample(file.name, Incoming(file.read_bytes()), False, _events_of_file(connector.name))
            continue
        document = json.loads(file.read_text())
        for number, call in enumerate(document if isinstance(document, list) else [document], 1):
            yield Sample(f"{file.name} {number}", Incoming(json.dumps(call).encode()), False)


def _events_of_file(name: str) -> list[Event] | None:
    path = ROOT / f"tests/fixtures/files/{name}.json"
    return json.loads(path.read_text()) if path.exists() else None
