-- What each touch of the journey to a counted order earns of it, by six rule models. Credits of an order and a model sum
-- to 1, and their revenue to the order's, to the last digit: each touch gets its share cut to it, the last one what
-- that leaves. Of several orders of one order_id only the one that the view orders shows is credited.
CREATE OR REPLACE VIEW onethread.credits AS
WITH
    (share, whole) -> toDecimal64(trunc(toDecimal128(whole, 4) * share, 4), 4) AS part,
    (shares, whole) -> arrayPushBack(
        arrayMap(share -> part(share, whole), arrayPopBack(shares)),
        toDecimal64(whole - arraySum(arrayMap(share -> part(share, whole), arrayPopBack(shares))), 4)
    ) AS parts
SELECT
    order_id, person_id, model, event_id, touch, at, channel,
    nullIf(campaign_source, '') AS campaign_source, nullIf(campaign_medium, '') AS campaign_medium,
    nullIf(campaign_name, '') AS campaign_name,
    credit,
    if(order_revenue IS NULL, NULL, of_revenue) AS revenue,
    if(order_reporting IS NULL, NULL, of_reporting) AS revenue_reporting,
    currency
FROM (
    SELECT
        c.order_id AS order_id, c.person_id AS person_id, c.event_ids AS event_ids, c.touches AS touches, c.ats AS ats,
        c.channels AS channels, c.campaign_sources AS campaign_sources, c.campaign_mediums AS campaign_mediums,
        c.campaign_names AS campaign_names, o.revenue AS order_revenue, o.revenue_reporting AS order_reporting,
        o.currency AS currency,
        arrayJoin([
            ('first', c.first), ('last', c.last), ('last_non_direct', c.last_non_direct), ('linear', c.linear),
            ('time_decay', c.time_decay), ('position', c.position)
        ]) AS by_model,
        by_model.1 AS model, by_model.2 AS shares
    FROM onethread.facts_credits AS c FINAL
    INNER JOIN (
        SELECT order_id, person_id, revenue, revenue_reporting, currency FROM onethread.orders
    ) AS o ON o.order_id = c.order_id AND o.person_id = c.person_id
)
ARRAY JOIN
    event_ids AS event_id, touches AS touch, ats AS at, channels AS channel, campaign_sources AS campaign_source,
    campaign_mediums AS campaign_medium, campaign_names AS campaign_name, shares AS credit,
    parts(shares, ifNull(order_revenue, 0)) AS of_revenue, parts(shares, ifNull(order_reporting, 0)) AS of_reporting
