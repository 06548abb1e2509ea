-- Returns that were decided on, by month, channel and store: how many were refused, what they were worth, how often the
-- goods came from another channel, and whether these customers ever bought again within 90 days. Shared pseudo-persons
-- are left out. Money without a rate is counted in `unconverted`.
CREATE OR REPLACE VIEW onethread.refused_returns AS
WITH
    ifNull(nullIf((SELECT reporting_zone FROM onethread.settings), ''), 'UTC') AS zone,
    bought AS (
        SELECT person_id, groupArray(assumeNotNull(placed_at)) AS at FROM onethread.orders
        WHERE placed_at IS NOT NULL AND status != 'cancelled'
            AND person_id IN (SELECT person_id FROM onethread.facts_returns FINAL WHERE outcome = 'refused')
        GROUP BY person_id
    )
SELECT
    toStartOfMonth(toDate(returned_at, zone)) AS month, channel, store_id,
    countIf(outcome != 'asked') AS returns, countIf(outcome = 'refused') AS refused, refused / returns AS refused_share,
    CAST(sumIf(ifNull(roundBankers(amount * rate, 4), 0), outcome = 'refused'), 'Decimal(18, 4)') AS amount_refused,
    countIf(outcome = 'refused' AND amount IS NOT NULL AND rate IS NULL) AS unconverted,
    countIf(outcome = 'refused' AND ifNull(other_channel, false)) AS refused_of_other_channel,
    uniqExactIf(r.person_id, outcome = 'refused') AS persons,
    uniqExactIf(r.person_id, outcome = 'refused' AND arrayExists(
        at -> at > returned_at AND at <= returned_at + INTERVAL 90 DAY, b.at
    )) AS bought_again,
    sumMapIf(map(ifNull(reason, ''), 1), outcome = 'refused') AS reasons
FROM onethread.returns AS r
LEFT JOIN bought AS b ON b.person_id = r.person_id
WHERE outcome != 'asked' AND NOT person_shared /* period of returned_at */
GROUP BY month, channel, store_id
