"""Files of reference records: CSV as people make it, JSON lines, every wrong line by its number; and their sending."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connectors import delivery
from connectors.reference import Loader, Problem, checked, records
from schemas.records import REFERENCE
from schemas.wire import HEAD_BYTES, schema_id
from streams.core import reference
from streams.errors import OneThreadError
from streams.settings import Settings
from tests.unit.connectors.test_emit import Producer

STORES, STAFF = reference.TABLES["stores"], reference.TABLES["staff"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


def read(table: Any, path: Path, text: str) -> list[Any]:
    path.write_bytes(text.encode())
    return list(records(table, path))


@pytest.mark.parametrize("text", [
    "store_id,city\nS1,Kyiv\n",
    "\ufeffcity;store_id\r\nKyiv;S1\r\n",
    "store_id\tcity\n\n S1 \tKyiv",
    '"store_id","city"\n"S1","Kyiv"\n',
    '{"store_id": "S1", "city": "Kyiv"}\n\n',
])
def test_a_file_is_read_however_it_is_written(file: Path, text: str) -> None:
    (_, key, record), = read(STORES, file, text)
    assert (key, record["store_id"], record["city"], record["zone"]) == (b'["S1"]', "S1", "Kyiv", None)


def test_numbers_of_json_keep_their_text(file: Path) -> None:
    (_, _, record), = read(reference.TABLES["rates"], file,
                           '{"day": "2026-03-01", "currency": "UAH", "rate": 0.023500000001}')
    assert record["rate"] == "0.023500000001"


def test_every_wrong_line_is_named_by_its_number(file: Path) -> None:
    found = read(STORES, file, 'store_id,zone\nS1,Kyiv\nS2,\n,\nS3,UTC,more\n"S\n4",Mars\n')
    assert [one.line if isinstance(one, Problem) else one[0] for one in found] == [2, 3, 5, 7]
    assert [isinstance(one, Problem) for one in found] == [True, False, True, True]
    assert found[2] == Problem(5, "expected 2 values, as the header has columns; came 3")
    assert [one.line for one in read(STORES, file, '{"store_id": "S1"}\n[1]\n{"store')[1:]] == [2, 3]


@pytest.mark.parametrize("text", ["", "S1,Kyiv\n", "store_id,store_id\n", "store_id,town\nS1,Kyiv\n"])
def test_a_file_of_csv_needs_a_header(file: Path, text: str) -> None:
    with pytest.raises(OneThreadError, match="expected a header of columns of stores: store_id, name, city"):
        read(STORES, file, text)


def test_what_is_no_text_and_no_csv_is_told(file: Path) -> None:
    file.write_bytes(b"store_id\n\xff\xfe\n")
    with pytest.raises(OneThreadError, match="UTF-8"):
        list(records(STORES, file))
    with pytest.raises(OneThreadError, match="not valid CSV"):
        read(STORES, file, 'store_id\n"S1\n')


def test_a_look_at_the_whole_file_keeps_the_first_problems_and_counts_all(file: Path) -> None:
    file.write_text("store_id,zone\nS1,UTC\nS2,x\nS3,y\nS4,z\n")
    told: list[int] = []
    good, problems, bad = checked(STORES, file, told.append, 2)
    assert (good, [p.line for p in problems], bad, told) == (1, [3, 4], 3, [1, 2, 3, 4])


@pytest.fixture
def loader(monkeypatch: pytest.MonkeyPatch) -> Loader:
    monkeypatch.setattr(delivery, "Producer", Producer)
    registry = SimpleNamespace(lookup_schema=lambda subject, _: SimpleNamespace(
        schema_id={"t.reference.staff-value": 4}[subject]))
    monkeypatch.setattr(delivery, "client", lambda _url: registry)
    return Loader("kafka:1", "http://registry", Settings(topic_prefix="t."), "staff")


def test_a_record_goes_to_its_topic_as_avro_under_its_key(loader: Loader) -> None:
    record = reference.record(STAFF, {"id": "op-1", "skills": ["chat"]})
    producer: Any = loader._producer
    producer.full_times = 1
    with loader:
        loader.send(b'["op-1"]', record)
    (topic, value, key), = producer.sent
    assert (topic, key, schema_id(value)) == ("t.reference.staff", b'["op-1"]', 4)
    assert REFERENCE["staff"].decode(value, HEAD_BYTES) == record
    assert producer.config["partitioner"] == "murmur2_random"


def test_records_that_kafka_does_not_take_are_an_error(loader: Loader) -> None:
    producer: Any = loader._producer
    producer.failure = "timed out"
    with pytest.raises(OneThreadError, match="not delivered to Kafka: timed out"), loader:
        loader.send(b'["op-1"]', reference.record(STAFF, {"id": "op-1"}))
