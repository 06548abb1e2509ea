"""What the demo tells, from the real stack: one customer's thread, who buys where, how people were identified."""

from decimal import Decimal
from typing import Any

from clickhouse_connect.driver.client import Client
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli import card, looks, thread, way
from cli.stack import exports
from cli.up import describe
from deploy.local.ports import Addresses
from deploy.local.status import read
from examples.sample import golden
from sinks.clickhouse import profile
from sinks.clickhouse.client import connect
from streams.core.channels import CHANNELS
from streams.errors import OneThreadError
from streams.settings import Settings

WHERE_PEOPLE_BUY = """
WITH bought AS (
    SELECT o.person_id AS person_id, o.revenue AS revenue, c.family AS family,
        p.known AND NOT p.shared AS is_person
    FROM onethread.orders AS o
    INNER JOIN onethread.persons AS p ON p.person_id = o.person_id
    LEFT JOIN onethread.channels AS c ON c.channel = o.placed_channel
    WHERE o.placed_at IS NOT NULL AND o.status != 'cancelled'
),
people AS (
    SELECT person_id, is_person, count() AS orders, sum(ifNull(revenue, 0)) AS revenue,
        arraySort(groupUniqArray(family)) AS families
    FROM bought GROUP BY person_id, is_person
)
SELECT multiIf(NOT is_person, 'anonymous', length(families) > 1, arrayStringConcat(families, ' + '),
        families[1] || ' only') AS use,
    count() AS persons, sum(orders) AS orders, sum(revenue) AS revenue, is_person, length(families) AS width
FROM people GROUP BY use, is_person, width
ORDER BY is_person DESC, width, revenue DESC
"""

IDENTIFICATION = """
SELECT
    (SELECT countIf(known AND NOT shared) FROM onethread.persons) AS people,
    (SELECT countIf(NOT known AND NOT shared) FROM onethread.persons) AS nameless,
    (SELECT count() FROM onethread.sessions) AS sessions,
    (SELECT countIf(length(channels) > 1) FROM onethread.sessions) AS crossing,
    count() AS orders,
    countIf(o.anonymous) AS nameless_orders,
    countIf(o.anonymous AND p.known AND NOT p.shared) AS identified_later
FROM onethread.orders AS o INNER JOIN onethread.persons AS p ON p.person_id = o.person_id
WHERE o.placed_at IS NOT NULL
"""

SHARED = """
SELECT kind, value FROM onethread.identifiers WHERE shared AND kind != 'email_sha256' ORDER BY kind, value
"""

REFUSED = "SELECT reason, count() AS letters FROM onethread.dead_letters GROUP BY reason ORDER BY letters DESC, reason"

QUERIES = (
    "SELECT channels, count() FROM sessions WHERE switches GROUP BY 1 ORDER BY 2 DESC",
    "SELECT placed_channel, fulfilled_channel, count() FROM orders GROUP BY 1, 2",
    "SELECT reason, detail, event_id FROM dead_letters ORDER BY reason",
)
BAR = 24


def show(console: Console, addresses: Addresses, settings: Settings) -> None:
    """Print the whole page. Errors: OneThreadError where the golden person is not there."""
    client = connect(addresses.clickhouse_url)
    books = read(addresses, settings).books
    if books is None:
        raise OneThreadError(f"ClickHouse does not answer at {addresses.clickhouse_url}")
    begin = f"{books['in']:,} events of {len(CHANNELS)} channels through Kafka, Faust and ClickHouse"
    for part in (
        Text(), looks.title("Six weeks of a sample business", begin), *_golden(client, console.width), *_buying(client),
        *_identification(client, books), *_further(addresses),
    ):
        console.print(part, soft_wrap=isinstance(part, Text))


def _golden(client: Client, width: int) -> list[RenderableType]:
    person_id = profile.person_of(client, "phone", golden.PHONE)
    if person_id is None:
        raise OneThreadError("the sample's golden customer is not in ClickHouse; see `onethread status`")
    found = profile.profile(client, person_id)
    touchpoints = profile.thread(client, person_id)
    steps = thread.steps(touchpoints, found.identifiers)
    sources = len({touchpoint["source"] for touchpoint in touchpoints})
    return [
        _heading("One customer, one thread",
                 f"{len(touchpoints)} events of {sources} systems, {len(found.channels)} channels: one person"),
        thread.rendered(steps, found.zone, width),
        *_journeys(found),
        _heading("One order"),
        *(_indented(card.told(order, found.items, found.zone)) for order in found.orders),
    ]


def _journeys(found: profile.Profile) -> list[RenderableType]:
    """Each journey to an order, and what its touches earned."""
    parts: list[RenderableType] = []
    for journey in found.journeys:
        lasted, later = looks.pause(round(journey["days"] * 86_400)), journey["after_sale"]
        note = f"{journey['outcome']} within {lasted}, {later} events after the sale; its credits by six models"
        parts += [_heading("One journey", note), _indented(looks.channels(journey["path"])), Text()]
        credits = [row for row in found.credits if row["order_id"] == journey["order_id"]]
        if credits:
            parts.append(_indented(way.credits(credits, found.zone)))
    return parts


def _buying(client: Client) -> list[RenderableType]:
    rows = profile.select(client, WHERE_PEOPLE_BUY)
    total = sum((row["revenue"] for row in rows), Decimal())
    most = max((row["revenue"] for row in rows), default=Decimal())
    numbers = ("people", "orders", "revenue", "share", "a head")
    table = looks.sheet("buys", *numbers, "", right=numbers)
    for row in rows:
        person = row["is_person"]
        table.add_row(
            _use(row), looks.count(row["persons"]) if person else "", looks.count(row["orders"]),
            looks.money(row["revenue"]), f"{row['revenue'] / total:.1%}" if total else "",
            looks.money(row["revenue"] / row["persons"]) if person else "",
            Text("━" * round(BAR * row["revenue"] / most) if most else "", style=_bar(row)),
        )
    return [_heading("Who buys where", "counted orders by the channels they were placed on, UAH"), _indented(table)]


def _bar(row: dict[str, Any]) -> str:
    """One family in its own colour, several in white, nobody's receipts dim."""
    if not row["is_person"]:
        return "dim"
    return looks.FAMILY_COLOURS[row["use"].removesuffix(" only")] if row["width"] == 1 else ""


def _use(row: dict[str, Any]) -> Text:
    if not row["is_person"]:
        return Text("anonymous receipts", style="dim")
    return Text(row["use"], style="bold" if row["width"] > 1 else "")


def _identification(client: Client, books: dict[str, int]) -> list[RenderableType]:
    facts = profile.select(client, IDENTIFICATION)[0]
    shared = ", ".join(f"{row['kind']}:{row['value']}" for row in profile.select(client, SHARED))
    refused = ", ".join(f"{row['reason']} {row['letters']}" for row in profile.select(client, REFUSED))
    told = {
        "events in": f"{books['in']:,} = {books['touchpoints']:,} touchpoints + {books['duplicates']:,} duplicates + "
                     f"{books['dead_letters']:,} dead letters + {books['unidentifiable']:,} unidentifiable",
        "people": f"{facts['people']:,} known, {facts['nameless']:,} threads without a name yet",
        "sessions": f"{facts['sessions']:,}, of which {facts['crossing']:,} cross channels",
        "receipts": f"{facts['orders']:,}, of which {facts['nameless_orders']:,} anonymous, "
                    f"{facts['identified_later']:,} of these identified later",
        "shared": f"{shared}: they are many people's and join nobody",
        "dead letters": refused,
    }
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, value in told.items():
        table.add_row(Text(name, style="dim"), value)
    return [_heading("How they were identified"), _indented(table)]


def _further(addresses: Addresses) -> list[RenderableType]:
    commands = [*exports(addresses), *(f'onethread sql "{query}"' for query in QUERIES),
                f"onethread who phone:{golden.PHONE}"]
    return [
        _heading("Ask it yourself"), *(Text(f"  {command}", style="bold") for command in commands),
        Text(), _indented(Text(describe(addresses, 1))),
    ]


def _heading(title: str, note: str = "") -> RenderableType:
    return Group(Text(), looks.title(title, note), Text())


def _indented(body: RenderableType) -> Padding:
    return Padding(body, (0, 0, 0, 2))
