"""What every connector keeps, run over the registry, so that a new one is tested at once."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.checking import Checked, Checker
from connectors.incoming import Event, Incoming, Unreadable
from connectors.registry import CONNECTORS, WAYS, Connector
from streams.core.channels import CHANNELS
from streams.core.policy import default
from streams.core.refusal import Reject
from streams.settings import Settings
from tests.contract.samples import ROOT, URL, Sample, samples

RECEIVED_MS = 1_790_000_000_000
READING = [connector for connector in CONNECTORS.values() if connector.decode is not None]
SAMPLES = [pytest.param(connector, sample, id=f"{connector.name}: {sample.name}")
           for connector in READING for sample in samples(connector)]
EVERY = pytest.mark.parametrize("connector", READING, ids=lambda connector: connector.name)


def decoded(connector: Connector, incoming: Incoming, received_ms: int = RECEIVED_MS) -> list[Event | Unreadable]:
    assert connector.decode is not None
    return connector.decode(incoming, connector.source, received_ms)


def events(connector: Connector, incoming: Incoming) -> list[Event]:
    return [found for found in decoded(connector, incoming) if isinstance(found, dict)]


@pytest.mark.parametrize("connector", CONNECTORS.values(), ids=list(CONNECTORS))
def test_an_entry_is_whole(connector: Connector) -> None:
    assert connector.way in WAYS
    assert set(connector.channels) <= set(CHANNELS)
    assert (connector.decode is None) == (connector.samples is None)
    page = (ROOT / connector.page).read_text()
    assert re.search(r"^\$ .*(curl|onethread|python)", page, re.MULTILINE), "the page has a command to try"
    for told in re.split(r'\b[A-Z]{3,}\b|" of |, ', connector.try_it):
        assert told.strip(' "') in page, "and it is this one's"


@EVERY
def test_a_connector_has_samples(connector: Connector) -> None:
    assert any(not sample.is_empty for sample in samples(connector))


@pytest.mark.parametrize(("connector", "sample"), SAMPLES)
def test_a_sample_is_accepted(connector: Connector, sample: Sample) -> None:
    found = decoded(connector, sample.incoming)
    assert [one for one in found if isinstance(one, Unreadable)] == []
    assert bool(found) != sample.is_empty
    checker = Checker(Settings(), default())
    for event in events(connector, sample.incoming):
        checked = checker.check(event, RECEIVED_MS)
        assert isinstance(checked, Checked), (checked, event)
        assert not connector.channels or checked.channel in connector.channels
        assert event["source"] == connector.source.name
    ids = [event["event_id"] for event in events(connector, sample.incoming)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(("connector", "sample"), SAMPLES)
def test_a_sample_says_what_it_says(connector: Connector, sample: Sample) -> None:
    assert (sample.events is None) == (connector.way in ("collector", "topic")), "webhooks and files say what they are"
    assert sample.events in (None, decoded(connector, sample.incoming))


@pytest.mark.parametrize(("connector", "sample"), SAMPLES)
def test_a_repeat_has_the_same_ids_however_late(connector: Connector, sample: Sample) -> None:
    again = decoded(connector, sample.incoming, RECEIVED_MS + 86_400_000)
    assert [e["event_id"] for e in again if isinstance(e, dict)] == [
        e["event_id"] for e in events(connector, sample.incoming)
    ]


@EVERY
def test_samples_do_not_share_ids(connector: Connector) -> None:
    """Two things that happened are two events; the steps of an order are told again with every change of it."""
    found: dict[str, Event] = {}
    for sample in samples(connector):
        for event in events(connector, sample.incoming):
            assert found.setdefault(event["event_id"], event) == event


@pytest.mark.parametrize(("connector", "sample"), SAMPLES)
def test_an_id_names_no_customer(connector: Connector, sample: Sample) -> None:
    """Ids are in views that show no identifiers; those of an order are its own."""
    for event in events(connector, sample.incoming):
        message = event.get("message", {})
        ids = " ".join([event["event_id"], *(message.get(key, "") for key in ("message_id", "reply_to"))])
        for row in event.get("identifiers", []):
            assert row["value"].lstrip("+").rpartition(":")[2] not in ids, row["kind"]


def nothing_is_taken(found: list[Event | Unreadable]) -> bool:
    checker = Checker(Settings(), default())
    return all(isinstance(one, Unreadable) or isinstance(checker.check(one, RECEIVED_MS), Reject) for one in found)


@EVERY
@pytest.mark.parametrize("body", [
    b"", b"{}", b"[]", b"null", b"0", b'"text"', b"\xff\xfe", b"\x00", b"{", b'{"a":' * 5000, b"[" * 100_000,
    b"[{}]", b"[null]", b"[[]]", b"1" * 5000, b'{"object":"page","entry":{}}', b"MessageSid=1&MessageStatus=new",
    b"=&=&=", b"%ff%fe=%00",
], ids=range(19))
def test_garbage_is_refused_and_raises_nothing(connector: Connector, body: bytes) -> None:
    for incoming in (Incoming(body), *(Incoming(body, s.incoming.headers, URL) for s in samples(connector))):
        assert nothing_is_taken(decoded(connector, incoming))


@EVERY
def test_a_truncated_payload_is_refused_and_raises_nothing(connector: Connector) -> None:
    """A form has no end that could be missed, and a file's last line may be whole: there what is left is read."""
    for sample in samples(connector):
        body = sample.incoming.body
        for size in {1, len(body) // 3, len(body) // 2, len(body) - 1}:
            found = decoded(connector, Incoming(body[:size], sample.incoming.headers, URL))
            if body[:1] in b"{[" and connector.way != "file":
                assert nothing_is_taken(found)
                assert found


@EVERY
def test_a_form_with_a_field_less_or_empty_raises_nothing(connector: Connector) -> None:
    checker = Checker(Settings(), default())
    for sample in samples(connector):
        fields = parse_qsl(sample.incoming.body.decode(), keep_blank_values=True)
        if sample.incoming.body[:1] in b"{[" or connector.way == "file":
            continue
        for number, (name, _) in enumerate(fields):
            rest = fields[:number] + fields[number + 1:]
            for form in (rest, [*rest, (name, "")], [*rest, (name, "ї" * 300)]):
                for found in decoded(connector, Incoming(urlencode(form).encode(), sample.incoming.headers, URL)):
                    assert isinstance(found, Unreadable) or checker.check(found, RECEIVED_MS)


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8),
    st.sampled_from([10**30, -1, "", "-1", "1e400", "null", [], {}, [[]], [None], {"": None}, "x" * 3000, 2**63]),
)


def changed(value: Any, draw: Any) -> Any:
    """The document with one of its values replaced by anything."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: changed(value[key], draw)}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], changed(value[index], draw), *value[index + 1:]]
    return draw(ANYTHING)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
@EVERY
def test_any_value_anywhere_raises_nothing(connector: Connector, data: Any) -> None:
    """What comes out is an event, which the checker takes or refuses, or is refused already."""
    sample = data.draw(st.sampled_from([s for s in samples(connector) if s.incoming.body[:1] in b"{["] or [None]))
    if sample is None:
        return
    document = changed(json.loads(sample.incoming.body.splitlines()[0]), data.draw)
    incoming = Incoming(json.dumps(document).encode(), sample.incoming.headers, URL)
    checker = Checker(Settings(), default())
    for found in decoded(connector, incoming):
        if isinstance(found, dict):
            assert isinstance(checker.check(found, RECEIVED_MS), Checked | Reject)
        elif connector.way == "webhook" and found.raw is not None:
            # A dead letter holds a request that says this and nothing else: a later release may understand it.
            assert decoded(connector, Incoming(found.raw, sample.incoming.headers, URL)) == [found]


@pytest.mark.parametrize("value", ["", ', "value": null', ', "value": 7'])
def test_a_comment_that_cannot_be_read_is_kept_as_it_would_be_told_elsewhere(value: str) -> None:
    """With Business Login a comment stands in the entry itself; the letter that keeps it has it in `changes`."""
    connector = CONNECTORS["instagram"]
    body = b'{"object": "instagram", "entry": [{"id": "1", "field": "comments"%b}]}' % value.encode()
    (letter,) = decoded(connector, Incoming(body, {}, URL))
    assert isinstance(letter, Unreadable)
    assert letter.raw is not None
    assert decoded(connector, Incoming(letter.raw, {}, URL)) == [letter]
