-- What stood in people's way, by journeys that are over: how many met it, how many of these converted all the same, how
-- many were abandoned, against the share of converted journeys that met nothing. Revenue is of those that converted, in
-- the reporting currency; orders without a rate are counted in `unconverted`.
CREATE OR REPLACE VIEW onethread.obstacles AS
WITH found AS (
    SELECT
        person_id, outcome, obstacles, end_channel, order_id, revenue_reporting,
        countIf(outcome = 'converted' AND empty(obstacles)) OVER () AS smooth_converted,
        countIf(empty(obstacles)) OVER () AS smooth
    FROM onethread.journeys
    WHERE outcome != 'open' /* period of started_at */
)
SELECT
    arrayJoin(obstacles) AS obstacle,
    count() AS journeys, uniqExact(person_id) AS persons,
    countIf(outcome = 'converted') AS converted, countIf(outcome = 'abandoned') AS abandoned,
    converted / journeys AS converted_share,
    any(smooth_converted) / nullIf(any(smooth), 0) AS converted_share_without,
    sumMapIf(map(CAST(end_channel, 'String'), toUInt64(1)), outcome = 'abandoned') AS lost_on,
    CAST(sum(ifNull(revenue_reporting, 0)), 'Decimal(18, 4)') AS revenue,
    countIf(outcome = 'converted' AND revenue_reporting IS NULL) AS unconverted
FROM found
GROUP BY obstacle
