"""Attributes on literal histories."""

from streams.core.attribute import attribute_rows
from streams.core.event import Event
from streams.core.facts import Row
from streams.core.keys import Keys
from streams.core.sayings import Sayings
from streams.core.shaping import Shaping
from tests.oracle.build import event

PERSON = bytes(16)


def rows(table: str, *events: Event) -> list[Row]:
    """Without the person."""
    return [row[1:] for name, row in attribute_rows(PERSON, events) if name == table]


def test_a_value_holds_until_another_comes() -> None:
    first, second = event("1", 1, preferences={"mode": "call"}), event("2", 5, preferences={"mode": "write"})
    assert rows("preferences", first, second) == [
        ("mode", 1, "call", 5, "1", "crm"), ("mode", 5, "write", None, "2", "crm"),
    ]


def test_what_is_only_repeated_is_dated_by_the_event_that_brought_it() -> None:
    first, again = event("1", 1, traits={"name": "A"}), event("2", 5, traits={"name": "A"}, source="shop")
    assert rows("person_traits", first, again) == [("name", 1, "A", None, "1", "crm")]


def test_keys_have_histories_of_their_own() -> None:
    both = event("1", 1, traits={"a": "x", "b": "y"})
    assert rows("person_traits", both, event("2", 2, traits={"b": "z"})) == [
        ("a", 1, "x", None, "1", "crm"), ("b", 1, "y", 2, "1", "crm"), ("b", 2, "z", None, "2", "crm"),
    ]


def test_at_equal_times_a_withdrawal_wins_whatever_the_event_ids() -> None:
    given, withdrawn = {"email": True}, {"email": False}
    for a, b in ((given, withdrawn), (withdrawn, given)):
        (row,) = rows("consents", event("1", 5, consents=a), event("2", 5, consents=b))
        assert row[:4] == ("email", 5, False, None)


def test_a_withdrawal_an_instant_earlier_does_not_win() -> None:
    found = rows("consents", event("1", 4, consents={"email": False}), event("2", 5, consents={"email": True}))
    assert [row[1:4] for row in found] == [(4, False, 5), (5, True, None)]


def test_of_equal_times_without_a_withdrawal_the_last_event_wins() -> None:
    found = rows("preferences", event("1", 5, preferences={"m": "b"}), event("2", 5, preferences={"m": "a"}))
    assert found == [("m", 5, "a", None, "2", "crm")]


def test_an_empty_text_takes_a_value_back_and_makes_no_row() -> None:
    events = [event(str(n), n, preferences={"m": text}) for n, text in enumerate(["", "a", "", "", "a"])]
    assert rows("preferences", *events) == [("m", 1, "a", 2, "1", "crm"), ("m", 4, "a", None, "4", "crm")]


def test_an_empty_text_of_the_same_instant_wins() -> None:
    assert rows("person_traits", event("1", 5, traits={"m": ""}), event("2", 5, traits={"m": "a"})) == []


def test_a_persons_row_holds_200_keys_at_most() -> None:
    sayings = Sayings()
    for n in range(201):
        sayings.hear(event(f"{n:03}", n, preferences={f"k{n:03}": "x"}, consents={"sms": True}))
    assert len(sayings.rows(PERSON, Shaping(Keys(b"", 1), 1))) == 202
    preferences, consent = sayings.attributes
    assert list(preferences) == [f"k{n:03}" for n in range(200)]
    assert consent == {"sms": True}
