"""Importing a file: everything is sent or told, and an import that was stopped goes on where it stood."""

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import msgspec
import pytest

from connectors import delivery
from connectors.files import importing
from connectors.files.importing import run
from connectors.files.journal import Journal, Progress
from connectors.files.mapping import load
from connectors.files.sending import RowSender
from schemas.records import CHANNEL_EVENT, DEAD_LETTER, REFERENCE
from schemas.wire import HEAD_BYTES
from streams.core.policy import default
from streams.errors import OneThreadError
from streams.settings import Settings

MAPPING = """
[[skip]]
kind = "open"
[[events]]
channel = "pos"
type = "store_visited"
event_id = "e{id}"
occurred_at = "{at}"
identifiers = [{ kind = "phone", value = "{phone}" }, { kind = "payment_token", value = "{token}" }]
"""
GOOD = "2026-02-05T10:00:00Z"


class Producer:
    """Keeps what it is given; fails from the nth record on where told so."""

    records: ClassVar[list[tuple[str, bytes]]] = []
    fails_at: ClassVar[int | None] = None

    def __init__(self, _config: dict[str, Any]) -> None: ...

    def produce(self, topic: str, value: bytes, key: bytes, on_delivery: Any) -> None:
        failure = "away" if self.fails_at is not None and len(self.records) >= self.fails_at else None
        if failure is None:
            self.records.append((topic, value[HEAD_BYTES:]))
        on_delivery(failure, None)

    def poll(self, _timeout_s: float) -> int:
        return 0

    def flush(self, _timeout_s: float) -> int:
        return 0


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    registry = SimpleNamespace(lookup_schema=lambda _subject, _schema: SimpleNamespace(schema_id=5))
    monkeypatch.setattr(delivery, "Producer", Producer)
    monkeypatch.setattr(delivery, "client", lambda _url: registry)
    monkeypatch.setattr(Producer, "records", [])
    monkeypatch.setattr(importing, "NOTED_EVERY", 2)
    return tmp_path


def imported(home: Path, rows: list[str], mapping: str = MAPPING) -> tuple[Progress, Journal]:
    path, file = home / "visits.toml", home / "visits.csv"
    path.write_text(mapping)
    file.write_text("\n".join(rows) + "\n")
    journal, compiled = Journal(home, file, path), load(path)
    with RowSender("kafka:1", "http://registry", Settings(), default(), compiled) as sender:
        return run(file, compiled, sender, journal, lambda _: None), journal


def visits(*rows: tuple[str, str, str, str]) -> list[str]:
    return ["id,kind,at,phone,token", *(",".join([number, kind, at, phone, ""]) for number, kind, at, phone in rows)]


def events() -> list[str]:
    return [CHANNEL_EVENT.decode(value)["event_id"] for topic, value in Producer.records if topic == "events.pos"]


def letters() -> list[dict[str, Any]]:
    return [DEAD_LETTER.decode(value) for topic, value in Producer.records if topic == "dead-letters"]


def test_events_go_to_their_topic_refusals_to_the_dead_letters_and_into_the_list(home: Path) -> None:
    progress, journal = imported(home, [
        *visits(("1", "x", GOOD, "+380670001201"), ("2", "open", "", "")),
        *visits(("3", "x", "never", ""), ("4", "x", GOOD, ""))[1:],
        "5,x",
    ])
    assert events() == ["e1"]
    assert (progress.rows, progress.sent, progress.passed_over, progress.is_finished) == (5, 1, 1, True)
    assert progress.refused == {"bad_time": 1, "no_identifier": 1, "bad_value": 1}
    by = f" by {home / 'visits.toml'}"
    assert [(told["reason"], told["source"], told["topic"]) for told in letters()] == [
        ("bad_time", f"visits.csv:4{by}", None), ("no_identifier", "visits.csv:5", None),
        ("bad_value", f"visits.csv:6{by}", None),
    ]
    with journal.told.open(newline="") as file:
        assert [(row["line"], row["reason"]) for row in csv.DictReader(file)] == [
            ("4", "bad_time"), ("5", "no_identifier"), ("6", "bad_value"),
        ]


def test_observations_that_name_nobody_are_sent_and_counted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Across a stop too: what comes after it is added to what the journal holds."""
    sensor = MAPPING.replace("store_visited", "wifi_seen").replace('"pos"', '"wifi"')
    rows = visits(*((str(n), "x", GOOD, "+380670001201" if n == 1 else "") for n in range(5)))
    monkeypatch.setattr(Producer, "fails_at", 3)
    with pytest.raises(OneThreadError, match="not delivered"):
        imported(home, rows, sensor)
    monkeypatch.setattr(Producer, "fails_at", None)
    progress, journal = imported(home, rows, sensor)
    assert (progress.sent, progress.unidentifiable, progress.refused) == (5, 4, {})
    assert journal.read() == progress


def test_a_dead_letter_holds_the_event_or_where_there_is_none_the_row(home: Path) -> None:
    imported(home, visits(("1", "x", "never", "+380670001201"), ("2", "x", GOOD, "")))
    row, event = (msgspec.json.decode(told["raw"]) for told in letters())
    assert (row["id"], row["phone"]) == ("1", "+380670001201")
    assert (event["event_id"], event["type"]) == ("e2", "store_visited")


def test_the_number_of_a_card_is_not_kept_whatever_is_refused(home: Path) -> None:
    card = "4111111111111111"
    imported(home, ["id,kind,at,phone,token", f"1,x,never,,{card}", f"2,x,{GOOD},,{card}"])
    assert [told["reason"] for told in letters()] == ["bad_time", "card_number"]
    assert not any(card.encode() in (told["raw"] or b"") for told in letters())


def test_an_import_that_was_stopped_goes_on_where_it_stood(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = visits(*((str(n), "x", GOOD if n != 2 else "never", "+380670001201") for n in range(7)))
    monkeypatch.setattr(Producer, "fails_at", 5)
    with pytest.raises(OneThreadError, match="not delivered"):
        imported(home, rows)
    monkeypatch.setattr(Producer, "fails_at", None)
    progress, journal = imported(home, rows)
    # Up to row 4 Kafka has it, and the journal says so; row 4 went too, and is sent again under the same id.
    assert events() == ["e0", "e1", "e3", "e4", "e4", "e5", "e6"]
    assert (progress.rows, progress.sent, progress.refused) == (7, 6, {"bad_time": 1})
    assert journal.told.read_text().count("bad_time") == 1


def test_a_file_that_was_sent_is_not_sent_again_until_it_or_the_mapping_changes(home: Path) -> None:
    rows = visits(("1", "x", GOOD, "+380670001201"))
    imported(home, rows)
    imported(home, rows)
    assert events() == ["e1"]
    _, journal = imported(home, rows, MAPPING + "# changed")
    assert events() == ["e1", "e1"]
    journal.forget()
    imported(home, rows, MAPPING + "# changed")
    assert events() == ["e1"] * 3


def test_a_journal_that_cannot_be_read_is_a_beginning(home: Path) -> None:
    _, journal = imported(home, visits(("1", "x", GOOD, "+380670001201")))
    journal.path.write_text('{"rows": ')
    assert journal.read().rows == 0


def test_there_is_no_list_where_nothing_was_refused(home: Path) -> None:
    _, journal = imported(home, visits(("1", "x", GOOD, "+380670001201")))
    assert not journal.told.exists()


def test_reference_records_go_to_their_topic(home: Path) -> None:
    mapping = 'reference = "rates"\n[row]\nday = "{day}"\ncurrency = "{code}"\nrate = "{rate}"'
    progress, _ = imported(home, ["day,code,rate", "2026-02-05,UAH,0.0205", "2026-02-05,XXX,1"], mapping)
    assert [(topic, REFERENCE["rates"].decode(value)["rate"]) for topic, value in Producer.records
            if topic == "reference.rates"] == [("reference.rates", "0.0205")]
    assert (progress.sent, progress.refused) == (1, {"bad_value": 1})
    assert letters()[0]["source"] == f"visits.csv:3 by {home / 'visits.toml'}"
