-- Of how many known people we know each trait, preference or consent now, how old the knowledge is, and how often it
-- changed. Keys that nobody has any more are left out.
CREATE OR REPLACE VIEW onethread.trait_coverage AS
WITH
    (SELECT as_of FROM onethread.settings) AS present,
    people AS (SELECT person_id FROM onethread.facts_persons FINAL WHERE known AND NOT shared),
    (SELECT count() FROM people) AS known,
    said AS (
        SELECT 'trait' AS attribute, person_id, key, valid_from, valid_to, source
        FROM onethread.facts_person_traits FINAL
        UNION ALL
        SELECT 'preference', person_id, key, valid_from, valid_to, source FROM onethread.facts_preferences FINAL
        UNION ALL
        SELECT 'consent', person_id, key, valid_from, valid_to, source FROM onethread.facts_consents FINAL
    )
SELECT
    attribute, key, uniqExactIf(person_id, valid_to IS NULL) AS persons, persons / known AS share,
    countIf(valid_to IS NOT NULL) AS outdated, arraySort(groupUniqArrayIf(source, valid_to IS NULL)) AS sources,
    max(valid_from) AS newest_at,
    quantileExactOrNullIf(0.5)(dateDiff('day', valid_from, present), valid_to IS NULL) AS median_age_days
FROM said
WHERE person_id IN people
GROUP BY attribute, key
HAVING persons > 0
