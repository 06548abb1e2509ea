"""Paths of journeys for the models of attribution, and their weights turned into credits of every order.

Rules kept: paths are those of the view `journeys`; by campaign, a journey's touchpoints are drawn together by visit,
message and advertisement, and what has no campaign stands under its channel. Credits are whole numbers of 1/10^12 from
whole numbers, so they are the same to the last digit on every machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from clickhouse_connect.driver.client import Client

from analytics.markov import Path
from sinks.clickhouse.profile import select
from sinks.clickhouse.runs import Run, finish

BASES = ("channel", "campaign")

_NAMES = {
    "channel": "CAST(channel, 'String')",
    "campaign": """multiIf(
        campaign_name IS NULL AND campaign_source IS NULL, CAST(channel, 'String'),
        campaign_name IS NULL, assumeNotNull(CAST(campaign_source, 'Nullable(String)')),
        campaign_source IS NULL, assumeNotNull(campaign_name),
        concat(assumeNotNull(CAST(campaign_source, 'Nullable(String)')), ' / ', assumeNotNull(campaign_name)))""",
}
"""What a touchpoint is called, by basis."""

_BY_CHANNEL = """
SELECT path, countIf(outcome = 'converted') AS converted, countIf(outcome = 'abandoned') AS lost
FROM onethread.journeys WHERE outcome != 'open' GROUP BY path ORDER BY path
"""

_BY_CAMPAIGN = f"""
SELECT path, countIf(outcome = 'converted') AS converted, countIf(outcome = 'abandoned') AS lost
FROM (
    SELECT journey_id, arrayCompact(arrayMap(touch -> touch.2, arraySort(groupArray((first, name))))) AS path
    FROM (
        SELECT assumeNotNull(journey_id) AS journey_id, min((occurred_at, event_id)) AS first,
            argMin({_NAMES["campaign"]}, (occurred_at, event_id)) AS name
        FROM onethread.touchpoints
        WHERE journey_id IS NOT NULL AND role IN ('interaction', 'exposure') AND NOT ifNull(after_sale, false)
        GROUP BY journey_id, coalesce(toString(visit_id), message_id, click_id, event_id)
    )
    GROUP BY journey_id
) AS walked
INNER JOIN (SELECT journey_id, outcome FROM onethread.journeys WHERE outcome != 'open') AS j USING (journey_id)
GROUP BY path ORDER BY path
"""

UNIT = 10**12
"""Credits are whole numbers of this part: cut to it, and the last touch takes the rest."""

BLUR = 10**7
"""Of 1/UNIT²: a share so little below a whole part is that part, told by weights of 18 digits."""

WEIGHT_UNIT = 10**18
"""Weights are whole numbers of this part."""

_NAME_OF_TOUCH = {
    "channel": "channel",
    "campaign": """if(source = '' AND campaign = '', channel,
        arrayStringConcat(arrayFilter(part -> part != '', [source, campaign]), ' / '))""",
}
"""The same of a touch, whose campaign is '' where it has none."""

_CREDITS = """
INSERT INTO onethread.batch_order_credits
SELECT
    {{run:UUID}}, order_id, event_ids, touches, ats, channels, campaign_sources, campaign_mediums, campaign_names,
    names,
    arrayMap(credit -> CAST(toDecimal128(credit, 12) / {unit}, 'Decimal(18, 12)'), credits)
FROM (
    SELECT
        *,
        arrayMap((channel, source, campaign) -> {name}, channels, campaign_sources, campaign_names) AS names,
        arrayMap(name -> toUInt256(transform(
            name, {{names:Array(String)}}, {{weights:Array(UInt64)}}, {{other:UInt64}})), names) AS told,
        arraySum(arrayMap((weight, i) -> if(indexOf(names, names[i]) = i, weight, 0), told, arrayEnumerate(told)))
            AS together,
        if(together > 0, told, arrayMap(name -> toUInt256(1), names)) AS weights,
        if(together > 0, together, toUInt256(length(arrayDistinct(names)))) AS whole,
        arrayMap((weight, name) -> toInt64(intDiv(
            intDiv(weight * toUInt256('{fine}'), whole * countEqual(names, name)) + {blur}, {unit}
        )), weights, names) AS parts,
        arrayPushBack(arrayPopBack(parts), {unit} - arraySum(arrayPopBack(parts))) AS credits
    FROM onethread.facts_credits FINAL
    WHERE (order_id, person_id) IN (
        SELECT order_id, person_id FROM onethread.orders
        WHERE placed_at IS NOT NULL AND status != 'cancelled' AND NOT person_shared
    )
)
"""


@dataclass(frozen=True)
class Weight:
    """What a model found of a channel or a campaign."""

    weight: Decimal
    """The removal effect, or the Shapley value as a part of all conversions."""
    share: Decimal
    """Of all weights."""
    conversions: float
    """The share, in conversions."""


def paths(client: Client, basis: str) -> list[Path]:
    """The journeys that are over, by their path. Errors: clickhouse_connect's DatabaseError, here and below.

    Cost: by channel one reading of the journeys; by campaign one of all touchpoints.
    """
    query = _BY_CHANNEL if basis == "channel" else _BY_CAMPAIGN
    rows = select(client, query)
    return [Path(tuple(row["path"]), row["converted"], row["lost"]) for row in rows]


def credit(client: Client, run_id: UUID, basis: str, weights: Mapping[str, Decimal], other: Decimal) -> None:
    """Divide every counted order among its touches in proportion to the weights of their names.

    Rule: a name's part is divided equally among its touches of the order; names without a weight have `other`; where
    all weights of an order are 0 they are taken as equal; the last touch takes what rounding leaves.
    """
    client.command(_CREDITS.format(name=_NAME_OF_TOUCH[basis], unit=UNIT, fine=UNIT**2, blur=BLUR), parameters={
        "run": str(run_id), "names": list(weights), "other": int(other * WEIGHT_UNIT),
        "weights": [int(weight * WEIGHT_UNIT) for weight in weights.values()],
    })


def write_weights(client: Client, run: Run, weights: Mapping[str, Weight]) -> None:
    """Keep a run of attribution, whose credits are there already."""
    if weights:
        client.insert("onethread.batch_weights", [
            [run.run_id, name, _shown(found.weight), _shown(found.share), found.conversions]
            for name, found in sorted(weights.items())
        ])
    finish(client, run)


def _shown(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1) / UNIT)
