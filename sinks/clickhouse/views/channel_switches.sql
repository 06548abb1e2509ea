-- From which channel to which people move on the way to an order, by journeys that are over: how often, how many of these
-- switches lay in a journey that converted, and how many were the last before the journey was abandoned. `devices` are the
-- changes of device that went with it, where both devices are known.
CREATE OR REPLACE VIEW onethread.channel_switches AS
SELECT
    from_channel, to_channel,
    arraySort(groupUniqArrayIf(
        concat(from_device, ' → ', to_device), from_device != to_device AND from_device != '' AND to_device != ''
    )) AS devices,
    count() AS switches,
    uniqExact(person_id, journey_id) AS journeys,
    countIf(outcome = 'converted') AS in_converted,
    countIf(outcome = 'abandoned' AND is_last) AS lost_here,
    lost_here / switches AS lost_share,
    quantileExactInclusive(0.5)(gap_ms) / 1000 AS median_gap_s
FROM (
    SELECT
        person_id, journey_id, outcome,
        arrayJoin(arrayMap(i -> (
            path[i], path[i + 1], path_devices[i], path_devices[i + 1], i + 1 = length(path),
            dateDiff('millisecond', path_at[i], path_at[i + 1])
        ), range(1, length(path)))) AS switch,
        switch.1 AS from_channel, switch.2 AS to_channel, switch.3 AS from_device, switch.4 AS to_device,
        switch.5 AS is_last, switch.6 AS gap_ms
    FROM onethread.journeys
    WHERE outcome != 'open' /* period of started_at */
)
GROUP BY from_channel, to_channel
