"""What a worker answers over HTTP: `/metrics` to whoever watches it, `/state/…` to whoever may read the state.

`/healthz` says that the process answers, `/readyz` whether it has its partitions and their state: 200, else 503.

The state is asked for by the collector: `/state/node/<node key>` and `/state/person/<person_id>`, in hex, answer with a
`walk.Walk` as msgpack. It is raw and personal, so the request carries a token that only who has the deployment's pepper
can make. Rules kept: threads of their own answer, which read what is committed and write nothing; a worker that has no
partitions yet, or loses one while it is read, answers 503, one without that partition 421; nothing is logged, for paths
name identifiers' hashes.
"""

import hmac
from collections.abc import Callable, Mapping

import rocksdict
from prometheus_client import CONTENT_TYPE_LATEST

from streams import metrics
from streams.core.event import NodeKey, pack
from streams.core.keys import Keys
from streams.core.nodes import Reader
from streams.core.walk import End, Walk, key_of_person, walk
from streams.http_pages import Answer, HttpPages

KEY_BYTES = 16

Readers = Callable[[], Mapping[int, Reader]]
"""The partitions whose state is here and whole."""


class StatePages:
    """The pages below `/state/`."""

    def __init__(self, keys: Keys, readers: Readers) -> None:
        self._keys, self._readers = keys, readers
        self._expected = f"Bearer {keys.token}"

    def answer(self, path: str, authorization: str) -> Answer:
        if not hmac.compare_digest(authorization.encode(), self._expected.encode()):
            return _text(401, "expected the deployment's token")
        kind, _, text = path.removeprefix("/state/").partition("/")
        try:
            name = bytes.fromhex(text)
        except ValueError:
            name = b""
        if len(name) != KEY_BYTES or kind not in ("node", "person"):
            return _text(404, "expected /state/node/<32 hex digits> or /state/person/<32 hex digits>")
        try:
            return self._walk(self._readers(), kind, NodeKey(name))
        except (KeyError, rocksdict.DbClosedError):  # a partition left while it was read
            return _text(503, "the partition is on its way to another worker")

    def _walk(self, readers: Mapping[int, Reader], kind: str, name: NodeKey) -> Answer:
        if not readers:
            return _text(503, "the worker has no partitions yet")
        reader = readers.get(self._keys.partition(name))
        if reader is None:
            return _text(421, "the partition is at another worker")
        key = name if kind == "node" else key_of_person(reader, name)
        found = Walk(End.NOBODY, name, []) if key is None else walk(readers, self._keys, key)
        return 200, "application/msgpack", pack(found)


def _text(status: int, text: str) -> Answer:
    return status, "text/plain; charset=utf-8", text.encode() + b"\n"


def _is_ready() -> bool:
    """What the gauge says that everybody else goes by."""
    return any(sample.value == 1 for family in metrics.WORKER_READY.collect() for sample in family.samples)


class Pages(HttpPages):
    """The HTTP server of a worker. `state` is set once there is one."""

    def __init__(self, host: str, port: int) -> None:
        self.state: StatePages | None = None
        super().__init__(host, port, self.answer)

    def answer(self, path: str, authorization: str) -> Answer:
        path = path.partition("?")[0]
        if path.startswith("/state/"):
            state = self.state
            return state.answer(path, authorization) if state else _text(503, "the worker is starting")
        if path == "/healthz":
            return _text(200, "ok")
        if path == "/readyz":
            return _text(200, "ready") if _is_ready() else _text(503, "the worker has not got its state yet")
        # Any other path shows the metrics, as prometheus_client's own server does.
        return 200, CONTENT_TYPE_LATEST, metrics.page(metrics.WORKER)
