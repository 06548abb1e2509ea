"""A worker with two small stages, for the tests of transport, state and commit. Started by `lab.Lab`.

`note` appends the id of every record to its key's list (so a repeat would show) and passes it on to `<tag>.mid`;
`tally` counts what arrives there, keyed alike, and passes it on to `<tag>.out`. Both keep their state in one table.
"""

import asyncio
import os
import struct
from pathlib import Path

from streams.settings import Settings
from streams.transport.application import Stage, add_stage, graph_store, new_app, new_committer
from streams.transport.commit import Work, Writes
from streams.transport.serve import log_to_stdout, serve

TAG = os.environ["LAB_TAG"]
BROKERS = os.environ["LAB_BROKERS"]
INDEX = int(os.environ["LAB_WORKER"])
WORK_S = float(os.environ.get("LAB_WORK_S", "0"))
STAGES = os.environ.get("LAB_STAGES", "note,tally").split(",")


class Fold:
    """Folds every record into the state of its key and passes it on."""

    def __init__(self, store, prefix, out, fold):
        self.store, self.prefix, self.out, self.fold = store, prefix, out, fold

    async def handle(self, group):
        work = Work(offsets=group.offsets)
        for batch in group.batches:
            partition = batch.tp.partition
            puts = work.writes.setdefault(partition, Writes()).puts
            keys = sorted({self.prefix + record.key for record in batch.records} - puts.keys())
            state = puts | {k: v or b"" for k, v in zip(keys, self.store.multi_get(partition, keys), strict=True)}
            for record in batch.records:
                key = self.prefix + record.key
                state[key] = puts[key] = self.fold(state[key], record.value)
                work.records.append((self.out, partition, record.key, record.value))
        await asyncio.sleep(WORK_S)
        return work


def append(state, value):
    return state + value[:8]


def count(state, value):
    return struct.pack("<q", (struct.unpack("<q", state)[0] if state else 0) + 1)


def build():
    settings = Settings(topic_prefix=f"{TAG}.", standbys=int(os.environ.get("LAB_STANDBYS", "0")))
    app = new_app(settings, BROKERS, INDEX, Path(os.environ["LAB_DATADIR"]))
    committer = new_committer(app, settings, BROKERS, INDEX)
    store = graph_store(app)
    for name, source, target, prefix, fold in (
        ("note", "in", "mid", b"n", append), ("tally", "mid", "out", b"t", count),
    ):
        if name in STAGES:
            add_stage(app, Stage(name, (f"{TAG}.{source}",), Fold(store, prefix, f"{TAG}.{target}", fold)), committer)
    return app, committer


if __name__ == "__main__":
    log_to_stdout()
    asyncio.run(serve(build, INDEX))
