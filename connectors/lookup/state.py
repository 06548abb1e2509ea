"""The state of the workers, asked over HTTP: what the stitching stage knows of a customer at this moment.

Rules kept: what is read is committed, so an answer is what SQL shows a moment later; a walk that leaves a worker's
partitions goes on at the worker that has the next; who has which partition is remembered until that worker says
otherwise; rows are made by the code that makes them for the sinks.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

import aiohttp
import msgspec

from connectors.lookup.held import Held, Reading, UnderWay
from streams.core.event import Identifier, NodeKey
from streams.core.policy import Policy
from streams.core.shaping import Shaping
from streams.core.walk import End, Records, Walk
from streams.errors import OneThreadError, Retryable

PATIENCE_S = 2.0
"""How long a partition may be on its way to another worker, or an identifier to another cluster."""
PAUSE_S = 0.05
ANSWER_S = 2.0
CONNECTIONS = 32
RECORDS_AT_ONCE = 200
"""Work on more records than this, some 10 ms, is done in a thread, so that other requests are answered meanwhile."""

_decode = msgspec.msgpack.Decoder(Walk).decode


class TooLarge(Exception):  # noqa: N818 - a verdict
    """The cluster holds more touchpoints than a look-up reads."""


class State:
    """Asks the workers. `urls` says where they are, each time that none of the known ones has a partition."""

    def __init__(
        self, urls: Callable[[], Sequence[str]], shaping: Shaping, first_policy: Policy, patience_s: float = PATIENCE_S,
    ) -> None:
        self._urls, self._keys, self._patience_s = urls, shaping.keys, patience_s
        self._reading = Reading(shaping, first_policy)
        self._owners: dict[int, str] = {}
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def of_identifier(self, identifier: Identifier) -> Held | None:
        """The person that holds an identifier in its normal form; None where nobody does.

        Errors: TooLarge; Retryable where its partition or its cluster is at no worker for a while. So does of_person.
        """
        return await self._held("node", self._keys.node(identifier))

    async def of_person(self, name: bytes) -> Held | None:
        """The person that an id means now: itself, or who holds the identifier by now that the id was made of."""
        return await self._held("person", NodeKey(name))

    async def policy(self) -> Policy:
        """The policy in force, which says how identifiers are written. Errors: Retryable."""
        found = await self._ask("node", NodeKey(bytes(16)), time.monotonic() + self._patience_s)
        return self._reading.policies(found.records).present

    async def _held(self, kind: str, name: NodeKey) -> Held | None:
        give_up_at = time.monotonic() + self._patience_s
        while True:
            found = await self._walk(kind, name, give_up_at)
            if found.end is End.NOBODY:
                return None
            if found.end is End.TOO_LARGE:
                raise TooLarge
            try:
                if len(found.records) < RECORDS_AT_ONCE:
                    return self._reading.person(found)
                return await asyncio.to_thread(self._reading.person, found)
            except UnderWay:
                if time.monotonic() > give_up_at:
                    raise Retryable("the identifier is on its way to another cluster") from None
            await asyncio.sleep(PAUSE_S)

    async def _walk(self, kind: str, name: NodeKey, give_up_at: float) -> Walk:
        """From partition to partition. Pointers lead to smaller keys, so it ends."""
        records: Records = []
        while True:
            found = await self._ask(kind, name, give_up_at)
            records += found.records
            if found.end is not End.ELSEWHERE:
                return Walk(found.end, found.key, records)
            kind, name = "node", found.key

    async def _ask(self, kind: str, name: NodeKey, give_up_at: float) -> Walk:
        """A walk at the worker that has the partition of `name`."""
        partition = self._keys.partition(name)
        while True:
            for url in self._candidates(partition):
                answer = await self._get(f"{url}/state/{kind}/{name.hex()}")
                if answer is not None:
                    self._owners[partition] = url
                    return _decode(answer)
            self._owners.pop(partition, None)
            if time.monotonic() > give_up_at:
                raise Retryable(f"no worker has partition {partition}")
            await asyncio.sleep(PAUSE_S)

    def _candidates(self, partition: int) -> Sequence[str]:
        owner = self._owners.get(partition)
        return (owner,) if owner else self._urls()

    async def _get(self, url: str) -> bytes | None:
        """What a worker answers; None where it has not got that partition, or does not answer."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(ANSWER_S), connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                headers={"Authorization": f"Bearer {self._keys.token}"},
            )
        try:
            async with self._session.get(url) as response:
                if response.status == 401:
                    raise OneThreadError("a worker refuses this deployment's token: is the pepper another?")
                return await response.read() if response.status == 200 else None
        except (aiohttp.ClientError, TimeoutError):
            return None
