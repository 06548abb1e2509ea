-- One row an order. Where several persons hold rows of one order_id, the row that was placed first stays.
-- `rate` is what one unit of the currency was worth in the reporting currency on the day of placing (1 for that currency
-- itself); NULL where no rate is at most 7 days old, and then so is revenue_reporting.
CREATE OR REPLACE VIEW onethread.orders AS
WITH
    (SELECT (currency, zone, codes, places, rates) FROM onethread.facts_money) AS money,
    ifNull(nullIf(money.2, ''), 'UTC') AS zone
SELECT
    order_id, person_id, person_shared,
    journey_id,
    requested_at, requested_channel,
    placed_at, placed_channel, placed_device, placed_store_id, placed_staff,
    paid_at, paid_channel, paid_store_id, payment_methods,
    ready_at, ready_store_id,
    fulfilled_at, fulfilled_channel, fulfilled_store_id, fulfilment_method, promised_at,
    cancelled_at, cancelled_channel, status,
    total, currency, revenue,
    if(currency = money.1, toDecimal128(1, 12), arrayElementOrNull(money.5, transform(
        toUInt64(toUInt32(ifNull(toDate(placed_at, zone), toDate(0)))) * 16777216
            + reinterpretAsUInt32(ifNull(currency, '')),
        money.3, money.4, toUInt32(0)
    ))) AS rate,
    accurateCastOrNull(roundBankers(revenue * rate, 4), 'Decimal(18, 4)') AS revenue_reporting,
    margin, returned_amount,
    discount, shipping, tax, points_spent, promo_code, anonymous, identified_by, receipt_ids, returns,
    paid_amount, paid_in_full_at, delivery_store_id, suspected_duplicate_of
FROM onethread.facts_orders FINAL
WHERE cityHash64(order_id) NOT IN onethread.facts_orders_in_doubt
    OR (order_id, person_id) IN onethread.facts_orders_winning
