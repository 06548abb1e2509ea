-- What is sold, as loaded with `onethread load products`; cost is ours, for one unit.
CREATE OR REPLACE VIEW onethread.products AS
SELECT sku, name, category, brand, cost, currency FROM onethread.facts_products FINAL
