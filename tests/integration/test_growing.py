"""Partitions added to a deployment on a real broker: each record where it belongs, all of it or nothing."""

from collections import defaultdict
from pathlib import Path
from random import Random

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.local import growing, topics
from deploy.local.ports import Addresses
from deploy.local.reading import batches
from streams.core.event import pack
from streams.core.growing import owner
from streams.core.keys import Keys
from streams.errors import OneThreadError
from streams.settings import Settings
from streams.state.snapshot import changelog_topic
from streams.state.store import CHANGELOG_CONFIG
from streams.topics import Topics

PREFIX = "growing."
NAMES = Topics(PREFIX)
CHANGELOG = changelog_topic(PREFIX)

State = dict[int, dict[bytes, bytes]]


def settings(partitions: int) -> Settings:
    return Settings(topic_prefix=PREFIX, partitions=partitions)


def state(bootstrap: str, topic: str) -> State:
    """What a reader of committed records finds: partition -> key -> value."""
    found: State = defaultdict(dict)
    for batch in batches(bootstrap, topic):
        for record in batch.records:
            found[record.partition][record.key] = record.value
    return {number: {key: value for key, value in held.items() if value is not None} for number, held in found.items()}


def produce(bootstrap: str, topic: str, held: State) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for number, records in held.items():
        for key, value in records.items():
            producer.produce(topic, value, key, number)
    assert producer.flush(30) == 0


def deployment(bootstrap: str) -> State:
    """Two partitions with what they hold."""
    random, keys = Random(3), Keys(b"", 2)
    topics.create(bootstrap, settings(2))
    admin = AdminClient({"bootstrap.servers": bootstrap})
    (made,) = admin.create_topics([NewTopic(CHANGELOG, 2, 1, config=CHANGELOG_CONFIG)]).values()
    made.result()
    held: State = {
        0: {b"c": b"70", b"k": b"policy", b"y\0\0\0\0": b"first", b"s" + bytes(8): pack((b"shared", 1)), b"b1": b"x"},
        1: {b"c": b"90", b"y\0\0\0\0": b"first", b"s" + bytes(8): pack((b"shared", 1)), b"u" + bytes(8) + b"me": b"me"},
    }
    for _ in range(200):
        node = random.randbytes(16)
        for table in b"nope":
            held[keys.partition(node)][bytes([table]) + node + b"rest"] = node  # type: ignore[arg-type]
    produce(bootstrap, CHANGELOG, held)
    produce(bootstrap, NAMES.persons, {1: {(1).to_bytes(16, "big"): b"a"}, 0: {(2 << 96).to_bytes(16, "big"): b"b"}})
    produce(bootstrap, NAMES.reference("stores"), {0: {b"S1": b"one", b"S2": b"two"}, 1: {b"S3": b"three"}})
    return held


def test_the_old_state_stands_until_the_new_one_does(broker: Addresses, tmp_path: Path) -> None:
    bootstrap, keys = broker.kafka_bootstrap, Keys(b"", 5)
    before = deployment(bootstrap)

    def stop(text: str) -> None:
        if text.startswith("moving"):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        growing.grow(bootstrap, settings(5), 2, tmp_path / "scratch", stop)
    with pytest.raises(OneThreadError, match="has another number"):
        topics.create(bootstrap, settings(2))

    for _ in range(2):  # what is done twice is done once
        growing.grow(bootstrap, settings(5), 2, tmp_path / "scratch")
        after = state(bootstrap, CHANGELOG)
        told = {key: value for held in before.values() for key, value in held.items() if owner(key, keys) is not None}
        assert {key: value for held in after.values() for key, value in held.items() if key in told} == told
        assert all(owner(key, keys) in (None, number) for number, held in after.items() for key in held)
        assert {number: held[b"c"] for number, held in after.items()} == dict.fromkeys(range(5), b"90")
        assert all(held[b"y\0\0\0\0"] == b"first" for held in after.values())
        assert sum(b"k" in held for held in after.values()) == sum(b"b1" in held for held in after.values()) == 1
        for number in (2, 3, 4):
            kinds = [key[:1] for key in after[number] if owner(key, keys) is None]
            assert sorted(kinds) == [b"c", b"s", b"u", b"y"]
        assert state(bootstrap, NAMES.persons)[2 << 96 >> 96] == {(2 << 96).to_bytes(16, "big"): b"b"}
    assert not (tmp_path / "scratch").exists()
    assert_stores_win(bootstrap)


def assert_stores_win(bootstrap: str) -> None:
    """Of every key the record with the largest offset is the last one, with its value."""
    last: dict[bytes, tuple[int, bytes | None]] = {}
    for batch in batches(bootstrap, NAMES.reference("stores")):
        for record in batch.records:
            last[record.key] = max(last.get(record.key, (-1, None)), (record.offset, record.value))
    assert {key: value for key, (_, value) in last.items()} == {b"S1": b"one", b"S2": b"two", b"S3": b"three"}


def test_partitions_are_never_taken_away(broker: Addresses, tmp_path: Path) -> None:
    bootstrap = broker.kafka_bootstrap
    if NAMES.facts not in AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=10).topics:
        topics.create(bootstrap, settings(5))
    with pytest.raises(OneThreadError, match="Kafka cannot take partitions away; more than 3 have"):
        growing.grow(bootstrap, settings(3), 5, tmp_path)


def test_nothing_moves_while_messages_are_on_their_way(broker: Addresses, tmp_path: Path) -> None:
    other = Settings(topic_prefix="growing-late.", partitions=1)
    topics.create(broker.kafka_bootstrap, other)
    produce(broker.kafka_bootstrap, "growing-late.identity", {0: {b"": b"message"}})
    with pytest.raises(OneThreadError, match="1 messages are on their way"):
        growing.grow(broker.kafka_bootstrap, other, 1, tmp_path)


def test_nothing_moves_while_a_worker_is_there(
    broker: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(growing, "CALL_S", 1.0)
    topics.create(broker.kafka_bootstrap, Settings(topic_prefix="growing-member.", partitions=1))
    member = Consumer({"bootstrap.servers": broker.kafka_bootstrap, "group.id": "growing-member.onethread"})
    member.subscribe(["growing-member.facts"])
    try:
        while not member.assignment():
            message = member.poll(0.1)
            assert message is None or message.error() is None or message.error().code() == KafkaError._PARTITION_EOF
        with pytest.raises(OneThreadError, match="1 workers run still"):
            growing.grow(broker.kafka_bootstrap, Settings(topic_prefix="growing-member.", partitions=2), 1, tmp_path)
        assert member.committed([TopicPartition("growing-member.facts", 0)])
    finally:
        member.close()
