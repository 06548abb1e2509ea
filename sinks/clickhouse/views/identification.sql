-- How buyers are named on the receipts of each store and week: by which kind of identifier (the strongest), or `anonymous`.
-- `share` is of the receipts of that store and week.
CREATE OR REPLACE VIEW onethread.identification AS
SELECT
    r.store_id AS store_id, n.name AS store, r.week AS week, r.method AS method, r.receipts AS receipts,
    r.receipts / (sum(r.receipts) OVER (PARTITION BY r.store_id, r.week)) AS share, r.revenue AS revenue,
    r.unconverted AS unconverted
FROM (
    SELECT
        store_id, week, method, count() AS receipts,
        CAST(sum(ifNull(revenue_reporting, 0)), 'Decimal(18, 4)') AS revenue,
        countIf(revenue_reporting IS NULL) AS unconverted
    FROM onethread.receipts
    WHERE true /* period of placed_at */
    GROUP BY store_id, week, method
) AS r
LEFT JOIN onethread.stores AS n ON n.store_id = r.store_id
