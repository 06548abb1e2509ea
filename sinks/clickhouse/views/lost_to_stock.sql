-- What people wanted and could not have, by month and product: they met it as not available, or asked to be told when it is
-- back. `bought` of the persons bought it within 30 days after; the others are lost, at the median price that customers
-- have paid for one unit (reporting currency, NULL for what was never sold). Stock is what was loaded last, over all stores.
-- Shared pseudo-persons are left out.
CREATE OR REPLACE VIEW onethread.lost_to_stock AS
WITH
    ifNull(nullIf((SELECT reporting_zone FROM onethread.settings), ''), 'UTC') AS zone,
    wanted AS (
        SELECT
            toStartOfMonth(toDate(occurred_at, zone)) AS month, person_id,
            arrayJoin(if(type = 'back_in_stock_requested', arrayDistinct(arrayConcat(skus, unavailable)), unavailable))
                AS sku,
            min(occurred_at) AS first_at, count() AS times, groupUniqArray(CAST(channel, 'String')) AS channels
        FROM onethread.facts_touchpoints FINAL
        PREWHERE notEmpty(unavailable) OR type = 'back_in_stock_requested' OR is_deleted OR conflicts > 0
        WHERE (notEmpty(unavailable) OR type = 'back_in_stock_requested') /* period of occurred_at */
            AND person_id NOT IN (SELECT person_id FROM onethread.facts_persons FINAL WHERE shared)
        GROUP BY month, person_id, sku
    ),
    sold AS (
        SELECT i.person_id AS person_id, i.sku AS sku, assumeNotNull(i.placed_at) AS at, i.name AS name,
            accurateCastOrNull(roundBankers(i.price * i.rate, 4), 'Decimal(18, 4)') AS price
        FROM onethread.order_items AS i
        WHERE i.placed_at IS NOT NULL AND i.sku IN (
            SELECT arrayJoin(arrayConcat(skus, unavailable)) FROM onethread.facts_touchpoints
            WHERE notEmpty(unavailable) OR type = 'back_in_stock_requested'
        ) AND (i.order_id, i.person_id) NOT IN (
            SELECT order_id, person_id FROM onethread.facts_orders FINAL WHERE status = 'cancelled' OR person_shared
        )
    )
SELECT
    w.month AS month, w.sku AS sku, any(coalesce(g.name, p.name)) AS name, sum(w.times) AS touchpoints,
    count() AS persons, countIf(arrayExists(at -> at > w.first_at AND at <= w.first_at + INTERVAL 30 DAY, b.at)) AS bought,
    persons - bought AS lost,
    any(p.price) AS usual_price, CAST(lost * usual_price, 'Nullable(Decimal(18, 4))') AS lost_revenue,
    arraySort(arrayDistinct(arrayFlatten(groupArray(w.channels)))) AS channels,
    any(s.available) AS available_now, any(s.expected_at) AS expected_at
FROM wanted AS w
LEFT JOIN (
    SELECT person_id, sku, groupArray(at) AS at FROM sold
    WHERE person_id IN (
        SELECT person_id FROM onethread.facts_touchpoints
        WHERE notEmpty(unavailable) OR type = 'back_in_stock_requested'
    )
    GROUP BY person_id, sku
) AS b
    ON b.person_id = w.person_id AND b.sku = w.sku
LEFT JOIN (
    SELECT sku, any(name) AS name, quantileExactOrNull(0.5)(sold.price) AS price FROM sold GROUP BY sku
) AS p ON p.sku = w.sku
LEFT JOIN onethread.products AS g ON g.sku = w.sku
LEFT JOIN (
    SELECT sku, toNullable(sum(available)) AS available, minIf(expected_at, incoming > 0) AS expected_at
    FROM onethread.stock GROUP BY sku
) AS s ON s.sku = w.sku
GROUP BY month, sku
