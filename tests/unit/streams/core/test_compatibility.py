"""What earlier releases stored and sent is read by this one; such bytes are added here, never changed."""

from streams.core import messages, node
from streams.core.messages import Part, Rule
from streams.core.node import NodeRecord, Partner

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


def test_a_node_of_the_first_release_is_read() -> None:
    part = Part([("phone", "p")], [], [], [], [], [], [], [], [], [], [])
    assert node.decode(FIRST_NODE) == NodeRecord(("phone", "p"), None, 0, {}, {}, None, part, 0)


def test_a_partner_of_the_first_release_is_read() -> None:
    assert node.decode_partner(FIRST_PARTNER) == Partner(("email", "e"), 5, "1", [])


def test_a_message_of_the_first_release_is_read() -> None:
    edge = (("email", "e"), ("phone", "p"))
    assert messages.unpack(FIRST_RULE) == [Rule(("email", "e"), 0, edge, "link", "why", ("c1", 5))]


def test_what_a_newer_release_appends_is_passed_over() -> None:
    longer = FIRST_PARTNER.replace(b"\x94", b"\x95", 1) + b"\x07"
    assert node.decode_partner(longer) == Partner(("email", "e"), 5, "1", [])
