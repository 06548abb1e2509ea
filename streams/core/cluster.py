"""A cluster as its root holds it: members, claims, events, evidence. It only grows.

What is stored is the set of events and a few sets of small records (`Part`); what is derived from them (`first`,
`once`, `timeline`, `orders`) is kept beside them, so that an event costs what it changes, not what the cluster holds.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TypeAlias

from streams.core.anchor import anchor_order, conducts_at_once, conducts_once
from streams.core.event import Cause, Event, Identifier
from streams.core.keys import SEALED
from streams.core.messages import Copy, Edge, Part, Ruling
from streams.core.policy import Policy
from streams.core.resolve import Resolution, conducts, resolve

Sightings: TypeAlias = tuple[int, tuple[int, str], int]
"""Of an edge: how many distinct events, the first's (time, event_id), the time of the last."""


class Kept:
    """One distinct content of an event, with the positions of its copies and the anchor it was kept under."""

    __slots__ = ("anchor", "copies", "event", "order")

    def __init__(self, event: Event, copies: tuple[Copy, ...], order: tuple[Identifier, ...], anchor: Identifier):
        self.event, self.copies, self.order, self.anchor = event, copies, order, anchor


class Cluster:
    """The root's part of a node.

    `seen` holds first times told by the members' own nodes; `sighted` and `busy` what this keeper told of, so that
    nothing is told twice; `weak` the evidence of edges that one event does not conduct, counted here. What is stored
    in the order it came in is a dict, also where there is nothing to look up: reading the log again gives the same
    bytes, which the order of a set would not.
    `marks` say up to when an identifier was erased (by node key), `cuts` which identifier was taken out of which event
    (hashed; see `streams.core.forgetting`), `epochs` how often a member's own node took back the first time it told.
    """

    __slots__ = (
        "_resolution", "_times", "busy", "claims", "cuts", "epochs", "events", "first", "forced", "linked", "marks",
        "members", "once", "orders", "policy", "rules", "seen", "sighted", "timeline", "told", "weak",
    )

    def __init__(self, policy: Policy, part: Part) -> None:
        self.policy = policy
        self._resolution: Resolution | None = None
        self.members = set(part.members)
        self.claims = dict(part.claims)
        self.seen = dict(part.seen)
        self.sighted = {edge: (at, event_id) for edge, at, event_id in part.sighted}
        self.busy = dict.fromkeys(part.busy)
        self.linked = dict.fromkeys(part.linked)
        self.told = dict.fromkeys(part.told)
        self.rules = dict(part.rules)
        self.forced = dict.fromkeys(part.forced)
        self.marks = dict(part.marks)
        self.cuts = dict.fromkeys(part.cuts)
        self.epochs = dict(part.epochs)
        self.weak: dict[Edge, dict[bytes, tuple[int, float, str]]] = {}
        for edge, digest, at, confidence, event_id in part.weak:
            self.weigh(edge, digest, at, confidence, event_id)
        self.events: dict[str, list[Kept]] = {}
        self._derive(Kept(e, copies, anchor_order(policy, e.ids), anchor) for e, anchor, copies in part.events)

    @classmethod
    def of(cls, policy: Policy, identifier: Identifier) -> "Cluster":
        """The cluster that a node is before anything is known of it."""
        return cls(policy, Part([identifier], [], [], [], [], [], [], [], []))

    def part(self, with_events: bool) -> Part:
        events = [(k.event, k.anchor, k.copies) for k in self.kept()] if with_events else []
        return Part(
            sorted(self.members), list(self.claims.items()), list(self.seen.items()),
            [(edge, at, event_id) for edge, (at, event_id) in self.sighted.items()], list(self.busy),
            list(self.linked), list(self.told),
            [(e, digest, *seen) for e, found in self.weak.items() for digest, seen in found.items()], events,
            list(self.rules.items()), list(self.forced), list(self.marks.items()), list(self.cuts),
            list(self.epochs.items()),
        )

    def adopt(self, policy: Policy) -> None:
        """Come to another policy: what events tell at once, and where they belong, is asked anew."""
        self.policy = policy
        kept = list(self.kept())
        for one in kept:
            one.order = anchor_order(policy, one.event.ids)
        self._derive(kept)

    def join(self, part: Part) -> list[Kept]:
        """Take in another cluster; returns what was not kept here before, or has more copies now."""
        self.members.update(part.members)
        self.linked |= dict.fromkeys(part.linked)
        self.told |= dict.fromkeys(part.told)
        self.forced |= dict.fromkeys(part.forced)
        self.busy |= dict.fromkeys(part.busy)
        for edge, ruling in part.rules:
            self.rule(edge, ruling)
        for x, n in part.claims:
            self.claim(x, n)
        epochs = dict(part.epochs)
        for x, at in part.seen:
            self.see(x, at, epochs.pop(x, 0))
        for x, epoch in epochs.items():
            self.see(x, None, epoch)
        for key, until in part.marks:
            self.marks[key] = max(until, self.marks.get(key, until))
        self.cuts.update(dict.fromkeys(part.cuts))
        for edge, at, event_id in part.sighted:
            self.sighted[edge] = min((at, event_id), self.sighted.get(edge, (at, event_id)))
        for edge, digest, at, confidence, event_id in part.weak:
            self.weigh(edge, digest, at, confidence, event_id)
        changed = [
            kept
            for event, anchor, copies in part.events
            if (kept := self.keep(event, anchor_order(self.policy, event.ids), anchor, copies))
        ]
        self._resolution = None
        return changed

    # -- events
    def kept(self) -> Iterator[Kept]:
        """In the order of time, which is the same after they were read again."""
        for _, _, copies in self.timeline:
            yield from copies

    def keep(
        self, event: Event, order: tuple[Identifier, ...], anchor: Identifier, copies: tuple[Copy, ...],
    ) -> Kept | None:
        """Add an event; None where all of it is known already."""
        same = self.events.setdefault(event.event_id, [])
        for kept in same:
            if kept.event.digest == event.digest:
                more = tuple(sorted({*kept.copies, *copies}))
                if more == kept.copies:
                    return None
                kept.copies = more
                return kept
        kept = Kept(event, tuple(sorted(copies)), order, anchor)
        if same:
            self._unlist(same)
        insort(same, kept, key=lambda k: k.event.digest)
        self._list(same)
        self._note(kept)
        self._date(event)
        return kept

    def drop(self, gone: Iterable[Kept]) -> None:
        """Take events out; they are kept elsewhere from now on."""
        lost = {id(kept) for kept in gone}
        self._derive([kept for kept in self.kept() if id(kept) not in lost])

    def forget_resolution(self) -> None:
        """Who is who is asked anew."""
        self._resolution = None

    def refresh(self) -> None:
        """Derive anew what is derived: members, or what events name, changed."""
        self._derive(list(self.kept()))

    def _derive(self, events: Iterable[Kept]) -> None:
        events = list(events)
        self.events = {}
        self.timeline: list[tuple[int, str, list[Kept]]] = []
        self.first = dict(self.seen)
        self.once: dict[Edge, Sightings] = {}
        self._times: dict[Edge, list[int]] | None = None
        self.orders: dict[str, list[str]] = {}
        self._resolution = None
        for kept in events:
            self.events.setdefault(kept.event.event_id, []).append(kept)
            self._note(kept)
        for same in self.events.values():
            same.sort(key=lambda k: k.event.digest)
            event = same[0].event
            self.timeline.append((event.at_ms, event.event_id, same))
            if event.order_id is not None:
                self.orders.setdefault(event.order_id, []).append(event.event_id)
        self.timeline.sort(key=lambda t: t[:2])

    def _list(self, same: list[Kept]) -> None:
        event = same[0].event
        insort(self.timeline, (event.at_ms, event.event_id, same), key=lambda t: t[:2])
        if event.order_id is not None:
            self.orders.setdefault(event.order_id, []).append(event.event_id)

    def _unlist(self, same: list[Kept]) -> None:
        event = same[0].event
        del self.timeline[bisect_left(self.timeline, (event.at_ms, event.event_id), key=lambda t: t[:2])]
        if event.order_id is not None:
            self.orders[event.order_id].remove(event.event_id)
            if not self.orders[event.order_id]:
                del self.orders[event.order_id]

    def _note(self, kept: Kept) -> None:
        """What an event tells of first times and of edges that conduct at once."""
        event, first, members = kept.event, self.first, self.members
        at = event.at_ms
        for kind, value, _ in event.ids:
            known = first.get((kind, value))
            if known is None or at < known:
                first[kind, value] = at
                if (kind, value) in members:
                    self._resolution = None
        if len(event.ids) > 1:
            for edge, _ in self.pairs_at_once(event):
                seen, mine = self.once.get(edge), (at, event.event_id)
                if seen is None:
                    self.once[edge] = (1, mine, at)
                else:
                    self.once[edge] = (seen[0] + 1, min(seen[1], mine), max(seen[2], at))
                is_usable = self.is_clear(edge[0]) and self.is_clear(edge[1])
                is_later = seen is not None and at > seen[2] and self._resolution and self._resolution.refused
                if is_usable and (seen is None or is_later):
                    self._resolution = None

    def pairs_at_once(self, event: Event) -> list[tuple[Edge, float]]:
        return [
            ((a[:2], b[:2]), a[2] * b[2])
            for a, b in combinations(event.ids, 2)
            if conducts_at_once(self.policy, a, b)
        ]

    # -- what others tell
    def claim(self, x: Identifier, n: int) -> bool:
        """Learn that x is shared (odd) or not; whether that was news."""
        if n <= self.claims.get(x, 0):
            return False
        self.claims[x] = n
        if x in self.members:
            self._resolution = None
        return True

    def concerns(self, x: Identifier) -> bool:
        """Whether anything here can depend on what x is."""
        return x in self.first or x in self.members

    def see(self, x: Identifier, at: int | None, epoch: int = 0) -> bool:
        """Learn a first time of x; whether it moved x's first time here. With a later epoch all before is void."""
        known = self.epochs.get(x, 0)
        if epoch > known:
            self.epochs[x] = epoch
            self.seen.pop(x, None)
            if at is not None:
                self.seen[x] = at
            self.refresh()
            return True
        if at is None or epoch < known:
            return False
        if at < self.seen.get(x, at + 1):
            self.seen[x] = at
        if x in self.first and self.first[x] <= at:
            return False
        self.first[x] = at
        if x in self.members:
            self._resolution = None
        return True

    def weigh(self, edge: Edge, digest: bytes, at: int, confidence: float, event_id: str) -> bool:
        """Add what one distinct copy of an event says of a weak edge; whether that was news."""
        found = self.weak.setdefault(edge, {})
        if digest in found:
            return False
        found[digest] = (at, confidence, event_id)
        self._resolution = None
        return True

    def rule(self, edge: Edge, ruling: Ruling) -> bool:
        """Learn a rule; whether it is the last word on its pair so far."""
        if ruling <= self.rules.get(edge, (-1, "", "", "")):
            return False
        self.rules[edge] = ruling
        self._resolution = None
        return True

    # -- what it all means
    def sightings(self, edge: Edge) -> Sightings | None:
        """What is counted here of an edge; None where nothing is.

        Evidence gathered under an earlier policy that conducts at once by now is counted where its event is kept.
        """
        found = [
            (1, (at, event_id), at)
            for at, confidence, event_id in self.weak.get(edge, {}).values()
            if not conducts_once(self.policy, edge, confidence)
        ]
        found += [self.once[edge]] if edge in self.once else []
        if not found:
            return None
        return sum(n for n, _, _ in found), min(first for _, first, _ in found), max(last for _, _, last in found)

    def is_clear(self, x: Identifier) -> bool:
        """A member that is not shared. What an event names here and is no member is shared."""
        return x in self.members and not self.claims.get(x, 0) & 1

    def passes(self, edge: Edge) -> bool:
        """Steps 1 and 2, as far as this cluster knows."""
        return edge in self.once or self._weak_passes(edge)

    def _weak_passes(self, edge: Edge) -> bool:
        found = self.weak.get(edge)
        return found is not None and conducts(self.policy, edge, [c for _, c, _ in found.values()])

    def times(self, edge: Edge) -> list[int]:
        """When the distinct events behind an edge happened."""
        if self._times is None:  # only a cluster in which something is contested is ever asked
            self._times = defaultdict(list)
            for kept in self.kept():
                self._date(kept.event)
        return [at for at, _, _ in self.weak.get(edge, {}).values()] + self._times.get(edge, [])

    def _date(self, event: Event) -> None:
        if self._times is not None and len(event.ids) > 1:
            for edge, _ in self.pairs_at_once(event):
                self._times[edge].append(event.at_ms)

    @property
    def resolution(self) -> Resolution:
        if self._resolution is None:
            links = [edge for edge in self._ruled("link") if self.is_clear(edge[0]) and self.is_clear(edge[1])]
            members = [m for m in self.members if m[0] != SEALED] if self.marks else self.members
            self._resolution = resolve(self.policy, sorted(members), self._live(), links, self._ruled("unlink"))
        return self._resolution

    @property
    def is_parted(self) -> bool:
        """Whether a rule holds anybody apart."""
        return any(ruling[2] == "unlink" for ruling in self.rules.values())

    def is_unlinked(self, a: Identifier, b: Identifier) -> bool:
        """Whether a rule holds the groups of two identifiers apart."""
        group_of = self.resolution.group_of
        groups = {group_of[a], group_of[b]}
        return any({group_of.get(x), group_of.get(y)} == groups for x, y in self._ruled("unlink"))

    def _ruled(self, verb: str) -> list[Edge]:
        return [edge for edge, ruling in self.rules.items() if ruling[2] == verb]

    def _live(self) -> dict[Edge, int]:
        clear = self.members - {x for x, n in self.claims.items() if n & 1}
        live = {edge: seen[2] for edge, seen in self.once.items() if edge[0] in clear and edge[1] in clear}
        for edge, found in self.weak.items():
            if self.is_clear(edge[0]) and self.is_clear(edge[1]) and (edge in live or self._weak_passes(edge)):
                live[edge] = max(live.get(edge, 0), max(at for at, _, _ in found.values()))
        return live


def cause_of(event: Event) -> Cause:
    return event.event_id, event.received_ms
