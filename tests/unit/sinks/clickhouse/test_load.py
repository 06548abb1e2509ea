"""The loading agent: records of a group become rows, and its work is the group's offsets."""

import asyncio
import json
import time
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from confluent_kafka.schema_registry.error import SchemaRegistryError
from faust.types import TP

from schemas.records import DEAD_LETTER, REFERENCE
from schemas.registry import SchemaCache
from schemas.wire import HEAD_BYTES, frame
from streams.agents import load
from streams.agents.copying import LETTER_FIELDS
from streams.agents.load import Load
from streams.core import facts
from streams.errors import Retryable
from streams.settings import Settings
from streams.topics import Topics
from tests.unit.sinks.clickhouse.conftest import Engine, person, row

SCHEMA_ID, STORE_ID = 7, 8


class Registry:
    """Knows two schemas, of dead letters and of stores."""

    known: ClassVar = {SCHEMA_ID: DEAD_LETTER.text, STORE_ID: REFERENCE["stores"].text}

    def get_schema(self, number: int) -> Any:
        if number not in self.known:
            raise SchemaRegistryError(404, 40403, "not found")
        return SimpleNamespace(schema_type="AVRO", schema_str=self.known[number])

    def lookup_schema(self, _subject: str, _schema: Any) -> Any:
        return SimpleNamespace(schema_id=SCHEMA_ID)


def loader(url: str) -> Load:
    return Load(Settings(), Topics(), url, SchemaCache(Registry()))


def group(topic: str, *values: bytes) -> Any:
    tp = TP(topic, 2)
    records = [SimpleNamespace(topic=topic, partition=2, offset=offset, timestamp=1000, key=None, value=value)
               for offset, value in enumerate(values, 40)]
    return SimpleNamespace(batches=[SimpleNamespace(tp=tp, records=records)], offsets={tp: 40 + len(values)})


def store(**fields: Any) -> bytes:
    return frame(STORE_ID, REFERENCE["stores"].encode(fields))


def test_facts_of_several_records_arrive_and_the_work_is_their_offsets(engine: Engine) -> None:
    first = facts.encode(facts.Facts("sessions", [row("sessions", 1, session_id=person(n)) for n in (1, 2)], []))
    second = facts.encode(facts.Facts("sessions", [], [[2, bytes(16), person(1)]]))
    work = asyncio.run(loader(engine.url).handle(group("facts", first, second)))
    assert (work.records, work.writes, work.offsets) == ([], {}, {TP("facts", 2): 42})
    assert engine.rows("SELECT count() FROM onethread.sessions") == [(1,)]


def test_a_group_larger_than_one_insert_arrives_whole(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "ROWS_MAX", 2)
    values = [facts.encode(facts.Facts("merges", [row("merges", event_id=str(n))], [])) for n in range(5)]
    asyncio.run(loader(engine.url).handle(group("facts", *values)))
    assert engine.rows("SELECT count() FROM onethread.merges") == [(5,)]


def test_dead_letters_keep_their_raw_bytes_and_their_place(engine: Engine) -> None:
    letter = {"reason": "bad_amount", "detail": "order.total", "topic": "events.web", "partition": 1, "offset": 5,
              "at": 2000, "schema_id": 3, "source": "shop", "event_id": "e", "raw": b"\x00\xff"}
    value = frame(SCHEMA_ID, DEAD_LETTER.encode(letter))
    work = asyncio.run(loader(engine.url).handle(group("dead-letters", value)))
    assert work.offsets == {TP("dead-letters", 2): 41}
    assert engine.rows(
        "SELECT reason, detail, topic, partition, offset, toUnixTimestamp64Milli(at), schema_id, source, event_id,"
        " hex(raw), replayed_at, letter_partition, letter_offset FROM onethread.dead_letters"
    ) == [("bad_amount", "order.total", "events.web", 1, 5, 2000, 3, "shop", "e", "00FF", None, 2, 40)]


def test_an_unreadable_dead_letter_is_shown_as_it_is(engine: Engine) -> None:
    asyncio.run(loader(engine.url).handle(group("dead-letters", b"junk", frame(9, b"x"), frame(SCHEMA_ID, b"\x01"))))
    assert engine.rows(
        "SELECT reason, topic, partition, offset, schema_id FROM onethread.dead_letters ORDER BY offset"
    ) == [("unknown_schema", "dead-letters", 2, 40, None), ("unknown_schema", "dead-letters", 2, 41, 9),
          ("bad_avro", "dead-letters", 2, 42, SCHEMA_ID)]


def test_while_clickhouse_is_away_the_group_is_to_be_tried_again() -> None:
    value = facts.encode(facts.Facts("merges", [row("merges")], []))
    with pytest.raises(Retryable):
        asyncio.run(loader("http://127.0.0.1:1").handle(group("facts", value)))


def test_inserts_keep_a_pause_so_that_small_groups_become_one(engine: Engine) -> None:
    agent = loader(engine.url)
    assert agent.rest() <= 0
    started_s = time.monotonic()
    asyncio.run(agent.handle(group("facts", facts.encode(facts.Facts("merges", [row("merges")], [])))))
    took_s = time.monotonic() - started_s
    assert load.PAUSE_S - took_s < agent.rest() <= max(load.PAUSE_S, load.REST * took_s)


def test_the_columns_of_a_dead_letter_are_fields_of_its_schema() -> None:
    fields = {field["name"] for field in json.loads(DEAD_LETTER.text)["fields"]}
    assert set(LETTER_FIELDS) == fields


def test_of_a_reference_record_the_last_value_wins_and_none_takes_it_away(engine: Engine) -> None:
    taken_in = group("reference.stores", store(store_id="S1", city="Lviv"), store(store_id="S1", city="Kyiv"),
                     store(store_id="S2"), b"")
    taken_in.batches[0].records[3].key = b'["S2"]'
    work = asyncio.run(loader(engine.url).handle(taken_in))
    assert (work.records, work.offsets) == ([], {TP("reference.stores", 2): 44})
    asyncio.run(loader(engine.url).handle(group("reference.stores", store(store_id="S1", city="Lviv"))))
    assert engine.rows("SELECT store_id, city FROM onethread.stores") == [("S1", "Kyiv")]


def test_a_reference_record_that_cannot_be_read_becomes_a_dead_letter(engine: Engine) -> None:
    values = (b"junk", frame(9, b"x"), frame(STORE_ID, b"\x01"), store(store_id="S1", zone="Mars"), b"",
              store(store_id="S2"))
    agent = loader(engine.url)
    work = asyncio.run(agent.handle(group("reference.stores", *values)))
    letters = [DEAD_LETTER.decode(value, HEAD_BYTES) for _, _, _, value in work.records]
    assert [record[:3] for record in work.records] == [("dead-letters", 2, None)] * 5
    assert [(letter["reason"], letter["offset"], letter["raw"]) for letter in letters] == [
        ("bad_avro", 40, b"junk"), ("unknown_schema", 41, values[1]), ("bad_avro", 42, values[2]),
        ("bad_value", 43, values[3]), ("bad_value", 44, b""),
    ]
    assert engine.rows("SELECT store_id FROM onethread.stores") == [("S2",)]
    assert asyncio.run(agent.handle(group("reference.stores", store(store_id="S2")))).records == []
