-- What campaigns cost by day, as loaded with `onethread load campaign_costs`; NULL where no medium or name was told.
CREATE OR REPLACE VIEW onethread.campaign_costs AS
SELECT day, source, nullIf(medium, '') AS medium, nullIf(name, '') AS name, impressions, clicks, cost, currency
FROM onethread.facts_campaign_costs FINAL
