-- Every run of a batch model that is kept: ltv, markov, shapley. `parameters` are what it was given and what it found, as
-- texts; `report` is a JSON document (for ltv the comparison with what it was not shown).
CREATE OR REPLACE VIEW onethread.model_runs AS
SELECT run_id, model, at, as_of, parameters, report FROM onethread.batch_runs
