"""Identity as a batch: which identifiers are shared, who is one person, and whose an event is.

The steps are numbered as in the specification: 1 shared, 2 weak, 3 forced, 4 limits, 5 whose touchpoint, 6 the
person's id.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations
from typing import Any

import networkx as nx

from streams.core.event import Event, Identifier
from streams.core.policy import Kind, Policy
from tests.oracle.keys import node_key, uuid8
from tests.oracle.rules import Pair, Word, last_words

DAY_MS = 86_400_000
KNOWN_STRENGTH = 60
SLACK = 1e-12
"""What rounding may take from a product of confidences before an edge counts as too weak."""


class Identity:
    """The persons of a set of events; every attribute is a plain dict or set over identifiers or pairs of them.

    `events` may hold copies of one event; exact copies (same id and digest) are one piece of evidence, a conflicting
    copy is another. `words` are the rules; an identifier that only they name may connect others, and has no rows.
    """

    def __init__(self, events: list[Event], policy: Policy, pepper: bytes, words: Iterable[Word] = ()) -> None:
        self.policy, self.pepper = policy, pepper
        self.rules = last_words(words)
        self.events = list({(e.event_id, e.digest): e for e in events}.values())
        self.graph = nx.Graph()
        self._observe()
        self.shared = {i for i in self.graph if self._is_shared(i)}
        self.live = {tuple(sorted(pair)) for pair in self.graph.edges if self._conducts(*pair)}
        """Pairs that passed steps 1 and 2."""
        self.links = [pair for pair in sorted(self.rules) if self._holds(pair, "link")]
        self.apart = [pair for pair in sorted(self.rules) if self._holds(pair, "unlink")]
        self.contested: set[Identifier] = set()
        self.refused: dict[Pair, str] = {}
        """Why a live pair is apart: unlink where a rule parts the two persons, else limit."""
        self._unite()
        self.component = self._components()

    def _observe(self) -> None:
        self.graph.add_nodes_from(end for pair in self.rules for end in pair)
        self.first_seen: dict[Identifier, int] = {}
        self.orders_by_day: dict[Identifier, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for e in self.events:
            confidence = {(kind, value): c for kind, value, c in e.ids}
            orders = {value for kind, value, _ in e.ids if kind == "order_id"}
            for i in confidence:
                self.graph.add_node(i)
                self.first_seen[i] = min(e.at_ms, self.first_seen.get(i, e.at_ms))
                self.orders_by_day[i][e.at_ms // DAY_MS] |= orders
            for a, b in combinations(sorted(confidence), 2):
                if not self.graph.has_edge(a, b):
                    self.graph.add_edge(a, b, seen=[])
                self.graph.edges[a, b]["seen"].append((e.at_ms, e.event_id, confidence[a] * confidence[b]))

    def kind(self, i: Identifier) -> Kind:
        return self.policy.kinds[i[0]]

    def _is_shared(self, i: Identifier) -> bool:
        """Step 1."""
        kind = self.kind(i)
        if self.policy.is_blocked(*i):
            return True
        partners = Counter(p[0] for p in self.graph[i])
        if kind.shared_above is not None:
            counted = {p for p in partners if self.policy.kinds[p].personal and p != i[0]} | set(kind.shared_by)
            if any(partners[p] > kind.shared_above for p in counted):
                return True
        busiest = max((len(orders) for orders in self.orders_by_day[i].values()), default=0)
        return kind.busy_above is not None and busiest > kind.busy_above

    def _conducts(self, a: Identifier, b: Identifier) -> bool:
        """Steps 1 and 2."""
        return not {a, b} & self.shared and self.is_enough(a, b)

    def is_enough(self, a: Identifier, b: Identifier) -> bool:
        """Step 2."""
        seen = self.graph.edges[a, b]["seen"]
        needed = max(self.kind(a).min_events, self.kind(b).min_events)
        confidence = 1 - math.prod(1 - c for c in sorted(c for *_, c in seen))
        return len(seen) >= needed and confidence >= self.policy.threshold - SLACK

    def _holds(self, pair: Pair, verb: str) -> bool:
        """Step 3; step 1 stands above it."""
        return self.rules[pair].verb == verb and not set(pair) & self.shared

    def _unite(self) -> None:
        """Step 4: unite links, then live pairs, strongest and latest first, within the limits."""
        self.group: dict[Identifier, frozenset[Identifier]] = {i: frozenset([i]) for i in self.graph}
        refused: list[list[Identifier]] = []
        for a, b in self.links:
            if not self._parted(self.group[a] | self.group[b]):
                self._join(a, b)
        for pair in sorted(self.live, key=self._precedence):
            ours, theirs = (self.group[end] for end in pair)
            if ours == theirs:
                continue
            if self._fits(ours, theirs) and not self._parted(ours | theirs):
                self._join(*pair)
            else:
                refused.append(sorted(pair, key=self.rank))
        self.contested = {weaker for stronger, weaker in refused if not self._is_not_of(weaker, stronger)}
        for a, b in self.live:
            if self.group[a] != self.group[b]:
                self.refused[a, b] = "unlink" if self._parted(self.group[a] | self.group[b]) else "limit"

    def _join(self, a: Identifier, b: Identifier) -> None:
        union = self.group[a] | self.group[b]
        for i in union:
            self.group[i] = union

    def _is_not_of(self, i: Identifier, other: Identifier) -> bool:
        """Somebody said of `i` itself that it is not of the person of another."""
        return any(i in pair and not self.group[other].isdisjoint(set(pair) - {i}) for pair in self.apart)

    def _parted(self, union: frozenset[Identifier]) -> bool:
        return any(union.issuperset(pair) for pair in self.apart)

    def _precedence(self, pair: tuple[Identifier, Identifier]) -> tuple[Any, ...]:
        strength = min(self.kind(end).strength for end in pair)
        last = max(at for at, *_ in self.graph.edges[pair]["seen"])
        return -strength, -last, pair

    def _fits(self, ours: frozenset[Identifier], theirs: frozenset[Identifier]) -> bool:
        mine, yours = (Counter(kind for kind, _ in side) for side in (ours, theirs))
        for kind in mine.keys() & yours.keys():
            limit = self.policy.kinds[kind].per_person
            if limit is not None and mine[kind] + yours[kind] > limit:
                return False
        return len(ours) + len(theirs) <= self.policy.person_identifiers_max

    def rank(self, i: Identifier) -> tuple[Any, ...]:
        """Stronger first, then text."""
        return -self.kind(i).strength, i

    def _components(self) -> dict[Identifier, int]:
        linked = nx.Graph([*self.live, *self.links])
        linked.add_nodes_from(self.graph)
        return {i: n for n, members in enumerate(nx.connected_components(linked)) for i in members}

    def anchor_order(self, e: Event) -> list[Identifier]:
        ranked = sorted((self.policy.kinds[kind].min_events, -c, *self.rank((kind, value))) for kind, value, c in e.ids)
        return [i for *_, i in ranked]

    def anchor(self, e: Event) -> Identifier:
        order = self.anchor_order(e)
        return next((i for i in order if i not in self.shared), order[0])

    def kin(self, e: Event) -> list[Identifier]:
        """The anchor and what this event alone joins with it, in anchor order; none where all are shared."""
        clear = [i for i in self.anchor_order(e) if i not in self.shared]
        confidence = {(kind, value): c for kind, value, c in e.ids}

        def joins(i: Identifier) -> bool:
            at_once = self.kind(clear[0]).min_events == self.kind(i).min_events == 1
            return at_once and confidence[clear[0]] * confidence[i] >= self.policy.threshold

        return [i for i in clear if i == clear[0] or joins(i)]

    def through(self, e: Event) -> Identifier:
        """Step 5: the identifier through which the event's person is found."""
        kin = self.kin(e)
        if not kin:
            return self.anchor_order(e)[0]
        return next((i for i in kin if i not in self.contested), None) or self._logged_in(kin[0], e.at_ms)

    def _logged_in(self, d: Identifier, at_ms: int) -> Identifier:
        """The personal partner last seen with `d` up to `at_ms`, else first seen after it, else `d`."""
        seen = [
            (at, partner)
            for partner in self.graph[d]
            if tuple(sorted((d, partner))) in self.live and self.kind(partner).personal
            and not self._is_not_of(d, partner)
            for at, *_ in self.graph.edges[d, partner]["seen"]
        ]
        if not seen:
            return d
        before = [at for at, _ in seen if at <= at_ms]
        chosen = max(before) if before else min(at for at, _ in seen)
        found: Identifier = min((partner for at, partner in seen if at == chosen), key=self.rank)
        return found

    def members(self, i: Identifier) -> list[Identifier]:
        """Who of the group of `i` was ever seen; what only a rule names has no rows."""
        return [m for m in self.group[i] if m in self.first_seen]

    def person_id(self, i: Identifier) -> bytes:
        """Step 6: a function of the set that `i` belongs to."""
        senior = min(self.members(i), key=lambda m: (self.first_seen[m], *self.rank(m)))
        return uuid8(node_key(senior, self.pepper))

    def is_known(self, i: Identifier) -> bool:
        return any(m not in self.shared and self.kind(m).strength >= KNOWN_STRENGTH for m in self.members(i))
