"""Paths that led to orders or nowhere, for the models of attribution, and their weights turned into credits.

Rules kept: the path of a counted order is that of its touches, those of the view `credits`; where no order came of a
journey, it is that of the view `journeys`, and by campaign its touchpoints drawn together by visit, message and
advertisement. What has no campaign stands under its channel. Credits are whole numbers of 1/10^12 from whole numbers,
so they are the same to the last digit on every machine.
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

_NAME = {
    "channel": "channel",
    "campaign": """if(source = '' AND campaign = '', channel,
        arrayStringConcat(arrayFilter(part -> part != '', [source, campaign]), ' / '))""",
}
"""What a touch is called, by basis; what it has no name of is ''."""

_COUNTED = """(order_id, person_id) IN (
    SELECT order_id, person_id FROM onethread.counted_orders
)"""

_CONVERTED = f"""
SELECT
    arrayCompact(arrayMap((channel, source, campaign) -> {{name}}, channels, campaign_sources, campaign_names)) AS path,
    count() AS converted, 0 AS lost
FROM onethread.facts_credits FINAL WHERE {_COUNTED} GROUP BY path
"""

_LOST = {
    "channel": """
SELECT path, 0 AS converted, count() AS lost FROM onethread.journeys WHERE outcome = 'abandoned' GROUP BY path
""",
    "campaign": f"""
SELECT path, 0 AS converted, count() AS lost
FROM (
    SELECT arrayCompact(arrayMap(touch -> touch.2, arraySort(groupArray((first, name))))) AS path
    FROM (
        WITH ifNull(CAST(campaign_source, 'Nullable(String)'), '') AS source, ifNull(campaign_name, '') AS campaign
        SELECT journey_id, min((occurred_at, event_id)) AS first,
            argMin({_NAME["campaign"]}, (occurred_at, event_id)) AS name
        FROM onethread.touchpoints
        WHERE role IN ('interaction', 'exposure') AND journey_id IN (
            SELECT journey_id FROM onethread.journeys WHERE outcome = 'abandoned'
        )
        GROUP BY journey_id, coalesce(toString(visit_id), message_id, click_id, event_id)
    )
    GROUP BY journey_id
)
GROUP BY path
""",
}

_PATHS = """
SELECT path, sum(converted) AS converted, sum(lost) AS lost
FROM ({converted} UNION ALL {lost}) GROUP BY path ORDER BY path
"""

UNIT = 10**12
"""Credits are whole numbers of this part: cut to it, and the last touch takes the rest."""

BLUR = 10**7
"""Of 1/UNIT²: a share so little below a whole part is that part, told by weights of 18 digits."""

WEIGHT_UNIT = 10**18
"""Weights are whole numbers of this part."""

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
    FROM onethread.facts_credits FINAL WHERE {counted}
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
    """The ways that are over, by path: to a counted order, or nowhere.

    Errors: clickhouse_connect's DatabaseError, here and below.
    Cost:   one reading of orders, credits and journeys; by campaign one of all touchpoints, too.
    """
    rows = select(client, _PATHS.format(converted=_CONVERTED.format(name=_NAME[basis]), lost=_LOST[basis]))
    return [Path(tuple(row["path"]), row["converted"], row["lost"]) for row in rows]


def credit(client: Client, run_id: UUID, basis: str, weights: Mapping[str, Decimal], other: Decimal) -> None:
    """Divide every counted order among its touches in proportion to the weights of their names.

    Rule: a name's part is divided equally among its touches of the order; names without a weight have `other`; where
    all weights of an order are 0 they are taken as equal; the last touch takes what rounding leaves.
    """
    query = _CREDITS.format(name=_NAME[basis], counted=_COUNTED, unit=UNIT, fine=UNIT**2, blur=BLUR)
    client.command(query, parameters={
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
