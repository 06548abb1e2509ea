"""What an identifier's own node keeps of what was erased around it: hashes and times, never a value.

Records, by the first byte of the key; node keys and events' hashes are `Keys`' own:
  r + node key + other's node key   ever seen or ruled with, no partner now: to be told when this one is erased
  m + node key + other's node key   up to when the other was erased
  d + node key + hash               an event that is deleted, or an identifier that was taken out of an event
  u + clock + node key              suppressed: ingest of this partition refuses events that name it
"""

import struct

from streams.core.keys import Keys
from streams.core.node import Node, Partner, decode_partner
from streams.core.nodes import Nodes

SUPPRESSED = b"u"


def taken_out(event: bytes, x: bytes) -> bytes:
    """The hash that says that x was taken out of an event, from the hashes of both."""
    return bytes(a ^ b for a, b in zip(event, x, strict=True))


class Traces:
    """Reads and writes those records among a partition's, and partners by their node keys."""

    def __init__(self, nodes: Nodes, keys: Keys) -> None:
        self._nodes, self._keys = nodes, keys

    def _key(self, node: Node) -> bytes:
        return self._keys.node(node.identifier)

    def partner(self, node: Node, other: bytes) -> Partner | None:
        return decode_partner(self._nodes.read(b"p" + self._key(node) + other))

    def partners(self, node: Node) -> dict[bytes, Partner]:
        """By node key. Cost: O(partners)."""
        head = b"p" + self._key(node)
        found = self._nodes.scan(head)
        return {key[len(head):]: partner for key, data in found if (partner := decode_partner(data))}

    def drop_partner(self, node: Node, other: bytes) -> None:
        """Not a partner any more, but still one to be told."""
        self._nodes.delete(b"p" + self._key(node) + other)
        self.relate(node, other)

    def relate(self, node: Node, other: bytes) -> None:
        self._nodes.put(b"r" + self._key(node) + other, b"\0")

    def related(self, node: Node) -> set[bytes]:
        """Everything it was ever seen or ruled with."""
        found: set[bytes] = set()
        for table in (b"p", b"r"):
            head = table + self._key(node)
            found.update(key[len(head):] for key, _ in self._nodes.scan(head))
        return found

    def drop_refused(self, node: Node, other: bytes) -> bool:
        """Whether there was something to drop."""
        key = b"f" + self._key(node) + other
        if self._nodes.read(key) is None:
            return False
        self._nodes.delete(key)
        return True

    def mark(self, node: Node, other: bytes, until_ms: int) -> None:
        """The other was erased up to then."""
        known = self.marked(node, other)
        self._write(node, b"m" + self._key(node) + other, b"%d" % max(until_ms, known))

    def marked(self, node: Node, other: bytes) -> int:
        """Up to when the other was erased; below 0 where it was not."""
        data = self._nodes.read(b"m" + self._key(node) + other) if node.has_traces else None
        return int(data) if data else -1

    def cut(self, node: Node, what: bytes) -> None:
        self._write(node, b"d" + self._key(node) + what, b"\0")

    def is_cut(self, node: Node, event: bytes, x: bytes) -> bool:
        """Whether an event is deleted, or x was taken out of it."""
        return self.has_cut(node, event) or self.has_cut(node, taken_out(event, x))

    def has_cut(self, node: Node, what: bytes) -> bool:
        return node.has_traces and self._nodes.read(b"d" + self._key(node) + what) is not None

    def suppress(self, x: bytes, clock: int) -> None:
        """After all that came before it, so that who reads them in order misses none."""
        self._nodes.put(SUPPRESSED + struct.pack(">Q", clock) + x, x)

    def _write(self, node: Node, key: bytes, value: bytes) -> None:
        self._nodes.put(key, value)
        if not node.has_traces:
            node.has_traces = True
            self._nodes.touch(node)

