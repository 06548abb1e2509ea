-- What came back, was to come back, or was not taken back: one row a return, of its last event. order_id is NULL where no
-- order was named; of a return told both ways to one person the row with the order stays. `rate` is what one unit of the
-- currency was worth in the reporting currency on the day of the return; NULL where none is at most 7 days old.
CREATE OR REPLACE VIEW onethread.returns AS
WITH
    (SELECT (currency, zone, codes, places, rates) FROM onethread.facts_money) AS money,
    ifNull(nullIf(money.2, ''), 'UTC') AS zone
SELECT
    return_id, nullIf(order_id, '') AS order_id, person_id, person_shared, asked_at, returned_at, channel, store_id,
    staff, amount, currency,
    if(currency = money.1, toDecimal128(1, 12), arrayElementOrNull(money.5, transform(
        toUInt64(toUInt32(toDate(returned_at, zone))) * 16777216 + reinterpretAsUInt32(ifNull(currency, '')),
        money.3, money.4, toUInt32(0)
    ))) AS rate,
    outcome, reason, partial, other_channel
FROM onethread.facts_returns AS r FINAL
WHERE multiIf(
    r.order_id = '', (person_id, return_id) NOT IN (
        SELECT person_id, return_id FROM onethread.facts_returns FINAL WHERE order_id != ''
    ),
    cityHash64(r.order_id) NOT IN onethread.facts_orders_in_doubt, true,
    (r.order_id, person_id) IN onethread.facts_orders_winning
)
