-- What a customer wanted and could not have.
ALTER TABLE onethread.facts_touchpoints
    ADD COLUMN IF NOT EXISTS unavailable Array(String) AFTER properties;
