"""Topics saved and put back on a real broker: the same records at the same offsets and times, gaps included."""

import gzip
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from faust.types import TP

from deploy.local import archive, backing, home, restoring, topics
from deploy.local.archive import Manifest, Record
from deploy.local.ports import Addresses
from deploy.local.reading import batches, patiently
from schemas.registry import register_all
from streams.core.intake import Books
from streams.errors import OneThreadError
from streams.settings import Settings
from streams.state.snapshot import changelog_topic
from streams.state.store import CHANGELOG_CONFIG
from streams.topics import Topics
from streams.transport.stable import wait_until_settled

OLD, NEW = Settings(topic_prefix="saved.", partitions=2), Settings(topic_prefix="put-back.", partitions=2)
EVENTS = "saved.events.web"


def fill(bootstrap: str) -> None:
    """Runs of records with gaps of every kind between them: one offset (a marker), two, and many."""
    topics.create(bootstrap, OLD)
    admin = AdminClient({"bootstrap.servers": bootstrap})
    made = admin.create_topics(
        [NewTopic(changelog_topic(OLD.topic_prefix), 2, 1, config=CHANGELOG_CONFIG)])
    made[changelog_topic(OLD.topic_prefix)].result()
    plain = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    marked = Producer({"bootstrap.servers": bootstrap, "transactional.id": "saved-test"})
    marked.init_transactions(30)

    def told(producer: Producer, *names: str) -> None:
        for name in names:
            producer.produce(EVENTS, name, b"key", 0, timestamp=1_700_000_000_000 + len(name), headers=[("by", b"us")])
        producer.flush(30)

    def transaction(commit: bool, *names: str) -> None:
        marked.begin_transaction()
        told(marked, *names)
        marked.commit_transaction(30) if commit else marked.abort_transaction(30)
        wait_until_settled(bootstrap, {TP(EVENTS, 0)})

    transaction(False, "never")
    told(plain, "a", "bb")
    transaction(True, "ccc")
    transaction(True, "dddd")
    transaction(False, "never", "never")
    told(plain, "eeeee")
    transaction(False, "never")
    books = Books(6, 1, 0, 0, 5)
    plain.produce(changelog_topic(OLD.topic_prefix), books.pack(), Books.key((EVENTS, 0)), 0)
    plain.produce("saved.onethread.commands", b"command", b"id", 0)
    plain.produce("saved.identity", b"worked", partition=1)
    plain.produce("saved.identity", b"not worked", partition=1)
    plain.flush(30)
    group = Consumer({"bootstrap.servers": bootstrap, "group.id": "saved.onethread"})
    worked = [TopicPartition("saved.identity", 1, 1), TopicPartition(EVENTS, 0, 2)]
    patiently(lambda: group.commit(offsets=worked, asynchronous=False))
    group.close()


def held(bootstrap: str, topic: str) -> list[Record]:
    return [Record(r.offset, r.timestamp, r.key, r.value, r.headers)
            for batch in batches(bootstrap, topic) for r in batch.records]


def renamed(manifest: Manifest, folder: Path) -> Manifest:
    """As if the deployment put back were the one saved, beside it on one broker."""
    old, new = OLD.topic_prefix, NEW.topic_prefix
    told = msgspec.json.encode(manifest).replace(f'"{old}'.encode(), f'"{new}'.encode())
    path = folder / manifest.topics[changelog_topic(old)][0].file
    data = gzip.decompress(path.read_bytes())
    key, other = Books.key((EVENTS, 0)), Books.key((EVENTS.replace(old, new), 0))
    record = archive._decode(data[4:])
    changed = archive._encode((*record[:2], other if record[2] == key else record[2], *record[3:]))
    path.write_bytes(gzip.compress(len(changed).to_bytes(4, "big") + changed))
    shaping = folder / "home" / backing.SHAPING
    shaping.write_bytes(msgspec.json.encode({**msgspec.json.decode(shaping.read_bytes()), "topic_prefix": new}))
    return msgspec.json.decode(told, type=Manifest)


@pytest.fixture
def saved(broker: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Manifest]:
    """A backup, without ClickHouse."""
    bootstrap, folder = broker.kafka_bootstrap, tmp_path / "backup"
    if EVENTS not in AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=10).topics:
        register_all(broker.registry_url, Topics(OLD.topic_prefix), ["web"])
        fill(bootstrap)
    monkeypatch.setattr(backing, "connect", lambda _: None)
    monkeypatch.setattr(backing.rebuilding, "KEPT", frozenset())
    return folder, backing.back_up(broker, OLD, folder, lambda _: None)


def test_records_come_back_at_their_offsets(broker: Addresses, saved: tuple[Path, Manifest]) -> None:
    bootstrap, (folder, manifest) = broker.kafka_bootstrap, saved
    assert archive.problems(folder, archive.read(folder)) == []
    before = {name: held(bootstrap, f"saved.{name}") for name in ("events.web", "onethread.commands")}
    assert [(one.offset, one.value) for one in before["events.web"]] == [
        (2, b"a"), (3, b"bb"), (4, b"ccc"), (6, b"dddd"), (11, b"eeeee")]
    again = renamed(manifest, folder)
    restoring.restore(broker, NEW, folder, again, lambda _: None)
    assert {name: held(bootstrap, f"put-back.{name}") for name in before} == before
    assert backing.spans(bootstrap, "put-back.events.web")[0][1] == backing.spans(bootstrap, EVENTS)[0][1]
    assert [one.value for one in held(bootstrap, "put-back.identity")] == [b"not worked"]
    group = Consumer({"bootstrap.servers": bootstrap, "group.id": "put-back.onethread"})
    counted, waiting = group.committed(
        [TopicPartition("put-back.events.web", 0), TopicPartition("put-back.identity", 1)], timeout=30)
    group.close()
    assert counted.offset == 5, "where the state had counted, not where the group was asked first"
    assert waiting.offset < 0
    with pytest.raises(OneThreadError, match="expected empty topics"):
        restoring.restore(broker, NEW, folder, again, lambda _: None)


def test_a_backup_of_others_is_refused(broker: Addresses, saved: tuple[Path, Manifest]) -> None:
    folder, manifest = saved
    with pytest.raises(OneThreadError, match="expected the backup's own partitions, topic_prefix"):
        restoring.restore(broker, Settings(partitions=3), folder, manifest, lambda _: None)
    with pytest.raises(OneThreadError, match="expected an empty folder"):
        backing.back_up(broker, OLD, folder, lambda _: None)
    manifest.layout = home.LAYOUT + 1
    with pytest.raises(OneThreadError, match="of a newer onethread"):
        restoring.restore(broker, OLD, folder, manifest, lambda _: None)
