"""Where the workers of a deployment answer.

ONETHREAD_WORKERS names them, with commas between; `dns+http://name:port` stands for every address of that name, so
that workers may come and go. Where it is not set, they are those that the home's supervisor started.
"""

import os
import socket
from urllib.parse import urlsplit

from deploy.local import records
from deploy.local.ports import Addresses
from streams.errors import UsageError

ANY = "dns+"


def urls(addresses: Addresses) -> list[str]:
    """`http://host:port` of every worker that is known of, running or not. Blocks while a name is looked up.

    Errors: UsageError where ONETHREAD_WORKERS holds a name without a port.
    """
    outside = os.environ.get("ONETHREAD_WORKERS")
    if outside is not None:
        return [url for text in outside.split(",") if text.strip() for url in _of(text.strip().rstrip("/"))]
    return [f"http://{record.address}" for record in records.read_all(addresses.home).values()
            if record.name.startswith("worker-")]


def are_outside() -> bool:
    """Whether somebody else than a supervisor here looks after the workers."""
    return "ONETHREAD_WORKERS" in os.environ


def _of(text: str) -> list[str]:
    if not text.startswith(ANY):
        return [text]
    url = urlsplit(text.removeprefix(ANY))
    if not url.hostname or not url.port:
        raise UsageError(f"ONETHREAD_WORKERS: expected dns+http://name:port; came {text!r}")
    try:
        found = socket.getaddrinfo(url.hostname, url.port, type=socket.SOCK_STREAM)
    except socket.gaierror:  # no worker is there yet
        return []
    hosts = sorted({str(address[0]) for *_, address in found})
    return [f"{url.scheme}://[{host}]:{url.port}" if ":" in host else f"{url.scheme}://{host}:{url.port}"
            for host in hosts]
