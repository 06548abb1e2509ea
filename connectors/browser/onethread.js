/*
 * onethread.js: what a customer does on a page, sent to the collector this file came from.
 *
 *   <script async src="https://collector.example/onethread.js" data-write-key="ot_..."></script>
 *
 * With data-write-key it loads by itself and counts the page view (not with data-page="off"). The calls are those of
 * analytics.js: load, page, track, identify, alias, group, reset, user, ready. Calls made before it is there wait in
 * window.analytics, an array of [name, ...arguments], as Segment's loader leaves them.
 *
 * Rules: a call is sent at least once and its messageId makes repeats harmless; what could not be sent is kept in this
 * browser and goes with the next page. Campaign and click that the page was landed at with are told until its path
 * changes, also where another script tidies the address. The anonymous id is in localStorage, else in a cookie.
 */
(function (w, d, n) {
  "use strict";
  var QUEUE = "ot_queue_", CALLS_MAX = 500, BATCH_BYTES = 50000, YEAR_S = 31536000;
  var script = d.currentScript, early = w.analytics, place = w.location, path = place.pathname, referrer = d.referrer;
  var tags = place.search.slice(1).split("&").filter(function (p) {
    return /^(utm_\w+|\w*clid|[gw]braid|li_fat_id|ScCid|epik|rdt_cid)=./.test(p);
  });
  var last = address(), key, host, queue = [], flying = [], timer, failures = 0, listeners = [];

  function read(name) {
    try { return w.localStorage.getItem(name); } catch (e) {
      var found = d.cookie.match("(?:^|; )" + name + "=([^;]*)");
      return found && decodeURIComponent(found[1]);
    }
  }
  function write(name, value) {
    try {
      if (value === null) w.localStorage.removeItem(name); else w.localStorage.setItem(name, value);
    } catch (e) {
      if (name.indexOf(QUEUE)) d.cookie = name + "=" + encodeURIComponent(value || "") + "; path=/; SameSite=Lax; max-age=" +
        (value === null ? 0 : YEAR_S) + (place.protocol === "https:" ? "; Secure" : "");
    }
  }
  function unique() {
    if (w.crypto && w.crypto.randomUUID) return w.crypto.randomUUID();
    return "xxxxxxxxxxxx4xxxyxxxxxxxxxxxxxxx".replace(/[xy]/g, function (c) {
      return (c === "x" ? Math.random() * 16 | 0 : Math.random() * 4 | 8).toString(16);
    });
  }
  var tab = QUEUE + unique();
  function anonymous() {
    var id = read("ot_anonymous_id");
    if (!id) write("ot_anonymous_id", id = unique());
    return id;
  }

  function address() {
    var href = place.href.split("#")[0];
    var lost = tags.filter(function (tag) { return href.indexOf(tag) < 0; }).join("&");
    return href + (lost && (place.search ? "&" : "?") + lost);
  }
  function page() {
    if (place.pathname !== path) {
      referrer = last;
      path = place.pathname;
      tags = [];
    }
    last = address();
    return { path: path, referrer: referrer, search: last.replace(/^[^?]*/, ""), title: d.title, url: last };
  }
  function campaign(search) {
    var found = {}, any = false;
    search.replace(/[?&]utm_(\w+)=([^&]*)/g, function (_, name, value) {
      try { found[name === "campaign" ? "name" : name] = decodeURIComponent(value.replace(/\+/g, " ")); any = true; } catch (e) {}
    });
    return any ? found : undefined;
  }
  function context(given) {
    var here = page(), zone;
    try { zone = Intl.DateTimeFormat().resolvedOptions().timeZone; } catch (e) {}
    return Object.assign({
      library: { name: "onethread.js", version: "1" }, page: here, campaign: campaign(here.search),
      userAgent: n.userAgent, locale: n.language, timezone: zone
    }, given);
  }

  function call(type, parts, options, callback) {
    options = options && typeof options === "object" ? options : {};
    queue.push(Object.assign({
      type: type, messageId: "ot-" + unique(), timestamp: options.timestamp || new Date().toISOString(),
      anonymousId: anonymous(), userId: read("ot_user_id") || undefined, context: context(options.context)
    }, parts));
    queue = queue.slice(-CALLS_MAX);
    later(0);
    if (callback) setTimeout(callback, 0);
  }
  function later(ms) {
    if (!timer) timer = setTimeout(flush, ms);
  }
  function batch(list) {
    var size = 0, count = 0;
    while (count < list.length && (size += JSON.stringify(list[count]).length) < BATCH_BYTES) count++;
    return list.slice(0, count || 1);
  }
  function body(calls) {
    return JSON.stringify({ writeKey: key, sentAt: new Date().toISOString(), batch: calls });
  }
  function waiting() {
    return queue.filter(function (c) { return flying.indexOf(c) < 0; });
  }
  function save(list) {
    write(tab, list.length ? JSON.stringify(list) : null);
  }
  function flush() {
    timer = 0;
    if (!key || flying.length || !queue.length) return;
    flying = batch(queue);
    function failed() {
      flying = [];
      save(queue);
      later(Math.min(60000, 1000 * Math.pow(2, failures++)));
    }
    /* text/plain asks for no preflight */
    w.fetch(host + "/v1/batch", { method: "POST", body: body(flying), keepalive: true, headers: { "Content-Type": "text/plain" } })
      .then(function (answer) {
        if (answer.status === 429 || answer.status >= 500) return failed();
        failures = 0;
        save(queue = waiting());
        flying = [];
        if (queue.length) later(0);
      }, failed);
  }
  /* What is under way arrives without the page, as keepalive says. */
  function leave() {
    for (var rest = waiting(), calls; key && rest.length; rest = rest.slice(calls.length)) {
      calls = batch(rest);
      if (!n.sendBeacon || !n.sendBeacon(host + "/v1/batch", new Blob([body(calls)], { type: "text/plain" }))) break;
    }
    queue = flying.concat(rest);
    save(rest);
  }

  /* Arguments as analytics.js takes them: texts, then tables, then a function. */
  function sorted(list) {
    var out = { texts: [], tables: [] };
    [].forEach.call(list, function (value) {
      if (typeof value === "function") out.callback = value;
      else if (value && typeof value === "object") out.tables.push(value);
      else if (value !== undefined && value !== null && !out.tables.length) out.texts.push(String(value));
    });
    return out;
  }

  var api = {
    load: function (writeKey, options) {
      if (key) return;
      key = writeKey;
      host = (options && options.host || script && script.src.replace(/\/(onethread|analytics)\.js.*$/, "") || "").replace(/\/$/, "");
      try {
        Object.keys(w.localStorage).forEach(function (name) {
          if (name.indexOf(QUEUE) || name === tab) return;
          queue = JSON.parse(read(name)).concat(queue).slice(-CALLS_MAX);
          write(name, null);
        });
      } catch (e) {}
      w.addEventListener("pagehide", leave);
      d.addEventListener("visibilitychange", function () { if (d.visibilityState === "hidden") leave(); });
      w.addEventListener("online", function () { failures = 0; flush(); });
      listeners.splice(0).forEach(function (f) { f(); });
      later(0);
    },
    page: function () {
      var a = sorted(arguments), t = a.texts, here = page();
      call("page", { category: t[1] && t[0], name: t[1] || t[0], properties: Object.assign(here, a.tables[0]) }, a.tables[1], a.callback);
    },
    track: function (event) {
      var a = sorted(arguments);
      call("track", { event: event, properties: a.tables[0] || {} }, a.tables[1], a.callback);
    },
    identify: function () {
      var a = sorted(arguments);
      if (a.texts[0]) write("ot_user_id", a.texts[0]);
      call("identify", { traits: a.tables[0] || {} }, a.tables[1], a.callback);
    },
    alias: function (to) {
      var a = sorted(arguments), from = a.texts[1] || read("ot_user_id") || anonymous();
      write("ot_user_id", to);
      call("alias", { previousId: from }, a.tables[0], a.callback);
    },
    group: function () {
      var a = sorted(arguments);
      call("group", { groupId: a.texts[0], traits: a.tables[0] || {} }, a.tables[1], a.callback);
    },
    reset: function () {
      write("ot_user_id", null);
      write("ot_anonymous_id", null);
    },
    user: function () {
      return { id: function () { return read("ot_user_id"); }, anonymousId: anonymous };
    },
    ready: function (f) {
      if (key) f(); else listeners.push(f);
    },
    /* Segment's loader ends each call with the page it was made on, which is still this one. */
    push: function (list) {
      api[list[0]].apply(api, [].slice.call(list, 1).filter(function (v) { return !v || v.__t !== "bpc"; }));
    },
    flush: flush
  };
  w.analytics = api;
  if (early && early._writeKey) api.load(early._writeKey);
  var own = script && script.getAttribute("data-write-key");
  if (own) {
    api.load(own);
    if (script.getAttribute("data-page") !== "off") api.page();
  }
  if (Array.isArray(early)) [].slice.call(early).forEach(function (list) { if (api[list[0]]) api.push(list); });
})(window, document, navigator);
