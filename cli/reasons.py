"""Why two identifiers are one person, or what keeps them apart, as a document.

Apart, the first of these that is true is the reason; what else was found stands beside it:
  shared     one of the two belongs to many people, so it ties nobody to anybody
  unlink     a rule holds the two persons apart
  limit      evidence would unite them, but one person would hold more than the policy allows
  weak       events named identifiers of both together, too few of them or too uncertain
  in_common  only identifiers that belong to many people were seen with both
  never      no event named identifiers of both
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from clickhouse_connect.driver.client import Client

from cli.chain import shortest
from cli.ruling import named
from sinks.clickhouse import ties
from sinks.clickhouse.ties import Behind, Holder, Tie
from streams.core.event import Identifier
from streams.core.policy import Policy
from streams.errors import OneThreadError

REFUSED_SHOWN = 5
"""Of the ties between two persons: the one of the two identifiers themselves first, then the latest."""


def explain(client: Client, a: Identifier, b: Identifier, policy: Policy) -> dict[str, Any]:
    """Why two identifiers are one person, or why not.

    Errors: OneThreadError where one is nobody's, or its evidence has not arrived; clickhouse_connect's DatabaseError.
    """
    one, other = _holder(client, a), _holder(client, b)
    ends = {"a": named(a), "b": named(b)}
    if one.person_id != other.person_id:
        return {**ends, "same": False, "person_ids": [one.person_id, other.person_id],
                **_apart(client, one, other, policy)}
    chain = shortest(ties.within(client, one.person_id), a, b, policy.kinds)
    if chain is None:
        raise OneThreadError("both are one person, but what ties them has not arrived: try after `onethread settle`")
    return {**ends, "same": True, "person_ids": [one.person_id], "chain": _links(client, a, chain)}


def _holder(client: Client, identifier: Identifier) -> Holder:
    found = ties.holder(client, identifier)
    if found is None:
        raise OneThreadError(f"no such {identifier[0]}")
    return found


def _links(client: Client, start: Identifier, chain: list[Tie]) -> list[dict[str, Any]]:
    links, here = [], start
    for tie, found in zip(chain, ties.behind(client, chain), strict=True):
        there = tie.b if tie.a == here else tie.a
        links.append({"from": named(here), "to": named(there), **_tie(tie, found)})
        here = there
    return links


def _tie(tie: Tie, found: Behind) -> dict[str, Any]:
    """A tie: its rule, or its events, the earliest of them whole."""
    if tie.rule_id is not None:
        return {"rule": {"rule_id": tie.rule_id, "at": tie.first_at, "reason": tie.reason}, "events": 0, "seen": []}
    return {"rule": None, "events": found.total, "first_seen_at": tie.first_at, "last_seen_at": tie.last_at,
            "seen": found.events}


def _apart(client: Client, one: Holder, other: Holder, policy: Policy) -> dict[str, Any]:
    mine, theirs = one.person_id, other.person_id
    many = [{**named(end.identifier), "met": ties.partners(client, end.node)} for end in (one, other) if end.shared]
    rules = ties.unlinks(client, mine, theirs)
    refused = ties.between(client, mine, theirs)
    limited = any(tie.refused_because == "limit" for tie in refused)
    weak = [tie for tie in refused if tie.refused_because == "weak"]
    common = ties.in_common(client, mine, theirs)
    reasons = (("shared", many), ("unlink", rules), ("limit", limited), ("weak", weak), ("in_common", common))
    refused.sort(key=lambda tie: {tie.a, tie.b} != {one.identifier, other.identifier})
    shown = refused[:REFUSED_SHOWN]
    return {
        "because": next((reason for reason, found in reasons if found), "never"),
        "shared": many,
        "rules": [{**_ends(rule), "rule_id": rule.rule_id, "at": rule.first_at, "reason": rule.reason}
                  for rule in rules],
        "limits": _limits(client, mine, theirs, policy) if limited else [],
        "refused": [{**_ends(tie), **_refusal(tie, found, policy)}
                    for tie, found in zip(shown, ties.behind(client, shown), strict=True)],
        "refused_more": len(refused) - len(shown),
        "in_common": [named(identifier) for identifier in common],
    }


def _ends(tie: Tie) -> dict[str, Any]:
    return {"a": named(tie.a), "b": named(tie.b)}


def _refusal(tie: Tie, found: Behind, policy: Policy) -> dict[str, Any]:
    """Why events that named two identifiers together do not tie them, and what of them is missing."""
    told: dict[str, datetime | Any] = {"refused_because": tie.refused_because, **_tie(tie, found)}
    if tie.refused_because == "weak":
        needed = max(policy.kinds[kind].min_events for kind, _ in (tie.a, tie.b))
        told["events_needed"] = needed
        told["missing"] = "events" if found.total < needed else "confidence"
        told["threshold"] = policy.threshold
    return told


def _limits(client: Client, mine: UUID, theirs: UUID, policy: Policy) -> list[dict[str, Any]]:
    """What the two persons together would hold too many of; kind None: identifiers of all kinds."""
    ours, others = ties.kinds_of(client, mine), ties.kinds_of(client, theirs)
    found: list[dict[str, Any]] = [
        {"kind": kind, "limit": limit, "together": ours[kind] + others[kind]}
        for kind in sorted(ours.keys() & others.keys())
        if (limit := policy.kinds[kind].per_person) is not None and ours[kind] + others[kind] > limit
    ]
    total = sum(ours.values()) + sum(others.values())
    if total > policy.person_identifiers_max:
        found.append({"kind": None, "limit": policy.person_identifiers_max, "together": total})
    return found
