"""The oracle's rules and evidence on worlds small enough to settle by hand."""

from dataclasses import replace

from streams.core.event import Event
from streams.core.policy import default
from tests.oracle import expected
from tests.oracle.batch import Tables
from tests.oracle.build import event, identifier
from tests.oracle.read import DURATIONS, PEPPER, contested, groups, person_of, shared, whose
from tests.oracle.rules import Word


def ruled(said: list[str], *events: Event, people_max: int = 1000) -> Tables:
    """`said` are words such as `link email:a phone:p`, each later than the one before."""
    words = []
    for n, text in enumerate(said):
        verb, *ends = text.split()
        a, b = sorted(identifier(end)[:2] for end in ends)
        words.append(Word((a, b), verb, f"r{n}", n))
    policy = replace(default(), person_identifiers_max=people_max)
    return expected(list(events), policy, DURATIONS, PEPPER, words)


def verdicts(tables: Tables) -> dict[str, str | None]:
    """Why each pair is apart, by its two values; None where it holds together."""
    return {f"{row[3]} {row[5]}": row[11] for row in tables["evidence"].values()}


def verbs(tables: Tables) -> list[tuple[str, str]]:
    return [(row[6], row[7]) for row in tables["rules"].values()]


APART = [event("1", 1, "email:a"), event("2", 2, "phone:p")]
TOGETHER = event("3", 3, "email:a", "phone:p")


def test_link_joins_and_drop_takes_it_back() -> None:
    assert groups(ruled(["link email:a phone:p"], *APART)) == {frozenset("ap")}
    tables = ruled(["link email:a phone:p", "drop email:a phone:p"], *APART)
    assert groups(tables) == {frozenset("a"), frozenset("p")}
    assert tables["rules"] == {}


def test_unlink_holds_apart_and_contests_nothing() -> None:
    tables = ruled(["unlink email:a phone:p"], TOGETHER)
    assert groups(tables) == {frozenset("a"), frozenset("p")}
    assert contested(tables) == set()
    assert verdicts(tables) == {"a p": "unlink"}
    assert verbs(tables) == [("unlink", "r0")]


def test_the_last_word_on_a_pair_holds() -> None:
    tables = ruled(["link email:a phone:p", "unlink email:a phone:p", "link email:a phone:p"], *APART)
    assert groups(tables) == {frozenset("ap")}
    assert verbs(tables) == [("link", "r2")]


def test_of_two_words_at_once_the_larger_id_is_the_last() -> None:
    pair = ("email", "a"), ("phone", "p")
    words = [Word(pair, "unlink", "b", 1), Word(pair, "link", "a", 1)]
    for said in (words, words[::-1]):
        assert verbs(expected([TOGETHER], default(), DURATIONS, PEPPER, said)) == [("unlink", "b")]


def test_unlink_also_holds_through_a_third() -> None:
    chain = [event("1", 1, "email:a", "crm_id:c"), event("2", 2, "crm_id:c", "phone:p")]
    tables = ruled(["unlink email:a phone:p"], *chain)
    assert groups(tables) == {frozenset("a"), frozenset("cp")}
    assert verdicts(tables) == {"c a": "unlink", "c p": None}


def test_what_is_parted_from_somebody_is_not_given_to_them() -> None:
    """A tablet that was passed on: its evenings without a login are not its former owner's, who had logged in last."""
    events = [event("1", 1, "customer_id:c", "phone:p", "device_id:d"), event("2", 2, "device_id:d")]
    assert whose(ruled([], *events), "2")[1] == "device_id"
    tables = ruled(["unlink customer_id:c device_id:d"], *events)
    assert whose(tables, "2") == (person_of(tables, "d"), "device_id")
    assert person_of(tables, "c") != person_of(tables, "d")


def test_of_two_who_are_parted_who_logged_in_last_has_what_both_use() -> None:
    events = [event("1", 1, "customer_id:a", "device_id:t"), event("2", 2, "customer_id:b", "device_id:t"),
              event("3", 3, "device_id:t")]
    tables = ruled(["unlink customer_id:a customer_id:b"], *events)
    assert contested(tables) == {"t"}
    assert whose(tables, "3") == (person_of(tables, "b"), "customer_id")


def test_link_yields_to_unlink() -> None:
    said = ["link email:a phone:p", "link phone:p phone:q", "unlink email:a phone:q"]
    assert groups(ruled(said, *APART, event("3", 3, "phone:q"))) == {frozenset("ap"), frozenset("q")}


def test_links_are_not_subject_to_limits() -> None:
    customers = [event("1", 1, "customer_id:x"), event("2", 2, "customer_id:y")]
    assert groups(ruled(["link customer_id:x customer_id:y"], *customers)) == {frozenset("xy")}
    three = ["link customer_id:x customer_id:y", "link customer_id:y email:a"]
    assert groups(ruled(three, *customers, APART[0], people_max=2)) == {frozenset("xya")}


def test_a_rule_on_a_shared_identifier_does_nothing() -> None:
    kiosk = [event(str(n), n, "device_id:d", f"email:e{n}") for n in range(4)]
    tables = ruled(["link device_id:d email:e1"], *kiosk)
    assert shared(tables) == {"d"}
    assert len(groups(tables)) == 5
    assert set(verdicts(tables).values()) == {"shared"}


def test_an_identifier_never_seen_has_no_rows_but_connects() -> None:
    tables = ruled(["link email:a customer_id:new", "link customer_id:new phone:p"], *APART)
    assert groups(tables) == {frozenset("ap")}
    (person,) = tables["persons"].values()
    assert person[9] == {"email": 1, "phone": 1}
    assert ruled(["link customer_id:new customer_id:newer"])["persons"] == {}


def test_nobody_is_known_by_an_identifier_never_seen() -> None:
    (person,) = ruled(["link anonymous_id:c customer_id:new"], event("1", 1, "anonymous_id:c"))["persons"].values()
    assert person[1] is False


def test_evidence_tells_events_times_and_the_first_of_them() -> None:
    tables = ruled([], event("b", 5, "email:a", "phone:p"), event("c", 9, "email:a", "phone:p"),
                   event("a", 5, "email:a", "phone:p"))
    (row,) = tables["evidence"].values()
    assert row[2:] == ("email", "a", "phone", "p", 3, 5, 9, "a", True, None)


def test_evidence_is_weak_before_it_is_shared() -> None:
    faint = [event(str(n), n, "device_id:d", f"email:e{n}@0.1") for n in range(4)]
    assert set(verdicts(ruled([], *faint)).values()) == {"weak"}


def test_evidence_of_two_shared_identifiers_is_left_out() -> None:
    both = [event(str(n), n, "device_id:d", "push_token:t", f"email:e{n}") for n in range(4)]
    assert {pair for pair in verdicts(ruled([], *both)) if pair == "d t"} == set()


def test_a_limit_is_the_reason_of_a_refused_login() -> None:
    tables = ruled([], event("1", 1, "customer_id:m", "device_id:t"), event("2", 2, "customer_id:d", "device_id:t"))
    assert verdicts(tables) == {"m t": "limit", "d t": None}
