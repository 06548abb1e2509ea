-- What each campaign cost on each day of the reporting zone: as loaded (`told_by` campaign_costs) where there is a record
-- for that day, source, medium and name, else what the events of that campaign-day tell (`told_by` events); never both.
-- Money without a rate is left out of cost_reporting and counted in `unconverted`.
CREATE OR REPLACE VIEW onethread.campaign_spend AS
WITH
    (SELECT (currency, zone, codes, places, rates) FROM onethread.facts_money) AS money,
    ifNull(nullIf(money.2, ''), 'UTC') AS zone,
    loaded AS (
        SELECT
            day, nullIf(source, '') AS source, nullIf(medium, '') AS medium, nullIf(name, '') AS name,
            impressions, clicks,
            if(currency = money.1, cost, accurateCastOrNull(roundBankers(cost * arrayElementOrNull(money.5, transform(
                toUInt64(toUInt32(day)) * 16777216 + reinterpretAsUInt32(CAST(currency, 'String')),
                money.3, money.4, toUInt32(0)
            )), 4), 'Decimal(18, 4)')) AS converted
        FROM onethread.facts_campaign_costs FINAL
    )
SELECT
    day, CAST(source, 'Nullable(String)') AS source, medium, name, 'campaign_costs' AS told_by, impressions, clicks,
    ifNull(converted, 0) AS cost_reporting, toUInt64(converted IS NULL) AS unconverted
FROM loaded
UNION ALL
SELECT
    toDate(occurred_at, zone) AS day, CAST(campaign_source, 'Nullable(String)'), CAST(campaign_medium, 'Nullable(String)'),
    campaign_name, 'events',
    toNullable(countIf(type = 'ad_viewed')), toNullable(countIf(type = 'ad_clicked')),
    CAST(ifNull(sum(converted), 0), 'Decimal(18, 4)'), countIf(converted IS NULL)
FROM (
    SELECT
        *,
        if(cost_currency = money.1, cost, accurateCastOrNull(roundBankers(cost * arrayElementOrNull(money.5, transform(
            toUInt64(toUInt32(toDate(occurred_at, zone))) * 16777216 + reinterpretAsUInt32(ifNull(cost_currency, '')),
            money.3, money.4, toUInt32(0)
        )), 4), 'Decimal(18, 4)')) AS converted
    FROM onethread.facts_touchpoints FINAL
    PREWHERE cost IS NOT NULL OR is_deleted OR conflicts > 0
)
WHERE cost IS NOT NULL
    AND NOT (campaign_source IS NULL AND campaign_medium IS NULL AND campaign_name IS NULL)
    AND (toDate(occurred_at, zone), ifNull(campaign_source, ''), ifNull(campaign_medium, ''), ifNull(campaign_name, ''))
        NOT IN (SELECT day, CAST(source, 'String'), medium, name FROM onethread.facts_campaign_costs FINAL)
GROUP BY day, campaign_source, campaign_medium, campaign_name
