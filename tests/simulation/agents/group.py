"""The coordinator of a consumer group: who is a member of which generation, and who has which partitions.

Members are static, as the workers are: one that starts anew under its name takes its old place, at times without a
new generation. A member that is silent for the session time-out is put out. While the group prepares for its next
generation the present one still counts.
"""

import asyncio
import struct
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from streams.transport.application import REBALANCE_TIMEOUT_S, SESSION_TIMEOUT_S
from tests.simulation.agents.loop import NOBODY, Loop

LOOK_S = 0.5


class Place(NamedTuple):
    """What a member is told when it has joined."""

    generation: int
    member: str
    partitions: tuple[int, ...]


@dataclass(eq=False)
class Member:
    name: str
    member: str
    seen_s: float
    waits: "asyncio.Future[Place] | None" = None
    partitions: tuple[int, ...] = ()


class Group:
    """Of one application."""

    def __init__(self, loop: Loop, random: Random, partitions: int) -> None:
        self._loop, self._random, self._partitions = loop, random, partitions
        self.generation = 0
        self.members: dict[str, Member] = {}
        self._preparing = False
        self._joins = 0
        loop.call_later(LOOK_S, self._look, context=NOBODY)

    def accepts(self, membership: bytes) -> bool:
        """Whether these bytes (librdkafka's CGMDv2) are of a present member of the present generation."""
        generation, = struct.unpack_from("<i", membership, 7)
        _group, member, rest = membership[11:].split(b"\0", 2)
        assert rest[:1] == b"\0", "a static member names its instance"
        found = self.members.get(rest[1:-1].decode())
        return found is not None and found.member == member.decode() and generation == self.generation

    async def join(self, name: str) -> Place:
        """Wait for the next generation, or get one's old place in the present one."""
        self._joins += 1
        member, now_s = f"{name}-{self._joins}", self._loop.time()
        known = self.members.get(name)
        if known is not None and not self._preparing and known.partitions and self._random.random() < 0.5:
            known.member, known.seen_s = member, now_s
            return Place(self.generation, member, known.partitions)
        self.members[name] = Member(name, member, now_s, self._loop.create_future())
        self._prepare()
        place = self.members[name].waits
        assert place is not None
        self._complete()
        return await place

    def heartbeat(self, place: Place, name: str) -> bool:
        """Whether all is as it was; else the member has to join again."""
        found = self.members.get(name)
        if found is None or found.member != place.member:
            return False
        found.seen_s = self._loop.time()
        return not self._preparing and place.generation == self.generation

    def rebalance(self) -> None:
        """A new generation of the same members."""
        self._prepare()

    def leave(self, name: str) -> None:
        """An operator removes a member, as when a deployment shrinks."""
        if self.members.pop(name, None) is not None:
            self._prepare()
            self._complete()

    def is_stable(self, members: int) -> bool:
        """Whether so many are in it, and it stays so."""
        return len(self.members) == members and not self._preparing

    def _prepare(self) -> None:
        if not self._preparing:
            self._preparing = True
            self._loop.call_later(REBALANCE_TIMEOUT_S, self._over, self.generation, context=NOBODY)

    def _over(self, generation: int) -> None:
        """Whoever has not joined by now is left out."""
        if self._preparing and generation == self.generation:
            self.members = {name: m for name, m in self.members.items() if m.waits is not None}
            self._complete()

    def _look(self) -> None:
        silent = self._loop.time() - SESSION_TIMEOUT_S
        for name, member in list(self.members.items()):
            if member.waits is None and member.seen_s < silent:
                self.leave(name)
        self._loop.call_later(LOOK_S, self._look, context=NOBODY)

    def _complete(self) -> None:
        if not self._preparing or not self.members or any(m.waits is None for m in self.members.values()):
            return
        self._preparing = False
        self.generation += 1
        names = sorted(self.members)
        self._random.shuffle(names)
        for n, name in enumerate(names):
            member = self.members[name]
            member.partitions = tuple(range(n, self._partitions, len(names)))
            member.seen_s = self._loop.time()
            waits, member.waits = member.waits, None
            assert waits is not None
            waits.set_result(Place(self.generation, member.member, member.partitions))
