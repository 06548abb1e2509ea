-- From which channel to which people move on the way to an order, by journeys that are over: how often, how many of these
-- switches lay in a journey that converted, and how many were the last before the journey was abandoned. `devices` are the
-- changes of device that went with it, where both devices are known.
CREATE OR REPLACE VIEW onethread.channel_switches AS
SELECT
    from_channel, to_channel,
    arraySort(arrayMap(pair -> concat(pair.1, ' → ', pair.2), groupUniqArrayIf(
        (from_device, to_device), from_device != to_device AND from_device != '' AND to_device != ''
    ))) AS devices,
    count() AS switches,
    countIf(time_in_journey = 1) AS journeys,
    countIf(outcome = 'converted') AS in_converted,
    countIf(outcome = 'abandoned' AND place = length(froms)) AS lost_here,
    lost_here / switches AS lost_share,
    quantileExactInclusive(0.5)(dateDiff('millisecond', from_at, to_at)) / 1000 AS median_gap_s
FROM (
    SELECT
        outcome, arrayPopBack(path) AS froms, arrayPopFront(path) AS tos, arrayPopBack(path_devices) AS from_devices,
        arrayPopFront(path_devices) AS to_devices, arrayPopBack(path_at) AS from_ats, arrayPopFront(path_at) AS to_ats
    FROM onethread.facts_ways
    WHERE outcome != 'open' AND length(path) > 1 /* period of started_at */
)
ARRAY JOIN
    froms AS from_channel, tos AS to_channel, from_devices AS from_device, to_devices AS to_device, from_ats AS from_at,
    to_ats AS to_at, arrayEnumerate(froms) AS place, arrayEnumerateUniq(froms, tos) AS time_in_journey
GROUP BY from_channel, to_channel
