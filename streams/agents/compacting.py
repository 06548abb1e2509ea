"""What was erased leaves the files of the state too: soon after an erasure a partition's files are written anew."""

import asyncio
from typing import Any

DELAY_S = 5.0
"""From the last word of an erasure: it takes several rounds of messages, each with a commit of its own."""


class Compactor:
    """Compacts partitions in a thread, one at a time; what waits already is not asked for twice."""

    def __init__(self, store: Any, delay_s: float = DELAY_S) -> None:
        self._store, self._delay_s = store, delay_s
        self._asked: dict[int, float] = {}
        self._task: asyncio.Task[None] | None = None

    def soon(self, partition: int) -> None:
        """Compact a partition when nothing was erased in it for a while."""
        loop = asyncio.get_running_loop()
        self._asked[partition] = loop.time() + self._delay_s
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._work())

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._asked:
            partition, due_s = min(self._asked.items(), key=lambda item: item[1])
            if due_s > loop.time():
                await asyncio.sleep(due_s - loop.time())
                continue
            del self._asked[partition]
            await asyncio.to_thread(self._store.compact, partition)
