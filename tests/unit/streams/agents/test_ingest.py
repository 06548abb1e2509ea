"""Ingest: bad input of every kind goes to the dead letters, and the rest of its batch goes through."""

import asyncio
import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka.schema_registry.error import SchemaRegistryError
from faust.types import TP

from schemas.records import CHANNEL_EVENT, COMMAND, DEAD_LETTER, MERGE
from schemas.registry import SchemaCache
from schemas.wire import HEAD_BYTES, frame
from streams.agents.ingest import Ingest
from streams.core import facts, messages, policies
from streams.core.event import pack
from streams.core.keys import Keys
from streams.core.policy import default, default_text
from streams.core.refusal import EVENT_BYTES_MAX
from streams.errors import Retryable
from streams.settings import Settings
from streams.topics import Topics
from streams.transport.commit import Work
from tests.unit.streams.core.records import KAFKA_MS, named, read, told

TOPICS = Topics("t.")
WEB = TP(TOPICS.events("web"), 1)
COMMANDS = TP(TOPICS.commands, 0)

EVENT, LETTER, OTHER, ORDER = 5, 9, 6, 7
"""Ids of schemas."""


class Registry:
    def __init__(self) -> None:
        self.is_away = False

    def get_schema(self, number: int) -> Any:
        if self.is_away:
            raise ConnectionRefusedError
        texts = {EVENT: CHANNEL_EVENT.text, OTHER: MERGE.text, ORDER: COMMAND.text}
        if number not in texts:
            raise SchemaRegistryError(404, 40403, "Schema not found")
        return SimpleNamespace(schema_type="AVRO", schema_str=texts[number])

    def lookup_schema(self, _subject: str, _schema: Any) -> Any:
        return SimpleNamespace(schema_id=LETTER)


class Store:
    def __init__(self) -> None:
        self.values: dict[tuple[int, bytes], bytes] = {}

    def multi_get(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        return [self.values.get((partition, key)) for key in keys]

    def page(self, partition: int, prefix: bytes, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        found = sorted((key, v) for (n, key), v in self.values.items() if n == partition and key.startswith(prefix))
        return [(key, value) for key, value in found if key > after][:limit]

    def commit(self, work: Work) -> None:
        for partition, writes in work.writes.items():
            self.values |= {(partition, key): value for key, value in writes.puts.items()}


@dataclass
class Batch:
    tp: TP
    records: list[Any]


@dataclass
class Group:
    batches: list[Batch]
    offsets: dict[TP, int] = field(default_factory=dict)


def batch(*values: bytes | None, tp: TP = WEB, first: int = 0) -> Batch:
    return Batch(tp, [
        SimpleNamespace(topic=tp.topic, partition=tp.partition, offset=first + n, timestamp=KAFKA_MS, value=value,
                        key=None)
        for n, value in enumerate(values)
    ])


def written(**fields: Any) -> bytes:
    record = read(told(**fields))
    assert isinstance(record, dict), record
    return frame(EVENT, CHANNEL_EVENT.encode(record))


def ingest(store: Store, registry: Registry | None = None) -> Ingest:
    settings = Settings(pepper=b"pepper", partitions=4)
    return Ingest(settings, TOPICS, default(), SchemaCache(registry or Registry()), store)


def handle(*batches: Batch, stage: Ingest | None = None) -> Work:
    return asyncio.run((stage or ingest(Store())).handle(Group(list(batches), {WEB: 3})))


def events(work: Work) -> list[str]:
    return [
        message.event.event_id
        for topic, _, _, value in work.records if topic == TOPICS.identity for message in messages.unpack(value)
    ]


def letters(work: Work) -> list[dict[str, Any]]:
    return [DEAD_LETTER.decode(v, HEAD_BYTES) for topic, _, _, v in work.records if topic == TOPICS.dead_letters]


def rows(work: Work, table: str) -> list[list[Any]]:
    packed = [facts.decode(value) for topic, _, _, value in work.records if topic == TOPICS.facts]
    return [list(row) for fact in packed if fact.table == table for row in fact.upserts]


GOOD = written(event_id="good")
A_MERGE = {"at": 1, "action": "merged", "person_id": "a", "other_person_id": "b", "event_id": "e", "reason": "r"}


@pytest.mark.parametrize(("bad", "reason"), [
    (None, "empty"),
    (b"", "empty"),
    (b'{"event_id": "json"}', "bad_avro"),
    (b"\0\0", "bad_avro"),
    (frame(EVENT, b""), "bad_avro"),
    (frame(EVENT, b"\xff" * 40), "bad_avro"),
    (GOOD + b"\0", "bad_avro"),
    (frame(OTHER, MERGE.encode(A_MERGE)), "bad_avro"),
    (frame(404, b"anything"), "unknown_schema"),
    (frame(EVENT, b"x" * (EVENT_BYTES_MAX + 1)), "oversize"),
    (written(channel="app"), "channel_mismatch"),
    (written(occurred_at=1), "too_early"),
    (written(identifiers=[]), "no_identifier"),
])
def test_a_bad_record_never_stops_its_batch(bad: bytes | None, reason: str) -> None:
    work = handle(batch(GOOD, bad, written(event_id="after")))
    assert events(work) == ["good", "after"]
    letter, = letters(work)
    assert (letter["reason"], letter["topic"], letter["partition"], letter["offset"]) == (reason, WEB.topic, 1, 1)
    assert letter["raw"] == bad
    assert rows(work, "intake") == [[3, WEB.topic, 1, 3, 1, 0, 0]]


def test_a_cards_number_is_not_kept() -> None:
    work = handle(batch(written(identifiers=[named("payment_token", "4111111111111111")])))
    assert [(letter["reason"], letter["raw"]) for letter in letters(work)] == [("card_number", None)]
    assert b"4111111111111111" not in b"".join(value for _, _, _, value in work.records)


def test_results_leave_with_the_groups_offsets_and_no_keys() -> None:
    work = handle(batch(GOOD, None))
    assert work.offsets == {WEB: 3}
    assert {key for _, _, key, _ in work.records} == {None}
    assert {partition for topic, partition, _, _ in work.records if topic != TOPICS.identity} == {1}


def test_the_books_go_on_where_they_were() -> None:
    store = Store()
    stage = ingest(store)
    store.commit(handle(batch(GOOD, None), stage=stage))
    work = handle(batch(GOOD, first=2), batch(GOOD, GOOD, first=3), stage=stage)
    assert rows(work, "intake") == [[5, WEB.topic, 1, 5, 1, 0, 0]]


def test_a_group_tried_again_gives_the_same() -> None:
    stage = ingest(Store())
    group = batch(GOOD, None)
    assert handle(group, stage=stage) == handle(group, stage=stage)


def test_one_event_written_in_two_ways_has_one_digest() -> None:
    stage = ingest(Store())
    record = json.loads(json.dumps(read(told())))
    head, tail = CHANNEL_EVENT.encode(record).split(b"\x02\x18anonymous_id", 1)
    in_a_sized_block = head + b"\x01" + bytes([2 * len(b"\x18anonymous_id" + tail[:13])]) + b"\x18anonymous_id" + tail
    work = handle(batch(frame(EVENT, CHANNEL_EVENT.encode(record)), frame(EVENT, in_a_sized_block)), stage=stage)
    assert letters(work) == []
    digests = {m.event.digest for t, _, _, v in work.records if t == TOPICS.identity for m in messages.unpack(v)}
    assert len(digests) == 1


def test_a_registry_that_is_away_makes_no_dead_letters() -> None:
    registry = Registry()
    stage = ingest(Store(), registry)
    registry.is_away = True
    with pytest.raises(Retryable):
        handle(batch(GOOD), stage=stage)
    registry.is_away = False
    assert events(handle(batch(GOOD), stage=stage)) == ["good"]


def command(verb: str, a: str = "a@example.com", b: str = "b@example.com", document: str | None = None) -> bytes:
    ends = {end: {"kind": "email", "value": value} for end, value in (("a", a), ("b", b))}
    told = {"command_id": "c-1", "at": 1, "verb": verb, "reason": "why", "document": document, **ends}
    return frame(ORDER, COMMAND.encode(told))


def sent(work: Work) -> list[tuple[int, Any]]:
    """(partition, message) of everything on its way to the graph."""
    packed = [(n, value) for topic, n, _, value in work.records if topic == TOPICS.identity]
    return [(n, message) for n, value in packed for message in messages.unpack(value)]


RENAMED = default_text().replace("loyalty_card   = {", "card_number    = {").replace(
    "[aliases]", '[aliases]\nloyalty_card = "card_number"',
)


def test_a_rule_goes_to_the_owner_of_its_first_end() -> None:
    work = handle(batch(command("unlink", "B@example.com", "a@example.com"), tp=COMMANDS, first=4))
    ((partition, message),) = sent(work)
    edge = (("email", "a@example.com"), ("email", "b@example.com"))
    assert message == messages.Rule(edge[0], 0, edge, "unlink", "why", ("c-1", KAFKA_MS))
    assert partition == Keys(b"pepper", 4).owner(edge[0])
    assert rows(work, "intake") == []


def test_a_policy_goes_to_every_partition_under_the_offset_after_its_own() -> None:
    work = handle(batch(command("policy", document=RENAMED), tp=COMMANDS, first=4))
    assert sent(work) == [(n, messages.PolicyChange(0, 5, RENAMED, KAFKA_MS)) for n in range(4)]


def test_a_bad_command_is_a_dead_letter_and_the_books_know_nothing_of_it() -> None:
    work = handle(batch(command("link", b="A@example.com"), b"", command("link"), tp=COMMANDS))
    assert [(letter["reason"], letter["offset"]) for letter in letters(work)] == [("bad_value", 0), ("empty", 1)]
    assert len(sent(work)) == 1
    assert rows(work, "intake") == []


def test_a_command_that_an_erasure_took_back_is_passed_over() -> None:
    taken = batch(None, command("link"), tp=COMMANDS)
    taken.records[0].key = b"c-0"
    work = handle(taken)
    assert (letters(work), len(sent(work))) == ([], 1)


def test_a_command_in_another_partition_has_no_place_in_their_order() -> None:
    work = handle(batch(command("link"), tp=TP(TOPICS.commands, 1)))
    assert [letter["reason"] for letter in letters(work)] == ["bad_value"]


def test_commands_are_read_under_the_policy_commanded_before_them() -> None:
    """Also in the same group, and after a restart; else reading the topic again would give something else."""
    told = frame(ORDER, COMMAND.encode({
        "command_id": "c-2", "at": 1, "verb": "link", "reason": "", "document": None,
        "a": {"kind": "card_number", "value": "1 2"}, "b": {"kind": "email", "value": "a@example.com"},
    }))
    store = Store()
    assert letters(handle(batch(told, tp=COMMANDS), stage=ingest(store)))
    work = handle(batch(command("policy", document=RENAMED), told, tp=COMMANDS, first=1), stage=ingest(store))
    assert [m.edge[0] for _, m in sent(work) if isinstance(m, messages.Rule)] == [("card_number", "12")]
    store.commit(work)
    assert not letters(handle(batch(told, tp=COMMANDS, first=3), stage=ingest(store)))


def test_events_of_a_partition_are_taken_under_the_policy_it_has_come_to() -> None:
    store = Store()
    stage = ingest(store)
    event = written(identifiers=[named("loyalty_card", "12")])
    assert [m.event.ids[0][0] for _, m in sent(handle(batch(event), stage=stage))] == ["loyalty_card"]
    store.values[1, policies.PREFIX + b"\0\0\0\5"] = pack((1, RENAMED, 0))
    store.values[1, policies.PREFIX + b"\0\0\0\6"] = pack((1, "", 5))  # another session gap, the same policy
    assert [m.event.ids[0][0] for _, m in sent(handle(batch(event), stage=stage))] == ["card_number"]
    elsewhere = batch(event, tp=TP(WEB.topic, 2))
    assert [m.event.ids[0][0] for _, m in sent(handle(elsewhere, stage=stage))] == ["loyalty_card"]
