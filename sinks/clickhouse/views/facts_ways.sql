-- Not for analysts: journeys with their outcome as of `as_of`, without the money of their orders, which costs a join.
CREATE OR REPLACE VIEW onethread.facts_ways AS
WITH
    (SELECT (as_of, toInt64(round(journey_gap * 1000))) FROM onethread.settings) AS clock,
    toUnixTimestamp64Milli(assumeNotNull(clock.1)) AS as_of_ms
SELECT
    journey_id, person_id, started_at, last_step_at, last_touchpoint_at,
    multiIf(
        order_id IS NOT NULL, 'converted',
        as_of_ms - toUnixTimestamp64Milli(last_step_at) > assumeNotNull(clock.2), 'abandoned', 'open'
    ) AS outcome,
    order_id, path, path_at, path_touchpoints, path_devices, channels, device_switches, touchpoints, start_event_id,
    start_channel, start_campaign_source, start_campaign_name, end_channel, end_type, stage,
    if(
        ifNull(as_of_ms - toUnixTimestamp64Milli(unanswered_at) > 3600000, false),
        arrayPushBack(obstacles, 'message_unanswered'), obstacles
    ) AS obstacles,
    dateDiff('millisecond', started_at, last_step_at) / 86400000 AS days, after_sale
FROM onethread.facts_journeys FINAL
