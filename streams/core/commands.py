"""Commands: what operators decide about identities, as messages of the identity graph.

A command is the Avro record `onethread.Command`. What it means depends only on the record and the policy before it, so
that whoever reads the topic from its beginning finds the same rules and the same policy in force.
"""

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import msgspec

from streams.core import policy as policy_file
from streams.core.erasing import FOR_EVER_MS, Erase
from streams.core.event import Identifier, NodeKey
from streams.core.facts import Row
from streams.core.identifiers import VALUE_LENGTH_MAX, Refused, normalise
from streams.core.keys import sealed
from streams.core.messages import Edge, PolicyChange, Rebuild, Rule
from streams.core.policy import Policy, PolicyError
from streams.core.refusal import Reason, Refusal, Reject
from streams.core.shaping import DURATIONS

PARTITION = 0
"""All commands lie in one partition, so that their offsets order them."""

RULE_VERBS = ("link", "unlink", "drop")
ERASE_VERB = "erase"
POLICY_VERB = "policy"
SETTINGS_VERB = "settings"
REBUILD_VERB = "rebuild"
VERBS = (*RULE_VERBS, ERASE_VERB, POLICY_VERB, SETTINGS_VERB, REBUILD_VERB)

COMMAND_ID_LENGTH_MAX = 200
REASON_LENGTH_MAX = 1_000
DOCUMENT_CHARACTERS_MAX = 100_000
"""Of a policy: at most four bytes each, it stays one record of `identity`, where the message goes unchunked."""

REBUILD_NAME = re.compile("[0-9a-z_]{1,40}")
"""It becomes part of a database's name."""

NODE_KEY_BYTES = 16
MONTHS_MAX = 2_000
"""Of one erasure: a century, in more than one currency."""


class Erasing(NamedTuple):
    """An erasure on its way, and what is told of it."""

    message: Erase
    rows: list[Row]
    """Of the table `erasures`."""


Judged: TypeAlias = Rule | PolicyChange | Erasing | Rebuild | Reject


class InForce(NamedTuple):
    """What holds: version 0 is what comes with the product."""

    version: int
    text: str
    policy: Policy


def judge(record: dict[str, Any], offset: int, received_ms: int, policy: Policy, default_region: str) -> Judged:
    """What one command means, or why it means nothing.

    Shape:  `offset` in the commands' partition, `policy` in force before it -> a Rule to the pair's first end, or a
            PolicyChange (of policy or settings) whose version is offset + 1, so that versions grow and 0 stays free;
            or a Rebuild.
    Errors: none; what is wrong with the record is a `Reject`.
    """
    try:
        if not record["command_id"] or len(record["command_id"]) > COMMAND_ID_LENGTH_MAX:
            raise Refusal(Reason.BAD_VALUE, f"command_id: expected 1 to {COMMAND_ID_LENGTH_MAX} characters")
        if len(record["reason"]) > REASON_LENGTH_MAX:
            raise Refusal(Reason.BAD_VALUE, f"reason: expected at most {REASON_LENGTH_MAX} characters")
        if record["verb"] == POLICY_VERB:
            return PolicyChange(0, offset + 1, _policy(record), received_ms)
        if record["verb"] == SETTINGS_VERB:
            return PolicyChange(0, offset + 1, "", received_ms, durations=_durations(record))
        if record["verb"] == ERASE_VERB:
            return _erasing(record, received_ms)
        if record["verb"] == REBUILD_VERB:
            return Rebuild(0, _name(record))
        if record["verb"] in RULE_VERBS:
            edge = pair(*(_named(record, end, policy, default_region) for end in ("a", "b")))
            cause = (record["command_id"], received_ms)
            return Rule(edge[0], 0, edge, record["verb"], record["reason"], cause)
        raise Refusal(Reason.BAD_VALUE, f"verb: expected one of {', '.join(VERBS)}")
    except Refusal as refusal:
        return refusal.reject(record["command_id"][:COMMAND_ID_LENGTH_MAX] or None)


class Months(msgspec.Struct, forbid_unknown_fields=True):
    """What an erasure takes out of one month, of orders in one currency; told by whoever commands it."""

    month: str
    currency: str
    touchpoints: int
    orders: int
    revenue: int
    """In 1/10,000."""


class ErasureDocument(msgspec.Struct, forbid_unknown_fields=True):
    """The document of an erase command. It names nobody: the identifier is told by its node key."""

    node: str
    suppress: bool = False
    months: list[Months] = []


def _erasing(record: dict[str, Any], received_ms: int) -> Erasing:
    """An erasure of all that was received before the command, or, of somebody suppressed, of whatever may come."""
    expected = "document: expected node (32 hex digits), suppress, months"
    try:
        told = msgspec.json.decode(record["document"] or "", type=ErasureDocument)
        key = bytes.fromhex(told.node)
    except (msgspec.DecodeError, ValueError):
        raise Refusal(Reason.BAD_VALUE, expected) from None
    if len(key) != NODE_KEY_BYTES or len(told.months) > MONTHS_MAX:
        raise Refusal(Reason.BAD_VALUE, expected)
    until_ms = FOR_EVER_MS if told.suppress else received_ms
    name = record["command_id"]
    message = Erase(sealed(key), 0, key, until_ms, (name, received_ms))
    months = told.months or [Months("", "", 0, 0, 0)]
    return Erasing(message, [
        (name, m.month, m.currency, received_ms, m.touchpoints, m.orders, m.revenue) for m in months
    ])


def pair(a: Identifier, b: Identifier) -> Edge:
    """Two identifiers in text order. Errors: Refusal where they are one."""
    if a == b:
        raise Refusal(Reason.BAD_VALUE, "b: expected another identifier than a; came the same one")
    return (a, b) if a < b else (b, a)


def in_force(commands: Iterable[tuple[int, dict[str, Any]]], first: InForce) -> InForce:
    """What holds after all of `commands` (offset, record); those that ingest refuses change nothing here either."""
    found = first
    for offset, record in commands:
        if record["verb"] in (POLICY_VERB, SETTINGS_VERB):
            judged = judge(record, offset, 0, found.policy, "")
            if isinstance(judged, PolicyChange):
                found = follow(found, judged)
    return found


def on_nodes(
    commands: Iterable[tuple[int, dict[str, Any]]], nodes: Collection[NodeKey], node: Callable[[Identifier], NodeKey],
    first: InForce, default_region: str,
) -> list[str]:
    """Which commands name an identifier of these: what was said on a pair of which it is an end, refused or not.

    Shape: commands (offset, record) from the first one on, each read under the policy before it -> their ids.
    """
    found, held = [], first
    for offset, record in commands:
        judged = judge(record, offset, 0, held.policy, default_region)
        if isinstance(judged, PolicyChange):
            held = follow(held, judged)
        told = [(row["kind"], row["value"]) for row in (record["a"], record["b"]) if row is not None]
        if any(node(x) in nodes for x in (*told, *(judged.edge if isinstance(judged, Rule) else ()))):
            found.append(str(record["command_id"]))
    return found


def follow(before: InForce, change: PolicyChange) -> InForce:
    """What holds after a change, which leaves alone what it does not name."""
    text = change.text or before.text
    policy = policy_file.parse(change.text, "") if change.text else before.policy
    return InForce(change.version, text, policy)


def settings_document(durations: Mapping[str, int]) -> str:
    """The document of a settings command: durations by the names of `shaping.DURATIONS`."""
    return "".join(f"{name} = {value}\n" for name, value in durations.items())


def _durations(record: dict[str, Any]) -> dict[str, int]:
    expected = f"document: expected of {', '.join(DURATIONS)} one or more, each a whole number of milliseconds"
    try:
        tree = tomllib.loads(record["document"] or "")
    except tomllib.TOMLDecodeError:
        raise Refusal(Reason.BAD_VALUE, expected) from None
    if not tree or not tree.keys() <= set(DURATIONS) or any(type(v) is not int or v < 0 for v in tree.values()):
        raise Refusal(Reason.BAD_VALUE, expected)
    return tree


def _name(record: dict[str, Any]) -> str:
    name: str = record["document"] or ""
    if not REBUILD_NAME.fullmatch(name):
        raise Refusal(Reason.BAD_VALUE, f"document: expected a rebuild's name, {REBUILD_NAME.pattern}")
    return name


def _policy(record: dict[str, Any]) -> str:
    text: str | None = record["document"]
    if not text:
        raise Refusal(Reason.MISSING_FIELD, "document: policy needs it")
    if len(text) > DOCUMENT_CHARACTERS_MAX:
        raise Refusal(Reason.OVERSIZE, f"document: expected at most {DOCUMENT_CHARACTERS_MAX} characters")
    try:
        policy_file.parse(text, "document")
    except PolicyError as error:
        raise Refusal(Reason.BAD_VALUE, str(error)) from None
    return text


def _named(record: dict[str, Any], end: str, policy: Policy, default_region: str) -> Identifier:
    row = record[end]
    if row is None:
        raise Refusal(Reason.MISSING_FIELD, f"{end}: {record['verb']} needs it")
    if record["verb"] == "drop":  # the pair as its rule has it, whatever the policy makes of it by now
        if not row["kind"] or not 0 < len(row["value"]) <= VALUE_LENGTH_MAX:
            raise Refusal(Reason.BAD_VALUE, f"{end}: expected an identifier as the rule has it")
        return row["kind"], row["value"]
    named = normalise(row["kind"], row["value"], policy, default_region)
    if isinstance(named, Refused):
        raise Refusal(Reason.BAD_VALUE, f"{end}: expected an identifier; came one that is {named.note}")
    return named
