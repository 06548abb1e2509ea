"""In which order an event's identifiers are asked to keep it, and which of its pairs conduct at once."""

from collections.abc import Sequence

from streams.core.event import Identifier
from streams.core.policy import Policy


def anchor_order(policy: Policy, ids: Sequence[tuple[str, str, float]]) -> tuple[Identifier, ...]:
    """An event's identifiers, the best place to keep the event first.

    Shape: (kind, value, confidence), distinct -> (kind, value) by min_events, then falling confidence, then falling
    strength, then text. So whatever conducts at once conducts at once with the first identifier that does.
    """
    if len(ids) == 1:
        return (ids[0][:2],)
    kinds = policy.kinds
    return tuple(
        (kind, value)
        for kind, value, _ in sorted(ids, key=lambda i: (kinds[i[0]].min_events, -i[2], -kinds[i[0]].strength, i[:2]))
    )


def conducts_at_once(policy: Policy, a: tuple[str, str, float], b: tuple[str, str, float]) -> bool:
    """Whether one event suffices to unite two of its identifiers."""
    kinds = policy.kinds
    return a[2] * b[2] >= policy.threshold and kinds[a[0]].min_events == kinds[b[0]].min_events == 1


def conducts_once(policy: Policy, edge: tuple[Identifier, Identifier], confidence: float) -> bool:
    """The same of a pair whose product of confidences is known."""
    kinds = policy.kinds
    return confidence >= policy.threshold and kinds[edge[0][0]].min_events == kinds[edge[1][0]].min_events == 1


def rank(policy: Policy, identifier: Identifier) -> tuple[int, Identifier]:
    """Stronger kinds first, then text."""
    return -policy.kinds[identifier[0]].strength, identifier
