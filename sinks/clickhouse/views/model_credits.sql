-- As `credits`, by run of a batch model; `name` is the channel or campaign that the model weighed. The touches are those of
-- the run; person and revenue are the order's now, so the credited revenue of an order is its revenue to the last digit
-- after returns and merges too. Orders that are no longer counted, and those whose person was forgotten, are not there.
CREATE OR REPLACE VIEW onethread.model_credits AS
WITH
    (share, whole) -> toDecimal64(trunc(toDecimal128(whole, 4) * share, 4), 4) AS part,
    (shares, whole) -> arrayPushBack(
        arrayMap(share -> part(share, whole), arrayPopBack(shares)),
        toDecimal64(whole - arraySum(arrayMap(share -> part(share, whole), arrayPopBack(shares))), 4)
    ) AS parts
SELECT
    run_id, order_id, person_id, model, event_id, touch, at, channel,
    nullIf(campaign_source, '') AS campaign_source, nullIf(campaign_medium, '') AS campaign_medium,
    nullIf(campaign_name, '') AS campaign_name, name, credit,
    if(order_revenue IS NULL, NULL, of_revenue) AS revenue,
    if(order_reporting IS NULL, NULL, of_reporting) AS revenue_reporting,
    currency
FROM (
    SELECT
        c.run_id AS run_id, c.order_id AS order_id, o.person_id AS person_id, r.model AS model, c.event_ids AS event_ids,
        c.touches AS touches, c.ats AS ats, c.channels AS channels, c.campaign_sources AS campaign_sources,
        c.campaign_mediums AS campaign_mediums, c.campaign_names AS campaign_names, c.names AS names,
        c.credits AS shares, o.revenue AS order_revenue, o.revenue_reporting AS order_reporting, o.currency AS currency
    FROM onethread.batch_order_credits AS c
    INNER JOIN onethread.batch_runs AS r ON r.run_id = c.run_id
    INNER JOIN (
        SELECT order_id, person_id, revenue, revenue_reporting, currency FROM onethread.counted_orders
    ) AS o ON o.order_id = c.order_id
)
ARRAY JOIN
    event_ids AS event_id, touches AS touch, ats AS at, channels AS channel, campaign_sources AS campaign_source,
    campaign_mediums AS campaign_medium, campaign_names AS campaign_name, names AS name, shares AS credit,
    parts(shares, ifNull(order_revenue, 0)) AS of_revenue, parts(shares, ifNull(order_reporting, 0)) AS of_reporting
