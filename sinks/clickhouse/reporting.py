"""What the report is made of: the ready views, asked once each."""

import json

from clickhouse_connect.driver.client import Client

from analytics.report.figures import Figures
from sinks.clickhouse.profile import select

COHORTS_MAX = 18
ACQUISITIONS_MAX = 12


_HEAD = """
SELECT
    as_of, reporting_currency AS currency, reporting_zone AS zone,
    (SELECT countIf(known AND NOT shared) FROM onethread.persons) AS people,
    (SELECT count() FROM onethread.sessions) AS sessions,
    (SELECT countIf(length(channels) > 1) FROM onethread.sessions) AS sessions_crossing,
    (SELECT count() FROM onethread.journeys) AS journeys,
    (SELECT countIf(outcome = 'converted') FROM onethread.journeys) AS journeys_converted,
    o.orders AS orders, o.anonymous AS orders_anonymous, o.revenue AS revenue, o.unconverted AS unconverted
FROM onethread.settings, (
    SELECT count() AS orders, countIf(anonymous) AS anonymous, toFloat64(sum(ifNull(revenue_reporting, 0))) AS revenue,
        countIf(revenue_reporting IS NULL) AS unconverted
    FROM onethread.orders WHERE placed_at IS NOT NULL AND status != 'cancelled'
) AS o
"""

_MIX = """
SELECT basis, segment, persons, share, orders, toFloat64(revenue) AS revenue, revenue_a_head, multiplier
FROM onethread.channel_mix
ORDER BY basis, indexOf(['online only', 'store only', 'phone only', 'several', 'other only', 'anonymous'], segment)
"""

_SWITCHES = """
SELECT from_channel, to_channel, switches, in_converted, lost_here, lost_share, median_gap_s
FROM onethread.channel_switches ORDER BY switches DESC, from_channel, to_channel
"""

_CREDITS = """
SELECT model, channel, toFloat64(sum(revenue_reporting)) AS revenue FROM onethread.credits
GROUP BY model, channel HAVING revenue > 0
UNION ALL
SELECT model, channel, toFloat64(sum(revenue_reporting)) AS revenue FROM onethread.model_credits
WHERE run_id IN (
    SELECT argMax(run_id, at) FROM onethread.model_runs
    WHERE model IN ('markov', 'shapley') AND parameters['by'] = 'channel' GROUP BY model
)
GROUP BY model, channel HAVING revenue > 0
ORDER BY model, channel
"""

_COHORTS = """
SELECT cohort, age, persons, retention, revenue_a_head FROM onethread.cohorts
WHERE cohort IN (SELECT DISTINCT cohort FROM onethread.cohorts ORDER BY cohort DESC LIMIT {most:UInt64})
ORDER BY cohort, age
"""

_ACQUISITIONS = """
SELECT
    acquisition_channel AS channel, acquisition_campaign AS campaign, sum(l.persons) AS persons,
    sum(l.buyers) AS buyers, toFloat64(sum(l.revenue)) / sum(l.persons) AS revenue_a_head,
    toFloat64(sum(ifNull(l.predicted_revenue, 0))) / sum(l.persons) AS predicted_a_head, toFloat64(sum(l.cost)) AS cost
FROM onethread.ltv_by_acquisition AS l GROUP BY channel, campaign
ORDER BY persons DESC, channel, campaign LIMIT {most:UInt64}
"""

_STATUSES = """
SELECT status, count() AS persons FROM onethread.persons WHERE known AND NOT shared GROUP BY status
ORDER BY indexOf(['new', 'active', 'at_risk', 'unnoticed', 'churned', 'prospect'], status), status
"""

_FIT = """
SELECT parameters, report FROM onethread.model_runs WHERE model = 'ltv' ORDER BY at DESC, run_id LIMIT 1
"""

_WHITE_SPOTS = """
SELECT store_id, store, week, receipts, anonymous, share, toFloat64(revenue) AS revenue, identified_later, silent_cards
FROM onethread.white_spots ORDER BY store_id, week
"""

_OBSTACLES = """
SELECT obstacle, journeys, converted, abandoned, converted_share, converted_share_without FROM onethread.obstacles
ORDER BY journeys DESC, obstacle
"""

_JOURNEY = """
SELECT order_id, started_at, path, path_at, path_touchpoints, path_devices, switches, touchpoints, days, after_sale,
    toFloat64(revenue) AS revenue, currency
FROM onethread.journeys WHERE outcome = 'converted' AND switches > 0
ORDER BY order_id = {order_id:String} DESC, switches DESC, started_at, order_id LIMIT 1
"""

_JOURNEY_CREDITS = """
SELECT model, at, event_id, any(channel) AS channel, toFloat64(sum(credit)) AS credit FROM onethread.credits
WHERE order_id = {order_id:String} GROUP BY model, at, event_id ORDER BY model, at, event_id
"""


def figures(client: Client, story_order: str = "") -> Figures:
    """Everything the report shows; of journeys that to `story_order`, else the one with most changes of channel.

    Errors: clickhouse_connect's DatabaseError.
    """
    families = select(client, "SELECT channel, family FROM onethread.channels")
    fit = select(client, _FIT)
    journey = next(iter(select(client, _JOURNEY, order_id=story_order)), None)
    return Figures(
        head=select(client, _HEAD)[0], families={row["channel"]: row["family"] for row in families},
        mix=select(client, _MIX), switches=select(client, _SWITCHES), credits=select(client, _CREDITS),
        cohorts=select(client, _COHORTS, most=COHORTS_MAX),
        acquisitions=select(client, _ACQUISITIONS, most=ACQUISITIONS_MAX), statuses=select(client, _STATUSES),
        fit={"parameters": fit[0]["parameters"], "report": json.loads(fit[0]["report"])} if fit else None,
        white_spots=select(client, _WHITE_SPOTS), obstacles=select(client, _OBSTACLES), journey=journey,
        journey_credits=select(client, _JOURNEY_CREDITS, order_id=journey["order_id"]) if journey else [],
    )
