"""A person on one page of a terminal. What is not known is left out."""

from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli import looks, way
from sinks.clickhouse.profile import Profile

SESSIONS_SHOWN = 8
JOURNEYS_SHOWN = 5
IDENTIFIERS_SHOWN = 20

STAGES = ("requested", "placed", "ready", "paid", "fulfilled", "cancelled")


def card(found: Profile) -> RenderableType:
    """The whole page: head, identifiers, channels, sessions, journeys, open promises, orders, credits of the last."""
    parts: list[RenderableType] = [_head(found)]
    for heading, note, body in (
        ("Identifiers", _more(found.identifiers, IDENTIFIERS_SHOWN), _identifiers(found)),
        ("Channels", "", _channels(found)),
        ("Sessions", _more(found.sessions, SESSIONS_SHOWN, "the latest "), _sessions(found)),
        ("Journeys", _more(found.journeys, JOURNEYS_SHOWN, "the latest "),
         way.journeys(found.journeys[-JOURNEYS_SHOWN:], found.zone)),
        ("Open promises", "", _promises(found)),
        ("Orders", "", orders(found.orders, found.items, found.zone)),
        ("Credits", _last_order(found), _credits(found)),
    ):
        if body is not None:
            parts += [Text(), looks.title(heading, note), body]
    return Panel(Group(*parts), title=f"[bold]person {found.person['person_id']}", title_align="left", padding=(1, 2),
                 border_style="dim")


def _head(found: Profile) -> Table:
    person, zone = found.person, found.zone
    facts = {
        "who": _standing(person),
        "first seen": looks.moment(person["first_seen_at"], zone),
        "last seen": looks.moment(person["last_seen_at"], zone),
        "met first on": person["first_channel"],
        "acquired": way.acquired(person, zone),
        "home store": person["home_store_id"],
        "devices": ", ".join(person["devices"]),
        "prefers": ", ".join(f"{key} {value}" for key, value in sorted(person["preferences"].items())),
        "consents": ", ".join(
            f"{purpose} {'given' if given else 'withdrawn'}" for purpose, given in sorted(person["consent"].items())
        ),
        "touchpoints": f"{person['touchpoints']:,} in {person['sessions']:,} sessions",
        "orders": f"{person['orders']:,} for {looks.money(person['revenue'], person['currency'])}"
                  if person["orders"] else None,
        "returned": looks.money(person["returned"], person["currency"]) if person["returned"] else None,
        "status": _status(person),
        "LTV": _ltv(person, zone),
    }
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, value in facts.items():
        if value:
            table.add_row(Text(name, style="dim"), value)
    return table


def _standing(person: dict[str, Any]) -> str:
    if person["shared"]:
        return "an identifier that many people use: no person"
    return "known" if person["known"] else "not known by name, card or number yet"


def _status(person: dict[str, Any]) -> str | None:
    """active, alive with 91 %; unnoticed (wifi)."""
    if person["status"] is None:
        return None
    alive, seen = person["probability_alive"], ", ".join(person["unnoticed_by"])
    told = person["status"] + (f" ({seen})" if seen else "")
    return told if alive is None else f"{told}, alive with {alive:.0%}"


def _ltv(person: dict[str, Any], zone: str) -> str | None:
    """What is expected of the twelve months after the last run."""
    if person["predicted_orders"] is None:
        return None
    revenue = looks.money(person["predicted_revenue"], person["currency"])
    begin = person["predicted_at"].astimezone(ZoneInfo(zone))
    return f"{person['predicted_orders']:.1f} orders for {revenue} in the 12 months from {begin:%Y-%m-%d}"


def _identifiers(found: Profile) -> Table | None:
    rows = [row for row in found.identifiers if row["kind"] != "email_sha256"] or found.identifiers
    if not rows:
        return None
    table = looks.sheet("kind", "value", "first seen", "last seen", "")
    for row in rows[:IDENTIFIERS_SHOWN]:
        note = "shared" if row["shared"] else "contested" if row["contested"] else ""
        table.add_row(row["kind"], Text(row["value"], style="bold"), looks.moment(row["first_seen_at"], found.zone),
                      looks.moment(row["last_seen_at"], found.zone), Text(note, style="red"))
    return table


def _channels(found: Profile) -> Table | None:
    if not found.channels:
        return None
    numbers = ("acted", "reached", "visits", "orders", "revenue")
    table = looks.sheet("channel", "first", "last", *numbers, "", right=numbers)
    for row in found.channels:
        table.add_row(
            looks.channel(row["channel"]), looks.moment(row["first_at"], found.zone),
            looks.moment(row["last_at"], found.zone), looks.count(row["interactions"]), looks.count(row["exposures"]),
            looks.count(row["visits"]), looks.count(row["orders"]),
            looks.money(row["revenue"]) if row["orders"] else "·",
            Text("preferred", style="dim") if row["preferred"] else "",
        )
    return table


def _sessions(found: Profile) -> Table | None:
    if not found.sessions:
        return None
    table = looks.sheet("began", "lasted", "steps", "channels", "devices", "campaign", right=("lasted", "steps"))
    for row in found.sessions[-SESSIONS_SHOWN:]:
        seconds = (row["ended_at"] - row["started_at"]).total_seconds()
        table.add_row(looks.moment(row["started_at"], found.zone), looks.pause(seconds), str(row["touchpoints"]),
                      looks.channels(row["channels"]), ", ".join(row["devices"]), row["entry_campaign"] or "")
    return table


def _promises(found: Profile) -> Table | None:
    if not found.open_promises:
        return None
    table = looks.sheet("what", "asked for", "promised", "by", "due", "")
    for row in found.open_promises:
        note = Text("overdue", style="red") if row["status"] == "overdue" else Text("")
        table.add_row(row["kind"], looks.moment(row["requested_at"], found.zone),
                      looks.moment(row["promised_at"], found.zone), row["promised_by"] or "",
                      looks.moment(row["due_at"], found.zone), note)
    return table


def _last_order(found: Profile) -> str:
    """The last order that has credits; empty where none has."""
    credited = {row["order_id"] for row in found.credits}
    return next((row["order_id"] for row in reversed(found.orders) if row["order_id"] in credited), "")


def _credits(found: Profile) -> Table | None:
    order_id = _last_order(found)
    return way.credits([row for row in found.credits if row["order_id"] == order_id], found.zone) if order_id else None


def orders(rows: list[dict[str, Any]], items: list[dict[str, Any]], zone: str) -> Table | None:
    """Orders with their stages over the channels and their goods; None without any."""
    if not rows:
        return None
    table = looks.sheet("order", "status", "total", "stages and goods", right=("total",))
    for row in rows:
        goods = ", ".join(_good(item) for item in items if item["order_id"] == row["order_id"])
        table.add_row(Text(row["order_id"], style="bold"), row["status"] or "",
                      looks.money(row["total"], row["currency"]),
                      Group(stages(row, zone), Text(goods, style="dim")))
    return table


def stages(order: dict[str, Any], zone: str) -> Text:
    """requested instagram 18 Feb 12:45 → placed, paid pos S2 18 Feb 13:03; stages of one minute and place are one."""
    steps: list[tuple[list[Text], str, list[str]]] = []
    for stage in _reached(order):
        where, when = _where(order, stage), looks.moment(order[f"{stage}_at"], zone)
        if steps and steps[-1][:2] == (where, when):
            steps[-1][2].append(stage)
        else:
            steps.append((where, when, [stage]))
    return Text(" → ", style="dim").join(
        Text(" ").join([Text(", ".join(names)), *where, Text(when, style="dim")]) for where, when, names in steps
    )


def _reached(order: dict[str, Any]) -> list[str]:
    return sorted((s for s in STAGES if order[f"{s}_at"]), key=lambda s: order[f"{s}_at"])


def told(order: dict[str, Any], items: list[dict[str, Any]], zone: str) -> RenderableType:
    """One order as a short list: what it is, and each stage with its time and place."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for stage in _reached(order):
        table.add_row(stage, Text(looks.moment(order[f"{stage}_at"], zone), style="dim"),
                      Text(" ").join(_where(order, stage)))
    goods = ", ".join(_good(item) for item in items if item["order_id"] == order["order_id"])
    head = Text.assemble((order["order_id"], "bold"), f"  {order['status']}  ",
                         looks.money(order["total"], order["currency"]), (f"  {goods}", "dim"))
    return Group(head, table)


def _where(order: dict[str, Any], stage: str) -> list[Text]:
    """The channel and the store of a stage, as far as they are known."""
    channel, store = order.get(f"{stage}_channel"), order.get(f"{stage}_store_id")
    return ([looks.channel(channel)] if channel else []) + ([Text(store, style="green")] if store else [])


def _good(item: dict[str, Any]) -> str:
    quantity = f"{item['quantity'].normalize():f}"
    return f"{quantity} {item['unit'] or '×'} {item['name'] or item['sku']}"


def _more(rows: list[Any], shown: int, which: str = "") -> str:
    return f"{which}{shown} of {len(rows)}" if len(rows) > shown else ""
