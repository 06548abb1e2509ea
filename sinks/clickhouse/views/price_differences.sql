-- Products sold for different prices in the same month, by currency: the median price a customer paid for one unit on each
-- channel and in each store, the lowest and the highest of them. Lines of counted orders; a product whose places all have
-- one price is left out.
CREATE OR REPLACE VIEW onethread.price_differences AS
WITH
    ifNull(nullIf((SELECT reporting_zone FROM onethread.settings), ''), 'UTC') AS zone,
    -- The lines of a product, by place and then by price: a place begins at each of `firsts`, and its median is in its
    -- middle. Most places have a line or two in a month, so grouping by place too would cost several times as much.
    arraySort(arrayZip(places, paid)) AS paid_at,
    arrayFilter(
        (n, at, before) -> n = 1 OR at != before,
        arrayEnumerate(paid_at), paid_at.1, arrayPushFront(arrayPopBack(paid_at.1), '')
    ) AS firsts,
    arrayMap(first -> paid_at[first].1, firsts) AS names,
    arrayMap(
        (first, next) -> paid_at[first + intDiv(next - first, 2)].2,
        firsts, arrayPushBack(arrayPopFront(firsts), length(paid_at) + 1)
    ) AS medians,
    arraySort(arrayZip(medians, names)) AS ranked
SELECT
    month, sku, name, currency,
    ranked[1].1 AS lowest, ranked[1].2 AS lowest_at, ranked[-1].1 AS highest, ranked[-1].2 AS highest_at,
    toFloat64(highest) / nullIf(toFloat64(lowest), 0) - 1 AS spread,
    mapFromArrays(names, medians) AS prices, lines, quantity
FROM (
    SELECT
        toStartOfMonth(toDate(assumeNotNull(i.placed_at), zone)) AS month, i.sku AS sku, any(i.name) AS name,
        i.currency AS currency,
        groupArray(
            concat(ifNull(i.channel, ''), if(i.store_id IS NULL, '', concat(' ', assumeNotNull(i.store_id))))
        ) AS places,
        groupArray(assumeNotNull(i.price)) AS paid, count() AS lines, sum(i.quantity) AS quantity
    FROM onethread.order_items AS i
    WHERE i.price IS NOT NULL AND i.placed_at IS NOT NULL AND (i.order_id, i.person_id) NOT IN (
        SELECT order_id, person_id FROM onethread.facts_orders FINAL WHERE status = 'cancelled' OR person_shared
    ) /* period of i.placed_at */
    GROUP BY month, sku, currency
    HAVING min(i.price) < max(i.price)
)
WHERE lowest < highest
