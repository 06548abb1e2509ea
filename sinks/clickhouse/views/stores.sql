-- Where customers meet us in person, as loaded with `onethread load stores`.
CREATE OR REPLACE VIEW onethread.stores AS
SELECT store_id, name, city, region, country, zone, opening_hours FROM onethread.facts_stores FINAL
