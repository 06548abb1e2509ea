"""The checker of a chaos run notices each thing that may go wrong: one that cannot fail would be worth nothing."""

from collections import Counter

import pytest

from deploy.local.status import Status
from streams.core.facts import TABLES
from streams.settings import Settings
from tests.chaos.checker import balanced, counted, told
from tests.chaos.load import marker
from tests.integration.pipeline import SHOWN, accepted, differing, oracles, wanted

COLUMNS = {table: {column.name for column in TABLES[table].columns} for table in SHOWN}
BOOKS = {"in": 12, "touchpoints": 9, "duplicates": 1, "dead_letters": 2, "difference": 0}


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


def test_books_that_balance_are_right():
    assert balanced(status(), 10, 2) == []
    assert balanced(status(), 9, 2) == [], "a repeat that the collector sent again is no fault"


@pytest.mark.parametrize(("found", "sent", "poisoned"), [
    (status(difference=1), 10, 2),
    (status(difference=-1), 10, 2),
    (status(dead_letters=1), 10, 2),
    (status(dead_letters=3), 10, 2),
    (status(**{"in": 11}), 10, 2),
    (Status([], {"identity": 1}, BOOKS, 0), 10, 2),
    (Status([], {}, None, None), 10, 2),
    (Status([], {}, BOOKS, 1), 10, 2),
])
def test_books_that_do_not_balance_are_noticed(found, sent, poisoned):
    assert balanced(found, sent, poisoned)


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
