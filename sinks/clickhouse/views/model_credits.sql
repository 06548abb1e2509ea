-- As `credits`, by run of a batch model; `name` is the channel or campaign that the model weighed. The touches are those of the run; person and revenue are the order's now, so the
-- credited revenue of an order is its revenue to the last digit after returns and merges too. Orders that are no longer
-- counted, and those whose person was forgotten, are not there.
CREATE OR REPLACE VIEW onethread.model_credits AS
SELECT
    c.run_id AS run_id, c.order_id AS order_id, o.person_id AS person_id, r.model AS model, c.event_id AS event_id,
    c.touch AS touch, c.at AS at, c.channel AS channel, c.campaign_source AS campaign_source,
    c.campaign_medium AS campaign_medium, c.campaign_name AS campaign_name, c.name AS name, c.credit AS credit,
    CAST(toDecimal128(o.revenue, 4) * c.through, 'Nullable(Decimal(18, 4))')
        - CAST(toDecimal128(o.revenue, 4) * (c.through - c.credit), 'Nullable(Decimal(18, 4))') AS revenue,
    CAST(toDecimal128(o.revenue_reporting, 4) * c.through, 'Nullable(Decimal(18, 4))')
        - CAST(toDecimal128(o.revenue_reporting, 4) * (c.through - c.credit), 'Nullable(Decimal(18, 4))')
        AS revenue_reporting,
    o.currency AS currency
FROM onethread.batch_credits AS c
INNER JOIN onethread.batch_runs AS r ON r.run_id = c.run_id
INNER JOIN (
    SELECT order_id, person_id, revenue, revenue_reporting, currency FROM onethread.orders
    WHERE placed_at IS NOT NULL AND status != 'cancelled' AND NOT person_shared
) AS o ON o.order_id = c.order_id
