-- What people say in feedback, as a score on a scale.

ALTER TABLE onethread.facts_touchpoints
    ADD COLUMN IF NOT EXISTS score Nullable(Float64) AFTER unavailable,
    ADD COLUMN IF NOT EXISTS scale_max Nullable(Float64) AFTER score;
