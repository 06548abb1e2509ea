"""What an event says without some of its identifiers."""

from streams.core.blanking import without
from streams.core.event import pack, unpack
from tests.oracle.build import CONTENT, event

ORDER = event("1", 5, "email:a@example.com", "phone:+380670009001", order={"order_id": "o-1"}, click_id="c",
              referrer="/?a@example.com")


def test_identifiers_are_left_out_and_the_digest_stays() -> None:
    left = without(ORDER, {("email", "a@example.com")})
    assert left is not None
    assert [i[:2] for i in left.ids] == [("order_id", "o-1"), ("phone", "+380670009001")]
    assert (left.digest, left.order_id, left.order) == (ORDER.digest, "o-1", ORDER.order)


def test_with_all_of_them_nobody_is_left() -> None:
    assert without(ORDER, {i[:2] for i in ORDER.ids}) is None


def test_fields_that_are_the_identifier_are_emptied() -> None:
    left = without(ORDER, {("order_id", "o-1"), ("click_id", "c")})
    assert left is not None
    assert (left.order_id, left.order, left.click_id) == (None, b"", None)


def test_texts_that_hold_a_value_are_emptied_and_short_values_are_not_looked_for() -> None:
    content = [*CONTENT[:-1], {"url": "/?a@example.com", "other": "/?c"}]
    left = without(event("1", 5, "email:a@example.com", "phone:p", "anonymous_id:/?c", content=pack(content),
                         referrer="/?a@example.com"), {("email", "a@example.com"), ("anonymous_id", "/?c")})
    assert left is not None
    assert unpack(left.content)[-1] == {"url": "", "other": "/?c"}
    assert left.referrer is None
