"""Orders in a view: which events tell of one, where it was placed, its after-sale, and the rows it stands for."""

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from streams.core.cluster import Cluster
from streams.core.crediting import credits_of, is_counted
from streams.core.event import Event
from streams.core.facts import Row, index_of
from streams.core.journey import Place
from streams.core.order import order_rows, placed_by
from streams.core.resolve import KNOWN_STRENGTH, kin
from streams.core.shaping import Shaping

if TYPE_CHECKING:
    from streams.core.rows import RowKey, Rows, View

JOURNEY, AFTER_SALE = index_of("touchpoints", "journey_id"), index_of("touchpoints", "after_sale")
"""Columns of touchpoints."""

EVERYBODY = b""
"""In place of a person: an order that its cluster folds as one, whoever's touchpoints name it."""


def stories(cluster: Cluster, seen: "View", order_id: str) -> dict[bytes, list[Event]]:
    """The events that tell of an order, as of EVERYBODY; by person where the number itself is shared."""
    alone = cluster.is_clear(("order_id", order_id))
    found: dict[bytes, list[Event]] = defaultdict(list)
    for event_id in cluster.orders[order_id]:
        person = seen.owner_of.get(event_id)
        if person is not None:
            found[EVERYBODY if alone else person.person_id].append(cluster.events[event_id][0].event)
    return found


def places(cluster: Cluster, seen: "View", order_id: str) -> dict[bytes, Place]:
    """Where an order was placed, by whose story tells it."""
    placing = {teller: placed_by(events) for teller, events in stories(cluster, seen, order_id).items()}
    return {teller: (event.at_ms, event.event_id) for teller, event in placing.items() if event is not None}


def after_sale(cluster: Cluster, seen: "View", who: bytes, order_id: str, place: Place) -> list[Event]:
    """A person's touchpoints that name an order and come after its placing, in order."""
    mine = (i for i in cluster.orders[order_id] if (p := seen.owner_of.get(i)) is not None and p.person_id == who)
    found = [cluster.events[event_id][0].event for event_id in mine]
    return sorted((e for e in found if (e.at_ms, e.event_id) > place), key=lambda e: (e.at_ms, e.event_id))


def rows_of_order(
    cluster: Cluster, shaping: Shaping, seen: "View", order_id: str, changes: Mapping["RowKey", Row | None],
    kept: "Rows",
) -> "Rows":
    """An order's row and lines, from all of the cluster; each person's own where the number itself is shared.

    Shape: `changes` are rows of touchpoints and journeys that are not in the view yet; `kept` rows of the order as it
           was, of which its credits hold where it has any: empty where its journey may have changed.
    """
    def look(key: "RowKey") -> Row:
        return changes.get(key) or seen.rows[key]

    out: Rows = {}
    for teller, events in stories(cluster, seen, order_id).items():
        journey_id = None
        if (place := seen.places[order_id].get(teller)) is not None:
            key = ("touchpoints", seen.owner_of[place[1]].person_id, place[1])
            journey_id = look(key)[JOURNEY]
        order = _add_order(out, cluster, seen, order_id, events, journey_id)
        if place is not None and is_counted(order):
            key = ("credits", order[0], order_id)
            out[key] = kept.get(key) or credits_of(cluster, shaping, seen, place, look)
    return out


def _add_order(
    out: "Rows", cluster: Cluster, seen: "View", order_id: str, events: list[Event], journey_id: bytes | None,
) -> Row:
    def person_of(event: Event) -> tuple[bytes, bool]:
        person = seen.owner_of[event.event_id]
        return person.person_id, person.is_shared

    def identified_by(event: Event) -> str | None:
        kinds, kept = cluster.policy.kinds, cluster.events[event.event_id][0]
        named = kin(cluster.policy, event, [i for i in kept.order if cluster.is_clear(i)])
        strong = [(-kinds[kind].strength, kind) for kind, _ in named if kinds[kind].strength >= KNOWN_STRENGTH]
        return min(strong)[1] if strong else None

    made = order_rows(order_id, events, person_of, identified_by)
    out["orders", made.order[0], order_id] = (*made.order, journey_id)
    for table, rows in (("order_items", made.items), ("returns", made.returns), ("shipments", made.shipments)):
        for row in rows:
            out[table, *row[:3]] = row
    return made.order
