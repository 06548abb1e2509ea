-- The ways people take, by the path of journeys that are over: how many took it, how many of these led to an order, how
-- long it took those, and what they brought in the reporting currency. Orders without a rate are counted in `unconverted`.
CREATE OR REPLACE VIEW onethread.journey_paths AS
SELECT
    path,
    count() AS journeys, uniqExact(person_id) AS persons,
    countIf(outcome = 'converted') AS converted,
    converted / journeys AS converted_share,
    quantileExactInclusiveIf(0.5)(toNullable(days), outcome = 'converted') AS median_days,
    avg(touchpoints) AS touchpoints,
    CAST(sum(ifNull(revenue_reporting, 0)), 'Decimal(18, 4)') AS revenue,
    countIf(outcome = 'converted' AND revenue_reporting IS NULL) AS unconverted
FROM onethread.journeys
WHERE outcome != 'open' /* period of started_at */
GROUP BY path
