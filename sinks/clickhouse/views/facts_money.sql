-- Not for analysts: one row with all that it takes to bring money to the reporting currency. A rate holds on its day and
-- until the next one of its currency, at most 7 days more. `codes` are a number for each day and currency for which a
-- rate holds, `rates` the rates in the same order; a view looks a code up (the numbers `places`) only where its column
-- of reporting money is asked for, which a join would do every time. The code of a day and a currency of three letters:
-- toUInt64(toUInt32(day)) * 16777216 + reinterpretAsUInt32(currency).
CREATE OR REPLACE VIEW onethread.facts_money AS
SELECT
    (SELECT reporting_currency FROM onethread.settings) AS currency,
    (SELECT reporting_zone FROM onethread.settings) AS zone,
    groupArray(toUInt64(toUInt32(holds_on)) * 16777216 + reinterpretAsUInt32(CAST(r.currency, 'String'))) AS codes,
    arrayMap(n -> toUInt32(n), range(1, toUInt32(count()) + 1)) AS places,
    groupArray(toNullable(rate)) AS rates
FROM (
    SELECT currency, rate, arrayJoin(arrayMap(n -> day + n, range(days))) AS holds_on
    FROM (
        SELECT
            currency, day, rate,
            leadInFrame(toNullable(day)) OVER (
                PARTITION BY currency ORDER BY day ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
            ) AS next_day,
            toUInt8(least(8, ifNull(dateDiff('day', day, next_day), 8))) AS days
        FROM onethread.facts_rates FINAL
    )
) AS r
