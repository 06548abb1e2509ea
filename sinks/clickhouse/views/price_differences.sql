-- Products sold for different prices in the same month, by currency: the median price a customer paid for one unit on each
-- channel and in each store, the lowest and the highest of them. Lines of counted orders; a product whose places all have
-- one price is left out.
CREATE OR REPLACE VIEW onethread.price_differences AS
WITH ifNull(nullIf((SELECT reporting_zone FROM onethread.settings), ''), 'UTC') AS zone
SELECT
    month, sku, any(name) AS name, currency,
    min(price) AS lowest, argMin(place, (price, place)) AS lowest_at,
    max(price) AS highest, argMax(place, (price, place)) AS highest_at,
    toFloat64(highest) / nullIf(toFloat64(lowest), 0) - 1 AS spread,
    mapSort(mapFromArrays(groupArray(place), groupArray(price))) AS prices,
    sum(lines) AS lines, sum(quantity) AS quantity
FROM (
    SELECT
        toStartOfMonth(toDate(assumeNotNull(i.placed_at), zone)) AS month, i.sku AS sku, any(i.name) AS name,
        i.currency AS currency,
        concat(ifNull(i.channel, ''), if(i.store_id IS NULL, '', concat(' ', assumeNotNull(i.store_id)))) AS place,
        quantileExact(0.5)(assumeNotNull(i.price)) AS price, count() AS lines, sum(i.quantity) AS quantity
    FROM onethread.order_items AS i
    WHERE i.price IS NOT NULL AND i.placed_at IS NOT NULL AND (i.order_id, i.person_id) NOT IN (
        SELECT order_id, person_id FROM onethread.facts_orders FINAL WHERE status = 'cancelled' OR person_shared
    ) /* period of i.placed_at */
    GROUP BY month, sku, currency, place
)
GROUP BY month, sku, currency
HAVING lowest < highest
