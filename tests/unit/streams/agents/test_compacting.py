"""Files are written anew after an erasure, once for all that was erased together."""

import asyncio

from streams.agents.compacting import Compactor


class Files:
    def __init__(self) -> None:
        self.compacted: list[int] = []

    def compact(self, partition: int) -> None:
        self.compacted.append(partition)


def test_a_partition_is_compacted_once_after_the_last_word() -> None:
    files = Files()

    async def run() -> None:
        compactor = Compactor(files, delay_s=0.05)
        for partition in (1, 2, 1):
            compactor.soon(partition)
        assert files.compacted == []
        await asyncio.sleep(0.2)
        assert sorted(files.compacted) == [1, 2]
        compactor.soon(2)
        await asyncio.sleep(0.2)

    asyncio.run(run())
    assert sorted(files.compacted) == [1, 2, 2]
