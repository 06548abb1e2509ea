"""The ready questions of the ways people go, answered in plain Python: {view: rows}, told apart from its SQL."""

from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

from tests.oracle.questions import Period, Question, Rows, money, unconverted, within
from tests.oracle.world import DAY_MS, Record, World, quantile


def _over(world: World, period: Period) -> list[Record]:
    return [j for j in within(world.journeys, "started_at", period) if j.outcome != "open"]


def channel_switches(world: World, period: Period) -> Rows:
    found: dict[tuple[str, str], list[tuple[Any, ...]]] = defaultdict(list)
    for journey in _over(world, period):
        runs = list(zip(journey.path, journey.path_at, journey.path_devices, strict=True))
        for n, (before, after) in enumerate(pairwise(runs)):
            changed = {f"{before[2]} → {after[2]}"} if before[2] and after[2] and before[2] != after[2] else set()
            found[before[0], after[0]].append((journey, changed, after[1] - before[1], n == len(runs) - 2))
    rows = []
    for (start, end), steps in found.items():
        lost = sum(journey.outcome == "abandoned" and last for journey, _, _, last in steps)
        rows.append({
            "from_channel": start, "to_channel": end,
            "devices": sorted({one for _, pair, _, _ in steps for one in pair}),
            "switches": len(steps), "journeys": len({journey.journey_id for journey, *_ in steps}),
            "in_converted": sum(journey.outcome == "converted" for journey, *_ in steps), "lost_here": lost,
            "lost_share": lost / len(steps), "median_gap_s": quantile([gap for _, _, gap, _ in steps], 0.5) / 1000,
        })
    return rows


def obstacles(world: World, period: Period) -> Rows:
    ways = _over(world, period)
    smooth = [w.outcome == "converted" for w in ways if not w.obstacles]
    rows = []
    for name in sorted({name for way in ways for name in way.obstacles}):
        met = [w for w in ways if name in w.obstacles]
        got, lost = ([w for w in met if w.outcome == outcome] for outcome in ("converted", "abandoned"))
        rows.append({
            "obstacle": name, "journeys": len(met), "persons": len({w.person_id for w in met}),
            "converted": len(got), "abandoned": len(lost), "converted_share": len(got) / len(met),
            "converted_share_without": sum(smooth) / len(smooth) if smooth else None,
            "lost_on": dict(Counter(w.end_channel for w in lost)), "revenue": money(met),
            "unconverted": unconverted(got),
        })
    return rows


def journey_paths(world: World, period: Period) -> Rows:
    found: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for journey in _over(world, period):
        found[tuple(journey.path)].append(journey)
    rows = []
    for path, journeys in found.items():
        converted = [j for j in journeys if j.outcome == "converted"]
        days = [(j.last_step_at - j.started_at) / DAY_MS for j in converted]
        rows.append({
            "path": list(path), "journeys": len(journeys), "persons": len({j.person_id for j in journeys}),
            "converted": len(converted), "converted_share": len(converted) / len(journeys),
            "median_days": quantile(days, 0.5) if days else None,
            "touchpoints": sum(j.touchpoints for j in journeys) / len(journeys),
            "revenue": money(converted), "unconverted": unconverted(converted),
        })
    return rows


def time_to_purchase(world: World, period: Period) -> Rows:
    counted = {(o.person_id, o.order_id): o for o in within(world.counted(), "placed_at", period)}
    found: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for journey in world.journeys:
        if order := counted.get((journey.person_id, journey.order_id)):
            month = world.local(order.placed_at).date().replace(day=1).isoformat()
            found[month, journey.start_channel].append(journey)
    rows = []
    for (month, start), journeys in found.items():
        days = [(j.last_step_at - j.started_at) / DAY_MS for j in journeys]
        rows.append({
            "month": month, "start_channel": start, "orders": len(journeys),
            "at_once": sum(j.touchpoints == 1 for j in journeys), "days_quarter": quantile(days, 0.25),
            "days_median": quantile(days, 0.5), "days_three_quarters": quantile(days, 0.75),
            "touchpoints_mean": sum(j.touchpoints for j in journeys) / len(journeys),
            "channels_mean": sum(len(j.channels) for j in journeys) / len(journeys),
            "persons": len({j.person_id for j in journeys}),
        })
    return rows


def connectivity(world: World, _period: Period) -> Rows:
    met: dict[bytes, set[str]] = defaultdict(set)
    for touch in world.touchpoints:
        if not world.persons[touch.person_id].shared:
            met[touch.person_id].add(touch.channel)
    rows = []
    for channel in sorted({channel for channels in met.values() for channel in channels}):
        people = [person for person, channels in met.items() if channel in channels]
        joined = sum(len(met[p]) > 1 for p in people)
        apart = sum(len({world.families[c] for c in met[p]}) > 1 for p in people)
        known = sum(world.is_people(p) for p in people)
        rows.append({
            "channel": channel, "family": world.families[channel], "persons": len(people), "joined": joined,
            "share": joined / len(people), "joined_family": apart, "family_share": apart / len(people), "known": known,
            "known_share": known / len(people),
        })
    return rows


def store_funnel(world: World, period: Period) -> Rows:
    seen: dict[tuple[str, int], set[bytes]] = defaultdict(set)
    receipts: Counter[tuple[str, int]] = Counter()
    for touch in within(world.touchpoints, "occurred_at", period):
        here = touch.role in ("interaction", "observation") or touch.type == "order_fulfilled"
        if here and touch.store_id is not None and world.families[touch.channel] == "store" and not (
                world.persons[touch.person_id].shared):
            seen[touch.store_id, _hour(world, touch.occurred_at)].add(touch.person_id)
    for order in within(world.placed(), "placed_at", period):
        if order.placed_channel == "pos" and order.placed_store_id is not None:
            receipts[order.placed_store_id, _hour(world, order.placed_at)] += 1
    return [{"store_id": store, "hour": hour_ms, "day": world.local(hour_ms).date().isoformat(),
             "hour_of_day": world.local(hour_ms).hour, "seen": len(seen.get((store, hour_ms), ())),
             "known": sum(world.is_people(p) for p in seen.get((store, hour_ms), ())),
             "receipts": receipts[store, hour_ms]}
            for store, hour_ms in seen.keys() | receipts.keys()]


def _hour(world: World, at_ms: int) -> int:
    local = world.local(at_ms)
    return at_ms - at_ms % 1000 - (local.minute * 60 + local.second) * 1000


def channel_profile(world: World, period: Period) -> Rows:
    visits, sessions = (within(rows, "started_at", period) for rows in (world.visits, world.sessions))
    orders = within(world.counted(), "placed_at", period)
    channels = {v.channel for v in visits} | {o.placed_channel for o in orders}
    rows = []
    for channel in channels:
        here = [v for v in visits if v.channel == channel]
        passed = [s for s in sessions if channel in s.channels]
        bought = [o for o in orders if o.placed_channel == channel]
        people = {v.person_id for v in here}
        rows.append({
            "channel": channel, "family": world.families[channel], "persons": len(people),
            "known": sum(map(world.is_people, people)), "visits": len(here),
            "interactions": sum(v.touchpoints for v in here), "sessions": len(passed),
            "sessions_started": sum(s.entry_channel == channel for s in passed),
            "sessions_ended": sum(s.exit_channel == channel for s in passed),
            "alone": sum(s.channels == [channel] for s in passed), "buyers": len({o.person_id for o in bought}),
            "orders": len(bought), "revenue": money(bought),
            "revenue_an_order": money(bought) / 10_000 / len(bought) if bought else None,
            "returned_orders": sum(o.status in ("returned", "partly_returned") for o in bought),
            "unconverted": unconverted(bought),
        })
    return rows


def device_mix(world: World, period: Period) -> Rows:
    visits = within(world.visits, "started_at", period)
    orders = within(world.counted(), "placed_at", period)
    used: dict[bytes, set[str | None]] = defaultdict(set)
    for visit in visits:
        used[visit.person_id].add(visit.device)
    rows = []
    for device in {v.device for v in visits} | {o.placed_device for o in orders}:
        here = [v for v in visits if v.device == device]
        bought = [o for o in orders if o.placed_device == device]
        people = {v.person_id for v in here}
        rows.append({
            "device": device, "persons": len(people),
            "with_others": sum(bool(used[p] - {device, None}) for p in people),
            "visits": len(here), "visits_share": len(here) / len(visits) if visits else None,
            "interactions": sum(v.touchpoints for v in here), "buyers": len({o.person_id for o in bought}),
            "orders": len(bought), "orders_a_visit": len(bought) / len(here) if here else None,
            "revenue": money(bought), "revenue_an_order": money(bought) / 10_000 / len(bought) if bought else None,
            "unconverted": unconverted(bought),
        })
    return rows


WAYS: dict[str, Question] = {
    "channel_switches": channel_switches, "obstacles": obstacles, "journey_paths": journey_paths,
    "connectivity": connectivity, "store_funnel": store_funnel, "channel_profile": channel_profile,
    "device_mix": device_mix, "time_to_purchase": time_to_purchase,
}
