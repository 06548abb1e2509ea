-- What somebody decided about two identifiers: they are one person's (link), or never are (unlink). Dropped rules are
-- not shown.
CREATE OR REPLACE VIEW onethread.rules AS
SELECT rule_id, verb, kind_a, value_a, kind_b, value_b, at, reason FROM onethread.facts_rules FINAL
