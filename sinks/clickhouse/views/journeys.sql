-- A person's way to an order. converted: an order was placed; abandoned: more than journey_gap has passed since its last
-- interaction, as of `as_of`; open: not yet. `ended_at` is its last interaction, NULL while it is open. `path` is drawn
-- over interactions and exposures, `after_sale` counts what came after the placing and names the order. Money is the
-- order's. A message of the customer is unanswered when nothing answered it within an hour.
CREATE OR REPLACE VIEW onethread.journeys AS
SELECT
    j.journey_id AS journey_id, j.person_id AS person_id, j.started_at AS started_at,
    if(j.outcome = 'open', NULL, j.last_step_at) AS ended_at,
    j.last_touchpoint_at AS last_touchpoint_at,
    j.outcome AS outcome,
    j.order_id AS order_id, o.revenue AS revenue, o.revenue_reporting AS revenue_reporting, o.currency AS currency,
    j.path AS path, j.path_at AS path_at, j.path_touchpoints AS path_touchpoints, j.path_devices AS path_devices,
    j.channels AS channels, toUInt64(length(j.path) - 1) AS switches, j.device_switches AS device_switches,
    j.touchpoints AS touchpoints, j.start_event_id AS start_event_id, j.start_channel AS start_channel,
    j.start_campaign_source AS start_campaign_source, j.start_campaign_name AS start_campaign_name,
    j.end_channel AS end_channel, j.end_type AS end_type, j.stage AS stage, j.obstacles AS obstacles,
    j.days AS days, j.after_sale AS after_sale
FROM onethread.facts_ways AS j
LEFT JOIN (
    SELECT person_id, order_id, revenue, revenue_reporting, currency FROM onethread.orders
) AS o ON o.person_id = j.person_id AND o.order_id = j.order_id
