-- How well what we see on a channel is joined with the rest: persons with a touchpoint there (whatever its role), how many of
-- them were met on another channel too, or in another family of channels, and how many are known by name. Shared
-- pseudo-persons are left out.
CREATE OR REPLACE VIEW onethread.connectivity AS
SELECT
    m.channel AS channel, c.family AS family, m.persons AS persons, m.joined AS joined, m.joined / m.persons AS share,
    m.joined_family AS joined_family, m.joined_family / m.persons AS family_share, m.known AS known,
    m.known / m.persons AS known_share
FROM (
    SELECT
        CAST(arrayJoin(channels), 'String') AS channel, count() AS persons, countIf(length(channels) > 1) AS joined,
        countIf(bitAnd(families, families - 1) > 0) AS joined_family,
        countIf(person_id IN (SELECT person_id FROM onethread.facts_persons FINAL WHERE known AND NOT shared)) AS known
    FROM (
        SELECT
            person_id, groupArray(channel) AS channels,
            toInt64(groupBitOr(toUInt8(multiIf(
                channel IN (SELECT channel FROM onethread.channels WHERE family = 'online'), 1,
                channel IN (SELECT channel FROM onethread.channels WHERE family = 'store'), 2,
                channel IN (SELECT channel FROM onethread.channels WHERE family = 'phone'), 4, 8
            )))) AS families
        FROM onethread.facts_person_channels FINAL
        GROUP BY person_id
    )
    GROUP BY channel
) AS m
LEFT JOIN onethread.channels AS c ON c.channel = m.channel
