-- Every event of every person, once; `nodes` are the identifiers that it names, by the key of the view identifiers.
-- cost_reporting is at the rate of the day in the reporting zone, NULL where there is none at most 7 days old.
CREATE OR REPLACE VIEW onethread.touchpoints AS
WITH
    (SELECT (currency, zone, codes, places, rates) FROM onethread.facts_money) AS money,
    ifNull(nullIf(money.2, ''), 'UTC') AS zone
SELECT
    event_id, person_id, session_id, visit_id,
    journey_id,
    order_id, conversation_id, message_id,
    occurred_at, local_at, received_at,
    channel, source, device, language, type, role, store_id, staff, skus, query,
    campaign_source, campaign_medium, campaign_name, campaign_term, campaign_content, click_id,
    cost, cost_currency,
    if(cost_currency = money.1, cost, accurateCastOrNull(roundBankers(cost * arrayElementOrNull(money.5, transform(
        toUInt64(toUInt32(toDate(occurred_at, zone))) * 16777216 + reinterpretAsUInt32(ifNull(cost_currency, '')),
        money.3, money.4, toUInt32(0)
    )), 4), 'Decimal(18, 4)')) AS cost_reporting,
    amount, currency,
    after_sale,
    identified_by, nodes, properties, unavailable, score, scale_max, copies, conflicts
FROM onethread.facts_touchpoints FINAL
