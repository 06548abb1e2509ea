"""Requests as bytes on a connection: good ones, and what clients, attackers and broken proxies may make of them."""

import base64
import gzip
import json
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote

from connectors.collector import links
from tests.fuzz import hooks, values
from tests.fuzz.people import PEOPLE, PHONE

COLLECTOR = "collector.example.com"
SHOP = "https://shop.example.com"
CALLS = ("track", "identify", "page", "screen", "group", "alias", "t")
ROUTES = ("/v1/events", "/v1/batch", "/v1/track", "/v1/identify", "/v1/import", "/webhooks/viber/hooks", "/p.gif", "/r",
          "/v1/persons/phone/1", "/onethread.js", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/")


@dataclass(frozen=True)
class Request:
    """What is sent on a connection.

    `ids` are events that must arrive where it is answered 200; `status` is the only right answer, where there is one,
    and `events` is how many must then arrive; `is_whole` says that HTTP itself is kept, so that it has to be answered;
    `ends` that nothing more comes on the connection.
    """

    kind: str
    data: bytes
    ids: tuple[str, ...] = ()
    is_whole: bool = True
    ends: bool = False
    status: int = 0
    events: int = 0


@dataclass(frozen=True)
class Access:
    """The keys of the site: to write, to read, to sign links of letters; and who signs webhooks."""

    write: str
    read: str
    letters: str
    signer: hooks.Signer


class Maker:
    """Draws requests; the same seed gives the same ones, but for the keys in them."""

    def __init__(self, seed: int, access: Access) -> None:
        self._seed, self._access = seed, access
        self._write, self._read = access.write, access.read

    def request(self, number: int) -> Request:
        random = Random(f"{self._seed}/{number}")
        draw = random.choices(
            (self._good, self._near, self._broken, self._packed, self._hook, self._letter, self._ask, self._path,
             self._heads, self._wire),
            (22, 26, 12, 6, 12, 3, 3, 6, 5, 5),
        )[0]
        return draw(random, f"f{self._seed}-{number}")

    def _head(self, method: str, path: str, body: bytes, *heads: str, key: str | None = None) -> bytes:
        token = base64.b64encode(f"{self._write if key is None else key}:".encode()).decode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {COLLECTOR}", f"Authorization: Basic {token}",
                 f"Content-Length: {len(body)}", *heads]
        return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body

    def _good(self, random: Random, name: str) -> Request:
        """Events and calls as they should be."""
        count = random.choice((1, 1, 1, 2, 20))
        ids = tuple(f"{name}-{n}" for n in range(count))
        if random.random() < 0.5:
            told = [_event(one) for one in ids]
            body = json.dumps(told[0] if count == 1 else told).encode()
            if count > 1 and random.random() < 0.5:
                body = b"\n".join(json.dumps(event).encode() for event in told)
            path = "/v1/events"
        else:
            told = [{"type": "page", "messageId": one, "anonymousId": f"a-{one}"} for one in ids]
            body, path = json.dumps({"batch": told}).encode(), "/v1/batch"
            ids = tuple(f"fuzz:{one}" for one in ids)
        if random.random() < 0.3:
            return Request("good", self._head("POST", path, gzip.compress(body, 1), "Content-Encoding: gzip"), ids)
        return Request("good", self._head("POST", path, body), ids)

    def _near(self, random: Random, name: str) -> Request:
        """Samples with a few changes."""
        path, value = self._sample(random, name)
        body = values.text(random, values.mutate(random, value, random.randrange(1, 6)))
        return Request("near", self._head("POST", path, body))

    def _sample(self, random: Random, name: str) -> tuple[str, Any]:
        match random.randrange(4):
            case 0:
                return "/v1/events", {**random.choice(values.events()), "event_id": name}
            case 1:
                return "/v1/events", [{**random.choice(values.events()), "event_id": f"{name}-{n}"} for n in range(5)]
            case 2:
                call = {**random.choice(values.calls()), "messageId": name}
                return f"/v1/{random.choice(CALLS)}", call
            case _:
                told = [{**random.choice(values.calls()), "messageId": f"{name}-{n}"} for n in range(4)]
                return "/v1/batch", {"batch": told, "sentAt": "2026-02-05T10:00:00Z"}

    def _broken(self, random: Random, name: str) -> Request:
        path, value = self._sample(random, name)
        kind = random.choice(("application/json", "text/plain", "application/x-www-form-urlencoded", "\x7f", "a;\xff"))
        body = values.broken(random, values.text(random, value))
        return Request("broken", self._head("POST", path, body, f"Content-Type: {kind}"))

    def _packed(self, random: Random, name: str) -> Request:
        path, value = self._sample(random, name)
        body = gzip.compress(values.text(random, value), 1)
        coding = "gzip"
        match random.randrange(6):
            case 0:
                body = body[: random.randrange(len(body))]
            case 1:
                body = values.bomb()
            case 2:
                body += random.choice((b"x", gzip.compress(b"}"), gzip.compress(b"") * 40))
            case 3:
                body = body[:10] + random.randbytes(20) + body[30:]
            case 4:
                coding = random.choice(("br", "deflate", "gzip, gzip", "identity", "", "GZIP ", "\x01"))
            case _:
                body = values.text(random, value)
        return Request("packed", self._head("POST", path, body, f"Content-Encoding: {coding}"))

    def _hook(self, random: Random, name: str) -> Request:
        """Webhooks as published, or nearly; most of them signed."""
        hook = random.choice(hooks.hooks())
        path, is_signed, changes = f"/webhooks/{hook.system}/hooks", random.random() < 0.85, random.randrange(4)
        value = values.mutate(random, hook.value, changes)
        body = hooks.form(value) if hook.is_form else values.text(random, value)
        is_broken = random.random() < 0.2
        if is_broken:
            body = values.broken(random, body)
        heads = [f"{head}: {told}" for head, told in hook.headers.items()]
        if random.random() < 0.1:
            topic, is_broken = random.choice(("orders/paid", "carts/update", "x", "order.updated", "")), True
            heads = [f"X-Shopify-Topic: {topic}", f"X-WC-Webhook-Topic: {topic}"]
        if is_signed:
            heads += self._access.signer.headers(hook.system, body, f"http://{COLLECTOR}{path}")
        whole = is_signed and not changes and not is_broken
        return Request("hook", self._head("POST", path, body, *heads, key=""), status=200 if whole else 0,
                       events=hook.events if whole else 0)

    def _letter(self, random: Random, name: str) -> Request:
        """Pictures and links of letters, signed; some of them changed afterwards."""
        letter = links.Letter(name, (f"email:{name}@example.com",), random.choice(("", "spring")))
        if random.random() < 0.5:
            path, status = links.pixel("", self._access.letters, letter), 200
        else:
            path, status = links.redirect("", self._access.letters, letter, f"{SHOP}/{name}?a=b&c"), 302
        if random.random() < 0.3:
            at = random.randrange(len(path) - 1)
            path = path[: at + 1] + _odd_text(random) + path[at + random.randrange(1, 9) :]
            return Request("letter", self._head("GET", path, b"", key=""))
        return Request("letter", self._head("GET", path, b"", key=""), status=status, events=1)

    def _ask(self, random: Random, name: str) -> Request:
        """Look-ups of who is known, and of who is not."""
        number = random.randrange(2 * PEOPLE)
        named = random.choice((("phone", PHONE.format(number)), ("email", f"P{number}@example.com")))
        if random.random() < 0.3:
            path = f"/v1/persons/{random.choice((named[0], 'person', 'x', ''))}/{_odd_text(random)}"
            return Request("ask", self._head("GET", path, b"", key=self._read))
        path = f"/v1/persons/{named[0]}/{quote(named[1], safe='@')}"
        return Request("ask", self._head("GET", path, b"", key=self._read), status=200 if number < PEOPLE else 404)

    def _path(self, random: Random, name: str) -> Request:
        """Paths, queries, methods and keys."""
        path = random.choice(ROUTES)
        match random.randrange(8):
            case 0:
                path = f"/v1/persons/{random.choice(('phone', 'email', 'person', 'x', ''))}/{_odd_text(random)}"
            case 1:
                path += random.choice(("/", "//", "/../", "/%00", "/%ff%fe", ";a=b", "/" + "a" * 9_000))
            case 2:
                path += f"?k={_odd_text(random)}&m={_odd_text(random)}&u={_odd_text(random)}&i=a:b&s=x"
            case 3:
                path += "?" + "&".join(f"i=phone:{n}" for n in range(random.choice((3, 800))))
            case _:
                path += random.choice(("", "?", "?writeKey=", f"?writeKey={_odd_text(random)}", "?%", "?a=%zz&&=&=="))
        method = random.choice(("GET", "GET", "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "FOO"))
        key = random.choice((self._read, self._write, "", "ot_none", "\u00ff\u0100", "a:b:c"))
        return Request("path", self._head(method, path, b"", key=key))

    def _heads(self, random: Random, name: str) -> Request:
        """Headers that no client should send, around a good event."""
        body = json.dumps(_event(name)).encode()
        heads = random.choice((
            [f"X-{n}: {n}" for n in range(150)], ["Cookie: " + "c" * 30_000], ["Origin: null"],
            ["Origin: https://\xe9.example.com"], ["Origin: javascript:x", "Access-Control-Request-Method: POST"],
            ["Authorization: Bearer"], ["Authorization: Basic ===="], ["Authorization: Basic /w=="], ["Authorization:"],
            ["X-Forwarded-For: 1", "Forwarded: for=x"], ["Expect: 100-continue"], ["Connection: close"],
            ["Content-Type:"], ["Accept: \x80"], ["Range: bytes=0-"], ["If-Match: *"], ["Host: other.example.com"],
            ["Connection: Upgrade", "Upgrade: websocket"], ["Connection: Upgrade", "Upgrade: h2c"],
        ))
        return Request("heads", self._head("POST", "/v1/events", body, *heads), is_whole=False)

    def _wire(self, random: Random, name: str) -> Request:
        """HTTP that is not kept."""
        body = json.dumps(_event(name)).encode()
        whole = self._head("POST", "/v1/events", body)
        line, rest = whole.split(b"\r\n", 1)
        match random.randrange(12):
            case 0:
                data = whole[: random.randrange(1, len(whole))]
            case 1:
                data = whole.replace(b"Content-Length: ", b"Content-Length: 9")
            case 2:
                data = whole.replace(b"Content-Length: ", b"Content-Length: -")
            case 3:
                data = whole.replace(b"Host:", b"Content-Length: 3\r\nHost:")
            case 4:
                data = whole.replace(b"Host:", b"Transfer-Encoding: chunked\r\nHost:")
            case 5:
                pieces = [body[n : n + 7] for n in range(0, len(body), 7)]
                data = _without_length(whole)[: -len(body)].replace(b"Host:", b"Transfer-Encoding: chunked\r\nHost:", 1)
                data += b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
                data += random.choice((b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"zz\r\n", b"f" * 16 + b"\r\n", b""))
            case 6:
                data = random.randbytes(random.randrange(1, 400))
            case 7:
                data = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            case 8:
                data = line.replace(b"1.1", random.choice((b"1.0", b"9.9", b"x"))) + b"\r\n" + rest
            case 9:
                data = whole.replace(b"\r\n", b"\n")
            case 10:
                data = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000
            case _:
                data = whole.replace(b"Host: ", b"Host : ").replace(b"/v1", b"/v1 ")
        return Request("wire", data, is_whole=False, ends=True)


def _event(name: str) -> dict[str, Any]:
    return {"event_id": name, "channel": "web", "type": "page_viewed", "occurred_at": "2026-02-05T10:00:00Z",
            "identifiers": [{"kind": "anonymous_id", "value": f"v-{name}"}]}


def _odd_text(random: Random) -> str:
    told = random.choice(values.ODD)(random)
    return quote(str(told)[:3_000].encode("utf-8", "surrogatepass"), safe=random.choice(("", "/:+")))


def _without_length(data: bytes) -> bytes:
    head, body = data.split(b"\r\n\r\n", 1)
    return b"\r\n".join(x for x in head.split(b"\r\n") if not x.startswith(b"Content-Length")) + b"\r\n\r\n" + body
