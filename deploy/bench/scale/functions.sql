-- What rows.sql is made of: everything is a function of row numbers, so the same rows come out on every machine.

CREATE OR REPLACE FUNCTION of_percent AS (salt, k, percent) -> cityHash64(salt, k) % 1000 < percent * 10;
CREATE OR REPLACE FUNCTION one_of AS (salt, k, texts) -> texts[1 + cityHash64(salt, k) % length(texts)];
CREATE OR REPLACE FUNCTION moment AS (salt, k) -> toDateTime64('2024-07-01 00:00:00', 3, 'UTC')
    + toIntervalMillisecond(cityHash64(salt, k) % (729 * 86400000));
CREATE OR REPLACE FUNCTION named AS (prefix, k) -> concat(prefix, toString(k));
CREATE OR REPLACE FUNCTION id_of AS (salt, k) -> reinterpretAsUUID(sipHash128(salt, toUInt64(k)));
-- A tenth of the people has half of everything.
CREATE OR REPLACE FUNCTION somebody AS (salt, k, persons) ->
    toUInt64(persons * pow((cityHash64(salt, k) % 1000000) / 1000000, 3.3));
-- The first twenty are pseudo-persons: shared identifiers, such as a till's e-mail.
CREATE OR REPLACE FUNCTION is_shared AS (person) -> person < 20;
CREATE OR REPLACE FUNCTION is_known AS (person) -> person >= 20 AND of_percent('known', person, 60);
CREATE OR REPLACE FUNCTION channel_of AS (salt, k) -> one_of(salt, k, [
    'web', 'web', 'app', 'ads', 'email', 'chat', 'telegram', 'instagram', 'pos', 'pos', 'wifi', 'call_centre']);
CREATE OR REPLACE FUNCTION device_of AS (salt, k) -> one_of(salt, k, ['desktop', 'mobile', 'mobile', 'tablet', '']);
CREATE OR REPLACE FUNCTION store_of AS (salt, k) -> named('S', cityHash64(salt, k) % 200);
CREATE OR REPLACE FUNCTION product_of AS (salt, k) -> named('sku', toUInt64(
    20000 * pow((cityHash64(salt, k) % 1000000) / 1000000, 2)));
CREATE OR REPLACE FUNCTION campaign_of AS (salt, k) -> if(of_percent(named('win', salt), k, 5), 'spring win-back',
    named('campaign ', cityHash64(salt, k) % 20));
-- An order, by its number: half of the people buy; orders 0 to 3 of 1000 are told by a second person's events too.
CREATE OR REPLACE FUNCTION buyer_of AS (k, persons) ->
    toUInt64(persons * 0.5 * pow((cityHash64('buyer', k) % 1000000) / 1000000, 1.5));
CREATE OR REPLACE FUNCTION placed_on AS (k) ->
    one_of('placed', k, ['web', 'web', 'app', 'instagram', 'pos', 'pos', 'pos', 'call_centre']);
CREATE OR REPLACE FUNCTION paid_in AS (k) -> if(of_percent('money', k, 10), 'UAH', 'EUR');
CREATE OR REPLACE FUNCTION is_cancelled AS (k) -> of_percent('cancelled', k, 5);
CREATE OR REPLACE FUNCTION steps_of AS (salt, k) -> 1 + cityHash64(salt, k) % 5;
