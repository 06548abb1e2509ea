-- Two years of a retailer. Each statement is preceded by the rows a person has in the table (or `= N`, however many people);
-- n is the row's number. Columns that are not named stay empty.

-- stores = 200
SELECT named('S', n) AS store_id, named('Store ', n) AS name;

-- products = 20000
SELECT named('sku', n) AS sku, named('Product ', n) AS name, toDecimal64(n % 90 + 5, 4) AS cost, 'EUR' AS currency;

-- stock = 40000
SELECT named('sku', n % 20000) AS sku, named('S', n % 200) AS store_id, toDecimal64(n % 7, 4) AS available;

-- staff = 500
SELECT named('seller', n) AS id, named('Seller ', n) AS name, 'seller' AS role;

-- rates = 730
SELECT toDate('2024-07-01') + n AS day, 'UAH' AS currency, toDecimal128('0.0235', 12) AS rate;

-- campaign_costs = 14000
SELECT
    toDate('2024-07-01') + n % 700 AS day, 'google' AS source, 'cpc' AS medium,
    named('campaign ', intDiv(n, 700)) AS name, toDecimal64(n % 50, 4) AS cost, 'EUR' AS currency;

-- persons 1
SELECT
    id_of('person', n) AS person_id, is_known(n) AS known, is_shared(n) AS shared,
    moment('first seen', n) AS first_seen_at, first_seen_at + toIntervalDay(cityHash64('last', n) % 300) AS last_seen_at,
    last_seen_at AS last_interaction_at, channel_of('first', n) AS first_channel,
    arrayDistinct([channel_of('first', n), channel_of('second', n)]) AS channels, [device_of('first', n)] AS devices,
    if(known, map('device_id', 2, 'email', 1, 'loyalty_card', toUInt16(of_percent('card', n, 50))), map('device_id', 1))
        AS identifier_kinds,
    toUInt64(10) AS touchpoints, toUInt64(3) AS sessions, store_of('home', n) AS home_store_id, toUInt64(2) AS journeys,
    first_seen_at AS acquired_at, first_channel AS acquisition_channel, 'google' AS acquisition_source,
    'cpc' AS acquisition_medium, campaign_of('acquired', n) AS acquisition_campaign,
    if(known, map('contact_channel', channel_of('said', n)), map()) AS preferences,
    if(known, map('email', n % 2 = 0), map()) AS consent;

-- identifiers 3
SELECT
    id_of('node', n) AS node, ['customer_id', 'email', 'device_id'][1 + n % 3] AS kind, named('identifier ', n) AS value,
    id_of('person', intDiv(n, 3)) AS person_id, is_shared(intDiv(n, 3)) AS shared,
    moment('first seen', intDiv(n, 3)) AS first_seen_at;

-- identifier_sightings 3
SELECT
    id_of('person', intDiv(n, 3)) AS person_id, id_of('node', n) AS node,
    ['customer_id', 'email', 'device_id'][1 + n % 3] AS kind, named('identifier ', n) AS value,
    moment('first seen', intDiv(n, 3)) AS first_seen_at, first_seen_at + toIntervalDay(n % 90) AS last_seen_at;

-- identifier_owners 3
SELECT id_of('node', n) AS node, moment('first seen', intDiv(n, 3)) AS at, n AS sequence,
    id_of('person', intDiv(n, 3)) AS person_id;

-- evidence 2
SELECT
    id_of('person', intDiv(n, 2)) AS person_id, id_of('node', 3 * intDiv(n, 2)) AS node_a,
    id_of('node', 3 * intDiv(n, 2) + 1 + n % 2) AS node_b, 'customer_id' AS kind_a,
    named('identifier ', 3 * intDiv(n, 2)) AS value_a, if(n % 2 = 0, 'email', 'device_id') AS kind_b,
    named('identifier ', 3 * intDiv(n, 2) + 1 + n % 2) AS value_b, toUInt64(2) AS events,
    moment('first seen', intDiv(n, 2)) AS first_seen_at, first_seen_at AS last_seen_at, named('e', n) AS first_event_id,
    NOT of_percent('refused', n, 2) AS conducts, if(conducts, NULL, 'limit') AS refused_because;

-- merges 0.2
SELECT id_of('person', 5 * n) AS person_id, id_of('gone', n) AS other_person_id, 'merged' AS action, named('e', n) AS event_id,
    moment('merged', n) AS at, 'device_id, email' AS reason;

-- touchpoints 10
WITH
    somebody('touch', n, {persons}) AS person,
    channel_of('touch', n) AS met,
    multiIf(
        met IN ('web', 'app'), one_of('type', n, ['page_viewed', 'page_viewed', 'product_viewed', 'product_viewed',
            'product_searched', 'cart_updated', 'checkout_started', 'back_in_stock_requested']),
        met = 'ads', one_of('type', n, ['ad_viewed', 'ad_viewed', 'ad_clicked']),
        met IN ('email', 'telegram', 'chat', 'instagram'), one_of('type', n,
            ['message_sent', 'message_opened', 'message_clicked', 'message_received']),
        met = 'pos', one_of('type', n, ['store_visited', 'consulted', 'order_placed', 'feedback_given']),
        met = 'wifi', 'wifi_seen', one_of('type', n, ['call_received', 'call_made'])
    ) AS happened
SELECT
    id_of('person', person) AS person_id, named('e', n) AS event_id, id_of('session', n % (3 * {persons})) AS session_id,
    id_of('visit', n % (4 * {persons})) AS visit_id, moment('touch', n) AS occurred_at, occurred_at AS received_at,
    occurred_at AS local_at, met AS channel, happened AS type,
    multiIf(happened IN ('message_sent', 'ad_viewed', 'call_made'), 'exposure', happened = 'wifi_seen', 'observation',
        'interaction') AS role,
    nullIf(device_of('touch', n), '') AS device, if(met IN ('pos', 'wifi'), store_of('touch', n), NULL) AS store_id,
    if(met = 'pos', named('seller', n % 500), NULL) AS staff, if(met = 'ads', named('click', n), NULL) AS click_id,
    if(met = 'email', named('message', n), NULL) AS message_id, if(is_known(person), 'email', 'device_id') AS identified_by,
    toUInt64(1) AS copies, [id_of('node', 3 * person), id_of('node', 3 * person + 1)] AS nodes,
    id_of('journey', n % (2 * {persons})) AS journey_id, 'shop' AS source, 'uk' AS language,
    if(happened IN ('product_viewed', 'cart_updated', 'checkout_started', 'consulted'), [product_of('touch', n)], []) AS skus,
    if(met IN ('ads', 'email'), 'google', NULL) AS campaign_source, if(met IN ('ads', 'email'), 'cpc', NULL) AS campaign_medium,
    if(met IN ('ads', 'email'), campaign_of('touch', n), NULL) AS campaign_name,
    if(happened = 'ad_clicked', toDecimal64('0.35', 4), NULL) AS cost, if(happened = 'ad_clicked', 'EUR', NULL) AS cost_currency,
    if(happened IN ('cart_updated', 'checkout_started'), toDecimal64(n % 300, 4), NULL) AS amount,
    if(amount IS NULL, NULL, 'EUR') AS currency, map('url', named('https://shop.example.com/', n % 5000)) AS properties,
    if(happened IN ('back_in_stock_requested', 'consulted') AND n % 5 = 0, [product_of('lacking', n)], []) AS unavailable,
    if(happened = 'feedback_given', toFloat64(n % 11), NULL) AS score, if(happened = 'feedback_given', 10., NULL) AS scale_max;

-- sessions 3
SELECT
    id_of('person', somebody('session', n, {persons})) AS person_id, id_of('session', n) AS session_id,
    moment('session', n) AS started_at, started_at + toIntervalSecond(cityHash64('length', n) % 3600) AS ended_at,
    toUInt64(3) AS touchpoints, arrayDistinct([channel_of('session', n), channel_of('session 2', n)]) AS channels,
    [device_of('session', n)] AS devices, toUInt64(length(channels) - 1) AS switches, channel_of('session', n) AS entry_channel,
    channel_of('session 2', n) AS exit_channel, if(n % 3 = 0, campaign_of('session', n), NULL) AS entry_campaign;

-- visits 4
SELECT
    id_of('person', somebody('visit', n, {persons})) AS person_id, id_of('visit', n) AS visit_id,
    id_of('session', intDiv(n * 3, 4)) AS session_id, moment('visit', n) AS started_at,
    started_at + toIntervalSecond(cityHash64('length', n) % 3600) AS ended_at, toUInt64(2) AS touchpoints,
    channel_of('visit', n) AS channel, nullIf(device_of('visit', n), '') AS device;

-- person_channels 2
SELECT
    id_of('person', intDiv(n, 2)) AS person_id,
    if(n % 2 = 0, channel_of('first', intDiv(n, 2)), channel_of('second', intDiv(n, 2))) AS channel,
    moment('first seen', intDiv(n, 2)) AS first_at, first_at + toIntervalDay(n % 200) AS last_at,
    cityHash64('interactions', n) % 20 AS interactions, cityHash64('exposures', n) % 5 AS exposures, toUInt64(2) AS visits,
    toUInt64(n % 2) AS sessions_started;

-- journeys 2
-- Journey n is the way to order n where there is an order of that number.
WITH
    n < {persons} AS bought,
    if(bought, buyer_of(n, {persons}), somebody('journey', n, {persons})) AS person,
    range(steps_of('journey', n)) AS steps,
    if(bought, moment('order', n), moment('journey end', n)) AS at
SELECT
    id_of('person', person) AS person_id, id_of('journey', n) AS journey_id,
    at - toIntervalHour(30 * (length(steps) - 1)) AS started_at, at AS last_step_at, at AS last_touchpoint_at,
    if(bought, named('o', n), NULL) AS order_id,
    arrayMap(i -> if(bought AND i + 1 = length(steps), placed_on(n),
        ['web', 'email', 'pos', 'app', 'ads', 'chat', 'wifi'][1 + (cityHash64('path', n) + i) % 7]), steps) AS path,
    arrayMap(i -> at - toIntervalHour(30 * (length(steps) - 1 - i)), steps) AS path_at,
    arrayMap(i -> toUInt64(2), steps) AS path_touchpoints, arrayMap(i -> device_of('path', n + i), steps) AS path_devices,
    arrayDistinct(path) AS channels, toUInt64(2 * length(steps)) AS touchpoints, named('e', n) AS start_event_id,
    path[1] AS start_channel, if(n % 3 = 0, 'google', NULL) AS start_campaign_source,
    if(n % 3 = 0, campaign_of('journey', n), NULL) AS start_campaign_name, path[-1] AS end_channel,
    if(bought, 'order_placed', 'page_viewed') AS end_type, if(bought, 'buy', 'consider') AS stage,
    if(of_percent('obstacle', n, 10), [one_of('obstacle is', n, ['payment_failed', 'call_missed', 'not_available'])], [])
        AS obstacles;

-- orders 1
SELECT
    id_of('person', buyer_of(n, {persons})) AS person_id, named('o', n) AS order_id,
    is_shared(buyer_of(n, {persons})) AS person_shared, moment('order', n) AS placed_at, placed_on(n) AS placed_channel,
    nullIf(device_of('order', n), '') AS placed_device, if(placed_on(n) = 'pos', store_of('order', n), NULL) AS placed_store_id,
    if(placed_on(n) = 'pos', named('seller', n % 500), NULL) AS placed_staff, placed_at AS paid_at, placed_on(n) AS paid_channel,
    ['card'] AS payment_methods, placed_at + toIntervalMinute(30) AS ready_at,
    placed_at + toIntervalMinute(30 + n % 2000) AS fulfilled_at, 'pos' AS fulfilled_channel,
    store_of('taken', n) AS fulfilled_store_id, one_of('how', n, ['pickup', 'courier', 'carry_out']) AS fulfilment_method,
    if(is_cancelled(n), 'cancelled', one_of('status', n, ['fulfilled', 'fulfilled', 'fulfilled', 'partly_returned'])) AS status,
    toDecimal64(20 + cityHash64('total', n) % 400, 4) AS total, paid_in(n) AS currency,
    if(is_cancelled(n), toDecimal64(0, 4), total) AS revenue, revenue / 4 AS margin, toDecimal64(0, 4) AS returned_amount,
    placed_on(n) = 'pos' AND of_percent('anonymous', n, 30) AS anonymous, if(anonymous, NULL, 'loyalty_card') AS identified_by,
    id_of('journey', n) AS journey_id,
    if(of_percent('twin', n, 1), named('o', (n + 1) % {persons}), NULL) AS suspected_duplicate_of;

-- order_items 2
WITH intDiv(n, 2) AS o
SELECT
    id_of('person', buyer_of(o, {persons})) AS person_id, named('o', o) AS order_id, toString(n % 2) AS line_id,
    product_of('line', n) AS sku, named('Product ', sku) AS name, toDecimal64(1, 4) AS quantity,
    toDecimal64(10 + cityHash64('price', n) % 3, 4) AS price, paid_in(o) AS currency, moment('order', o) AS placed_at,
    placed_on(o) AS channel, if(placed_on(o) = 'pos', store_of('order', o), NULL) AS store_id;

-- returns 0.05
WITH n * 20 AS o
SELECT
    id_of('person', buyer_of(o, {persons})) AS person_id, named('o', o) AS order_id, named('r', n) AS return_id,
    is_shared(buyer_of(o, {persons})) AS person_shared, moment('order', o) + toIntervalDay(5) AS returned_at,
    'pos' AS channel, store_of('return', n) AS store_id, toDecimal64(10, 4) AS amount, paid_in(o) AS currency,
    one_of('outcome', n, ['accepted', 'accepted', 'refused']) AS outcome, 'size' AS reason, n % 2 = 0 AS other_channel,
    true AS partial;

-- shipments 0.5
WITH n * 2 AS o
SELECT
    id_of('person', buyer_of(o, {persons})) AS person_id, named('o', o) AS order_id, named('s', n) AS shipment_id,
    'courier' AS method, 'delivered' AS status, moment('order', o) + toIntervalDay(2) AS promised_at,
    moment('order', o) + toIntervalHour(n % 72) AS delivered_at;

-- credits 0.9
-- Of the orders that count, those of shared pseudo-persons and cancelled ones are none.
WITH
    range(steps_of('journey', n)) AS steps, length(steps) AS touched,
    arrayMap(i -> toDecimal64(if(i + 1 = touched, 1 - (touched - 1) * floor(1000 / touched) / 1000,
        floor(1000 / touched) / 1000), 12), steps) AS equal,
    arrayMap(i -> toDecimal64(i = 0, 12), steps) AS to_first, arrayMap(i -> toDecimal64(i + 1 = touched, 12), steps) AS to_last
SELECT
    id_of('person', buyer_of(n, {persons})) AS person_id, named('o', n) AS order_id, moment('order', n) AS placed_at,
    arrayMap(i -> concat('e', toString(n), '/', toString(i)), steps) AS event_ids, arrayMap(i -> 'visit', steps) AS touches,
    arrayMap(i -> moment('order', n) - toIntervalHour(30 * (touched - 1 - i)), steps) AS ats,
    arrayMap(i -> channel_of('credit', n + i), steps) AS channels,
    arrayMap(i -> if(i % 2 = 0, 'google', ''), steps) AS campaign_sources,
    arrayMap(i -> if(i % 2 = 0, 'cpc', ''), steps) AS campaign_mediums,
    arrayMap(i -> if(i % 2 = 0, campaign_of('credit', n + i), ''), steps) AS campaign_names,
    to_first AS first, to_last AS last, to_last AS last_non_direct, equal AS linear, equal AS time_decay, equal AS position,
    ats[1] AS acquired_at, channels[1] AS acquisition_channel, 'google' AS acquisition_source, 'cpc' AS acquisition_medium,
    campaign_names[1] AS acquisition_campaign
WHERE NOT is_cancelled(n) AND NOT is_shared(buyer_of(n, {persons}));

-- conversations 0.25
SELECT
    id_of('person', somebody('talk', n, {persons})) AS person_id, named('c', n) AS conversation_id,
    moment('talk', n) AS started_at, started_at + toIntervalMinute(n % 600) AS ended_at,
    arrayDistinct([one_of('talk', n, ['chat', 'telegram', 'call_centre', 'email']), one_of('talk 2', n, ['chat', 'call_centre'])])
        AS channels,
    [named('operator', n % 100)] AS staff, toUInt64(n % 3 = 0) AS staff_changes, n % 4 = 0 AS bot, toUInt64(2) AS messages_in,
    toUInt64(2) AS messages_out, if(n % 10 = 0, NULL, cityHash64('wait', n) % 4000) AS first_response_s,
    if(n % 10 = 0, started_at, NULL) AS waiting_since, toUInt64(n % 7 = 0) AS repeats,
    if(n % 5 = 0, named('o', n), NULL) AS order_id;

-- conversation_messages 1
SELECT
    id_of('person', somebody('talk', intDiv(n, 4), {persons})) AS person_id, named('c', intDiv(n, 4)) AS conversation_id,
    named('m', n) AS message_id, moment('talk', intDiv(n, 4)) AS at, 'chat' AS channel, 'message_received' AS type,
    n % 2 = 0 AS from_customer, 'When does it arrive?' AS text;

-- promises 0.05
SELECT
    id_of('person', somebody('promise', n, {persons})) AS person_id, named('p', n) AS promise_id, 'callback' AS kind,
    moment('promise', n) AS requested_at, requested_at AS promised_at, 'call_centre' AS promised_channel,
    named('operator', n % 100) AS promised_by, requested_at + toIntervalMinute(15) AS due_at,
    if(n % 5 = 0, NULL, requested_at + toIntervalMinute(n % 60)) AS done_at, toUInt64(1) AS attempts;

-- consents 0.5
SELECT id_of('person', 2 * n) AS person_id, one_of('purpose', n, ['email', 'sms', 'calls']) AS key,
    moment('consent', n) AS valid_from, n % 3 > 0 AS value, named('e', n) AS event_id, 'crm' AS source;

-- preferences 0.25
SELECT id_of('person', 4 * n) AS person_id, 'contact_channel' AS key, moment('preference', n) AS valid_from,
    channel_of('said', n) AS value, named('e', n) AS event_id, 'crm' AS source;

-- person_traits 1
SELECT id_of('person', n) AS person_id, one_of('trait', n, ['name', 'birthday', 'city']) AS key,
    moment('trait', n) AS valid_from, named('value ', n % 1000) AS value, named('e', n) AS event_id, 'crm' AS source;
