"""The oracle's attributes on literal events."""

from tests.oracle.build import event
from tests.oracle.read import table


def test_what_holds_at_each_moment_and_who_said_so() -> None:
    a = event("1", 1, "email:a", consents={"sms": True})
    b = event("2", 2, "email:a", consents={"sms": True}, role="record")
    c, d = (event(n, 3, "email:a", consents={"sms": given}) for n, given in (("3", False), ("4", True)))
    found = [(r["valid_from"], r["value"], r["valid_to"], r["event_id"]) for r in table("consents", a, b, c, d)]
    assert found == [(1, True, 3, "1"), (3, False, None, "3")]


def test_two_halves_of_a_person_have_one_history_once_they_are_one() -> None:
    a, b = event("1", 1, "email:a", traits={"name": "x"}), event("2", 2, "phone:b", traits={"name": "y"})
    assert {r["valid_to"] for r in table("person_traits", a, b)} == {None}
    both = table("person_traits", a, b, event("3", 3, "email:a", "phone:b"))
    assert [(r["value"], r["valid_to"]) for r in both] == [("x", 2), ("y", None)]


def test_nobodys_attributes_are_kept_of_what_many_share() -> None:
    events = [event(str(n), n, "phone:till", f"email:{n}", traits={"name": "x"}) for n in range(4)]
    shared = [event("s", 9, "phone:till", traits={"name": "till"})]
    assert {r["value"] for r in table("person_traits", *events, *shared)} == {"x"}
