-- Who works for us, as loaded with `onethread load staff`; id is the staff of touchpoints.
CREATE OR REPLACE VIEW onethread.staff AS
SELECT id, name, role, team, skills FROM onethread.facts_staff FINAL
