-- Research on one side, purchase on the other, in the 30 days before. Direction `online_to_store`: counted orders of known people
-- placed on pos, and what they looked at on online channels before (page_viewed, product_viewed, product_searched, review_read,
-- price_compared). `store_to_online`: counted orders placed on online channels, and what was done in a store before (the same,
-- consulted, store_visited). A row for each type and channel of research, and one with `any` for both: an order counts once in
-- each. `orders` are all orders of the direction (and of the store, where a store sold them), `same_product` those researched
-- with a product that was bought. `store_id` is where it was bought, or, of store_to_online, where it was researched; NULL in
-- its row `any`.
CREATE OR REPLACE VIEW onethread.ropo AS
WITH
    buys AS (
        SELECT
            o.order_id AS order_id, o.person_id AS person_id, o.at AS at, o.direction AS direction,
            o.store_id AS store_id, i.skus AS skus
        FROM (
            SELECT
                order_id, person_id, assumeNotNull(placed_at) AS at,
                if(placed_channel = 'pos', 'online_to_store', 'store_to_online') AS direction,
                if(placed_channel = 'pos', placed_store_id, NULL) AS store_id
            FROM onethread.counted_orders
            WHERE (
                placed_channel = 'pos'
                OR placed_channel IN (SELECT channel FROM onethread.channels WHERE family = 'online')
            ) AND person_id IN (SELECT person_id FROM onethread.facts_persons FINAL WHERE known AND NOT shared)
                /* period of placed_at */
        ) AS o
        LEFT JOIN (
            SELECT order_id, groupUniqArray(sku) AS skus FROM onethread.order_items GROUP BY order_id
        ) AS i ON i.order_id = o.order_id
    )
SELECT
    direction, shown.1 AS research_type, shown.2 AS research_channel, shown.3 AS store_id,
    sumIf(count(), research_type = 'any') OVER (PARTITION BY direction, bought_in) AS orders,
    countIf(shown.4) AS researched, countIf(shown.5) AS same_product, researched / orders AS share
FROM (
    SELECT
        b.order_id AS order_id, any(b.direction) AS direction, any(b.store_id) AS bought_in,
        groupUniqArrayIf(
            (r.type, r.channel, if(b.direction = 'online_to_store', b.store_id, r.store_id), hasAny(r.skus, b.skus)),
            r.type != '' AND r.occurred_at >= b.at - INTERVAL 30 DAY AND r.occurred_at < b.at
        ) AS found,
        arrayJoin(arrayConcat(
            [('any', 'any', bought_in, notEmpty(found), arrayExists(one -> one.4, found))],
            arrayMap(
                one -> (one.1, one.2, one.3, true, has(found, (one.1, one.2, one.3, true))),
                arrayDistinct(arrayMap(one -> (one.1, one.2, one.3), found))
            )
        )) AS shown
    FROM (
        SELECT
            person_id, occurred_at, CAST(type, 'String') AS type, CAST(channel, 'String') AS channel, store_id, skus,
            if(channel IN (SELECT channel FROM onethread.channels WHERE family = 'online'),
                'online_to_store', 'store_to_online') AS direction
        FROM onethread.facts_touchpoints FINAL
        WHERE type IN ('page_viewed', 'product_viewed', 'product_searched', 'review_read', 'price_compared')
            AND channel IN (SELECT channel FROM onethread.channels WHERE family IN ('online', 'store'))
            OR type IN ('consulted', 'store_visited')
            AND channel IN (SELECT channel FROM onethread.channels WHERE family = 'store')
    ) AS r
    RIGHT JOIN buys AS b ON b.person_id = r.person_id AND b.direction = r.direction
    GROUP BY order_id
)
GROUP BY direction, bought_in, shown.1, shown.2, shown.3
