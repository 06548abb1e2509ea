-- Not for analysts: hashes of the order_ids under which more than one person was ever seen. They are rare, and finding
-- them is a cheap scan; only they need to be compared row by row.
CREATE OR REPLACE VIEW onethread.facts_orders_in_doubt AS
SELECT cityHash64(order_id) AS hash
FROM onethread.facts_orders
GROUP BY hash
HAVING min(person_id) != max(person_id)
