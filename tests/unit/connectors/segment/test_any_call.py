"""Whatever a client sends: nothing raises, the same call gives the same event, and no value is lost."""

import string
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.segment import decode, default
from connectors.segment.calls import TYPES
from streams.core.refusal import Reject
from tests.unit.connectors.segment.samples import AT, RECEIVED_MS, SOURCE, decoded
from tests.unit.connectors.segment.test_published import lost
from tests.unit.streams.core.records import read

KEYS = [
    "order_id", "products", "sku", "price", "quantity", "currency", "total", "revenue", "campaign", "name", "source",
    "email", "phone", "page", "url", "referrer", "search", "device", "id", "type", "token", "traits", "location",
    "city", "latitude", "consent", "categoryPreferences", "externalIds", "locale", "timezone", "userAgent", "event",
    "payment_method", "shipping_method", "rating", "conversation_id", "address", "groupId", "a", "b.c", "",
]
EVENTS = [row.name for row in default().rows] + ["Song Played", "x"]
keys = st.sampled_from(KEYS)
odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from(["a@example.com", "+380441234567", "https://shop.example/?gclid=G1&utm_source=x", "USD", "5.00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5), max_leaves=12,
)
"""Any JSON, and a little more than JSON."""

words = st.text(string.ascii_letters, min_size=3, max_size=8).map(lambda word: f"w{word}")
plain = st.recursive(
    st.booleans() | st.integers(0, 10**6) | words | st.sampled_from(["a@example.com", "+380441234567", "12.5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys.filter(bool), inner, max_size=5), max_leaves=12,
)
"""Values that look the same in the call and in the event: no spaces to strip, no numbers to round."""

tables = st.dictionaries(keys.filter(bool), plain, max_size=6)


parts_of_a_call = st.dictionaries(st.sampled_from([
    "event", "context", "properties", "traits", "userId", "anonymousId", "previousId", "groupId", "messageId",
    "timestamp", "sentAt", "integrations", "name", "category", "x",
]), odd, max_size=6)


@settings(max_examples=60, deadline=None)
@given(parts_of_a_call, st.sampled_from(TYPES), st.sampled_from(EVENTS))
def test_no_call_raises(parts: dict[str, Any], type_: str, event: str) -> None:
    for call in ({"type": type_} | parts, parts | {"type": type_, "event": event}):
        first = decode(call, SOURCE, RECEIVED_MS)
        assert first == decode(call, SOURCE, RECEIVED_MS)
        if not isinstance(first, Reject):
            read(first[0])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(EVENTS), tables, tables, st.sampled_from(["track", "identify", "page", "group"]), tables)
def test_no_value_is_lost(
    event: str, properties: dict[str, Any], context: dict[str, Any], type_: str, traits: dict[str, Any],
) -> None:
    context.pop("campaign", None)
    call = {"type": type_, "event": event, "messageId": "m-1", "timestamp": AT, "anonymousId": "a-1",
            "properties": properties, "context": context, "traits": traits}
    assert not lost(call, decoded(call))
