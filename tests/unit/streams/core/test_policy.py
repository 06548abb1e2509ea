"""The policy file: the published table, and precise words about what is wrong with another."""

import pytest

from streams.core.identifiers import email_sha256
from streams.core.policy import Kind, PolicyError, check, default, default_text, parse

TABLE = """
customer_id    100 yes 1    none -                      none 1
loyalty_card   90  yes 5    3    -                      20   1
phone          80  yes 5    3    -                      20   1
email          70  yes 5    3    -                      20   1
crm_id         65  no  5    3    -                      none 1
shop_customer_id 65 no 5    3    -                      none 1
email_sha256   60  no  5    3    -                      none 1
telegram_id    60  no  3    3    -                      none 1
viber_id       60  no  3    3    -                      none 1
whatsapp_user_id 60 no 3    3    -                      none 1
instagram_id   60  no  3    3    -                      none 1
facebook_id    60  no  3    3    -                      none 1
marketplace_id 60  no  3    3    -                      none 1
payment_token  50  no  10   3    -                      20   1
order_id       45  no  none 2    -                      none 1
device_id      40  no  none 3    -                      none 1
advertising_id 40  no  none 3    -                      none 1
push_token     40  no  none 3    -                      none 1
anonymous_id   30  no  none 3    -                      none 1
click_id       30  no  none 1    anonymous_id,device_id none 1
face_id        10  no  10   3    -                      none 2
wifi_mac       10  no  10   3    -                      none 3
"""
"""Kind, strength, personal, per_person, shared_above, shared_by, busy_above, min_events: the design's table."""

SMALL = """
version = "7"
threshold = 0.9
person_identifiers_max = 10

[kinds.card]
strength = 90
personal = true
per_person = 5
shared_above = "none"
busy_above = 20
min_events = 1
form = "digits"

[aliases]
tessera = "card"

[blocked.any]
values = ["NULL"]

[blocked.card]
patterns = ['9+']
"""


def _limit(text: str) -> int | None:
    return None if text == "none" else int(text)


def test_the_default_policy_is_the_published_table() -> None:
    published = {}
    for line in TABLE.strip().splitlines():
        name, strength, personal, per_person, above, by, busy, events = line.split()
        shared_by = frozenset() if by == "-" else frozenset(by.split(","))
        published[name] = (
            int(strength), personal == "yes", _limit(per_person), _limit(above), shared_by, _limit(busy), int(events),
        )
    assert published == {
        k.name: (k.strength, k.personal, k.per_person, k.shared_above, k.shared_by, k.busy_above, k.min_events)
        for k in default().kinds.values()
    }


def test_the_default_threshold_and_size_are_the_published_ones() -> None:
    assert (default().threshold, default().person_identifiers_max) == (0.95, 1000)


def test_a_policy_is_read_from_its_text() -> None:
    policy = parse(SMALL, "small.toml")
    assert policy.kinds == {"card": Kind("card", 90, True, 5, None, frozenset(), 20, 1, "digits")}
    assert (policy.threshold, policy.person_identifiers_max, policy.version) == (0.9, 10, "7")
    assert policy.aliases == {"tessera": "card"}


def test_limits_of_alerts_that_a_file_leaves_out_are_the_products() -> None:
    text = SMALL + '\n[alerts]\nmany_names = 9\nmany_cities = "none"\n'
    assert parse(text, "small.toml").alerts == {
        "many_names": 9, "many_birthdays": 2, "many_cities": None, "person_touchpoints": 10_000,
        "super_identifier": 100,
    }
    assert parse(SMALL, "small.toml").alerts == default().alerts


@pytest.mark.parametrize(("kind", "value", "is_blocked"), [
    ("card", "null", True), ("card", "Null", True), ("card", "nullable", False),
    ("card", "999", True), ("card", "9998", False),
])
def test_blocked_values_and_patterns_match_the_whole_value(kind: str, value: str, is_blocked: bool) -> None:
    assert parse(SMALL, "small.toml").is_blocked(kind, value) is is_blocked


def test_a_value_blocked_for_one_kind_is_none_of_anothers() -> None:
    assert default().is_blocked("wifi_mac", "ff:ff:ff:ff:ff:ff")
    assert not default().is_blocked("anonymous_id", "ff:ff:ff:ff:ff:ff")


def test_a_kind_that_a_policy_lacks_identifies_nobody() -> None:
    """An earlier policy may have had it: what was gathered under it must not stop the workers."""
    policy = parse(SMALL, "small.toml")
    assert policy.is_blocked("gone", "9")
    assert (policy.kinds["gone"].strength, "gone" in policy.kinds) == (0, False)


def test_an_email_that_is_blocked_is_so_by_its_hash() -> None:
    text = default_text().replace('"a@a.a"]', '"a@a.a", "Till@Shop.example"]')
    policy = parse(text, "shop.toml")
    assert policy.is_blocked("email_sha256", email_sha256("till@shop.example"))
    assert policy.is_blocked("email_sha256", email_sha256(""))
    assert not default().is_blocked("email_sha256", email_sha256("till@shop.example"))


def test_another_name_that_is_a_kind_is_refused_of_a_new_policy_only() -> None:
    """One of before may be in force."""
    text = SMALL.replace('tessera = "card"', 'tessera = "card"\ncard = "card"')
    assert parse(text, "small.toml").aliases["card"] == "card"
    with pytest.raises(PolicyError) as error:
        check(text, "small.toml")
    assert str(error.value) == (
        "small.toml, line 17: aliases.card: expected another name than a kind's of this file; came 'card'"
    )
    assert check(SMALL, "small.toml").aliases == {"tessera": "card"}


@pytest.mark.parametrize(("old", "new", "message"), [
    ("per_person = 5", "per_person = 0",
     'small.toml, line 9: kinds.card.per_person: expected a whole number, at least 1, or "none"; came 0'),
    ("[aliases]", "[alerts]\nmany_names = 0\n[aliases]",
     'small.toml, line 16: alerts.many_names: expected a whole number, at least 1, or "none"; came 0'),
    ("strength = 90", 'strength = "high"',
     "small.toml, line 7: kinds.card.strength: expected a whole number, at least 0; came 'high'"),
    ("personal = true", "personal = 1", "small.toml, line 8: kinds.card.personal: expected true or false; came 1"),
    ("min_events = 1\n", "", "small.toml, line 6: kinds.card: expected the key min_events; came 'strength"),
    ("threshold = 0.9", "threshold = 2", "small.toml, line 3: threshold: expected a number above 0, at most 1; came 2"),
    ('"card"\n', '"cart"\n', "small.toml, line 16: aliases.tessera: expected a kind of this file; came 'cart'"),
    ("[blocked.card]", "[blocked.cart]",
     "small.toml, line 21: blocked.cart: expected a kind of this file; came 'cart'"),
    ("busy_above", "busy_over", "small.toml, line 11: kinds.card.busy_over: expected one of"),
    ("'9+'", "'9+('", "small.toml, line 22: blocked.card.patterns: expected regular expressions"),
    ("threshold =", "threshold", "small.toml: not valid TOML: "),
])
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, message: str) -> None:
    assert SMALL.count(old) == 1
    with pytest.raises(PolicyError) as error:
        parse(SMALL.replace(old, new), "small.toml")
    assert str(error.value).startswith(message)


def test_email_rules_are_off_and_can_be_set_by_domain() -> None:
    address = "a.b+news@gmail.com"
    assert default().email.plain(address) == address
    text = SMALL + '\n[email]\nplus_tags = ["*"]\ndots = ["Gmail.com"]\n'
    rules = parse(text, "small.toml").email
    assert rules.plain(address) == "ab@gmail.com"
    assert rules.plain("a.b+news@example.org") == "a.b@example.org"
    assert rules.plain("+news@example.org") == "+news@example.org"


@pytest.mark.parametrize("line", ['default_region = "ua"', "default_region = 380", "email = 1"])
def test_rules_of_normalisation_are_checked(line: str) -> None:
    with pytest.raises(PolicyError, match=f"line 1: {line.split()[0]}: expected"):
        parse(f"{line}\n{SMALL}", "small.toml")
