"""Returns: of an order, and those that name none."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from streams.core.event import Event, unpack
from streams.core.facts import Row

Lines = list[dict[str, Any]]


def outcome(e: Event, told: dict[str, Any]) -> str:
    return told.get("outcome") or ("asked" if e.type == "return_asked" else "accepted")


def stories(told: list[tuple[Event, dict[str, Any]]]) -> list[list[tuple[Event, dict[str, Any]]]]:
    """What is told of each return, in order. Shape: events in order, with their records `return`."""
    found: dict[str, list[tuple[Event, dict[str, Any]]]] = defaultdict(list)
    for e, record in told:
        found[record.get("return_id") or e.event_id].append((e, record))
    return list(found.values())


def rows(
    person: bytes, shared: bool, order_id: str, told: list[tuple[Event, dict[str, Any]]],
    money: Callable[[Event, dict[str, Any]], int | None], total: int | None, currency: str | None,
    placed_on: str | None,
) -> list[Row]:
    made = []
    for story in stories(told):
        e, record = story[-1]
        amount = money(e, record)
        asked = [one.at_ms for one, said in story if outcome(one, said) == "asked"]
        made.append((
            person, order_id, record.get("return_id") or e.event_id, shared, e.at_ms, e.channel, e.store_id, e.staff,
            amount, record.get("currency") or currency, outcome(e, record), record.get("reason"),
            min(asked, default=None), None if placed_on is None else placed_on != e.channel,
            None if amount is None or total is None else amount < total,
        ))
    return made


def loose_rows(person: bytes, shared: bool, events: list[Event], worth: Callable[[Lines], int | None]) -> list[Row]:
    """Of one person's touches those that tell of a return and name no order."""
    about = [e for e in sorted(events, key=lambda e: (e.at_ms, e.event_id)) if e.order_id is None and e.order]
    told = [(e, unpack(e.order)["return"]) for e in about]

    def money(_: Event, record: dict[str, Any]) -> int | None:
        amount: int | None = record.get("amount")
        return worth(record.get("items") or []) if amount is None else amount

    return rows(person, shared, "", told, money, None, None, None)
