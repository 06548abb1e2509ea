-- The lines of the orders, of the row that the view orders shows. `rate` is what one unit of the line's currency was worth
-- in the reporting currency on the day of placing; NULL where none is at most 7 days old.
CREATE OR REPLACE VIEW onethread.order_items AS
WITH
    (SELECT (currency, zone, codes, places, rates) FROM onethread.facts_money) AS money,
    ifNull(nullIf(money.2, ''), 'UTC') AS zone
SELECT
    order_id, person_id, line_id, sku, name, category, brand, quantity, unit, returned_quantity, price, discount,
    margin, currency,
    if(currency = money.1, toDecimal128(1, 12), arrayElementOrNull(money.5, transform(
        toUInt64(toUInt32(ifNull(toDate(placed_at, zone), toDate(0)))) * 16777216
            + reinterpretAsUInt32(ifNull(currency, '')),
        money.3, money.4, toUInt32(0)
    ))) AS rate,
    placed_at, channel, store_id
FROM onethread.facts_order_items FINAL
WHERE cityHash64(order_id) NOT IN onethread.facts_orders_in_doubt
    OR (order_id, person_id) IN onethread.facts_orders_winning
