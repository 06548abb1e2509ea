-- Carts left behind: a cart_updated that holds something or a checkout_started, with no other of either and no order placed
-- within cart_wait after it, as far as that is over at as_of. `outcome`: recovered by a counted order within 30 days
-- (`recovered_by`); resumed: the person went on with it within 30 days and left it again (that is another row, and what comes
-- later is said there); lost; open: the 30 days are not over at as_of. Shared pseudo-persons are left out.
CREATE OR REPLACE VIEW onethread.abandoned_carts AS
WITH
    (SELECT (as_of, toIntervalMillisecond(toInt64(round(cart_wait * 1000)))) FROM onethread.settings) AS clock,
    told AS (
        SELECT
            person_id, occurred_at AS at, event_id, toUInt8(0) AS is_order, CAST(channel, 'String') AS channel,
            CAST(device, 'Nullable(String)') AS device, CAST(type, 'String') AS type, journey_id, skus, amount,
            CAST(currency, 'Nullable(String)') AS currency, CAST(NULL, 'Nullable(DateTime64(3, \'UTC\'))') AS placed_at,
            CAST(NULL, 'Nullable(DateTime64(3, \'UTC\'))') AS counted_at, CAST(NULL, 'Nullable(String)') AS order_id
        FROM onethread.facts_touchpoints FINAL
        PREWHERE type IN ('cart_updated', 'checkout_started') OR is_deleted OR conflicts > 0
        WHERE type IN ('cart_updated', 'checkout_started')
            AND person_id NOT IN (SELECT person_id FROM onethread.facts_persons FINAL WHERE shared)
        UNION ALL
        SELECT
            person_id, assumeNotNull(placed_at), order_id, 1, '', NULL, '', NULL, [], NULL, NULL, placed_at,
            if(status != 'cancelled', placed_at, NULL), if(status != 'cancelled', toNullable(order_id), NULL)
        FROM onethread.orders AS o
        WHERE placed_at IS NOT NULL AND NOT person_shared AND person_id IN (
            SELECT person_id FROM onethread.facts_touchpoints WHERE type IN ('cart_updated', 'checkout_started')
        )
    ),
    left_behind AS (
        SELECT
            *, lagInFrame(toNullable(at)) OVER (
                PARTITION BY person_id ORDER BY at DESC, event_id DESC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
            ) AS resumed_at
        FROM (
            SELECT
                *,
                anyLast(if(is_order, NULL, toNullable(at))) OVER earlier AS next_cart_at,
                anyLast(placed_at) OVER earlier AS next_placed_at,
                anyLast(counted_at) OVER earlier AS next_counted_at, anyLast(order_id) OVER earlier AS next_order_id
            FROM told
            WINDOW earlier AS (
                PARTITION BY person_id ORDER BY at DESC, is_order DESC, event_id DESC
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            )
        )
        WHERE NOT is_order AND NOT (type = 'cart_updated' AND empty(skus)) AND at + clock.2 < clock.1
            AND ifNull(next_cart_at > at + clock.2, true) AND ifNull(next_placed_at > at + clock.2, true)
    )
SELECT
    c.person_id AS person_id, p.known AS known, c.at AS abandoned_at, c.event_id AS event_id, c.type AS type,
    c.channel AS channel, c.device AS device, c.journey_id AS journey_id, c.skus AS skus, c.amount AS amount,
    c.currency AS currency,
    multiIf(
        ifNull(c.next_counted_at <= c.at + INTERVAL 30 DAY AND ifNull(c.resumed_at > c.next_counted_at, true), false),
        'recovered',
        ifNull(c.resumed_at <= c.at + INTERVAL 30 DAY, false), 'resumed',
        c.at + INTERVAL 30 DAY < clock.1, 'lost', 'open'
    ) AS outcome,
    if(outcome = 'recovered', c.next_order_id, NULL) AS recovered_by,
    if(outcome = 'recovered', c.next_counted_at, NULL) AS recovered_at,
    o.placed_channel AS recovered_channel, o.revenue_reporting AS revenue_reporting
FROM left_behind AS c
LEFT JOIN (SELECT person_id, known FROM onethread.facts_persons FINAL) AS p ON p.person_id = c.person_id
LEFT JOIN (
    SELECT toNullable(order_id) AS order_id, placed_channel, revenue_reporting FROM onethread.counted_orders
) AS o ON o.order_id = if(outcome = 'recovered', c.next_order_id, NULL)
WHERE true /* period of c.at */
