-- Observations that identify nobody, such as randomised MAC addresses: counted, kept by place, no person's.
CREATE OR REPLACE VIEW onethread.unidentifiable AS
SELECT event_id, channel, type, occurred_at, reason FROM onethread.facts_unidentifiable FINAL
