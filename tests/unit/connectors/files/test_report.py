"""What an import would do: refusals, repeats, and who would join, told before anything is sent."""

from pathlib import Path
from typing import Any

import msgspec

from connectors.checking import Checker
from connectors.files.mapping import Mapping, parse
from connectors.files.report import Joins, Report
from streams.core.drafting import Drafted
from streams.core.event import Event
from streams.core.keys import Keys
from streams.core.policy import default
from streams.settings import Settings
from tests.unit.streams.core.records import KAFKA_MS, accepted, named

KEYS = Keys(b"pepper", 4)
MEMBERS = """
[[skip]]
card = "none"
[[events]]
channel = "loyalty"
type = "signed_up"
role = "record"
event_id = "{id}"
occurred_at = "2026-02-05T10:00:00Z"
identifiers = [{ kind = "loyalty_card", value = "{card}" }, { kind = "phone", value = "{phone}" }]
"""
MAPPING = parse(MEMBERS, "members")
SENSOR = MEMBERS.replace('role = "record"', 'role = "observation"')


def reported(
    tmp_path: Path, *files: list[str], mapping: Mapping = MAPPING, known: Drafted | None = None,
) -> tuple[Report, Joins]:
    report = Report(Checker(Settings(), default()), KAFKA_MS, known)
    for number, lines in enumerate(files):
        path = tmp_path / f"{number}.csv"
        path.write_text("\n".join(["id,card,phone", *lines]) + "\n")
        report.read(path, mapping)
    return report, report.joins(default(), KEYS)


def _event(number: int, *identifiers: dict[str, Any]) -> Event:
    event = accepted(event_id=f"k{number}", identifiers=[*identifiers])
    return msgspec.structs.replace(event, digest=bytes([number]) * 16)


def test_every_row_is_counted_and_every_refusal_told_by_line(tmp_path: Path) -> None:
    report, _ = reported(tmp_path, ["a,26001,", "b,none,", "c,,", "d"])
    counts = report.files["0.csv"]
    assert (counts.rows, counts.events, counts.passed_over, dict(counts.refused)) == (
        4, 1, 1, {"no_identifier": 1, "bad_value": 1},
    )
    assert [(str(at), str(reject.reason)) for at, reject in report.refusals] == [
        ("0.csv:4", "no_identifier"), ("0.csv:5", "bad_value"),
    ]


def test_observations_that_name_nobody_are_counted_among_the_events(tmp_path: Path) -> None:
    report, joins = reported(tmp_path, ["a,26001,", "b,,"], mapping=parse(SENSOR, "sensor"))
    counts = report.files["0.csv"]
    assert (counts.events, counts.unidentifiable, dict(counts.refused), joins.persons) == (2, 1, {}, 1)


def test_what_is_told_twice_is_the_same_or_differs(tmp_path: Path) -> None:
    report, _ = reported(tmp_path, ["a,26001,", "a,26001,"], ["a,26001,", "a,26002,"])
    assert [(str(at), str(first)) for at, first in report.repeats] == [("0.csv:3", "0.csv:2"), ("1.csv:2", "0.csv:2")]
    assert [(str(at), str(first)) for at, first in report.conflicts] == [("1.csv:3", "0.csv:2")]


def test_who_would_join_within_files_and_between_them(tmp_path: Path) -> None:
    _, joins = reported(
        tmp_path, ["a,26001,+380670001201", "b,26002,"], ["c,26003,+380670001201", "d,26004,+380670001209"],
    )
    assert (joins.persons, joins.known, joins.in_several_files) == (3, 3, 1)
    assert joins.met == {"phone": 1}
    assert joins.largest[0].kinds == {"loyalty_card": 2, "phone": 1}
    assert (joins.already_there, joins.united) == (0, 0)


def test_lines_that_would_be_of_one_person_are_told_and_by_what(tmp_path: Path) -> None:
    _, joins = reported(
        tmp_path, ["a,26001,+380670001201", "b,26001,", "b,26001,"], ["c,26001,+380670001201", "d,,+380670001209"],
    )
    assert [str(one) for one in joins.meetings] == [
        "0.csv:3 joins 0.csv:2 by loyalty_card", "1.csv:2 joins 0.csv:2 by loyalty_card, phone",
    ]
    _, joins = reported(tmp_path, [f"{n},2600{n},+380670001201" for n in range(4)])
    assert joins.meetings == []


def test_bases_of_different_kinds_are_read_through_their_own_mappings(tmp_path: Path) -> None:
    contacts = parse("""
[[events]]
channel = "crm"
type = "identified"
role = "record"
event_id = "crm:{id}"
occurred_at = "2026-02-05T10:00:00Z"
identifiers = [{ kind = "crm_id", value = "{id}" }, { kind = "phone", value = "{tel}" }]
""", "contacts")
    report, members, crm = Report(Checker(Settings(), default()), KAFKA_MS), tmp_path / "m.csv", tmp_path / "c.csv"
    members.write_text("id,card,phone\na,26001,+380670001201\n")
    crm.write_text("id,tel\n7,+380670001201\n")
    report.read(members, MAPPING)
    report.read(crm, contacts)
    joins = report.joins(default(), KEYS)
    assert (joins.persons, joins.in_several_files) == (1, 1)
    assert [str(one) for one in joins.meetings] == ["c.csv:2 joins m.csv:2 by phone"]


def test_a_phone_of_too_many_cards_joins_nobody(tmp_path: Path) -> None:
    _, joins = reported(tmp_path, [f"{n},2600{n},+380670001201" for n in range(4)])
    assert (joins.shared, joins.persons) == ({"phone": 1}, 4)


def test_what_is_known_already_takes_part(tmp_path: Path) -> None:
    known = Drafted()
    known.add(_event(1, named("loyalty_card", "26001")))
    known.add(_event(2, named("phone", "+380670001201")))
    _, joins = reported(tmp_path, ["a,26001,+380670001201"], known=known)
    assert (joins.persons, joins.already_there, joins.united) == (1, 1, 1)
    assert joins.met == {"loyalty_card": 1, "phone": 1}


def test_an_identifier_that_only_old_and_new_events_together_show_as_everybodys(tmp_path: Path) -> None:
    known = Drafted()
    for number in range(3):
        known.add(_event(number, named("loyalty_card", f"2600{number}"), named("phone", "+380670001201")))
    _, joins = reported(tmp_path, ["a,26009,+380670001201"], known=known)
    assert joins.shared == {"phone": 1}


def test_reference_records_are_checked_and_join_nobody(tmp_path: Path) -> None:
    mapping = parse('reference = "staff"\n[row]\nid = "{id}"\nname = "{card}"', "staff")
    report, joins = reported(tmp_path, ["a,Seller,", ",Nobody,"], mapping=mapping)
    counts = report.files["0.csv"]
    assert (counts.events, dict(counts.refused), joins.persons) == (1, {"missing_field": 1}, 0)
