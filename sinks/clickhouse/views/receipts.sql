-- The receipts of our stores: orders placed on pos and not cancelled, those of shared pseudo-persons (a till's e-mail, a
-- cashier's card) among them, as anonymous ones. `method` is the kind that named the buyer then, `anonymous` where none did;
-- `identified_later`: nobody was named then, and who it was is known now. Weeks begin on Monday, in the reporting zone.
CREATE OR REPLACE VIEW onethread.receipts AS
WITH
    (SELECT reporting_zone FROM onethread.settings) AS told_zone,
    ifNull(nullIf(told_zone, ''), 'UTC') AS zone
SELECT
    o.order_id AS order_id, o.person_id AS person_id, o.placed_store_id AS store_id,
    assumeNotNull(o.placed_at) AS placed_at, toStartOfWeek(assumeNotNull(o.placed_at), 1, zone) AS week,
    CAST(o.anonymous OR o.person_shared, 'Bool') AS anonymous,
    if(o.anonymous OR o.person_shared, 'anonymous', ifNull(CAST(o.identified_by, 'Nullable(String)'), 'anonymous')) AS method,
    CAST(o.anonymous AND p.known AND NOT p.shared, 'Bool') AS identified_later,
    CAST(p.known AND NOT p.shared AND p.identifier_kinds['loyalty_card'] > 0, 'Bool') AS has_card,
    o.revenue_reporting AS revenue_reporting
FROM onethread.orders AS o
LEFT JOIN (
    SELECT person_id, known, shared, identifier_kinds FROM onethread.facts_persons FINAL
) AS p ON p.person_id = o.person_id
WHERE o.placed_at IS NOT NULL AND o.status != 'cancelled' AND o.placed_channel = 'pos'
