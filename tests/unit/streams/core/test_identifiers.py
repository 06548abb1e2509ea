"""Normal forms: one customer's identifier is the same text whoever reports it."""

import hashlib
from dataclasses import replace

import pytest

from streams.core.identifiers import VALUE_LENGTH_MAX, Refused, email_sha256, normalise
from streams.core.policy import EmailRules, default, parse

ADVERTISING = "38400000-8cf0-11bd-b23e-10b96e40000d"


def normal(kind: str, value: str, region: str = "UA") -> object:
    return normalise(kind, value, default(), region)


@pytest.mark.parametrize(("kind", "value", "expected"), [
    ("phone", "067 123 45 67", ("phone", "+380671234567")),
    ("phone", "+38 (067) 123-45-67", ("phone", "+380671234567")),
    ("phone", "00380671234567", ("phone", "+380671234567")),
    ("phone", "+44 20 7946 0958", ("phone", "+442079460958")),
    ("phone", "+49 0 030 123456", ("phone", "+4930123456")),
    ("phone", "+39 06 1234 5678", ("phone", "+390612345678")),
    ("whatsapp", "+380671234567", ("phone", "+380671234567")),
    ("viber_id", "+380671234567", ("phone", "+380671234567")),
    ("telegram_id", "380671234567", ("telegram_id", "380671234567")),
    ("viber_id", "aBcD==", ("viber_id", "aBcD==")),
    ("email", " A.Person@Example.COM ", ("email", "a.person@example.com")),
    ("email", "first+tag@example.com", ("email", "first+tag@example.com")),
    ("email", "a@приклад.укр", ("email", "a@xn--80aikifvh.xn--j1amh")),
    ("email", "a@XN--80AIKIFVH.xn--j1amh", ("email", "a@xn--80aikifvh.xn--j1amh")),
    ("loyalty_card", "2600 1234-5678", ("loyalty_card", "260012345678")),
    ("loyalty_card", "0012", ("loyalty_card", "0012")),
    ("wifi_mac", "3C-5A-B4-01-02-0A", ("wifi_mac", "3c:5a:b4:01:02:0a")),
    ("wifi_mac", "3c5ab401020a", ("wifi_mac", "3c:5a:b4:01:02:0a")),
    ("wifi_mac", "3c5a.b401.020a", ("wifi_mac", "3c:5a:b4:01:02:0a")),
    ("advertising_id", ADVERTISING.upper(), ("advertising_id", ADVERTISING)),
    ("advertising_id", "\u0130\u0327", ("advertising_id", "i\u0327\u0307")),
    ("email_sha256", "AB" * 32, ("email_sha256", "ab" * 32)),
    ("payment_token", "tok_9F2c", ("payment_token", "tok_9F2c")),
    ("customer_id", " C-17 ", ("customer_id", "C-17")),
    ("customer_id", "é", ("customer_id", "é")),
    ("instagram_id", "17841400:987654", ("instagram_id", "17841400:987654")),
])
def test_normal_forms(kind: str, value: str, expected: tuple[str, str]) -> None:
    assert normal(kind, value) == expected


@pytest.mark.parametrize(("kind", "value", "note"), [
    ("passport", "AA123456", "unknown_kind"),
    ("email", "   ", "empty"),
    ("customer_id", "null", "blocked"),
    ("customer_id", "Undefined", "blocked"),
    ("customer_id", "0000", "blocked"),
    ("customer_id", "00000000-0000-0000-0000-000000000000", "blocked"),
    ("advertising_id", "00000000-0000-0000-0000-000000000000", "blocked"),
    ("device_id", "xxxxxxxx", "blocked"),
    ("email", "test@example.com", "blocked"),
    ("email", "No-Reply@example.com", "blocked"),
    ("email_sha256", hashlib.sha256(b"").hexdigest(), "blocked"),
    ("phone", "+380000000000", "blocked"),
    ("phone", "+266696687", "blocked"),  # ANONYMOUS
    ("phone", "067 0000000", "blocked"),
    ("viber_id", "+380000000000", "blocked"),
    ("email", "no at sign", "malformed"),
    ("email", "a@b@", "malformed"),
    ("email", "a@localhost", "malformed"),
    ("email", "a b@example.com", "malformed"),
    ("email", "a@-example.com", "malformed"),
    ("phone", "12", "malformed"),
    ("phone", "+380 67 123", "malformed"),
    ("phone", "call me", "malformed"),
    ("phone", "044 123 45 67 ext. 12", "extension"),
    ("loyalty_card", "GOLD-1", "malformed"),
    ("loyalty_card", "١٢٣٤", "malformed"),
    ("wifi_mac", "3c5ab40102", "malformed"),
    ("wifi_mac", "ff:ff:ff:ff:ff:ff", "blocked"),
    ("wifi_mac", "02:00:00:00:00:01", "randomised"),
    ("wifi_mac", "da:a1:19:00:00:01", "randomised"),
    ("wifi_mac", "01:00:5e:00:00:01", "malformed"),
    ("email_sha256", "ab", "malformed"),
    ("payment_token", "4111 1111 1111 1111", "card_number"),
    ("payment_token", "378282246310005", "card_number"),
    ("customer_id", "x" * (VALUE_LENGTH_MAX + 1), "too_long"),
    ("customer_id", "\u0344" * VALUE_LENGTH_MAX, "too_long"),  # each is composed of two
])
def test_what_identifies_nobody_is_refused_with_a_note(kind: str, value: str, note: str) -> None:
    assert normal(kind, value) == Refused(note)


def test_the_longest_value_is_taken() -> None:
    assert normal("customer_id", "xy" * (VALUE_LENGTH_MAX // 2)) == ("customer_id", "xy" * (VALUE_LENGTH_MAX // 2))


def test_a_national_number_needs_a_region() -> None:
    assert normal("phone", "067 123 45 67", region="") == Refused("no_region")
    assert normal("phone", "+380671234567", region="") == ("phone", "+380671234567")


def test_digits_without_a_valid_check_digit_may_be_a_payment_token() -> None:
    assert normal("payment_token", "4111111111111112") == ("payment_token", "4111111111111112")


def test_a_check_digit_is_asked_for_where_the_form_says_so() -> None:
    text = """
version = "1"
threshold = 0.95
person_identifiers_max = 10
[kinds]
card = {strength = 1, personal = true, per_person = 1, shared_above = 1, busy_above = 1, min_events = 1, form = "luhn"}
"""
    policy = parse(text, "cards.toml")
    assert normalise("card", "7992 7398 713", policy, "") == ("card", "79927398713")
    assert normalise("card", "79927398710", policy, "") == Refused("bad_check_digit")


def test_the_hash_of_an_email_is_of_its_normal_form() -> None:
    assert email_sha256("a@example.com") == hashlib.sha256(b"a@example.com").hexdigest()


def test_a_policy_may_bring_its_own_region_and_rules_for_email() -> None:
    gmail = frozenset({"gmail.com"})
    policy = replace(default(), default_region="UA", email=EmailRules(gmail, gmail))
    assert normalise("phone", "067 123 45 67", policy, "PL") == ("phone", "+380671234567")
    assert normalise("email", "A.B+x@Gmail.com", policy, "") == ("email", "ab@gmail.com")
    assert normalise("email", "T.e.s.t+x@Gmail.com", policy, "") == Refused("blocked")
