"""A small business in figures, as the views would tell them."""

from datetime import UTC, date, datetime, timedelta

from analytics.report.figures import Figures

AT = datetime(2026, 2, 17, 20, 12, tzinfo=UTC)

HEAD = {
    "as_of": AT, "currency": "UAH", "zone": "Europe/Kyiv", "people": 1234, "sessions": 4321, "sessions_crossing": 321,
    "journeys": 987, "journeys_converted": 654, "orders": 777, "orders_anonymous": 55, "revenue": 1234567.0,
    "unconverted": 3,
}
FAMILIES = {"web": "online", "chat": "online", "instagram": "online", "ads": "online", "pos": "store",
            "call_centre": "phone", "delivery": "other"}
MIX = [
    {"basis": basis, "segment": segment, "persons": persons, "share": share, "orders": orders, "revenue": revenue,
     "revenue_a_head": None if share is None else revenue / persons, "multiplier": multiplier}
    for basis in ("orders", "use")
    for segment, persons, share, orders, revenue, multiplier in (
        ("online only", 400, 0.4, 500, 200_000.0, 0.91), ("store only", 350, 0.35, 400, 190_000.0, 0.99),
        ("phone only", 20, 0.02, 22, 9_000.0, 0.82), ("several", 230, 0.23, 900, 600_000.0, 4.75),
        ("anonymous", 55, None, 55, 20_000.0, None),
    )
]
SWITCHES = [
    {"from_channel": start, "to_channel": end, "switches": count, "in_converted": count // 2, "lost_here": lost,
     "lost_share": lost / count, "median_gap_s": 5400.0}
    for start, end, count, lost in (
        ("ads", "web", 300, 40), ("web", "pos", 220, 0), ("web", "chat", 120, 61), ("chat", "call_centre", 40, 5),
        ("instagram", "web", 90, 12), ("call_centre", "pos", 30, 0), ("chat", "web", 25, 3), ("pos", "web", 18, 7),
    )
]
CREDITS = [
    {"model": model, "channel": channel, "revenue": revenue * (1 + place * step / 10)}
    for place, model in enumerate(("first", "last", "last_non_direct", "linear", "time_decay", "position", "markov"))
    for channel, revenue, step in (("ads", 50.0, -1), ("web", 30.0, 1), ("chat", 5.0, 2), ("pos", 15.0, 0))
]
COHORTS = [
    {"cohort": date(2026, 1 + month, 1), "age": age, "persons": 200 - 50 * month,
     "retention": 1.0 if not age else 0.31 / age, "revenue_a_head": 510.5 + 120 * age}
    for month in range(3) for age in range(3 - month)
]
ACQUISITIONS = [
    {"channel": channel, "campaign": campaign, "persons": persons, "buyers": persons // 2, "revenue_a_head": worth,
     "predicted_a_head": worth / 2, "cost": cost}
    for channel, campaign, persons, worth, cost in (
        ("ads", "winter-light", 320, 812.0, 4200.0), ("pos", None, 300, 455.5, None), ("web", None, 120, 390.0, None),
        ("instagram", "a rather long name of a campaign <for all>", 60, 250.0, 310.0),
    )
]
STATUSES = [{"status": status, "persons": persons} for status, persons in (
    ("new", 210), ("active", 500), ("at_risk", 120), ("unnoticed", 14), ("churned", 150), ("prospect", 240))]
FIT = {"parameters": {"customers": "994", "end_day": "2026-02-17"},
       "report": {"groups": [], "predicted_after": 321.4, "actual_after": 318}}
WHITE_SPOTS = [
    {"store_id": store, "store": name, "week": date(2026, 1, 5) + timedelta(7 * week), "receipts": 100,
     "anonymous": 30 + 5 * week + place * 9, "share": (30 + 5 * week + place * 9) / 100, "revenue": 1500.0,
     "identified_later": 4, "silent_cards": week}
    for place, (store, name) in enumerate((("S1", "Centre"), ("S2", None), ("S3", "Harbour"))) for week in range(6)
]
OBSTACLES = [
    {"obstacle": name, "journeys": converted + abandoned, "converted": converted, "abandoned": abandoned,
     "converted_share": converted / (converted + abandoned), "converted_share_without": 0.71}
    for name, converted, abandoned in (("payment_failed", 40, 31), ("call_missed", 12, 20), ("complaint", 0, 4))
]
PATH = ["ads", "web", "chat", "ads", "instagram", "call_centre", "pos"]
JOURNEY = {
    "order_id": "o-1", "started_at": AT - timedelta(days=2), "path": PATH,
    "path_at": [AT - timedelta(days=2) + timedelta(hours=7 * n) for n in range(len(PATH))],
    "path_touchpoints": [1, 3, 2, 1, 4, 1, 1],
    "path_devices": ["desktop", "desktop", "", "mobile", "mobile", "phone", ""],
    "switches": 6, "touchpoints": 13, "days": 1.75, "after_sale": 2, "revenue": 1890.0, "currency": "UAH",
}
JOURNEY_CREDITS = [
    {"model": model, "at": AT - timedelta(hours=40 - 9 * n), "event_id": f"e{n}", "channel": PATH[n], "credit": credit}
    for model, credits in (("first", (1, 0, 0)), ("last", (0, 0, 1)), ("linear", (0.333, 0.333, 0.334)))
    for n, credit in enumerate(credits)
]

WHOLE = Figures(HEAD, FAMILIES, MIX, SWITCHES, CREDITS, COHORTS, ACQUISITIONS, STATUSES, FIT, WHITE_SPOTS, OBSTACLES,
                JOURNEY, JOURNEY_CREDITS)
EMPTY = Figures(HEAD | {name: 0 for name in HEAD if name not in ("as_of", "currency", "zone")}, FAMILIES)
