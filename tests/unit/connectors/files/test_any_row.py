"""Whatever a row holds, it gives events or refusals, and raises nothing: one row must not stop a file, or a worker."""

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.checking import Checked, Checker
from connectors.files.mapping import parse
from streams.core.policy import default
from streams.core.refusal import Reject
from streams.settings import Settings
from tests.unit.streams.core.records import KAFKA_MS

MAPPING = parse("""
[file]
zone = "Europe/Kyiv"
decimal = ","
thousands = "."
times = ["iso", "epoch", "%d.%m.%Y %H:%M"]
[values.method]
a = "cash"
[[skip]]
skip = "yes"
[[events]]
when = { a = ["!x", "~.*", "< 5", "> -5", "*", ""] }
event_id = "{#hash}"
channel = "web"
type = "order_placed"
occurred_at = "{at}"
identifiers = [{ kind = "phone", value = "{a|digits}", confidence = "{b}" },
               { each = "list", split = ",", item = { kind = "payment_token", value = "{#each}" } }]
message.duration_ms = "{a|ms}"
message.wait_ms = "{a|minus:b|ms}"
place.latitude = "{b}"
consent.sms = "{b|lower}"
query = ["{a|match:(.)}", "{b|hash}", "{a|upper|sha256}"]
order.order_id = "{a|method}"
order.total = "{a|abs|round:2}"
order.items = { each = "rows", item = { sku = "{deep.0.b}", price = "{a}", available = "{b}" }, when = { b = "> 1" } }
return.amount = { each = "rows", sum = "{a}" }
promise.due_at = "{b}"
""", "any")

TEXTS = st.one_of(
    st.text(max_size=12), st.from_regex(r"-?[0-9]{1,25}([.,][0-9]{1,8})?", fullmatch=True),
    st.sampled_from([
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59", "0001-01-01", "99999999999999999999", "-9223372036854775808",
        "1e999999", "NaN", "Infinity", "-0", "0,00005", "1" * 400, "", "31.12.9999 23:59",
        "2026-02-05T10:00:00+23:59",
    ]),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)),
    max_leaves=6,
)
ROWS = st.fixed_dictionaries({}, optional=dict.fromkeys(["a", "b", "at", "list", "rows", "deep", "skip"], VALUES))
CHECKER = Checker(Settings(), default())


@settings(max_examples=200, deadline=None)
@example({"a": "1e999999", "at": "0001-01-01T00:00:00Z", "b": "1e999999", "rows": [{"a": "9" * 40, "b": "2"}] * 2})
@given(ROWS)
def test_any_row_gives_events_or_refusals(row: dict[str, Any]) -> None:
    for event in MAPPING.events(row):
        if not isinstance(event, Reject):
            assert isinstance(CHECKER.check(event, KAFKA_MS), Checked | Reject)
            assert event == json.loads(json.dumps(event))
    assert isinstance(MAPPING.raw(row), bytes)
