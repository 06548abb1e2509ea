"""Returns: of each return_id the last event counts. With an order_id they are the order's, without one the person's.

A return is accepted unless its outcome is another, or absent in a return_asked. Its money is as told, else what its
items are worth at the return's prices, else at the order's; an accepted one of an order that tells neither amount nor
items is the whole order.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from streams.core.event import SCALE, Event, unpack
from streams.core.facts import Row
from streams.core.worth import AMOUNT_MAX, Record, worth


class Return(NamedTuple):
    """The last event of a return with its record, and when it was asked for."""

    event: Event
    record: Record
    asked_at: int | None


Returns = dict[str, Return]
"""By return_id."""


class Back(NamedTuple):
    """What the accepted returns of an order take back."""

    number: int
    amount: int
    quantities: Mapping[str, int]
    """By line_id of the order's lines."""
    amounts: Mapping[str, int | None]
    """Of every return, accepted or not, by return_id."""


def note(found: Returns, event: Event, told: Record) -> None:
    """Take in what an event tells of a return. Shape: called in the order of the events."""
    default = "asked" if event.type == "return_asked" else "accepted"
    record = {"return_id": event.event_id, "outcome": default, **told}
    before = found.get(record["return_id"])
    asked_at = before.asked_at if before else None
    if asked_at is None and record["outcome"] == "asked":
        asked_at = event.at_ms
    found[record["return_id"]] = Return(event, record, asked_at)


def back(returns: Returns, lines: Mapping[str, Record], total: int | None) -> Back:
    """What the returns of an order come to.

    Shape: the order's lines by line_id. A returned item is the line of equal line_id, else the first of equal sku.
    """
    by_sku: dict[str, str] = {}
    for line_id, line in lines.items():
        by_sku.setdefault(line["sku"], line_id)
    number = amount = 0
    quantities: dict[str, int] = {}
    amounts: dict[str, int | None] = {}
    for return_id, (_, record, _) in returns.items():
        is_accepted = record["outcome"] == "accepted"
        priced = []
        for item in record.get("items") or ():
            own = item.get("line_id")
            of = own if own in lines else by_sku.get(item["sku"])
            if of is not None:
                priced.append({"price": lines[of].get("price"), **item})
                if is_accepted:
                    quantities[of] = min(quantities.get(of, 0) + item.get("quantity", SCALE), AMOUNT_MAX)
            else:
                priced.append(item)
        money = record.get("amount", worth(priced))
        if is_accepted:
            number += 1
            money = (0 if priced else total or 0) if money is None else money
            amount += money
        amounts[return_id] = money
    return Back(number, min(amount, AMOUNT_MAX), quantities, amounts)


def order_return_rows(
    person_id: bytes, person_shared: bool, order_id: str, returns: Returns, amounts: Mapping[str, int | None],
    total: int | None, currency: str | None, placed_channel: str | None,
) -> list[Row]:
    """The rows of facts `returns` of one order."""
    rows = []
    for return_id, told in returns.items():
        amount = amounts[return_id]
        rows.append((
            person_id, order_id, return_id, person_shared, *_of(told), amount, told.record.get("currency") or currency,
            *_outcome(told), None if placed_channel is None else told.event.channel != placed_channel,
            None if amount is None or total is None else amount < total,
        ))
    return rows


def loose_return_row(person_id: bytes, person_shared: bool, events: Iterable[Event]) -> Row:
    """The row of facts `returns` of a return that names no order.

    Shape: n > 0 events of one return_id and one person, any order.
    """
    found: Returns = {}
    for event in sorted(events, key=lambda e: (e.at_ms, e.event_id)):
        note(found, event, unpack(event.order)["return"])
    ((return_id, told),) = found.items()
    amount = told.record.get("amount", worth(told.record.get("items") or ()))
    return (
        person_id, "", return_id, person_shared, *_of(told), amount, told.record.get("currency"), *_outcome(told),
        None, None,
    )


def loose_return_id(event: Event) -> str | None:
    """The return that an event without an order is about; None where it is about none."""
    if not event.order or event.order_id is not None:
        return None
    told = unpack(event.order).get("return")
    return None if told is None else told.get("return_id") or event.event_id


def _of(told: Return) -> tuple[int, str, str | None, str | None]:
    event = told.event
    return event.at_ms, event.channel, event.store_id, event.staff


def _outcome(told: Return) -> tuple[str, str | None, int | None]:
    return told.record["outcome"], told.record.get("reason"), told.asked_at
