"""A kill at each step of the commit leaves all of a group or nothing of it."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer
from faust.types import TP

from streams.transport.commit import Committer, Work, Writes
from streams.transport.stable import fence

pytestmark = pytest.mark.stack

STEPS = ("begin", "records", "changelog", "offsets", "commit", "store")


def test_a_kill_at_any_step_leaves_all_or_nothing(lab):
    for step in STEPS:
        lab.produce(4000)
        worker = lab.start(0, ONETHREAD_DIE_AT=f"{step}:2")
        assert worker.wait(30) == -signal.SIGKILL, f"not killed at {step}"
    lab.start(0)
    lab.wait_done(40)
    lab.check()


def test_a_worker_that_others_took_for_gone_goes_on(lab):
    """Leaving for it would make the others take it for gone again, and end the transaction of its next start."""
    lab.produce(4000)
    lab.start(0)
    lab.wait_done(60)  # on a starved machine a worker may lose its session while it starts
    worker = lab.workers[0]
    for _ in range(3):
        lab.wait_settled()  # whoever is fenced in its very commit has to end
        fence(lab.brokers, f"{lab.group}-0")
        lab.produce(2000)
        lab.wait_done(40, restart=False)
    assert worker.poll() is None
    lab.check()


class Interrupted:
    """Records in whose midst something happens, once; then time enough for the producer to hear of it."""

    def __init__(self, topic: str, happens: Callable[[], None]) -> None:
        self._topic, self._happens, self._times = topic, happens, 0

    def __iter__(self) -> Iterator[tuple[str, int, bytes, bytes]]:
        self._times += 1
        yield self._topic, 0, b"k", b"first"
        if self._times == 1:
            self._happens()
            for number in range(20):
                yield self._topic, 1, b"k", b"%d" % number
                time.sleep(0.1)
        yield self._topic, 0, b"k", b"last"


class Member:
    """A member of a group, as the group's broker knows it."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    def to_bytes(self) -> object:
        return self._consumer.consumer_group_metadata()


def test_who_is_fenced_between_two_records_makes_the_transaction_again(lab):
    """A producer that knows of its end refuses the next record with another error than the one that ended it."""
    consumer = Consumer({"bootstrap.servers": lab.brokers, "group.id": lab.group, "log_level": 3})
    consumer.subscribe([lab.topic("in")])
    while not consumer.assignment():
        consumer.poll(0.1)
    store: list[int] = []
    committer = Committer(lab.brokers, f"{lab.group}-0", lab.topic("mid"), Store(store))
    committer.start()
    work = Work(
        records=Interrupted(lab.topic("out"), lambda: fence(lab.brokers, f"{lab.group}-0")),
        writes={0: Writes({b"a": b"1"})},
        offsets={TP(lab.topic("in"), 0): 1},
    )
    asyncio.run(committer.commit(work, Member(consumer)))
    consumer.close()
    assert [value for _, _, value in lab.read(lab.topic("out"))] == [b"first", b"last"]
    assert [key for _, key, _ in lab.read(lab.topic("mid"))] == [b"a"]
    assert store == [0]


class Store:
    def __init__(self, written: list[int]) -> None:
        self._written = written

    def write(self, partition: int, puts: object, deletes: object, offset: int) -> None:
        self._written.append(partition)
