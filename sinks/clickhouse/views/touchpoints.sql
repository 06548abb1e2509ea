-- Every event of every person, once; `nodes` are the identifiers that it names, by the key of the view identifiers.
-- Journeys come with the analytics views: their columns are NULL until then.
CREATE OR REPLACE VIEW onethread.touchpoints AS
WITH (SELECT reporting_currency FROM onethread.settings) AS reporting
SELECT
    event_id, person_id, session_id, visit_id,
    CAST(NULL, 'Nullable(UUID)') AS journey_id,
    order_id, conversation_id, message_id,
    occurred_at, local_at, received_at,
    channel, source, device, language, type, role, store_id, staff, skus, query,
    campaign_source, campaign_medium, campaign_name, campaign_term, campaign_content, click_id,
    cost, cost_currency, if(cost_currency = reporting, cost, NULL) AS cost_reporting,
    amount, currency,
    CAST(NULL, 'Nullable(Bool)') AS after_sale,
    identified_by, nodes, properties, copies, conflicts
FROM onethread.facts_touchpoints FINAL
