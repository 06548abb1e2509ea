-- Counted orders placed on an online channel and collected in a store, by month of placing and store: minutes from payment
-- to ready, from ready to taken, from payment to taken (medians), and who still waits. Minutes from payment are of orders
-- paid elsewhere than in a store. The store is where it was handed over, else where it is ready, else where it is to be.
CREATE OR REPLACE VIEW onethread.click_and_collect AS
WITH
    (SELECT (reporting_zone, as_of) FROM onethread.settings) AS clock,
    ifNull(nullIf(clock.1, ''), 'UTC') AS zone,
    paid_channel IN (SELECT channel FROM onethread.channels WHERE family = 'store') AS paid_in_store,
    if(paid_in_store, NULL, paid_at) AS paid_before
SELECT
    toStartOfMonth(toDate(assumeNotNull(placed_at), zone)) AS month,
    coalesce(fulfilled_store_id, ready_store_id, delivery_store_id) AS store_id,
    count() AS orders,
    countIf(fulfilled_at IS NOT NULL) AS collected,
    countIf(ready_at IS NOT NULL AND fulfilled_at IS NULL) AS waiting,
    countIf(paid_in_store AND paid_at IS NOT NULL) AS paid_at_pick_up,
    quantileExactInclusive(0.5)(dateDiff('second', paid_before, ready_at) / 60) AS minutes_to_ready,
    quantileExactInclusive(0.5)(dateDiff('second', ready_at, fulfilled_at) / 60) AS minutes_on_shelf,
    quantileExactInclusive(0.5)(dateDiff('second', paid_before, fulfilled_at) / 60) AS minutes_to_taken,
    countIf(fulfilled_at <= paid_before + INTERVAL 15 MINUTE)
        / nullIf(countIf(fulfilled_at IS NOT NULL AND paid_before IS NOT NULL), 0) AS within_15_share,
    countIf(ifNull(ready_at, clock.2) > promised_at) AS ready_late
FROM onethread.counted_orders
WHERE fulfilment_method = 'pickup'
    AND placed_channel IN (SELECT channel FROM onethread.channels WHERE family = 'online') /* period of placed_at */
GROUP BY month, store_id
