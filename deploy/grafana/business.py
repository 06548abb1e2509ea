"""The board for the business: what customers do, over all channels, asked of the views of docs/sql.

Rules kept: SQL names views and never tables of facts; times are $__timeFilter of the range chosen, except for what
views tell of the present (`as_of`). Money is in the reporting currency. Nothing here names a customer.
"""

from collections.abc import Sequence
from typing import Literal

from deploy.grafana.panels import BLUE, GREEN, RED, YELLOW, Board, Panel, Row, Variable

Steps = Sequence[tuple[float | None, str]]


def _figure(title: str, says: str, unit: str, sql: str, steps: Steps = ((None, BLUE),), decimals: int = 0) -> Panel:
    return Panel(title, says, unit, sql=sql, kind="stat", width=4, height=4, steps=steps, decimals=decimals, low=None)


def _table(title: str, says: str, sql: str, width: int = 12, **units: str) -> Panel:
    return Panel(title, says, "none", sql=sql, kind="table", width=width, units=units)


def _bars(title: str, says: str, unit: str, sql: str, kind: Literal["barchart", "timeseries"], width: int = 8) -> Panel:
    return Panel(title, says, unit, sql=sql, kind=kind, width=width, stack=True, bars=True)


BOARD = Board(
    "onethread-business", "onethread: business pulse", "What customers do, over all channels, one person at a time.",
    sources=("clickhouse",), since="now-30d", refresh="5m",
    variables=(
        Variable("channel", "Channel", sql="SELECT DISTINCT channel FROM onethread.touchpoints ORDER BY channel"),
        Variable("model", "Model", sql="SELECT DISTINCT model FROM onethread.credits ORDER BY model", multi=False),
    ),
    rows=(
        Row("In this time", (
            _figure("Known people, new", "First seen in this time, known by now.", "short", """
SELECT count() AS people FROM onethread.persons WHERE known AND NOT shared AND $__timeFilter(first_seen_at)"""),
            _figure("Active people", "Known people who did something in this time.", "short", """
SELECT uniqExact(t.person_id) AS people FROM onethread.touchpoints AS t
WHERE t.role = 'interaction' AND $__timeFilter(t.occurred_at)
    AND t.person_id IN (SELECT person_id FROM onethread.persons WHERE known AND NOT shared)"""),
            _figure("Orders", "Placed and not cancelled.", "short", """
SELECT count() AS orders FROM onethread.counted_orders WHERE $__timeFilter(placed_at)"""),
            _figure("Revenue", "Of these orders, less returns, in the reporting currency.", "short", """
SELECT sum(revenue_reporting) AS revenue FROM onethread.counted_orders WHERE $__timeFilter(placed_at)"""),
            _figure("Orders of known people", "Share of orders whose buyer has a name for us.", "percentunit", """
SELECT avg(NOT anonymous) AS share FROM onethread.counted_orders WHERE $__timeFilter(placed_at)""",
                    ((None, RED), (0.3, YELLOW), (0.6, GREEN)), 1),
            _figure("Journeys over several channels", "Share of journeys to an order on two channels or more.",
                    "percentunit", """
SELECT countIf(length(channels) > 1) / count() AS share FROM onethread.journeys
WHERE outcome = 'converted' AND $__timeFilter(ended_at)""", decimals=1),
        )),
        Row("What people do", (
            _bars("Interactions by channel", "Touchpoints at which the customer acted.", "short", """
SELECT $__timeInterval(occurred_at) AS time, channel, count() AS interactions FROM onethread.touchpoints
WHERE role = 'interaction' AND $__timeFilter(occurred_at) AND channel IN (${channel:singlequote})
GROUP BY time, channel ORDER BY time""", "timeseries", 12),
            _bars("Revenue by channel of the order", "Of counted orders, in the reporting currency.", "short", """
SELECT $__timeInterval(placed_at) AS time, assumeNotNull(placed_channel) AS channel, sum(revenue_reporting) AS revenue
FROM onethread.counted_orders
WHERE $__timeFilter(placed_at) AND placed_channel IN (${channel:singlequote})
GROUP BY time, channel ORDER BY time""", "timeseries", 12),
            _bars("Sessions over one channel and several", "A chat that goes on by phone is one.", "short", """
SELECT $__timeInterval(started_at) AS time, if(length(channels) > 1, 'several channels', 'one channel') AS over,
    count() AS sessions
FROM onethread.sessions WHERE $__timeFilter(started_at) GROUP BY time, over ORDER BY time""", "timeseries"),
            _bars("New people, by first channel", "Known people by the channel that we first saw them on.", "short", """
SELECT $__timeInterval(first_seen_at) AS time, assumeNotNull(first_channel) AS channel, count() AS people
FROM onethread.persons
WHERE known AND NOT shared AND first_channel IS NOT NULL AND $__timeFilter(first_seen_at)
GROUP BY time, channel ORDER BY time""", "timeseries"),
            _bars("How journeys end", "By the time of their last touchpoint.", "short", """
SELECT $__timeInterval(last_touchpoint_at) AS time, outcome, count() AS journeys
FROM onethread.journeys WHERE $__timeFilter(last_touchpoint_at) GROUP BY time, outcome ORDER BY time""", "timeseries"),
        )),
        Row("Who buys where", (
            _table("Channel mix", "People by families of channels they order on or use; docs/sql/channel_mix.md.", """
SELECT basis, segment, persons, share, orders, revenue, revenue_a_head, multiplier
FROM onethread.channel_mix ORDER BY basis, persons DESC""", share="percentunit", multiplier="none"),
            _bars("People by status", "Active, at risk, churned, unnoticed; docs/sql/status.md.", "short", """
SELECT ifNull(status, 'unknown') AS status, count() AS people
FROM onethread.persons WHERE known AND NOT shared GROUP BY status ORDER BY people DESC""", "barchart", 6),
            _bars("Credit by channel", "Revenue of orders in this time by the chosen rule of attribution.", "short", """
SELECT channel, toFloat64(sum(revenue_reporting)) AS revenue FROM onethread.credits
WHERE model = '$model' AND order_id IN (SELECT order_id FROM onethread.counted_orders WHERE $__timeFilter(placed_at))
GROUP BY channel ORDER BY revenue DESC LIMIT 15""", "barchart", 6),
            _table("Ways to an order", "The paths most taken; median days from the first touch.", """
SELECT arrayStringConcat(path, ' > ') AS way, journeys, converted, converted_share, median_days
FROM onethread.journey_paths ORDER BY converted DESC LIMIT 20""", converted_share="percentunit", median_days="d"),
            _table("How receipts are identified", "By week and kind of identifier; docs/sql/identification.md.", """
SELECT week, method, sum(receipts) AS receipts, sum(revenue) AS revenue
FROM onethread.identification WHERE $__timeFilter(week)
GROUP BY week, method ORDER BY week DESC, receipts DESC LIMIT 60"""),
        )),
        Row("What waits for us", (
            _figure("Waiting for an answer", "Conversations in which the customer spoke last.", "short", """
SELECT count() AS conversations FROM onethread.conversations WHERE open = 1 AND waiting_since IS NOT NULL""",
                    ((None, GREEN), (1, YELLOW))),
            _figure("Promises overdue", "Call-backs, deliveries and others, not kept when due.", "short", """
SELECT count() AS promises FROM onethread.promises WHERE status = 'overdue'""", ((None, GREEN), (1, RED))),
            _figure("Shipments late", "Not delivered when promised.", "short", """
SELECT count() AS shipments FROM onethread.shipments WHERE late = 1 AND delivered_at IS NULL""",
                    ((None, GREEN), (1, RED))),
            _figure("Carts left behind", "In this time, and not bought since.", "short", """
SELECT count() AS carts FROM onethread.abandoned_carts
WHERE $__timeFilter(abandoned_at) AND recovered_at IS NULL"""),
            _figure("Their value", "In the currency of each cart, added up.", "short", """
SELECT sum(amount) AS amount FROM onethread.abandoned_carts
WHERE $__timeFilter(abandoned_at) AND recovered_at IS NULL"""),
            _figure("Returns", "Accepted in this time.", "short", """
SELECT count() AS returned FROM onethread.returns WHERE outcome = 'accepted' AND $__timeFilter(returned_at)"""),
            _table("Response times", "By channel, with bots or without; docs/sql/response_times.md.", """
SELECT channel, bot, asked, share_answered, share_within_15_min, median_first_response_s, p90_first_response_s
FROM onethread.response_times ORDER BY asked DESC""", share_answered="percentunit", share_within_15_min="percentunit",
                   median_first_response_s="s", p90_first_response_s="s"),
            _table("Obstacles", "What stood in people's way; docs/sql/obstacles.md.", """
SELECT obstacle, journeys, persons, converted_share, converted_share_without, revenue
FROM onethread.obstacles ORDER BY journeys DESC LIMIT 20""", converted_share="percentunit",
                   converted_share_without="percentunit"),
        )),
    ),
)
