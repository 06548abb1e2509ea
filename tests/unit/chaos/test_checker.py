"""The checker of a chaos run notices each thing that may go wrong: one that cannot fail would be worth nothing."""

from collections import Counter

import pytest

from connectors.checking import Checker
from deploy.local.status import Status
from schemas.wire import frame
from streams import clock
from streams.core.facts import TABLES
from streams.core.policy import default
from streams.settings import Settings
from tests.chaos.checker import balanced, counted, event_id, reckoned, told
from tests.chaos.load import marker
from tests.integration.pipeline import SHOWN, accepted, differing, oracles, wanted

COLUMNS = {table: {column.name for column in TABLES[table].columns} for table in SHOWN}
BOOKS = {"in": 12, "touchpoints": 7, "duplicates": 2, "dead_letters": 2, "unidentifiable": 1, "erased": 0,
         "suppressed": 0, "difference": 0}


def test_what_arrived_once_is_right():
    assert counted(["a", "b", "b"], ["b", "a"]) == []


@pytest.mark.parametrize(("held", "said"), [
    (["a"], ["lost: b"]),
    (["a", "b", "b"], ["2 rows: b"]),
    (["a", "b", "c"], ["never sent: c"]),
    (["a", "a", "c"], ["lost: b", "2 rows: a", "never sent: c"]),
])
def test_a_lost_a_doubled_and_an_invented_event_are_noticed(held, said):
    assert counted(["a", "b"], held) == said


def status(**changed):
    return Status([], {"identity": 0}, BOOKS | changed, 0)


def test_books_that_are_as_counted_are_right():
    assert balanced(status(), BOOKS) == []


@pytest.mark.parametrize("entry", BOOKS)
def test_an_entry_of_the_books_that_is_another_number_is_noticed(entry):
    count = BOOKS[entry]
    assert balanced(status(**{entry: count + 1}), BOOKS) == [f"{entry}: {count + 1} told, {count} counted"]


@pytest.mark.parametrize(("found", "said"), [
    (Status([], {"identity": 1}, BOOKS, 0), "identity: 1 records left"),
    (Status([], {"identity": 0}, None, None), "ClickHouse does not tell the books"),
    (Status([], None, BOOKS, 0), "Kafka does not tell the lag"),
    (Status([], {"identity": 0}, BOOKS, 1), "1 repeats with another content"),
])
def test_what_is_left_unsaid_or_in_conflict_is_noticed(found, said):
    assert balanced(found, BOOKS) == [said]


def test_the_books_are_reckoned_from_what_was_sent_and_what_lies_in_kafka():
    """b was told twice; c once, and arrived again; d identifies nobody; two records are poison."""
    held = Counter({"a": 1, "b": 2, "c": 2, "d": 3, "": 1, "poison": 1})
    assert reckoned(held, ["a", "b", "b", "c", "d"], {"a", "b", "c"}, 2) == BOOKS | {
        "in": 10, "touchpoints": 3, "duplicates": 2, "dead_letters": 2, "unidentifiable": 3}


def test_an_event_is_read_from_its_record_and_poison_is_none():
    checked = Checker(Settings(pepper=b"0" * 64), default()).check(marker("m1"), clock.now_ms())
    assert event_id(frame(7, checked.payload)) == "m1"
    assert [event_id(value) for value in (None, b"", b"\x01noise", frame(7, checked.payload)[:12])] == [""] * 4


@pytest.fixture(scope="module")
def want():
    """The oracle's rows of three visitors, as the views would show them."""
    settings = Settings(pepper=b"0" * 64)
    return wanted(oracles(accepted([marker(f"m{n}") for n in range(3)], settings), settings), COLUMNS)


@pytest.mark.parametrize("table", ["persons", "identifiers", "touchpoints", "sessions"])
def test_a_row_that_is_missing_doubled_or_of_another_person_is_noticed(want, table):
    rows = want[table]
    assert rows.total() == 3
    assert differing(rows, Counter(rows)) == []
    one, other = list(rows)[:2]
    assert differing(rows, rows - Counter([one])) == [f"- {one}"]
    assert differing(rows, rows + Counter([one])) == [f"+ {one}"]
    person, another = (row.split('"person_id": "')[1][:36] for row in (one, other))
    wrong = one.replace(person, another)
    assert differing(rows, rows - Counter([one]) + Counter([wrong])) == [f"- {one}", f"+ {wrong}"]


def test_what_is_wrong_is_told_below_its_name():
    lines = told({"persons": [], "books": ["difference 1"]})
    assert [line.split() for line in lines] == [["persons", "equal"], ["books", "1", "differ"], ["difference", "1"]]
