-- How long customers waited for our first word, by the channel on which their conversation began.
-- `asked` are those in which the customer asked something.
CREATE OR REPLACE VIEW onethread.response_times AS
WITH (SELECT as_of FROM onethread.settings) AS present
SELECT
    channels[1] AS channel, bot, count() AS asked, countIf(first_response_s IS NOT NULL) AS answered,
    countIf(first_response_s IS NULL AND waiting_since < present - INTERVAL 1 HOUR) AS unanswered_over_1h,
    answered / asked AS share_answered,
    countIf(first_response_s <= 900) / asked AS share_within_15_min,
    quantileExactOrNull(0.5)(first_response_s) AS median_first_response_s,
    quantileExactOrNull(0.9)(first_response_s) AS p90_first_response_s,
    maxOrNull(c.longest_wait_s) AS longest_wait_s
FROM onethread.conversations AS c
WHERE (first_response_s IS NOT NULL OR waiting_since IS NOT NULL) /* period of c.started_at */
GROUP BY channel, bot
