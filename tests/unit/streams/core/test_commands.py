"""Commands: what each means, and why one means nothing."""

from typing import Any

import pytest

from streams.core.commands import InForce, in_force, judge, on_nodes, settings_document
from streams.core.keys import Keys
from streams.core.messages import PolicyChange, Rebuild, Rule
from streams.core.policy import default, default_text
from streams.core.refusal import Reject

EMAIL = {"kind": "email", "value": "A@example.com"}
PHONE = {"kind": "whatsapp", "value": "067 000 90 01"}


def command(**fields: Any) -> dict[str, Any]:
    return {"command_id": "c-1", "at": 1, "verb": "link", "a": PHONE, "b": EMAIL, "reason": "why",
            "document": None} | fields


def judged(**fields: Any) -> Rule | PolicyChange | Rebuild | Reject:
    return judge(command(**fields), 7, 5, default(), "UA")


def refused(**fields: Any) -> tuple[str, str]:
    found = judged(**fields)
    assert isinstance(found, Reject), found
    return str(found.reason), found.detail.split(":")[0]


def test_a_pair_is_normalised_as_in_events_and_put_in_text_order() -> None:
    edge = (("email", "a@example.com"), ("phone", "+380670009001"))
    assert judged() == Rule(edge[0], 0, edge, "link", "why", ("c-1", 5))
    assert judged(a=EMAIL, b=PHONE) == judged()


def test_a_drop_names_the_pair_as_its_rule_has_it() -> None:
    """A later policy may refuse the value, or write it in another way."""
    ends = {"a": {"kind": "gone", "value": "X 1"}, "b": {"kind": "email", "value": "test@example.com"}}
    found = judged(verb="drop", **ends)
    assert isinstance(found, Rule)
    assert found.edge == (("email", "test@example.com"), ("gone", "X 1"))


def test_a_policy_is_numbered_by_its_place_in_the_log() -> None:
    assert judged(verb="policy", document=default_text()) == PolicyChange(0, 8, default_text(), 5)


def test_durations_travel_as_a_policy_without_a_text() -> None:
    durations = {"session_gap_ms": 2_700_000, "callback_due_ms": 0}
    judgement = judged(verb="settings", document=settings_document(durations))
    assert judgement == PolicyChange(0, 8, "", 5, durations=durations)


def test_a_rebuild_has_a_name() -> None:
    assert judged(verb="rebuild", document="0001") == Rebuild(0, "0001")


@pytest.mark.parametrize(("fields", "reason", "path"), [
    ({"verb": "join"}, "bad_value", "verb"),
    ({"command_id": ""}, "bad_value", "command_id"),
    ({"command_id": "x" * 201}, "bad_value", "command_id"),
    ({"reason": "x" * 1001}, "bad_value", "reason"),
    ({"a": None}, "missing_field", "a"),
    ({"b": PHONE}, "bad_value", "b"),
    ({"b": {"kind": "email", "value": "test@example.com"}}, "bad_value", "b"),
    ({"b": {"kind": "fone", "value": "1"}}, "bad_value", "b"),
    ({"verb": "drop", "a": {"kind": "", "value": "1"}}, "bad_value", "a"),
    ({"verb": "drop", "a": {"kind": "email", "value": ""}}, "bad_value", "a"),
    ({"verb": "rebuild"}, "bad_value", "document"),
    ({"verb": "rebuild", "document": "a; DROP"}, "bad_value", "document"),
    ({"verb": "policy"}, "missing_field", "document"),
    ({"verb": "policy", "document": "threshold = 2"}, "bad_value", "document, line 1"),
    ({"verb": "policy", "document": "#" * 100_001}, "oversize", "document"),
    ({"verb": "settings", "document": "session_gap_ms = -1"}, "bad_value", "document"),
    ({"verb": "settings", "document": "session_gap_ms = true"}, "bad_value", "document"),
    ({"verb": "settings", "document": "session_gap_ms = 5\npartitions = 2"}, "bad_value", "document"),
    ({"verb": "settings", "document": "session_gap"}, "bad_value", "document"),
    ({"verb": "settings"}, "bad_value", "document"),
])
def test_what_means_nothing_is_refused(fields: dict[str, Any], reason: str, path: str) -> None:
    assert refused(**fields) == (reason, path)


def test_what_holds_is_the_last_that_could_be_read() -> None:
    first = InForce(0, default_text(), default())
    other = default_text().replace('version = "1"', 'version = "2"')
    found = in_force([
        (0, command()),
        (1, command(verb="policy", document=other)),
        (2, command(verb="settings", document=settings_document({"session_gap_ms": 9}))),
        (3, command(verb="policy", document="nonsense")),
    ], first)
    assert (found.version, found.text, found.policy.version) == (3, other, "2")
    assert in_force([], first) == first


def test_commands_that_name_an_identifier_are_found_under_the_policy_before_them() -> None:
    """Also one that was refused, and a drop, which names the pair as it stands."""
    first, node = InForce(0, default_text(), default()), Keys(b"pepper", 4).node
    renamed = default_text().replace('whatsapp    = "phone"', 'whatsapp    = "email"')
    told = [
        (0, command(command_id="named")), (1, command(command_id="other", a={"kind": "phone", "value": "0670009002"})),
        (2, command(command_id="dropped", verb="drop", a={"kind": "phone", "value": "+380670009001"})),
        (3, command(command_id="refused", a={"kind": "phone", "value": "+380670009001"}, b=None)),
        (4, command(command_id="erased", verb="erase", a=None, b=None, document='{"node":"' + "0" * 32 + '"}')),
        (5, command(command_id="policy", verb="policy", a=None, b=None, document=renamed)),
        (6, command(command_id="no phone now")),
    ]
    nodes = {node(("phone", "+380670009001"))}
    assert on_nodes(told, nodes, node, first, "UA") == ["named", "dropped", "refused"]
    assert on_nodes(told, set(), node, first, "UA") == []
