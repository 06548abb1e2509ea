-- What a run of attribution found of each channel or campaign: for markov the removal effect (the share of conversions
-- that would be lost without it), for shapley its value as a part of all conversions; `share` is the part of all weights.
CREATE OR REPLACE VIEW onethread.model_weights AS
SELECT w.run_id AS run_id, r.model AS model, r.at AS at, r.parameters['by'] AS basis, w.name AS name, w.weight AS weight,
    w.share AS share, w.conversions AS conversions
FROM onethread.batch_weights AS w
INNER JOIN onethread.batch_runs AS r ON r.run_id = w.run_id
