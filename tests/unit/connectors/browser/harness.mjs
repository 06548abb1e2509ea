// Runs onethread.js in pages made of stubs, one scenario after the other, and prints what each of them sent, as JSON.
import fs from "node:fs";
import vm from "node:vm";

const code = fs.readFileSync(process.argv[2], "utf8");
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function store(values = {}) {
  // Object.keys of a localStorage gives the keys it holds.
  return new Proxy(values, {
    get: (target, name) => ({
      getItem: (key) => target[key] ?? null,
      setItem: (key, value) => { target[key] = String(value); },
      removeItem: (key) => { delete target[key]; },
    })[name],
  });
}

function page({ url = "https://shop.example/shoes?utm_source=news&gclid=G1", early, attributes = {}, statuses = [],
  storage = store(), src = "https://collector.example/onethread.js?v=1", beacons = true, referrer = "https://search.example/" } = {}) {
  const sent = [], beaconed = [], handlers = {};
  const window = {
    location: new URL(url), localStorage: storage, analytics: early, crypto,
    fetch: async (to, options) => {
      const status = statuses.length ? statuses.shift() : 200;
      if (status === 0) throw new TypeError("offline");
      if (status === "slow") await new Promise((resolve) => { handlers.answer = resolve; });
      sent.push({ to, type: options.headers["Content-Type"], keepalive: options.keepalive, body: JSON.parse(options.body) });
      return { status: status === "slow" ? 200 : status };
    },
    addEventListener: (name, handler) => { handlers[name] = handler; },
  };
  const document = {
    referrer, title: "Shoes", cookie: "", visibilityState: "visible",
    currentScript: { src, getAttribute: (name) => attributes[name] ?? null },
    addEventListener: (name, handler) => { handlers[name] = handler; },
  };
  const navigator = {
    userAgent: "Mozilla/5.0 (iPhone) Mobile", language: "uk-UA",
    sendBeacon: (to, blob) => { if (beacons) beaconed.push({ to, blob }); return beacons; },
  };
  vm.runInNewContext(code, { window, document, navigator, setTimeout, Blob, Intl, Date, JSON, Object, Math });
  return { window, document, navigator, sent, beaconed, handlers, storage, analytics: window.analytics };
}

const calls = (made) => made.sent.flatMap((request) => request.body.batch);
const scenarios = {
  async loads_by_itself() {
    const made = page({ attributes: { "data-write-key": "k" } });
    await pause(5);
    return made.sent;
  },
  async every_call() {
    const made = page();
    const a = made.analytics;
    a.load("k", { host: "https://other.example/" });
    a.page("Shop", "Shoes", { colour: "red" });
    a.track("Product Viewed", { sku: "A" }, { context: { ip: "10.0.0.1" }, timestamp: "2026-02-05T10:00:00.000Z" });
    a.identify("u-1", { email: "ann@example.com" });
    a.identify({ plan: "free" });
    a.group("g-1", { name: "X" });
    a.alias("u-2");
    a.alias("u-3", "old");
    a.track("Bare");
    await pause(5);
    return { to: made.sent[0].to, calls: calls(made), user: a.user().id() };
  },
  async a_snippets_calls_wait() {
    const early = [["identify", "u-1"], ["track", "Song Played", { n: 1 }], ["debug"]];
    early._writeKey = "k";
    const made = page({ early });
    await pause(5);
    return { key: made.sent[0].body.writeKey, calls: calls(made) };
  },
  async segments_own_loader() {
    // What Segment's snippet 5.2.0 leaves: each call ends with the page it was made on.
    const early = [["page", { __t: "bpc", u: "x" }], ["track", "Song Played", { n: 1 }, { __t: "bpc", u: "x" }]];
    early._writeKey = "k";
    const made = page({ early, src: "https://collector.example/analytics.js/v1/k/analytics.min.js" });
    await pause(5);
    return { to: made.sent[0].to, types: calls(made).map((call) => call.type), properties: calls(made)[1].properties };
  },
  async without_a_key_nothing_is_sent() {
    const made = page();
    made.analytics.track("Song Played");
    await pause(5);
    return made.sent;
  },
  async the_same_browser_comes_again() {
    const storage = store();
    const first = page({ storage, attributes: { "data-write-key": "k" } });
    await pause(5);
    const second = page({ storage, attributes: { "data-write-key": "k" } });
    await pause(5);
    const before = calls(second)[0].anonymousId;
    second.analytics.reset();
    second.analytics.track("After");
    await pause(5);
    return [calls(first)[0].anonymousId, before, calls(second)[1].anonymousId];
  },
  async without_storage_a_cookie_serves() {
    const storage = new Proxy({}, { get() { throw new Error("denied"); } });
    const made = page({ storage, attributes: { "data-write-key": "k" } });
    await pause(5);
    return { cookie: made.document.cookie, id: calls(made)[0].anonymousId, same: made.analytics.user().anonymousId() };
  },
  async what_failed_goes_with_the_next_page() {
    const storage = store();
    const first = page({ storage, statuses: [0], attributes: { "data-write-key": "k" } });
    await pause(5);
    const kept = Object.keys(storage).filter((name) => name.startsWith("ot_queue_")).length;
    const second = page({ storage, attributes: { "data-write-key": "k", "data-page": "off" } });
    await pause(5);
    const left = Object.keys(storage).filter((name) => name.startsWith("ot_queue_")).length;
    return { first: first.sent.length, kept, second: calls(second).length, left };
  },
  async a_full_collector_gets_it_again_when_online() {
    const made = page({ statuses: [503, 429], attributes: { "data-write-key": "k" } });
    await pause(5);
    made.handlers.online();
    await pause(5);
    made.handlers.online();
    await pause(5);
    made.handlers.online();
    await pause(5);
    return made.sent.map((request) => request.body.batch[0].messageId);
  },
  async a_refused_batch_is_not_sent_again() {
    const made = page({ statuses: [400], attributes: { "data-write-key": "k" } });
    await pause(5);
    made.handlers.online();
    await pause(5);
    return made.sent.length;
  },
  async leaving_sends_by_beacon() {
    const made = page();
    made.analytics.load("k");
    made.analytics.track("Last");
    made.document.visibilityState = "hidden";
    made.handlers.visibilitychange();
    made.handlers.pagehide();
    await pause(5);
    const { to, blob } = made.beaconed[0];
    return { to, type: blob.type, body: JSON.parse(await blob.text()), times: made.beaconed.length, sent: made.sent.length };
  },
  async what_is_under_way_is_not_sent_twice() {
    const made = page({ statuses: ["slow"] });
    made.analytics.load("k");
    made.analytics.track("First");
    await pause(5);
    made.analytics.track("Second");
    made.handlers.pagehide();
    const beaconed = JSON.parse(await made.beaconed[0].blob.text()).batch.map((call) => call.event);
    made.handlers.answer();
    await pause(20);
    return { beaconed, fetched: calls(made).map((call) => call.event), times: made.beaconed.length + made.sent.length };
  },
  async without_beacons_it_stays_for_the_next_page() {
    const made = page({ beacons: false });
    made.analytics.load("k");
    made.analytics.track("Last");
    made.handlers.pagehide();
    return Object.keys(made.storage).filter((name) => name.startsWith("ot_queue_")).length;
  },
  async a_page_of_many_views() {
    const made = page({ attributes: { "data-write-key": "k" } });
    made.window.location.search = "";
    made.analytics.track("Tidied");
    made.window.location.search = "?q=1";
    made.analytics.track("Searched");
    made.window.location.pathname = "/cart";
    made.window.location.search = "";
    made.analytics.page();
    await pause(5);
    return calls(made).map((call) => [call.context.page.url, call.context.page.referrer, call.context.campaign ?? null]);
  },
  async many_calls_go_in_batches() {
    const made = page();
    made.analytics.load("k");
    for (let number = 0; number < 550; number += 1) made.analytics.track("Big", { number, text: "x".repeat(1000) });
    for (let waits = 0; waits < 1000 && calls(made).length < 500; waits += 1) await pause(5);
    const sizes = made.sent.map((request) => JSON.stringify(request.body).length);
    return { requests: made.sent.length, most: Math.max(...sizes), calls: calls(made).length, last: calls(made).at(-1).properties.number };
  },
  async callbacks_are_called() {
    const made = page();
    const called = [];
    made.analytics.ready(() => called.push("ready"));
    made.analytics.load("k");
    made.analytics.track("A", {}, {}, () => called.push("track"));
    made.analytics.page(() => called.push("page"));
    await pause(5);
    return called;
  },
};

const results = {};
for (const [name, scenario] of Object.entries(scenarios)) results[name] = await scenario();
console.log(JSON.stringify(results));
process.exit(0);
