"""What another policy reads otherwise than it is held, by kind."""

import pytest

from streams.core.event import Identifier
from streams.core.policy import default_text, parse
from streams.core.rereading import Counts, Rereading

NOTHING = Counts({}, {})
TAGGED, PLAIN = ("email", "a.b+news@gmail.com"), ("email", "ab@gmail.com")
PHONE, ABROAD = ("phone", "+380671234567"), ("phone", "+48221234567")
CARD = ("loyalty_card", "260012345678")
TAGS = ('plus_tags = []', 'plus_tags = ["gmail.com"]')
DOTS = ('dots = []', 'dots = ["gmail.com"]')
REGION = ('# default_region = "UA"', 'default_region = "PL"')
CARDS = ('busy_above = 20,     min_events = 1, form = "digits"', 'busy_above = 20,     min_events = 1, form = "luhn"')
ALIAS = ('whatsapp    = "phone"\n', "")


def rereading(*changes: tuple[str, str], back: bool = False) -> Rereading:
    text = default_text()
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    policies = parse(default_text(), "old"), parse(text, "new")
    return Rereading(*(reversed(policies) if back else policies), default_region="UA")


@pytest.mark.parametrize(("change", "held", "expected"), [
    (TAGS, [TAGGED, PLAIN], Counts({"email": 1}, {})),
    (DOTS, [TAGGED, PLAIN, ("email", "a.b@example.com")], Counts({"email": 1}, {})),
    (CARDS, [CARD, ("loyalty_card", "79927398713")], Counts({"loyalty_card": 1}, {})),
    (REGION, [PHONE, ABROAD], Counts({}, {"phone": 1})),
    (ALIAS, [PHONE, CARD], Counts({}, {"phone": 1})),
])
def test_what_is_read_otherwise_is_counted(change: tuple[str, str], held: list[Identifier], expected: Counts) -> None:
    assert rereading(change).count(held) == expected
    assert rereading().count(held) == NOTHING


@pytest.mark.parametrize(("change", "held", "expected"), [
    (TAGS, [TAGGED, PLAIN, ("email", "a@example.com")], Counts({}, {"email": 2})),
    (DOTS, [PLAIN, ("email", "ab@example.com")], Counts({}, {"email": 1})),
    (CARDS, [CARD], NOTHING),
])
def test_of_what_was_taken_before_nobody_can_tell(
    change: tuple[str, str], held: list[Identifier], expected: Counts,
) -> None:
    """The way back: what the policy in force took is known no more. A check digit takes nothing."""
    assert rereading(change, back=True).count(held) == expected


def test_only_kinds_that_may_be_read_otherwise_are_asked_for() -> None:
    assert rereading().kinds == frozenset()
    assert rereading(("threshold = 0.95", "threshold = 0.9")).kinds == frozenset()
    assert rereading(TAGS, CARDS).kinds == {"email", "loyalty_card"}
    assert rereading(REGION).kinds == {"phone"}
    assert rereading(('# default_region = "UA"', 'default_region = "UA"')).kinds == frozenset()


def test_of_a_blocked_value_nothing_stays_but_the_hash_of_an_email_that_a_pattern_blocks() -> None:
    held = [("email", "till-1@shop.example"), PHONE]
    by_value = rereading(('"a@a.a"]', '"a@a.a", "till-1@shop.example"]'))
    assert by_value.count(held) == NOTHING
    by_pattern = rereading(("'undefined@.*'", "'undefined@.*', 'till-.*@shop.example'"))
    assert by_pattern.count(held) == Counts({"email_sha256": 1}, {})


def test_what_an_earlier_policy_left_is_told_once() -> None:
    """The one in force reads it otherwise already."""
    present = parse(default_text().replace(*TAGS), "present")
    other = parse(default_text().replace(*TAGS).replace(*DOTS), "other")
    assert Rereading(present, other, "UA").count([("email", "ab+news@gmail.com")]) == NOTHING
    assert Rereading(present, other, "UA").count([TAGGED]) == Counts({"email": 1}, {})
