-- What one unit of a currency was worth in the reporting currency, as loaded with `onethread load rates`.
CREATE OR REPLACE VIEW onethread.rates AS
SELECT day, currency, rate FROM onethread.facts_rates FINAL
