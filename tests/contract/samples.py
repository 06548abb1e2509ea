"""The samples of a connector: what such a system sends, as its maker publishes it.

Those of webhooks are files of requests: a name, headers, a body or a form, and the events that come of it;
`about_no_customer` where none does. Those of other ways are folders or single files, each file one input as it is.
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
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        yield Sample(file.name, Incoming(file.read_bytes()), False)
