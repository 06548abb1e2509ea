"""What the tests of transport, state and commit share: topics, load, workers to kill, and the comparison at the end.

The answer is known without the streams: every id appears once in `out` (read committed), and the state of each key is
the list of its ids in the order of the log, in the changelog and in the stores alike.
"""

import os
import signal
import struct
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from random import Random

import rocksdict
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from faust.types import TP

from deploy.local.reading import patiently
from streams.state.store import RESERVED
from streams.transport.stable import wait_until_settled
from tests.integration import counting_worker_path

PARTITIONS = 4


class Lab:
    """One deployment of counting workers, with a tag of its own on a shared broker."""

    def __init__(self, brokers: str, tag: str, folder: Path) -> None:
        self.brokers, self.tag, self.folder = brokers, tag, folder
        self.workers: dict[int, subprocess.Popen] = {}
        self.produced = 0
        self.environ: dict[str, str] = {}
        """For every worker that is started."""
        admin = AdminClient({"bootstrap.servers": brokers})
        topics = [NewTopic(self.topic(name), PARTITIONS, 1) for name in ("in", "mid", "out")]
        for made in admin.create_topics(topics).values():
            made.result()
        self.producer = Producer({"bootstrap.servers": brokers, "linger.ms": 10, "compression.type": "lz4",
                                  "queue.buffering.max.messages": 2_000_000})

    def topic(self, name: str) -> str:
        return f"{self.tag}.{name}"

    @property
    def group(self) -> str:
        return f"{self.tag}.onethread"

    # -- load

    def produce(self, count: int, keys: int = 2000, seed: int = 1) -> None:
        random = Random(seed + self.produced)
        for number in range(self.produced, self.produced + count):
            key = random.randrange(keys)
            value = struct.pack("<q", number) + b"x" * 92
            self.producer.produce(self.topic("in"), value, b"k%06d" % key, key % PARTITIONS)
            if number % 1000 == 0:
                self.producer.poll(0)
        self.produced += count
        self.producer.flush()

    # -- workers

    def start(self, index: int, **environ: str) -> subprocess.Popen:
        env = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(Path(__file__).parents[2]),
               "LAB_TAG": self.tag, "LAB_BROKERS": self.brokers, "LAB_WORKER": str(index),
               "LAB_DATADIR": str(self.datadir(index)), **self.environ, **environ}
        self.datadir(index).mkdir(parents=True, exist_ok=True)
        with self.log(index).open("ab") as log:
            self.workers[index] = subprocess.Popen(
                [sys.executable, counting_worker_path()], env=env, stdout=log, stderr=subprocess.STDOUT)
        return self.workers[index]

    def datadir(self, index: int) -> Path:
        return self.folder / f"worker-{index}"

    def log(self, index: int) -> Path:
        return self.folder / f"worker-{index}.log"

    def kill(self, index: int) -> None:
        worker = self.workers.pop(index)
        worker.kill()
        worker.wait()

    def stop(self, index: int, within_s: float = 20) -> int:
        worker = self.workers.pop(index)
        worker.terminate()
        return worker.wait(within_s)

    def close(self) -> None:
        for worker in self.workers.values():
            worker.send_signal(signal.SIGCONT)
            worker.kill()
            worker.wait()
        self.workers.clear()

    # -- what is there

    def committed(self, topic: str) -> dict[int, int]:
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": self.group, "log_level": 3})
        asked = [TopicPartition(self.topic(topic), p) for p in range(PARTITIONS)]
        found = patiently(lambda: consumer.committed(asked, timeout=20))
        consumer.close()
        return {p.partition: max(p.offset, 0) for p in found}

    def ends(self, topic: str) -> dict[int, int]:
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": "ends", "log_level": 3,
                             "isolation.level": "read_uncommitted"})  # what an open transaction hides is not done yet
        ends = {p: consumer.get_watermark_offsets(TopicPartition(self.topic(topic), p), timeout=20)[1]
                for p in range(PARTITIONS)}
        consumer.close()
        return ends

    def wait_done(self, within_s: float = 60, restart: bool = True) -> None:
        """Until all is consumed, markers at the end included. Starts workers that end by themselves again."""
        deadline = time.monotonic() + within_s
        while any(self.committed(t) != self.ends(t) for t in ("in", "mid")):
            assert time.monotonic() < deadline, (
                f"in {self.committed('in')} of {self.ends('in')}, mid {self.committed('mid')} of {self.ends('mid')}")
            if restart:
                self.restart_ended()
            for index, worker in self.workers.items():
                assert worker.poll() is None, f"worker {index} ended:\n{self.log(index).read_text()[-2000:]}"
            time.sleep(0.3)

    def wait_settled(self) -> None:
        """Until no transaction is open: the offsets can be seen before a worker knows that its commit is through."""
        topics = (self.topic("mid"), self.topic("out"), f"{self.group}-graph-changelog")
        wait_until_settled(self.brokers, [TP(topic, p) for topic in topics for p in range(PARTITIONS)])

    def restart_ended(self) -> list[int]:
        """Play the supervisor; the workers that had to be started again."""
        ended = [index for index, worker in self.workers.items() if worker.poll() is not None]
        for index in ended:
            self.start(index)
        return ended

    def wait_consumed(self, records: int, within_s: float = 40) -> None:
        deadline = time.monotonic() + within_s
        while sum(self.committed("in").values()) < records:
            assert time.monotonic() < deadline, f"{self.committed('in')}, expected {records}"
            time.sleep(0.05)

    # -- the comparison

    def check(self) -> None:
        """Every record once, and the state as it must be, in the changelog and in the stores of stopped workers."""
        for index in list(self.workers):
            assert self.stop(index) == 0
        wanted = self.wanted()
        passed = Counter(struct.unpack("<q", value[:8])[0] for _, _, value in self.read(self.topic("out")))
        assert len(passed) == self.produced, f"{self.produced - len(passed)} records lost"
        assert not [n for n, times in passed.items() if times != 1], "records doubled"
        changelog = self.changelog()
        assert changelog == wanted, "the changelog differs"
        assert self.stores() == wanted, "the stores differ"

    def wanted(self) -> dict[tuple[int, bytes], bytes]:
        ids: defaultdict[tuple[int, bytes], list[bytes]] = defaultdict(list)
        for partition, key, value in self.read(self.topic("in")):
            ids[partition, key].append(value[:8])
        noted = {(p, b"n" + key): b"".join(found) for (p, key), found in ids.items()}
        return noted | {(p, b"t" + key): struct.pack("<q", len(found)) for (p, key), found in ids.items()}

    def changelog(self) -> dict[tuple[int, bytes], bytes]:
        return {(p, key): value for p, key, value in self.read(f"{self.group}-graph-changelog")}

    def stores(self) -> dict[tuple[int, bytes], bytes]:
        """Of each partition the store that is furthest: a worker that lost it keeps an older one."""
        furthest: dict[int, tuple[int, dict[bytes, bytes]]] = {}
        for path in sorted(self.folder.glob("worker-*/v1/tables/graph-*.db")):
            partition = int(path.stem.rpartition("-")[2])
            db = rocksdict.Rdict(str(path), rocksdict.Options(raw_mode=True))
            content = dict(db.items())
            db.close()
            offset = int(content.get(RESERVED + b"offset__", b"-1"))
            kept = {key: value for key, value in content.items() if not key.startswith(RESERVED)}
            if offset > furthest.get(partition, (-2, {}))[0]:
                furthest[partition] = (offset, kept)
        return {(p, key): value for p, (_, kept) in furthest.items() for key, value in kept.items()}

    def read(self, topic: str) -> list[tuple[int, bytes, bytes]]:
        """All committed records, in the order of each partition."""
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": "reader", "log_level": 3,
                             "isolation.level": "read_committed", "enable.auto.commit": False,
                             "fetch.wait.max.ms": 50, "enable.partition.eof": True, "auto.offset.reset": "earliest"})
        consumer.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
        records, left = [], set(range(PARTITIONS))
        while left:
            for message in consumer.consume(5000, 0.2):
                if message.error():
                    left.discard(message.partition())
                else:
                    records.append((message.partition(), message.key(), message.value()))
        consumer.close()
        return records
