"""What another policy would make of the present state: persons under two policies, compared; nothing is changed.

The state is read as a set of events, nodes and rules, wherever they are kept, and persons are made of it anew under
each policy: sharedness from the nodes, then edges from the events, then one `resolve` for each connected piece. So
evidence that is spread over several clusters, and would unite them only under the other policy, is seen too.
"""

import struct
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

import msgspec

from streams.core import node as codec
from streams.core.anchor import conducts_at_once
from streams.core.event import Event, Identifier
from streams.core.ids import person_id
from streams.core.keys import SEALED, Keys
from streams.core.messages import Edge, Part, Ruling
from streams.core.node import Node, NodeRecord
from streams.core.nodes import KeptRecord
from streams.core.policy import Policy
from streams.core.resolve import KNOWN_STRENGTH, conducts, resolve, senior

_decode_kept = msgspec.msgpack.Decoder(KeptRecord).decode
_decode_node = msgspec.msgpack.Decoder(NodeRecord | int).decode


class Seen(NamedTuple):
    """What an event says of identity."""

    digest: bytes
    at_ms: int
    ids: tuple[tuple[str, str, float], ...]


class State:
    """Nodes, events and rules of all partitions, from the records of the changelog (see `streams.core.nodes`)."""

    def __init__(self) -> None:
        self.events: dict[bytes, Seen] = {}
        self._nodes: dict[bytes, NodeRecord] = {}
        self._split: dict[bytes, int] = {}
        """Nodes too long for one record: key -> number of pieces."""
        self._pieces: dict[bytes, bytes] = {}

    def put(self, key: bytes, value: bytes | None) -> None:
        """One record of the log of changes, in order; None deletes. Records of other kinds are passed over."""
        table = key[:1]
        if table == b"e":
            self.events.pop(key, None)
            if value is not None:
                event: Event = _decode_kept(value).event
                self.events[key] = Seen(event.digest, event.at_ms, event.ids)
        elif table == b"o":
            self._pieces.pop(key, None)
            if value is not None:
                self._pieces[key] = value
        elif table == b"n" and value is not None:
            found = _decode_node(value)
            self._split.pop(key, None)
            if isinstance(found, int):
                self._split[key] = found
                self._nodes.pop(key, None)
            else:
                self._nodes[key] = _lean(found)

    def nodes(self) -> list[NodeRecord]:
        """Every node, without what it keeps of its cluster but rules; what was erased and not named since is none."""
        for key, count in self._split.items():
            pieces = (self._pieces[b"o" + key[1:] + struct.pack(">H", number)] for number in range(count))
            self._nodes[key] = _lean(codec.decode(b"".join(pieces)))
        return [node for node in self._nodes.values() if node.identifier[0] != SEALED]

    def last_words(self) -> dict[Edge, str]:
        """The verb of the last rule on each pair."""
        last: dict[Edge, Ruling] = {}
        for node in self.nodes():
            for edge, ruling in node.part.rules if node.part else ():
                last[edge] = max(ruling, last.get(edge, ruling))
        return {edge: ruling[2] for edge, ruling in last.items()}


def _lean(record: NodeRecord) -> NodeRecord:
    rules = record.part.rules if record.part else []
    part = Part([], [], [], [], [], [], [], [], [], rules) if rules else None
    return msgspec.structs.replace(record, part=part)


@dataclass
class Persons:
    """Whose each identifier is, and what is said of them."""

    owner: dict[Identifier, bytes] = field(default_factory=dict)
    shared: set[Identifier] = field(default_factory=set)
    contested: set[Identifier] = field(default_factory=set)
    known: set[bytes] = field(default_factory=set)

    @property
    def people(self) -> int:
        """How many persons there are, pseudo-persons of shared identifiers left out."""
        return len({owner for identifier, owner in self.owner.items() if identifier not in self.shared})


def persons(state: State, policy: Policy, keys: Keys) -> Persons:
    """The persons that a policy makes of the state.

    Cost: O(pairs of identifiers in events), and O(edges log edges) in pieces that exceed a limit.
    """
    found = Persons(shared={n.identifier for n in state.nodes() if Node(n, None).should_be_shared(policy)})
    first = _first_times(state.events.values())
    words = state.last_words()
    clear = {*first, *(x for edge in words for x in edge)} - found.shared
    live = _live(state.events.values(), policy, clear)
    links = [edge for edge, verb in words.items() if verb == "link" and clear >= {*edge}]
    unlinks = [edge for edge, verb in words.items() if verb == "unlink"]
    piece_of = _pieces(clear, [*live, *links])
    edges = _by_piece(live, piece_of)
    linked, unlinked = _by_piece(links, piece_of), _by_piece(unlinks, piece_of)
    members: dict[Identifier, list[Identifier]] = defaultdict(list)
    for x, piece in piece_of.items():
        members[piece].append(x)
    for piece, inside in members.items():
        result = resolve(
            policy, sorted(inside), {edge: live[edge] for edge in edges[piece]}, linked[piece], unlinked[piece],
        )
        found.contested |= result.contested
        for united in result.groups.values():
            group = [i for i in united if i in first]
            if not group:
                continue  # only rules name them so far
            who = person_id(keys.node(senior(policy, group, first)))
            found.owner.update(dict.fromkeys(group, who))
            if any(policy.kinds[kind].strength >= KNOWN_STRENGTH for kind, _ in group):
                found.known.add(who)
    for x in first.keys() & found.shared:
        found.owner[x] = person_id(keys.node(x))
    return found


def _first_times(events: Iterable[Seen]) -> dict[Identifier, int]:
    first: dict[Identifier, int] = {}
    for event in events:
        for kind, value, _ in event.ids:
            first[kind, value] = min(event.at_ms, first.get((kind, value), event.at_ms))
    return first


def _live(events: Iterable[Seen], policy: Policy, clear: Collection[Identifier]) -> dict[Edge, int]:
    """Conducting edges between unshared identifiers, with their last time: steps 1 and 2."""
    live: dict[Edge, int] = {}
    weak: dict[Edge, dict[bytes, tuple[int, float]]] = defaultdict(dict)
    for event in events:
        for a, b in combinations([i for i in event.ids if i[:2] in clear], 2):
            edge = (a[:2], b[:2])
            if conducts_at_once(policy, a, b):
                live[edge] = max(event.at_ms, live.get(edge, event.at_ms))
            else:
                weak[edge][event.digest] = (event.at_ms, a[2] * b[2])
    for edge, evidence in weak.items():
        if edge in live or conducts(policy, edge, [confidence for _, confidence in evidence.values()]):
            last = max(at for at, _ in evidence.values())
            live[edge] = max(last, live.get(edge, last))
    return live


def _pieces(members: Iterable[Identifier], edges: Iterable[Edge]) -> dict[Identifier, Identifier]:
    """Connected pieces: each identifier -> one that stands for its piece (union-find, halving paths)."""
    parent = {x: x for x in members}

    def root(x: Identifier) -> Identifier:
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    for a, b in edges:
        parent[root(a)] = root(b)
    return {x: root(x) for x in parent}


def _by_piece(edges: Iterable[Edge], piece_of: Mapping[Identifier, Identifier]) -> dict[Identifier, list[Edge]]:
    """Edges within one piece; what a rule says of two pieces holds anyway."""
    found: dict[Identifier, list[Edge]] = defaultdict(list)
    for edge in edges:
        a, b = (piece_of.get(x) for x in edge)
        if a is not None and a == b:
            found[a].append(edge)
    return found


class Change(NamedTuple):
    """A person that would take in others (`merged`), or fall apart (`split`), with the kinds of all identifiers."""

    action: str
    person_id: bytes
    others: tuple[bytes, ...]
    kinds: dict[str, int]

    @property
    def identifiers(self) -> int:
        return sum(self.kinds.values())


@dataclass(frozen=True)
class Difference:
    """What would change between two policies. `renamed` persons stay the same people under another id."""

    before: int
    after: int
    known_before: int
    known_after: int
    merges: int
    splits: int
    renamed: int
    moved: int
    """Identifiers that would belong to another person."""
    shared: dict[str, int]
    unshared: dict[str, int]
    """Identifiers that become everybody's, or are so no longer, by kind."""
    contested: int
    """Identifiers that become contested, or are so no longer."""
    largest: list[Change]

    def __bool__(self) -> bool:
        return bool(
            self.moved or self.shared or self.unshared or self.contested or self.known_before != self.known_after
        )


def compare(before: Persons, after: Persons, largest: int = 20) -> Difference:
    """Two makings of one state, told as merges and splits.

    Shape: the same identifiers in both; a person that takes in n others counts n merges, one that falls into n + 1
           counts n splits. Of identifiers that are or become shared only their numbers are told.
    """
    own = before.owner.keys() - before.shared - after.shared
    was, is_now = ({i: persons.owner[i] for i in own} for persons in (before, after))
    changes = [*_changes("merged", is_now, was), *_changes("split", was, is_now)]
    changes.sort(key=lambda c: (-c.identifiers, c.action, c.person_id))
    merges, splits = (sum(len(c.others) for c in changes if c.action == a) for a in ("merged", "split"))
    moved = [i for i, owner in after.owner.items() if before.owner.get(i) != owner]
    return Difference(
        before=before.people, after=after.people, known_before=len(before.known), known_after=len(after.known),
        merges=merges, splits=splits, renamed=_renamed(was, is_now), moved=len(moved),
        shared=_kinds(after.shared - before.shared), unshared=_kinds(before.shared - after.shared),
        contested=len(before.contested ^ after.contested), largest=changes[:largest],
    )


def _groups(owner: Mapping[Identifier, bytes]) -> dict[bytes, list[Identifier]]:
    groups: dict[bytes, list[Identifier]] = defaultdict(list)
    for identifier, who in owner.items():
        groups[who].append(identifier)
    return groups


def _changes(action: str, whole: Mapping[Identifier, bytes], parts: Mapping[Identifier, bytes]) -> Iterator[Change]:
    """Persons of `whole` whose identifiers are several persons' in `parts`."""
    for who, group in _groups(whole).items():
        others = {parts[i] for i in group}
        if len(others) > 1:
            rest = sorted(others - {who}) if who in others else sorted(others)[1:]
            yield Change(action, who, tuple(rest), _kinds(group))


def _renamed(was: Mapping[Identifier, bytes], is_now: Mapping[Identifier, bytes]) -> int:
    old = {frozenset(group): who for who, group in _groups(was).items()}
    return sum(1 for who, group in _groups(is_now).items() if old.get(frozenset(group), who) != who)


def _kinds(identifiers: Iterable[Identifier]) -> dict[str, int]:
    return dict(sorted(Counter(kind for kind, _ in identifiers).items()))
