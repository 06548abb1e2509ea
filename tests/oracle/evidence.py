"""The evidence for and against: every pair of identifiers that events named together, and what became of it.

Left out are pairs of two shared identifiers: nobody asks why two pseudo-persons are apart, and which cluster would
tell of them depends on the order of arrival. So the comparison leaves them out on both sides. Of a pair with one
shared end a sink may tell less than there is: an event is told of where it is kept, and there neither end need be a
member (`tells_less`).
"""

from collections import defaultdict
from collections.abc import Iterable

from streams.core.facts import Key, Row
from tests.oracle.identity import Identity
from tests.oracle.keys import node_key


def evidence_rows(identity: Identity) -> Iterable[Row]:
    """One row for each pair, without the person: (nodes, kinds and values, events, times, verdict)."""
    for pair in map(tuple, map(sorted, identity.graph.edges)):
        if set(pair) <= identity.shared:
            continue
        seen = identity.graph.edges[pair]["seen"]
        first_at, first_id = min((at, event_id) for at, event_id, _ in seen)
        refused = _refused(identity, pair)
        yield (
            *(node_key(end, identity.pepper) for end in pair), *pair[0], *pair[1], len(seen), first_at,
            max(at for at, *_ in seen), first_id, refused is None, refused,
        )


def _refused(identity: Identity, pair: tuple[tuple[str, str], tuple[str, str]]) -> str | None:
    if not identity.is_enough(*pair):
        return "weak"
    return "shared" if set(pair) & identity.shared else identity.refused.get(pair)


def united(parts: Iterable[Row], shared: set[bytes]) -> dict[Key, Row]:
    """The rows of a sink, where two clusters may tell of one pair, as one row for each pair.

    Each cluster judges by the events it has, so the part that is not too weak by itself decides.
    """
    by_pair: dict[Key, list[Row]] = defaultdict(list)
    for _person, *row in parts:
        if not {row[0], row[1]} <= shared:
            by_pair[row[0], row[1]].append(tuple(row))
    return {pair: _unite(rows) for pair, rows in by_pair.items()}


def _unite(rows: list[Row]) -> Row:
    events, first_at, last_at = sum(r[6] for r in rows), min(r[7] for r in rows), max(r[8] for r in rows)
    first_id = min(r[9] for r in rows if r[7] == first_at)
    conducts, refused = min(((r[10], r[11]) for r in rows), key=lambda verdict: verdict[1] == "weak")
    return (*rows[0][:6], events, first_at, last_at, first_id, conducts, refused)


def tells_less(want: Row, have: Row) -> bool:
    """Whether `have` tells a part of `want`, with a verdict of its own on that part."""
    is_within = want[7] <= have[7] <= have[8] <= want[8] and have[6] <= want[6]
    return is_within and have[:6] == want[:6] and not have[10] and have[11] in ("weak", "shared")
