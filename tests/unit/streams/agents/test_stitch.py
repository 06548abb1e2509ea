"""The stitching agent carries out what the core decides, for a group at a time."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from faust.types import TP

from schemas.records import MERGE, PERSON
from schemas.registry import SchemaCache
from schemas.wire import HEAD_BYTES, schema_id
from streams import metrics
from streams.agents.stitch import FACTS_BYTES_MAX, Stitch, values_of
from streams.core import facts, messages
from streams.core.event import NodeKey
from streams.core.keys import Keys
from streams.core.policy import default
from streams.settings import Settings
from streams.topics import Topics
from streams.transport.commit import Work
from tests.oracle.build import event

PEPPER = b"pepper"
TOPICS = Topics("t.")
IDS = {f"{TOPICS.persons}-value": 7, f"{TOPICS.merges}-value": 8}


class Store:
    """Committed state of all partitions, as the agent's store reads it."""

    def __init__(self) -> None:
        self.records: dict[int, dict[bytes, bytes]] = {}

    def multi_get(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        return [self.records.get(partition, {}).get(key) for key in keys]

    def scan(self, partition: int, prefix: bytes) -> list[tuple[bytes, bytes]]:
        return sorted((k, v) for k, v in self.records.get(partition, {}).items() if k.startswith(prefix))

    def page(self, partition: int, prefix: bytes, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return [(key, value) for key, value in self.scan(partition, prefix) if key > after][:limit]

    def commit(self, work: Work) -> None:
        for partition, writes in work.writes.items():
            kept = self.records.setdefault(partition, {})
            kept.update(writes.puts)
            for key in writes.deletes:
                kept.pop(key, None)


@dataclass
class Record:
    value: bytes


@dataclass
class Batch:
    tp: TP
    records: list[Record]


@dataclass
class Group:
    batches: list[Batch]
    offsets: dict[TP, int] = field(default_factory=dict)


class Registry:
    """Has every schema, with a number of its own."""

    def lookup_schema(self, subject: str, schema: Any) -> Any:
        del schema
        return SimpleNamespace(schema_id=IDS[subject])


def _stitch(store: Any, partitions: int = 1) -> Stitch:
    stitch = Stitch(Settings(pepper=PEPPER, partitions=partitions), TOPICS, default(), SchemaCache(Registry()), store)
    asyncio.run(stitch._people.learn())
    return stitch


def _group(*events: Any, partition: int = 0) -> Group:
    packed = messages.pack([messages.observe(e, default()) for e in events])
    tp = TP(TOPICS.identity, partition)
    return Group([Batch(tp, [Record(packed)])], {tp: 1})


def _facts(work: Work) -> list[facts.Facts]:
    return [facts.decode(value) for topic, _, _, value in work.records if topic == TOPICS.facts and value is not None]


def test_an_event_becomes_rows_state_and_an_offset() -> None:
    store = Store()
    group = _group(event("1", 0, "phone:p"))
    work = asyncio.run(_stitch(store).handle(group))
    tables = {fact.table for fact in _facts(work)}
    assert {"touchpoints", "persons", "identifiers", "sessions", "visits"} <= tables
    assert work.offsets == group.offsets
    assert work.writes[0].puts


def test_state_survives_a_forgotten_partition() -> None:
    store = Store()
    stitch = _stitch(store)
    store.commit(asyncio.run(stitch.handle(_group(event("1", 0, "phone:p")))))
    stitch.forget([0])
    work = asyncio.run(stitch.handle(_group(event("2", 1, "phone:p"))))
    (persons,) = [f for f in _facts(work) if f.table == "persons"]
    assert persons.upserts[0][11] == 2, "touchpoints of the person"


def test_the_largest_person_and_the_most_met_identifier_are_told() -> None:
    """An e-mail of five phones is shared; what its pseudo-person has counts for nobody."""
    told = [event("a", 0, "device_id:d"), event("b", 1, "device_id:d"), event("c", 2, "email:e")]
    told += [event(str(n), n, "email:e", f"phone:{n}") for n in range(5)]
    asyncio.run(_stitch(Store()).handle(_group(*told, *(event(f"e{n}", n, "email:e") for n in range(4)))))
    figures = [metrics.WORKER.get_sample_value(f"onethread_{name}") for name in (
        "largest_person_touchpoints", "shared_identifier_partners")]
    assert figures == [2, 5]


def test_a_partition_forgotten_in_the_middle_of_a_group_loses_nothing() -> None:
    """The offsets of the group may still be taken by the broker."""
    group = _group(event("1", 0, "phone:p"))
    stitch = _stitch(Store())

    async def forgotten() -> Work:
        handling = asyncio.create_task(stitch.handle(group))
        await asyncio.sleep(0)
        assert not handling.done()
        stitch.forget([0])
        return await handling

    assert asyncio.run(forgotten()) == asyncio.run(_stitch(Store()).handle(group))


def test_what_another_partition_owns_is_forwarded_to_it() -> None:
    keys = Keys(PEPPER, 4)
    named = event("1", 0, "phone:p", "anonymous_id:c", "device_id:d", "email:e", "order_id:o")
    here = keys.owner(messages.observe(named, default()).to)
    work = asyncio.run(_stitch(Store(), 4).handle(_group(named, partition=here)))
    for topic, partition, key, value in work.records:
        if topic == TOPICS.identity:
            assert key is None
            assert value is not None
            assert {keys.owner(m.to) for m in messages.unpack(value)} == {partition} != {here}


@pytest.mark.parametrize(("upserts", "tombstones"), [(7, 0), (0, 3), (1, 1), (5, 2), (2, 5), (1, 0)])
def test_facts_with_long_texts_become_records_that_kafka_takes(upserts: int, tombstones: int) -> None:
    fact = facts.Facts(
        "visits", [[n, "x" * (FACTS_BYTES_MAX // 3)] for n in range(upserts)],
        [[n, "y" * (FACTS_BYTES_MAX // 3)] for n in range(tombstones)],
    )
    values = list(values_of(fact))
    parts = [facts.decode(value) for value in values]
    assert max(map(len, values)) <= FACTS_BYTES_MAX
    assert [row for part in parts for row in part.upserts] == fact.upserts
    assert [row for part in parts for row in part.tombstones] == fact.tombstones
    assert all(part.upserts or part.tombstones for part in parts)


def test_a_row_longer_than_a_record_stays_whole() -> None:
    fact = facts.Facts("orders", [[1, "x" * FACTS_BYTES_MAX], [2, "short"]], [])
    assert [len(facts.decode(value).upserts) for value in values_of(fact)] == [1, 1]


def test_times_of_what_arrived_stay_with_the_last_record() -> None:
    fact = facts.Facts("visits", [[n, "x" * (FACTS_BYTES_MAX // 2)] for n in range(3)], [], [(1, 2)])
    assert [facts.decode(value).arrived for value in values_of(fact)] == [[], [], [(1, 2)]]


def _people(work: Work) -> tuple[dict[bytes, Any], list[Any]]:
    """The last record of each person, and the merges."""
    persons: dict[bytes, Any] = {}
    merges = []
    for topic, partition, key, value in work.records:
        if topic == TOPICS.persons:
            assert key is not None
            assert partition == Keys(PEPPER, 4).partition(NodeKey(key))
            assert value is None or schema_id(value) == IDS[f"{TOPICS.persons}-value"]
            persons[key] = None if value is None else PERSON.decode(value, HEAD_BYTES)
        elif topic == TOPICS.merges:
            assert key is not None
            assert value is not None
            merges.append(MERGE.decode(value, HEAD_BYTES) | {"key": key})
    return persons, merges


def test_persons_and_what_became_of_them_are_told_to_other_programs() -> None:
    """Of one partition's identifiers, so that one worker's group shows the whole."""
    keys = Keys(PEPPER, 4)
    one, other = [f"device_id:{n}" for n in range(100) if keys.owner(("device_id", str(n))) == 2][:2]
    stitch = _stitch(Store(), 4)
    told, none = _people(asyncio.run(stitch.handle(_group(event("1", 0, one), event("2", 9, other), partition=2))))
    assert (len(told), none) == (2, [])
    survivor, gone = sorted(told, key=lambda who: told[who]["first_seen_at"])
    known = {"identifier_kinds": {"device_id": 1}, "touchpoints": 1, "channels": ["web"]}
    assert told[survivor] | known == told[survivor]
    told, [merge] = _people(asyncio.run(stitch.handle(_group(event("3", 20, one, other), partition=2))))
    assert told == {gone: None, survivor: told[survivor]}
    assert (told[survivor]["person_id"], told[survivor]["touchpoints"]) == (str(UUID(bytes=survivor)), 3)
    assert merge == {
        "key": survivor, "at": 1020, "action": "merged", "person_id": str(UUID(bytes=survivor)),
        "other_person_id": str(UUID(bytes=gone)), "event_id": "3", "reason": "device_id with device_id",
    }


def _told(*told: messages.Message) -> Group:
    tp = TP(TOPICS.identity, 0)
    return Group([Batch(tp, [Record(messages.pack(told))])], {tp: 1})


def test_rows_sent_again_lie_between_their_milestones_and_are_no_news() -> None:
    store = Store()
    stitch = _stitch(store)
    first = asyncio.run(stitch.handle(_group(event("1", 0, "phone:p"))))
    store.commit(first)
    begun = asyncio.run(stitch.handle(_told(messages.Rebuild(0, "0001"))))
    (forward,) = [value for topic, _, _, value in begun.records if topic == TOPICS.identity and value is not None]
    ended = asyncio.run(stitch.handle(_told(*messages.unpack(forward))))
    sent = [*_facts(begun), *_facts(ended)]
    assert [sent[0].table, sent[0].upserts] == [facts.MILESTONE, [["0001", "begun"]]]
    assert [sent[-1].table, sent[-1].upserts] == [facts.MILESTONE, [["0001", "ended"]]]
    again = {fact.table: [row[1:] for row in fact.upserts] for fact in sent[1:-1]}
    assert again == {fact.table: [row[1:] for row in fact.upserts] for fact in _facts(first)}
    assert _people(ended) == ({}, [])


def test_what_no_state_tells_goes_to_the_history() -> None:
    work = asyncio.run(_stitch(Store()).handle(_group(event("1", 0, "phone:p"))))
    told = [facts.decode(value) for topic, _, _, value in work.records if topic == TOPICS.history and value is not None]
    assert [(fact.table, len(fact.upserts)) for fact in told] == [("identifier_owners", 1)]
