-- How often customers had to say again what they had said, by what they went through, of conversations in
-- which the customer said something.
CREATE OR REPLACE VIEW onethread.said_again AS
SELECT
    multiIf(length(channels) > 1 AND staff_changes > 0, 'several channels and staff', length(channels) > 1,
            'several channels', staff_changes > 0, 'several staff', 'one channel, one of staff') AS across,
    count() AS conversations, countIf(c.repeats > 0) AS said_again, said_again / conversations AS share,
    sum(c.repeats) AS repeats, countIf(order_id IS NOT NULL) AS with_order, with_order / conversations AS order_share,
    countIf(order_id IS NOT NULL AND c.repeats > 0) / nullIf(said_again, 0) AS order_share_said_again
FROM onethread.conversations AS c
WHERE (messages_in > 0 OR calls > 0) /* period of c.started_at */
GROUP BY across
