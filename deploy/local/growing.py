"""More partitions for a deployment that has facts already: topics get them, and the state goes where it then belongs.

In order, each step harmless when done twice, so that what was interrupted goes on where it was:
1. no worker runs, and `identity` is drained: nothing is on its way between partitions of the old number;
2. partitions are added to every topic. Records stay where they are, so events keep their positions;
3. reference records are sent again, behind all there were: a key may lie in another partition from now on, and of two
   records the one with the larger offset holds (streams/agents/referring.py);
4. one Kafka transaction puts every record of the state, and of `onethread.persons`, into the partition that owns it
   now, takes it out of the old one, and gives each partition what all have to know (streams/core/growing.py).
Until that transaction is committed the old state stands whole, from then on the new one. Workers follow by reading
the changelog on; their stores need not be made anew.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import rocksdict
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, OffsetSpec

from deploy.local import topics
from deploy.local.parts import Part
from deploy.local.reading import batches, patiently
from deploy.local.settle import Pipeline
from streams import reaching
from streams.connections import kafka_config
from streams.core import reference
from streams.core.event import NodeKey
from streams.core.growing import Common, owner
from streams.core.keys import Keys
from streams.errors import OneThreadError
from streams.settings import Settings
from streams.state.options import options
from streams.state.snapshot import changelog_topic
from streams.topics import Topics
from streams.transport.application import application_id
from streams.transport.commit import CONFIG, produce

TRANSACTION_MS = 900_000
"""As long as a broker lets one be open, unless told otherwise: enough for some 100 million records."""
CALL_S = 60.0
DRAIN_S = 600.0

Say = Callable[[str], object]
Partition = tuple[str, int]


def grow(bootstrap: str, settings: Settings, before: int, scratch: Path, say: Say = lambda _: None) -> None:
    """From `before` partitions to those of the settings, with no worker running.

    Shape:  `scratch` is a folder of one's own on a disk with room for the state of one partition.
    Errors: OneThreadError where somebody is a member of the group, `identity` is not drained, a topic has more
            partitions already, or Kafka does not answer; the old state stands then.
    Cost:   reckoned, 10 to 20 µs a record of the state.
    """
    _check_alone(bootstrap, settings)
    if left := undrained(bootstrap, settings):
        raise OneThreadError(f"{left:,} messages are on their way between partitions: they must be worked first")
    try:
        _add(bootstrap, settings)
        for name in reference.TABLES:
            say(f"reference records: {name}")
            _send_again(bootstrap, settings, Topics(settings.topic_prefix).reference(name))
        _move(bootstrap, settings, before, scratch, say)
    except KafkaException as error:
        raise reaching.no_answer(bootstrap, error) from error


def drain(bootstrap: str, settings: Settings, before: int, worker: Part, log: Path, say: Say = lambda _: None) -> None:
    """Have a worker finish what is on its way between the old partitions; it takes in nothing new.

    Errors: OneThreadError where it ends by itself, or is not done within ten minutes.
    """
    left = undrained(bootstrap, settings)
    if not left:
        return
    env = {**os.environ, **worker.env, "ONETHREAD_PARTITIONS": str(before), "ONETHREAD_STAGES": "stitch"}
    deadline_s = time.monotonic() + DRAIN_S
    with log.open("ab") as output, subprocess.Popen(
        worker.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env, start_new_session=True,
    ) as process:
        try:
            while left := undrained(bootstrap, settings):
                say(f"{left:,} messages between partitions are worked first")
                if process.poll() is not None or time.monotonic() > deadline_s:
                    raise OneThreadError(f"{left:,} messages between partitions stay: see {log}")
                time.sleep(0.2)
        finally:
            process.terminate()


def undrained(bootstrap: str, settings: Settings) -> int:
    """Records of `identity` that nobody has worked. Errors: KafkaException where Kafka does not say."""
    pipeline = Pipeline(bootstrap, settings)
    try:
        return patiently(pipeline.look)[1].get(Topics(settings.topic_prefix).identity, 0)
    finally:
        pipeline.close()


def _check_alone(bootstrap: str, settings: Settings) -> None:
    """Errors: OneThreadError while a worker is a member; one that was killed is for some seconds."""
    admin = reaching.admin(bootstrap)
    deadline_s = time.monotonic() + CALL_S
    while members := patiently(lambda: _members(admin, application_id(settings))):
        if time.monotonic() > deadline_s:
            raise OneThreadError(f"{members} workers run still: stop all of them, then partitions are added")
        time.sleep(0.5)


def _members(admin: AdminClient, group: str) -> int:
    try:
        return len(admin.describe_consumer_groups([group])[group].result().members)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
            return 0
        raise


def _add(bootstrap: str, settings: Settings) -> None:
    admin = reaching.admin(bootstrap)
    wanted = [*topics.configs(settings), changelog_topic(settings.topic_prefix)]
    there = {name: len(found.partitions) for name, found in admin.list_topics(timeout=CALL_S).topics.items()}
    larger = [name for name in wanted if there.get(name, 0) > settings.partitions]
    if larger:
        raise OneThreadError(f"Kafka cannot take partitions away; more than {settings.partitions} have: "
                             f"{', '.join(larger)}")
    new = [NewPartitions(name, settings.partitions) for name in wanted if 0 < there.get(name, 0) < settings.partitions]
    for future in admin.create_partitions(new).values() if new else ():
        future.result()
    while any(len(found.partitions) != settings.partitions  # every broker's clients are to know of them
              for name, found in admin.list_topics(timeout=CALL_S).topics.items() if name in wanted):
        time.sleep(0.1)


def _producer(bootstrap: str, settings: Settings, name: str) -> Producer:
    """Its transactional id is its own: what an interrupted call left open is aborted by the next one."""
    producer = Producer({
        **kafka_config(bootstrap), **CONFIG, "transactional.id": f"{application_id(settings)}-{name}",
        "transaction.timeout.ms": TRANSACTION_MS, "queue.buffering.max.kbytes": 65_536, "log_level": 0,
        "partitioner": "murmur2_random",
    })
    producer.init_transactions(CALL_S)
    return producer


# -- reference records


def _send_again(bootstrap: str, settings: Settings, topic: str) -> None:
    """Each key's last record once more, at an offset above all earlier ones, and a tombstone where it was."""
    if not any(_ends(bootstrap, topic, settings.partitions).values()):
        return
    last: dict[bytes, tuple[int, int, bytes | None]] = {}
    for batch in batches(bootstrap, topic):
        for record in batch.records:
            if record.key is not None and record.offset >= last.get(record.key, (0, 0, None))[0]:
                last[record.key] = (record.offset, record.partition, record.value)
    live = [(key, number, value) for key, (_, number, value) in last.items() if value is not None]
    if not live:
        _level(bootstrap, settings, topic)
        return
    producer = _producer(bootstrap, settings, "growing")
    producer.begin_transaction()
    for key, number, _ in live:
        produce(producer, topic, number, key, None)
    producer.flush(CALL_S)
    _level(bootstrap, settings, topic)
    for key, _, value in live:
        produce(producer, topic, ANY, key, value)
    producer.commit_transaction(CALL_S)


ANY = -1
"""Whichever partition the partitioner says: librdkafka's RD_KAFKA_PARTITION_UA."""


def _level(bootstrap: str, settings: Settings, topic: str) -> None:
    """Let all partitions of a topic end at one offset at least, with records that are never committed."""
    ends = _ends(bootstrap, topic, settings.partitions)
    highest = max(ends.values())
    if all(end == highest for end in ends.values()):
        return
    filler = _producer(bootstrap, settings, "levelling")
    filler.begin_transaction()
    for number, end in ends.items():
        for _ in range(highest - end):
            produce(filler, topic, number, b"", None)
    filler.flush(CALL_S)
    filler.abort_transaction(CALL_S)


def _ends(bootstrap: str, topic: str, partitions: int) -> dict[int, int]:
    admin = reaching.admin(bootstrap)
    asked = {TopicPartition(topic, number): OffsetSpec.latest() for number in range(partitions)}
    return patiently(
        lambda: {tp.partition: future.result().offset for tp, future in admin.list_offsets(asked).items()})


# -- the state


def _move(bootstrap: str, settings: Settings, before: int, scratch: Path, say: Say) -> None:
    keys = Keys(settings.pepper.get_secret_value(), settings.partitions)
    changelog, persons = changelog_topic(settings.topic_prefix), Topics(settings.topic_prefix).persons
    there = reaching.admin(bootstrap).list_topics(timeout=CALL_S).topics
    producer = _producer(bootstrap, settings, "growing")
    producer.begin_transaction()
    common, moved = Common(), 0
    for topic in (changelog, persons):
        for number in range(settings.partitions) if topic in there else ():
            for key, value in _last(bootstrap, topic, number, scratch):
                if topic == changelog:
                    common.learn(key, value)
                    to = owner(key, keys)
                else:
                    to = keys.partition(NodeKey(key))
                if to is not None and to != number:
                    produce(producer, topic, to, key, value)
                    produce(producer, topic, number, key, None)
                    moved += 1
            say(f"{topic}: {number + 1} of {settings.partitions} partitions read, {moved:,} records to move")
    for number in range(settings.partitions) if changelog in there else ():
        for key, value in common.records(is_new=number >= before).items():
            produce(producer, changelog, number, key, value)
    say(f"moving {moved:,} records")
    producer.commit_transaction(TRANSACTION_MS / 1000)


def _last(bootstrap: str, topic: str, number: int, scratch: Path) -> Iterator[tuple[bytes, bytes]]:
    """The last value of each key of a partition that has one, gathered on disk."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.parent.mkdir(parents=True, exist_ok=True)
    store = rocksdict.Rdict(str(scratch), options())
    try:
        for batch in batches(bootstrap, topic, [number]):
            latest = {record.key: record.value for record in batch.records}
            changes = rocksdict.WriteBatch(raw_mode=True)
            for key, value in latest.items():
                if value is None:
                    changes.delete(key)
                else:
                    changes.put(key, value)
            store.write(changes)
        yield from store.items()
    finally:
        store.close()
        shutil.rmtree(scratch, ignore_errors=True)
