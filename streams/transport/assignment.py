"""Which worker works on which partition, and which follows it as a standby. Pure: what each member brings comes in.

Rules, the first wins:
1. A partition stays with the worker that works on it.
2. What nobody works on goes to a worker whose store is warm: so far along its changelog that the rest is read in about
   two seconds. With standbys, nearness of the state comes before balance: a take-over must not restore.
3. Then partitions move from whoever has two more than another until nobody has. With standbys only to a worker that
   is warm; one that is not becomes a standby first, and the partition moves once it has caught up.
4. Standbys stay where a store is, spread evenly, never beside their active.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

WARM_RECORDS = 400_000
"""Changelog offsets that are read in two seconds (docs/performance.md: restore). Compacted ones cost nothing."""


@dataclass(frozen=True)
class Member:
    """A worker as it joins: the partitions it worked on until now, and its stores with the last offset in each."""

    name: str
    actives: frozenset[int] = frozenset()
    stores: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Share:
    """What a worker gets."""

    actives: frozenset[int]
    standbys: frozenset[int] = frozenset()


def share_out(members: Sequence[Member], partitions: int, standbys: int = 0) -> dict[str, Share]:
    """The share of every member, by name.

    Shape:  one member or more, names differ -> each partition active once, and standby at min(standbys, members - 1)
            others, or at one more while it waits to move.
    Cost:   O(partitions * members²); the same for the same input, in any order of members.
    """
    return _Plan(sorted(members, key=lambda member: member.name), partitions, standbys).shares()


class _Plan:
    def __init__(self, members: Sequence[Member], partitions: int, standbys: int) -> None:
        assert members, "a plan for nobody"
        self._members = members
        self._partitions = range(partitions)
        self._copies = min(standbys, len(members) - 1)
        self._furthest = {p: max(m.stores.get(p, 0) for m in members) for p in self._partitions}
        self._actives: dict[str, set[int]] = {m.name: set() for m in members}
        self._standbys: dict[str, set[int]] = {m.name: set() for m in members}

    def shares(self) -> dict[str, Share]:
        for partition in self._keep():
            self._give(partition)
        while self._level():
            pass
        for partition in self._partitions:
            self._follow(partition)
        self._warm_up()
        return {m.name: Share(frozenset(self._actives[m.name]), frozenset(self._standbys[m.name]))
                for m in self._members}

    def _keep(self) -> list[int]:
        """Rule 1; returns what nobody works on. Of two that claim a partition, the one who got further was the last."""
        free = []
        for partition in self._partitions:
            claimed = [m for m in self._members if partition in m.actives]
            if claimed:
                owner = max(claimed, key=lambda m: m.stores.get(partition, -1))
                self._actives[owner.name].add(partition)
            else:
                free.append(partition)
        return free

    def _give(self, partition: int) -> None:
        """Rule 2."""
        share = ceil(len(self._partitions) / len(self._members))

        def rank(m: Member) -> tuple[bool, bool, int, int]:
            held = len(self._actives[m.name])
            is_cold = bool(self._copies) and not self._is_warm(m, partition)
            return is_cold, held >= share, -m.stores.get(partition, -1), held

        self._actives[min(self._members, key=rank).name].add(partition)

    def _level(self) -> bool:
        """Rule 3: one move from the fullest that can give to the emptiest that can take; False when there is none."""
        by_load = sorted(self._members, key=lambda m: len(self._actives[m.name]))
        for giver in reversed(by_load):
            for taker in by_load:
                if len(self._actives[giver.name]) - len(self._actives[taker.name]) < 2:
                    break
                free = [p for p in self._actives[giver.name] if not self._copies or self._is_warm(taker, p)]
                if free:
                    moved = min(free, key=lambda p: (self._furthest[p] - taker.stores.get(p, -1), p))
                    self._actives[giver.name].remove(moved)
                    self._actives[taker.name].add(moved)
                    return True
        return False

    def _follow(self, partition: int) -> None:
        """Rule 4."""
        limit = ceil(len(self._partitions) * self._copies / len(self._members))

        def rank(m: Member) -> tuple[bool, bool, bool, int]:
            held = len(self._standbys[m.name])
            return held >= limit, not self._is_warm(m, partition), partition not in m.stores, held

        others = [m for m in self._members if partition not in self._actives[m.name]]
        for member in sorted(others, key=rank)[: self._copies]:
            self._standbys[member.name].add(partition)

    def _warm_up(self) -> None:
        """The second half of rule 3: standbys for those who have less than their share until they are warm."""
        if not self._copies:
            return
        loads = {m.name: len(self._actives[m.name]) for m in self._members}
        for taker in self._members:
            while (giver := max(loads, key=lambda name: loads[name])) and loads[giver] - loads[taker.name] >= 2:
                moves = self._actives[giver] - self._standbys[taker.name]
                coming = self._actives[giver] & self._standbys[taker.name]
                chosen = max(coming or moves, key=lambda p: (taker.stores.get(p, -1), -p))
                self._standbys[taker.name].add(chosen)
                loads[giver] -= 1
                loads[taker.name] += 1

    def _is_warm(self, member: Member, partition: int) -> bool:
        return self._furthest[partition] - member.stores.get(partition, 0) <= WARM_RECORDS
