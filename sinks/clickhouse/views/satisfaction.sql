-- What people say of us in figures, by month of the reporting zone, channel, store and staff.
-- `average` is score / scale_max, so that scales compare; without a scale it is left out.
CREATE OR REPLACE VIEW onethread.satisfaction AS
WITH
    (SELECT tuple(reporting_zone) FROM onethread.settings) AS clock,
    ifNull(nullIf(clock.1, ''), 'UTC') AS zone
SELECT
    toStartOfMonth(toDate(occurred_at, zone)) AS month, channel, store_id, staff,
    countIf(score IS NOT NULL) AS answers, uniqExactIf(person_id, score IS NOT NULL) AS persons,
    countIf(scale_max > 0 AND score IS NOT NULL) AS scored,
    avgOrNullIf(score / scale_max, scale_max > 0) AS average,
    countIf(scale_max > 0 AND score / scale_max >= 0.8) AS content,
    countIf(scale_max > 0 AND score / scale_max <= 0.4) AS discontent,
    countIf(type = 'complaint_made') AS complaints
FROM onethread.facts_touchpoints FINAL
PREWHERE score IS NOT NULL OR type = 'complaint_made' OR is_deleted OR conflicts > 0
WHERE (score IS NOT NULL OR type = 'complaint_made') /* period of occurred_at */
GROUP BY month, channel, store_id, staff
