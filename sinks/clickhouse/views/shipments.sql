-- How the goods of an order reach its customer, of the row that the view orders shows. `late` is against the last promise:
-- delivered after it, or not yet delivered and it has passed at as_of; NULL where nothing was promised, or the order was
-- cancelled before.
CREATE OR REPLACE VIEW onethread.shipments AS
WITH (SELECT as_of FROM onethread.settings) AS as_of
SELECT
    shipment_id, order_id, person_id, method, carrier, status, promised_at, delivered_at,
    ifNull(delivered_at, if(ifNull(status = 'cancelled', false), NULL, as_of)) > promised_at AS late,
    delayed, store_id, cost, currency
FROM onethread.facts_shipments FINAL
WHERE cityHash64(order_id) NOT IN onethread.facts_orders_in_doubt
    OR (order_id, person_id) IN onethread.facts_orders_winning
