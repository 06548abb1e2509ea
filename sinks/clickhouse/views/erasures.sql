-- What erasures took out of past months, without names: a row for each month and currency (none: touchpoints alone), one
-- with an empty month where nothing was held. Months are of the reporting zone, revenue is that of orders placed in them.
CREATE OR REPLACE VIEW onethread.erasures AS
SELECT at, receipt_id, month, currency, touchpoints, orders, revenue FROM onethread.facts_erasures FINAL
