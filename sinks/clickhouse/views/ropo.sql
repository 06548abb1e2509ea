-- Research on one side, purchase on the other, in the 30 days before. Direction `online_to_store`: counted orders of known people
-- placed on pos, and what they looked at on online channels before (page_viewed, product_viewed, product_searched, review_read,
-- price_compared). `store_to_online`: counted orders placed on online channels, and what was done in a store before (the same,
-- consulted, store_visited). A row for each type and channel of research, and one with `any` for both: an order counts once in
-- each. `orders` are all orders of the direction (and of the store, where a store sold them), `same_product` those researched
-- with a product that was bought. `store_id` is where it was bought, or, of store_to_online, where it was researched; NULL in
-- its row `any`.
CREATE OR REPLACE VIEW onethread.ropo AS
WITH
    -- `code` is the order's id in 128 bits: texts would double what it costs to count orders.
    buys AS (
        SELECT
            reinterpretAsUUID(sipHash128(order_id)) AS code, person_id, assumeNotNull(placed_at) AS at,
            placed_channel = 'pos' AS in_store, if(in_store, placed_store_id, NULL) AS store_id
        FROM onethread.counted_orders
        WHERE (in_store OR placed_channel IN (SELECT channel FROM onethread.channels WHERE family = 'online'))
            AND person_id IN (SELECT person_id FROM onethread.facts_persons FINAL WHERE known AND NOT shared)
            /* period of placed_at */
    ),
    -- Who looked and who bought meet in stretches of 30 days: a purchase looks back into its own and the one before.
    found AS (
        SELECT
            b.in_store AS in_store, b.store_id AS bought_in, b.code AS code, r.type AS type, r.channel AS channel,
            if(b.in_store, b.store_id, r.store_id) AS looked_in,
            arrayExists(sku -> reinterpretAsUUID(sipHash128(b.code, sku)) IN (
                SELECT reinterpretAsUUID(sipHash128(reinterpretAsUUID(sipHash128(order_id)), sku))
                FROM onethread.order_items
            ), r.skus) AS same
        FROM (
            SELECT
                person_id, occurred_at, type, channel, store_id, skus,
                intDiv(toUnixTimestamp64Milli(occurred_at), 2592000000) AS stretch,
                channel IN (SELECT channel FROM onethread.channels WHERE family = 'online') AS for_store
            FROM onethread.facts_touchpoints FINAL
            PREWHERE type IN (
                'page_viewed', 'product_viewed', 'product_searched', 'review_read', 'price_compared', 'consulted',
                'store_visited'
            ) OR is_deleted OR conflicts > 0
            WHERE type IN ('page_viewed', 'product_viewed', 'product_searched', 'review_read', 'price_compared')
                AND channel IN (SELECT channel FROM onethread.channels WHERE family IN ('online', 'store'))
                OR type IN ('consulted', 'store_visited')
                AND channel IN (SELECT channel FROM onethread.channels WHERE family = 'store')
        ) AS r
        INNER JOIN (
            SELECT
                *, arrayJoin([0, 1]) AS back, intDiv(toUnixTimestamp64Milli(at), 2592000000) - back AS stretch
            FROM buys
        ) AS b ON b.person_id = r.person_id AND b.in_store = r.for_store AND b.stretch = r.stretch
        WHERE r.occurred_at >= b.at - INTERVAL 30 DAY AND r.occurred_at < b.at
    ),
    counts AS (
        SELECT in_store, store_id AS bought_in, ('any', 'any', store_id) AS shown, count() AS orders, 0 AS researched,
            0 AS same_product
        FROM buys GROUP BY in_store, store_id
        UNION ALL
        SELECT
            in_store, bought_in,
            if(grouping(type) = 1, ('any', 'any', bought_in),
                (CAST(type, 'String'), CAST(channel, 'String'), looked_in)) AS shown,
            0, uniqExact(code), uniqExactIf(code, same)
        FROM found
        GROUP BY GROUPING SETS ((in_store, bought_in), (in_store, bought_in, type, channel, looked_in))
    )
SELECT
    if(in_store, 'online_to_store', 'store_to_online') AS direction, shown.1 AS research_type,
    shown.2 AS research_channel, shown.3 AS store_id,
    sum(sum(c.orders)) OVER (PARTITION BY in_store, bought_in) AS orders,
    sum(c.researched) AS researched, sum(c.same_product) AS same_product, researched / orders AS share
FROM counts AS c
GROUP BY in_store, bought_in, shown
