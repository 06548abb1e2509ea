"""What earlier releases stored and sent is read by this one; such bytes are added here, never changed."""

import msgspec

from streams.core import facts, messages, node
from streams.core.event import Event
from streams.core.keys import Keys
from streams.core.messages import Part, PolicyChange, Rule
from streams.core.node import NodeRecord, Partner
from streams.core.policies import Policies
from streams.core.policy import default
from streams.core.shaping import Shaping
from tests.unit.streams.core.graphs import Memory

FIRST_NODE = bytes.fromhex(
    "98" "92a570686f6e65a170" "c0" "00" "80" "80" "c0"
    "9b" "9192a570686f6e65a170" "90" "90" "90" "90" "90" "90" "90" "90" "90" "90"
    "00"
)
FIRST_PARTNER = bytes.fromhex("94" "92a5656d61696ca165" "05" "a131" "90")
FIRST_RULE = bytes.fromhex(
    "91" "97" "a172" "92a5656d61696ca165" "00" "9292a5656d61696ca16592a570686f6e65a170" "a46c696e6b" "a3776879"
    "92a26331" "05"
)

FIRST_EVENT = bytes.fromhex(
    "dc0014" "a165" "05" "06" "93a1740001" "c410" + 16 * "00" + "90" "a3776562" "a176" "ab696e746572616374696f6e"
    + 9 * "c0" + "c400" "c400"
)
FIRST_FACTS = bytes.fromhex("93" "a66f7264657273" "919201c40170" "90")
FIRST_CHANGE = bytes.fromhex("91" "96" "a179" "00" "01" "a0" "03" "05")
FIRST_POLICY = bytes.fromhex("93" "03" "a0" "05")


def test_a_node_of_the_first_release_is_read() -> None:
    part = Part([("phone", "p")], [], [], [], [], [], [], [], [], [], [])
    assert node.decode(FIRST_NODE) == NodeRecord(("phone", "p"), None, 0, {}, {}, None, part, 0)


def test_a_partner_of_the_first_release_is_read() -> None:
    assert node.decode_partner(FIRST_PARTNER) == Partner(("email", "e"), 5, "1", [])


def test_a_message_of_the_first_release_is_read() -> None:
    edge = (("email", "e"), ("phone", "p"))
    assert messages.unpack(FIRST_RULE) == [Rule(("email", "e"), 0, edge, "link", "why", ("c1", 5))]


def test_an_event_of_the_first_release_says_and_tells_nothing() -> None:
    event = msgspec.msgpack.decode(FIRST_EVENT, type=Event)
    assert (event.event_id, event.order, event.talk, event.told) == ("e", b"", b"", b"")


def test_a_session_gap_sent_by_the_first_release_is_a_duration() -> None:
    (change,) = messages.unpack(FIRST_CHANGE)
    assert isinstance(change, PolicyChange)
    assert change.changes() == {"session_gap_ms": 5}


def test_facts_of_the_first_release_tell_no_times() -> None:
    assert facts.decode(FIRST_FACTS) == facts.Facts("orders", [[1, b"p"]], [], [])


def test_policies_stored_by_the_first_release_are_read() -> None:
    store = Memory({b"y" + bytes(4): FIRST_POLICY})
    found = Policies(default(), Shaping(Keys(b"", 1), 7, conversation_gap_ms=8), store)
    assert (found.shaping(0).session_gap_ms, found.shaping(0).conversation_gap_ms, found.received_ms) == (5, 8, 3)


def test_what_a_newer_release_appends_is_passed_over() -> None:
    partner = Partner(("email", "e"), 5, "1", [3], 4, [4])
    longer = node.encode(partner).replace(b"\x96", b"\x97", 1) + b"\x07"
    assert node.decode_partner(longer) == partner


def test_days_told_to_the_first_release_were_received_long_ago() -> None:
    found = node.decode_partner(FIRST_PARTNER[:-1] + b"\x91\x03")
    assert found == Partner(("email", "e"), 5, "1", [3], 0, [0])
