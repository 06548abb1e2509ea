-- The same cut as sessions, for each channel and device of a person: so a visit has one channel and switches nothing.
CREATE OR REPLACE VIEW onethread.visits AS
SELECT
    visit_id, session_id, person_id, started_at, ended_at, touchpoints, channel, device, referrer,
    CAST([channel], 'Array(String)') AS channels,
    CAST(arrayFilter(d -> d IS NOT NULL, [device]), 'Array(String)') AS devices,
    toUInt64(0) AS switches, toUInt64(0) AS device_switches, false AS parallel,
    channel AS entry_channel, channel AS exit_channel, entry_campaign, stores, order_ids
FROM onethread.facts_visits FINAL
