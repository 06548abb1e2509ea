-- One person's interactions without a pause longer than session_gap, over all channels and devices.
CREATE OR REPLACE VIEW onethread.sessions AS
SELECT
    session_id, person_id, started_at, ended_at, touchpoints, channels, devices, switches, device_switches, parallel,
    entry_channel, exit_channel, entry_campaign, stores, order_ids
FROM onethread.facts_sessions FINAL
