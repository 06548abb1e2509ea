-- How long people take from the first touchpoint of a journey to its counted order, by month of placing and the channel that
-- the journey began on: medians and quartiles in days, touchpoints and channels on the way, and how many came to buy
-- without any way there is to see (the placing touchpoint alone).
CREATE OR REPLACE VIEW onethread.time_to_purchase AS
WITH ifNull(nullIf((SELECT reporting_zone FROM onethread.settings), ''), 'UTC') AS zone
SELECT
    toStartOfMonth(toDate(assumeNotNull(placed_at), zone)) AS month,
    start_channel, count() AS orders,
    countIf(touchpoints = 1) AS at_once,
    quantileExactInclusive(0.25)(days) AS days_quarter,
    quantileExactInclusive(0.5)(days) AS days_median,
    quantileExactInclusive(0.75)(days) AS days_three_quarters,
    avg(touchpoints) AS touchpoints_mean, avg(length(channels)) AS channels_mean,
    uniqExact(person_id) AS persons
FROM onethread.facts_ways AS j
INNER JOIN (
    SELECT order_id, person_id AS buyer, placed_at FROM onethread.counted_orders
    WHERE true /* period of placed_at */
) AS o ON o.order_id = j.order_id AND o.buyer = j.person_id
GROUP BY month, start_channel
