-- The receipts of our stores: orders placed on pos and not cancelled, those of shared pseudo-persons (a till's e-mail, a
-- cashier's card) among them, as anonymous ones. `method` is the kind that named the buyer then, `anonymous` where none did;
-- `identified_later`: nobody was named then, and who it was is known now. Weeks begin on Monday, in the reporting zone.
CREATE OR REPLACE VIEW onethread.receipts AS
WITH
    (SELECT reporting_zone FROM onethread.settings) AS told_zone,
    ifNull(nullIf(told_zone, ''), 'UTC') AS zone
SELECT
    order_id, person_id, placed_store_id AS store_id,
    assumeNotNull(o.placed_at) AS placed_at, toStartOfWeek(assumeNotNull(o.placed_at), 1, zone) AS week,
    CAST(o.anonymous OR person_shared, 'Bool') AS anonymous,
    if(o.anonymous OR person_shared, 'anonymous', ifNull(CAST(identified_by, 'Nullable(String)'), 'anonymous')) AS method,
    CAST(o.anonymous AND person_id IN (
        SELECT person_id FROM onethread.facts_persons FINAL WHERE known AND NOT shared
    ), 'Bool') AS identified_later,
    CAST(person_id IN (
        SELECT person_id FROM onethread.facts_persons FINAL
        WHERE known AND NOT shared AND identifier_kinds['loyalty_card'] > 0
    ), 'Bool') AS has_card,
    revenue_reporting
FROM onethread.orders AS o
WHERE o.placed_at IS NOT NULL AND status != 'cancelled' AND placed_channel = 'pos'
