"""The ready questions of who buys, where and unseen, in plain Python: {view: rows}, apart from its SQL."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from tests.oracle.world import DAY_MS, Record, World

Rows = list[dict[str, Any]]
Period = tuple[int, int]
SINGLE = {frozenset({"online"}): "online only", frozenset({"store"}): "store only", frozenset({"phone"}): "phone only",
          frozenset(): "other only"}
LOOKING = {"page_viewed", "product_viewed", "product_searched", "review_read", "price_compared"}


def within(rows: Iterable[Record], name: str, period: Period) -> list[Record]:
    return [row for row in rows if period[0] <= getattr(row, name) < period[1]]


def money(orders: Iterable[Record]) -> int:
    return sum(order.reporting or 0 for order in orders)


def unconverted(orders: Iterable[Record]) -> int:
    return sum(order.reporting is None for order in orders)


def channel_mix(world: World, period: Period) -> Rows:
    placed: dict[bytes, list[Record]] = defaultdict(list)
    for order in within(world.placed(), "placed_at", period):
        placed[order.person_id].append(order)
    used = defaultdict(set, {person: {o.placed_channel for o in orders} for person, orders in placed.items()})
    bought = {person: set(channels) for person, channels in used.items()}
    for visit in within(world.visits, "started_at", period):
        used[visit.person_id].add(visit.channel)
    return [row for basis, channels in (("orders", bought), ("use", used))
            for row in _mix(world, basis, channels, placed)]


def _mix(world: World, basis: str, used: dict[bytes, set[str]], placed: dict[bytes, list[Record]]) -> Rows:
    groups: dict[str, list[bytes]] = defaultdict(list)
    for person, channels in used.items():
        families = frozenset(world.families[c] for c in channels) - {"other"}
        groups[SINGLE.get(families, "several") if world.is_people(person) else "anonymous"].append(person)
    orders = {name: [o for p in people for o in placed.get(p, ())] for name, people in groups.items()}
    people_all = sum(len(people) for name, people in groups.items() if name != "anonymous")
    singles = [name for name in groups if name.endswith(" only") and name != "other only"]
    singles_head = _ratio(sum(money(orders[n]) for n in singles), sum(len(groups[n]) for n in singles) * 10_000)
    rows = []
    for name, people in groups.items():
        named = name != "anonymous"
        persons = sum(not world.persons[p].shared for p in people)
        head = money(orders[name]) / persons / 10_000 if named else None
        rows.append({
            "basis": basis, "segment": name, "persons": persons, "share": persons / people_all if named else None,
            "orders": len(orders[name]), "orders_share": _ratio(len(orders[name]), sum(map(len, orders.values()))),
            "revenue": money(orders[name]),
            "revenue_share": _ratio(money(orders[name]), sum(map(money, orders.values()))),
            "revenue_a_head": head, "multiplier": _ratio(head, singles_head), "unconverted": unconverted(orders[name]),
        })
    return rows


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def _anonymous(order: Record) -> bool:
    return bool(order.anonymous or order.person_shared)


def _receipts(world: World) -> list[Record]:
    return [o for o in world.placed() if o.placed_channel == "pos"]


def white_spots(world: World, period: Period) -> Rows:
    spots: dict[tuple[str | None, str], list[Record]] = defaultdict(list)
    for order in within(_receipts(world), "placed_at", period):
        spots[order.placed_store_id, world.week(order.placed_at)].append(order)
    silent = _silent(world)
    rows = []
    for (store, week), orders in spots.items():
        hidden = [o for o in orders if _anonymous(o)]
        rows.append({
            "store_id": store, "week": week, "receipts": len(orders), "anonymous": len(hidden),
            "share": len(hidden) / len(orders), "revenue": money(hidden), "revenue_all": money(orders),
            "identified_later": sum(bool(o.anonymous and world.is_people(o.person_id)) for o in orders),
            "silent_cards": silent[store, week], "unconverted": unconverted(orders),
        })
    return rows


def _silent(world: World) -> Counter[tuple[str | None, str]]:
    shown: dict[bytes, list[Record]] = defaultdict(list)
    for order in _receipts(world):
        kinds = world.persons[order.person_id].identifier_kinds
        if not _anonymous(order) and world.is_people(order.person_id) and kinds.get("loyalty_card"):
            shown[order.person_id].append(order)
    out: Counter[tuple[str | None, str]] = Counter()
    for orders in shown.values():
        last = max(orders, key=lambda o: (o.placed_at, o.order_id))
        days = {world.local(o.placed_at).date() for o in orders}
        if len(days) > 1 and last.placed_at < world.as_of_ms - world.journey_gap_ms:
            out[last.placed_store_id, world.week(last.placed_at)] += 1
    return out


def identification(world: World, period: Period) -> Rows:
    found: dict[tuple[str | None, str, str], list[Record]] = defaultdict(list)
    whole: Counter[tuple[str | None, str]] = Counter()
    for order in within(_receipts(world), "placed_at", period):
        place = order.placed_store_id, world.week(order.placed_at)
        found[(*place, "anonymous" if _anonymous(order) else order.identified_by)].append(order)
        whole[place] += 1
    return [{"store_id": store, "week": week, "method": method, "receipts": len(orders),
             "share": len(orders) / whole[store, week], "revenue": money(orders), "unconverted": unconverted(orders)}
            for (store, week, method), orders in found.items()]


def ropo(world: World, period: Period) -> Rows:
    buys = [o for o in within(world.counted(), "placed_at", period) if world.is_people(o.person_id)
            and (o.placed_channel == "pos" or world.families[o.placed_channel] == "online")]
    touches: dict[bytes, list[Record]] = defaultdict(list)
    for touch in world.touchpoints:
        touches[touch.person_id].append(touch)
    bases: Counter[tuple[str, str | None]] = Counter()
    found: dict[tuple[Any, ...], dict[str, bool]] = defaultdict(dict)
    for order in buys:
        in_store = order.placed_channel == "pos"
        base = ("online_to_store", order.placed_store_id) if in_store else ("store_to_online", None)
        bases[base] += 1
        found[(*base, "any", "any", base[1])].update()
        for touch in touches[order.person_id]:
            if not 0 < order.placed_at - touch.occurred_at <= 30 * DAY_MS:
                continue
            family = world.families[touch.channel]
            if (touch.type in LOOKING and family == "online") if in_store else (
                    touch.type in LOOKING | {"consulted", "store_visited"} and family == "store"):
                same = not world.skus[order.order_id].isdisjoint(touch.skus)
                where = order.placed_store_id if in_store else touch.store_id
                for key in ((*base, touch.type, touch.channel, where), (*base, "any", "any", base[1])):
                    found[key][order.order_id] = found[key].get(order.order_id, False) or same
    return [{"direction": direction, "research_type": kind, "research_channel": channel, "store_id": store,
             "orders": bases[direction, bought_in], "researched": len(orders), "same_product": sum(orders.values()),
             "share": len(orders) / bases[direction, bought_in]}
            for (direction, bought_in, kind, channel, store), orders in found.items()]


def abandoned_carts(world: World, period: Period) -> Rows:
    carts: dict[bytes, list[Record]] = defaultdict(list)
    for touch in sorted(world.touchpoints, key=lambda t: (t.occurred_at, t.event_id)):
        if touch.type in ("cart_updated", "checkout_started") and not world.persons[touch.person_id].shared:
            carts[touch.person_id].append(touch)
    orders: dict[bytes, list[Record]] = defaultdict(list)
    for order in sorted((o for o in world.orders if o.placed_at is not None and not o.person_shared),
                        key=lambda o: (o.placed_at, o.order_id)):
        orders[order.person_id].append(order)
    return [row for person, touches in carts.items() for row in _left(world, touches, orders[person], period)]


def _left(world: World, touches: list[Record], orders: list[Record], period: Period) -> Rows:
    wait, month = world.cart_wait_ms, 30 * DAY_MS
    left = []
    for n, touch in enumerate(touches):
        at = touch.occurred_at
        followed = n + 1 < len(touches) and touches[n + 1].occurred_at <= at + wait
        bought = any(at <= o.placed_at <= at + wait for o in orders)
        emptied = touch.type == "cart_updated" and not touch.skus
        if not (followed or bought or emptied) and at + wait < world.as_of_ms:
            left.append(touch)
    rows = []
    for n, touch in enumerate(left):
        at = touch.occurred_at
        resumed = left[n + 1].occurred_at if n + 1 < len(left) else None
        order = next((o for o in orders if at <= o.placed_at <= at + month and o.status != "cancelled"), None)
        if order and resumed is not None and resumed <= order.placed_at:
            order = None
        outcome = ("recovered" if order else "resumed" if resumed is not None and resumed <= at + month
                   else "lost" if at + month < world.as_of_ms else "open")
        if period[0] <= at < period[1]:
            rows.append({"event_id": touch.event_id, "known": world.persons[touch.person_id].known,
                         "channel": touch.channel, "skus": list(touch.skus), "amount": touch.amount,
                         "outcome": outcome, "recovered_by": order.order_id if order else None,
                         "recovered_at": order.placed_at if order else None,
                         "recovered_channel": order.placed_channel if order else None,
                         "revenue_reporting": order.reporting if order else None})
    return rows


Question = Callable[[World, Period], Rows]
BUYING: dict[str, Question] = {
    "channel_mix": channel_mix, "white_spots": white_spots, "identification": identification, "ropo": ropo,
    "abandoned_carts": abandoned_carts,
}
