"""Nodes and their records: what is in memory, what is stored, and what a batch changed.

Records of one partition, by the first byte of the key:
  n + node key                          NodeRecord, or how many pieces it is in
  o + node key + number                 a piece of a NodeRecord too long for one record
  p + node key + partner's node key     Partner
  f + node key + other's node key       an identifier that a shared one refused to be linked with
  e + root's key + time + event's hash  an event kept at a root, in the order of time
  h + message's hash + number           a chunk of a message that is not whole yet
  y + version                           a policy's text
  s + clock                             a claim that an identifier is shared or not, for ingest
  r, m, d, u                            what is kept of what was erased (streams.core.traces)
  c                                     the partition's clock
"""

import struct
from hashlib import blake2b
from typing import NamedTuple, Protocol

import msgspec

from streams.core import node as codec
from streams.core.cluster import Cluster, Kept
from streams.core.event import Event, Identifier, pack, unpack
from streams.core.keys import SEALED, Keys
from streams.core.messages import Chunk, Copy
from streams.core.node import Node, NodeRecord, Partner
from streams.core.policies import Policies

CLOCK = b"c"
SHARED = b"s"
PIECE_BYTES = 400_000
"""Of one record of the changelog, which Kafka takes up to 2 MB."""
_EARLIEST_MS = 1 << 62  # added to times, so that those before 1970 sort first too


class Reader(Protocol):
    """What is committed of one partition."""

    def get(self, key: bytes) -> bytes | None: ...

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]: ...

    def page(self, prefix: bytes, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """At most `limit` records whose keys begin with `prefix` and are greater than `after`, in order."""
        ...


class Page(NamedTuple):
    """Some identifiers with nodes, and the key to go on after; None when there are no more."""

    identifiers: list[Identifier]
    after: bytes | None


class KeptRecord(msgspec.Struct, array_like=True):
    event: Event
    anchor: Identifier
    copies: tuple[Copy, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode_kept = msgspec.msgpack.Decoder(KeptRecord).decode


def _piece_key(node_key: bytes, number: int) -> bytes:
    return b"o" + node_key + struct.pack(">H", number)


def node_prefix(start: bytes) -> bytes:
    """What the keys of node records begin with, of all whose node keys begin so."""
    return b"n" + start


def events_prefix(root: bytes) -> bytes:
    """What the keys of a root's events begin with."""
    return b"e" + root


def stored(reader: Reader, node_key: bytes) -> tuple[NodeRecord, list[tuple[bytes, bytes]]] | None:
    """A node's record, and the records it is stored in; None where nobody has heard of it."""
    name = node_prefix(node_key)
    data = reader.get(name)
    if data is None:
        return None
    keys = [_piece_key(node_key, number) for number in range(_pieces(data))]
    pieces = [(key, reader.get(key) or b"") for key in keys]
    return codec.decode(b"".join(piece for _, piece in pieces) if pieces else data), [(name, data), *pieces]


def _pieces(data: bytes) -> int:
    """In how many pieces a node's record is stored; 0 where it is whole."""
    is_record = data[0] & 0xF0 == 0x90  # an array of at most 15: the record itself, else the number of its pieces
    return 0 if is_record else codec.decode_count(data)


class Nodes:
    """The nodes of one partition; at most about `touches_max` touchpoints stay in memory between batches."""

    def __init__(self, policies: Policies, keys: Keys, reader: Reader, touches_max: int) -> None:
        self._policies, self._keys, self._reader, self._touches_max = policies, keys, reader, touches_max
        self._nodes: dict[bytes, Node] = {}
        """What was asked for longest ago comes first."""
        self._touched: dict[bytes, Node] = {}
        self._puts: dict[bytes, bytes] = {}
        self._deletes: set[bytes] = set()
        self._events: dict[bytes, Kept] = {}
        self._batch = 0
        self._held = 0
        """At least the weight of all nodes in memory."""

    def clock(self) -> int:
        return int(self.read(CLOCK) or 0)

    def get(self, identifier: Identifier) -> Node:
        key = self._keys.node(identifier)
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = self._load(identifier)
            self._held += self._weight(node)
            node.used = self._batch
        elif node.used != self._batch:
            node.used = self._batch
            self._nodes[key] = self._nodes.pop(key)
        if node.identifier[0] == SEALED and identifier[0] != SEALED and node.erased_ms is None:
            self._name(node, identifier)
        return node

    def _name(self, node: Node, identifier: Identifier) -> None:
        """A node that was only spoken of by its key, when something was erased beside it, is met for the first time."""
        assert node.cluster is not None, "nobody could link it without its name"
        if self._policies[node.policy_version].is_blocked(*identifier):
            node.shared = 1
            node.cluster.claim(identifier, 1)
        node.cluster.members = {identifier}
        node.cluster.forget_resolution()
        node.identifier, node.sent = identifier, None
        self.touch(node)

    def touch(self, node: Node) -> None:
        """The node's own record changed."""
        self._touched[self._keys.node(node.identifier)] = node

    def partner(self, x: Identifier, other: Identifier) -> Partner | None:
        return codec.decode_partner(self.read(self._partner_key(x, other)))

    def put_partner(self, x: Identifier, other: Identifier, partner: Partner) -> None:
        self.put(self._partner_key(x, other), codec.encode(partner))

    def partners(self, x: Identifier) -> list[Identifier]:
        """All partners of an identifier."""
        found = self.scan(b"p" + self._keys.node(x))
        return [codec.decode_partner_record(value).identifier for _, value in found]

    def put_refused(self, x: Identifier, other: Identifier, kind: str) -> None:
        """Of the other only its kind and where it is."""
        self.put(b"f" + self._keys.node(x) + self._keys.node(other), pack((*self._keys.sealed(other), kind)))

    def take_refused(self, x: Identifier) -> list[tuple[Identifier, str]]:
        """All that x refused, with its kind, which is then forgotten."""
        found = self.scan(b"f" + self._keys.node(x))
        for key, _ in found:
            self.delete(key)
        told = (unpack(value) for _, value in found)  # an older release told it in clear
        return [((one[0], one[1]), one[2] if len(one) > 2 else one[0]) for one in told]

    def put_shared(self, node: bytes, n: int, clock: int) -> None:
        """A claim about the identifier with a node key, after all that came before it."""
        self.put(SHARED + struct.pack(">Q", clock), pack((node, n)))

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """Records whose keys begin so, with what this batch changed."""
        found = dict(self._reader.scan(prefix))
        found.update({key: value for key, value in self._puts.items() if key.startswith(prefix)})
        return sorted((key, value) for key, value in found.items() if key not in self._deletes)

    def page(self, after: bytes, limit: int) -> Page:
        """Nodes that were stored before this batch, in the order of their keys."""
        found = self._reader.page(b"n", after, limit)
        identifiers = [self._node_record(key[1:], value)[0].identifier for key, value in found]
        return Page(identifiers, found[-1][0] if len(found) == limit else None)

    def put_event(self, root: Node, kept: Kept) -> None:
        key = self._event_key(root, kept)
        self._held += 1
        self._events[key] = kept
        self._deletes.discard(key)

    def delete_event(self, root: Node, kept: Kept) -> None:
        key = self._event_key(root, kept)
        self._events.pop(key, None)
        self._deletes.add(key)

    def gather(self, chunk: Chunk) -> list[bytes]:
        """Keep a chunk; with the last of its message, the data of all of them, which are then forgotten."""
        head = b"h" + chunk.name
        self.put(head + struct.pack(">H", chunk.number), chunk.data)
        if chunk.number < chunk.count - 1:
            return []
        keys = [head + struct.pack(">H", n) for n in range(chunk.count)]
        found = [data for key in keys if (data := self.read(key)) is not None]
        if len(found) < chunk.count:  # a late repeat of the last chunk: the message was worked already
            keys, found = keys[-1:], []
        for key in keys:
            self.delete(key)
        return found

    def put(self, key: bytes, value: bytes) -> None:
        self._puts[key] = value
        self._deletes.discard(key)

    def delete(self, key: bytes) -> None:
        self._puts.pop(key, None)
        self._deletes.add(key)

    def flush(self, clock: int) -> tuple[dict[bytes, bytes], set[bytes]]:
        """What the batch changed: records to put and keys to delete. Forgets nodes that memory has no room for."""
        puts, deletes = self._puts, self._deletes
        for node in self._touched.values():
            self._put_node(node)
        for key, kept in self._events.items():
            puts[key] = _encode(KeptRecord(kept.event, kept.anchor, kept.copies))
        puts.update(self._policies.unsaved)
        self._policies.unsaved.clear()
        puts[CLOCK] = b"%d" % clock
        self._touched, self._puts, self._deletes, self._events = {}, {}, set(), {}
        self._batch += 1
        self._make_room()
        return puts, deletes

    def _put_node(self, node: Node) -> None:
        key, data = self._keys.node(node.identifier), codec.encode(node.record())
        starts = range(0, len(data), PIECE_BYTES) if len(data) > PIECE_BYTES else ()
        pieces = [data[n : n + PIECE_BYTES] for n in starts]
        for number, piece in enumerate(pieces):
            self.put(_piece_key(key, number), piece)
        for number in range(len(pieces), node.pieces):
            self._deletes.add(_piece_key(key, number))
        node.pieces = len(pieces)
        self._puts[b"n" + key] = codec.encode(len(pieces)) if pieces else data

    def _node_record(self, key: bytes, data: bytes) -> tuple[NodeRecord, int]:
        """A node's record and in how many pieces it is stored."""
        count = _pieces(data)
        if not count:
            return codec.decode(data), 0
        pieces = [self.read(_piece_key(key, number)) or b"" for number in range(count)]
        return codec.decode(b"".join(pieces)), count

    def _make_room(self) -> None:
        if self._held <= self._touches_max:
            return
        self._held = sum(map(self._weight, self._nodes.values()))
        if self._held <= self._touches_max:
            return
        for key in list(self._nodes):
            self._held -= self._weight(self._nodes.pop(key))
            if self._held <= self._touches_max * 3 // 4:
                return

    @staticmethod
    def _weight(node: Node) -> int:
        return 1 + (len(node.cluster.timeline) if node.cluster else 0)

    def _load(self, identifier: Identifier) -> Node:
        key = self._keys.node(identifier)
        data = self.read(b"n" + key)
        if data is None:
            return self._first_sight(identifier)
        record, pieces = self._node_record(key, data)
        if record.parent is not None:
            record.parent = self._keys.sealed(record.parent)  # an older release told it in clear
        if record.part is None:
            return Node(record, None, pieces)
        events = [_decode_kept(value) for _, value in self._reader.scan(events_prefix(key))]
        part = msgspec.structs.replace(record.part, events=[(e.event, e.anchor, e.copies) for e in events])
        return Node(record, Cluster(self._policies[record.policy_version], part), pieces)

    def _first_sight(self, identifier: Identifier) -> Node:
        node = Node.new(self._policies.present, self._policies.version, identifier)
        self.touch(node)
        return node

    def read(self, key: bytes) -> bytes | None:
        """A record, with what this batch changed."""
        if key in self._deletes:
            return None
        pending = self._puts.get(key)
        return self._reader.get(key) if pending is None else pending

    def _partner_key(self, x: Identifier, other: Identifier) -> bytes:
        return b"p" + self._keys.node(x) + self._keys.node(other)

    def _event_key(self, root: Node, kept: Kept) -> bytes:
        event = kept.event
        name = blake2b(event.event_id.encode() + b"\0" + event.digest, digest_size=8).digest()
        return b"e" + self._keys.node(root.identifier) + struct.pack(">Q", event.at_ms + _EARLIEST_MS) + name

