"""Persons from a cluster: a pure function of sets, so that no arrival order can change it.

Steps 2, 3, 4 and 6 of the identity rules; step 1 (shared) is counted where an identifier's partners are known, step 5
(whose touchpoint) is `whose` below.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from streams.core.anchor import conducts_at_once, rank
from streams.core.event import Event, Identifier
from streams.core.messages import Edge
from streams.core.policy import Policy

KNOWN_STRENGTH = 60
"""An unshared identifier of a kind at least this strong makes a person known, and an order not anonymous."""

ROUNDING = 1e-12
"""Confidences are multiplied as floats; the threshold is met to this precision."""


@dataclass
class Resolution:
    """Which identifiers are one person.

    `group_of` leads from an identifier to its group's representative; `refused` are conducting edges that a limit
    kept from uniting, `contested` their weaker ends, but where a rule says of such an end itself that it is not that
    person's; `live` are all conducting edges with the time they were last seen.
    """

    group_of: dict[Identifier, Identifier]
    groups: dict[Identifier, list[Identifier]]
    live: Mapping[Edge, int]
    contested: set[Identifier] = field(default_factory=set)
    refused: list[Edge] = field(default_factory=list)
    unlinks: Collection[Edge] = ()

    def is_parted(self, x: Identifier, other: Identifier) -> bool:
        """Whether a rule names x and an identifier of the other's group: then x is not theirs, whoever logged in."""
        group_of, group = self.group_of, self.group_of[other]
        return any(x in edge and group_of.get(edge[1] if edge[0] == x else edge[0]) == group for edge in self.unlinks)


def conducts(policy: Policy, edge: Edge, confidences: Sequence[float]) -> bool:
    """Step 2: enough events, and confidence 1 - prod(1 - c) over distinct events at or above the threshold."""
    kinds = policy.kinds
    if len(confidences) < max(kinds[edge[0][0]].min_events, kinds[edge[1][0]].min_events):
        return False
    miss = 1.0
    for confidence in sorted(confidences):
        miss *= 1 - confidence
    return 1 - miss >= policy.threshold - ROUNDING


def resolve(
    policy: Policy, members: Iterable[Identifier], live: Mapping[Edge, int], links: Collection[Edge] = (),
    unlinks: Collection[Edge] = (),
) -> Resolution:
    """Steps 3 and 4: unite what is linked by rule, then along conducting edges, strongest first, within the limits.

    Shape: members of one cluster; live edges between unshared members -> their last time (ms); `links` pairs of
           unshared members that a rule holds together whatever the limits, `unlinks` pairs that one holds apart.
    Cost:  O(edges) while the whole cluster is within every limit, for then the order cannot matter;
           O(edges log edges) otherwise.
    """
    result = Resolution({m: m for m in members}, {m: [m] for m in members}, live, unlinks=unlinks)
    if not live and not links:
        return result
    total = Counter(kind for kind, _ in result.group_of)
    if not unlinks and _within_limits(policy, total, len(result.group_of)):
        for a, b in (*links, *live):
            _unite(result, a, b)
    else:
        _resolve_limited(policy, result, links, unlinks)
    return result


def _resolve_limited(
    policy: Policy, result: Resolution, links: Collection[Edge], unlinks: Collection[Edge],
) -> None:
    group_of, groups = result.group_of, result.groups
    counts: dict[Identifier, dict[str, int]] = {}
    """By representative, of each group of more than one: how many of each kind."""

    def counted(group: Identifier) -> dict[str, int]:
        return counts.get(group) or {group[0]: 1}

    def unite(a: Identifier, b: Identifier) -> None:
        kept = _unite(result, a, b)
        sums, more = counted(kept), counted(b if kept == a else a)
        for kind, n in more.items():
            sums[kind] = sums.get(kind, 0) + n
        counts[kept] = sums

    def may_unite(a: Identifier, b: Identifier) -> bool:
        return len(groups[a]) + len(groups[b]) <= policy.person_identifiers_max and _fits(
            policy, counted(a), counted(b),
        )

    for edge in sorted(links):
        a, b = group_of[edge[0]], group_of[edge[1]]
        if a != b and not _held_apart(group_of, a, b, unlinks):
            unite(a, b)
    for _, _, edge in _strongest_first(policy, result.live):
        a, b = group_of[edge[0]], group_of[edge[1]]
        if a == b:
            continue
        if may_unite(a, b) and not _held_apart(group_of, a, b, unlinks):
            unite(a, b)
        else:
            result.refused.append(edge)
    for edge in result.refused:
        stronger, weaker = sorted(edge, key=lambda i: rank(policy, i))
        if not unlinks or not result.is_parted(weaker, stronger):
            result.contested.add(weaker)


def _strongest_first(policy: Policy, live: Mapping[Edge, int]) -> list[tuple[int, int, Edge]]:
    """Conducting edges in the order in which they unite: by strength, then the last seen, then by text."""
    kinds = policy.kinds
    strength: dict[tuple[str, str], int] = {}
    out = []
    for edge, last_ms in live.items():
        pair = edge[0][0], edge[1][0]
        if (weaker := strength.get(pair)) is None:
            weaker = strength[pair] = min(kinds[pair[0]].strength, kinds[pair[1]].strength)
        out.append((-weaker, -last_ms, edge))
    out.sort()
    return out


def _held_apart(
    group_of: Mapping[Identifier, Identifier], a: Identifier, b: Identifier, unlinks: Collection[Edge],
) -> bool:
    """Whether uniting groups a and b would bring together what a rule holds apart."""
    return any({group_of.get(x), group_of.get(y)} == {a, b} for x, y in unlinks)


def _within_limits(policy: Policy, counts: Counter[str], total: int) -> bool:
    if total > policy.person_identifiers_max:
        return False
    kinds = policy.kinds
    return all((limit := kinds[kind].per_person) is None or n <= limit for kind, n in counts.items())


def _fits(policy: Policy, mine: Mapping[str, int], theirs: Mapping[str, int]) -> bool:
    """Whether no limit is exceeded of a kind that both sides hold."""
    if len(mine) > len(theirs):
        mine, theirs = theirs, mine
    for kind, n in mine.items():
        if kind in theirs and (limit := policy.kinds[kind].per_person) is not None and n + theirs[kind] > limit:
            return False
    return True


def _unite(result: Resolution, a: Identifier, b: Identifier) -> Identifier:
    """Unite the groups of two identifiers; returns the representative that stays."""
    groups, group_of = result.groups, result.group_of
    a, b = group_of[a], group_of[b]
    if a == b:
        return a
    if len(groups[a]) < len(groups[b]):
        a, b = b, a
    gone = groups.pop(b)
    for identifier in gone:
        group_of[identifier] = a
    groups[a].extend(gone)
    return a


def senior(policy: Policy, group: Sequence[Identifier], first: Mapping[Identifier, int]) -> Identifier:
    """Step 6: who gives the person its id: the earliest seen, then the strongest, then by text."""
    if len(group) == 1:
        return group[0]
    earliest = min(first[i] for i in group)
    return min((i for i in group if first[i] == earliest), key=lambda i: rank(policy, i))


def kin(policy: Policy, event: Event, clear: Sequence[Identifier]) -> list[Identifier]:
    """The first of an event's unshared identifiers, and those that conduct at once with it: who the event is about.

    Shape: `clear` in anchor order.
    """
    if len(clear) < 2:
        return list(clear)
    confidence = {(kind, value): (kind, value, c) for kind, value, c in event.ids}
    first = confidence[clear[0]]
    return [clear[0], *(i for i in clear[1:] if conducts_at_once(policy, first, confidence[i]))]


TimesOf: TypeAlias = Callable[[Edge], Sequence[int]]
"""When the events behind an edge happened; asked only where an identifier is contested."""


def whose(
    policy: Policy, resolution: Resolution, event: Event, order: Sequence[Identifier],
    clear: Sequence[Identifier], times: TimesOf,
) -> tuple[Identifier, str]:
    """Step 5: the person of a touchpoint, and the kind of identifier through which it was found.

    Shape:  `order` is the event's anchor order, `clear` its unshared members in that order; -> (representative of
            the group, kind).
    """
    group_of, contested = resolution.group_of, resolution.contested
    if not clear:
        return group_of[order[0]], order[0][0]
    d = clear[0]
    if d not in contested:
        return group_of[d], d[0]
    for other in kin(policy, event, clear):
        if other not in contested:
            return group_of[other], other[0]
    partner = _last_login(policy, resolution, d, event.at_ms, times)
    return (group_of[partner], partner[0]) if partner else (group_of[d], d[0])


def _last_login(
    policy: Policy, resolution: Resolution, d: Identifier, at_ms: int, times: TimesOf,
) -> Identifier | None:
    """The personal identifier last seen together with d at or before a time, else the first seen after it."""
    seen = [
        (time, partner)
        for edge in resolution.live
        if d in edge and policy.kinds[(partner := edge[1] if edge[0] == d else edge[0])[0]].personal
        and not resolution.is_parted(d, partner)
        for time in times(edge)
    ]
    if not seen:
        return None
    before = [time for time, _ in seen if time <= at_ms]
    best = max(before) if before else min(time for time, _ in seen)
    return min((partner for time, partner in seen if time == best), key=lambda i: rank(policy, i))
