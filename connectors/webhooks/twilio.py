"""Twilio: text messages in and out, their deliveries, and what became of calls.

Rules kept here:
- Signature: X-Twilio-Signature is the base64 HMAC-SHA1, under the auth token, of the address as Twilio called it and
  the form's names and values, sorted by name; a JSON body is told by its SHA-256 in the address instead. The signed
  address may be with the port or without: both are tried.
- A callback of a message tells no time: it is the time of arrival. A call tells its own, and began its duration before.
- A call is told once, when it is over. Who rang and was not answered: call_missed; whom we rang in vain: call_made.

Sources: www.twilio.com/docs/usage/security (Validating Signatures), …/docs/messaging/guides/webhook-request,
…/docs/messaging/guides/outbound-message-status-in-status-callbacks, …/docs/voice/api/call-resource (StatusCallback).
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from connectors.incoming import Decoded, Event, Incoming
from connectors.source import Source
from connectors.webhooks.reading import amount, decoder, event, event_id, who
from connectors.webhooks.system import Answer, System, query, same
from streams.core.refusal import Reason, Refusal

_PREFIXES = {"whatsapp:": "whatsapp", "": "sms"}
_MESSAGES = {
    "sent": "message_sent", "delivered": "message_delivered", "read": "message_opened",
    "failed": "message_failed", "undelivered": "message_failed",
}
_MESSAGES_ON_THE_WAY = frozenset({"accepted", "scheduled", "queued", "sending", "canceled", "partially_delivered"})
_CALLS_GOING_ON = frozenset({"queued", "initiated", "ringing", "in-progress", "answered"})
_CALLS_OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_NO_REPLY = Answer(b"<Response/>", "text/xml")
"""TwiML that says: do nothing."""
_FIELDS_MAX = 500


def verify(incoming: Incoming, secret: str) -> bool:
    given = incoming.headers.get("x-twilio-signature", "")
    if "bodySHA256" in query(incoming.url):
        is_whole = same(query(incoming.url)["bodySHA256"], hashlib.sha256(incoming.body).hexdigest())
        return is_whole and _is_signed(given, incoming.url, [], secret)
    form = _form(incoming.body)
    return form is not None and _is_signed(given, incoming.url, form, secret)


def _is_signed(given: str, url: str, form: list[tuple[str, str]], secret: str) -> bool:
    return any(same(given, signature(address, form, secret)) for address in _addresses(url))


def signature(url: str, form: list[tuple[str, str]], secret: str) -> str:
    """What Twilio signs: of a name sent several times each distinct value counts once, in order."""
    told = "".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.new(secret.encode(), (url + told).encode(), hashlib.sha1).digest()).decode()


def _addresses(url: str) -> Iterator[str]:
    """The address with its port and without."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return
    host = (parts.netloc.rpartition("@")[2]).rsplit(":", 1)[0] if parts.port else parts.netloc
    yield url
    yield urlunsplit(parts._replace(netloc=host))
    yield urlunsplit(parts._replace(netloc=f"{host}:{port}"))


def _form(body: bytes) -> list[tuple[str, str]] | None:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except ValueError:  # no UTF-8, or too many fields
        return None


@decoder
def decode(incoming: Incoming, source: Source, received_ms: int) -> Decoded:
    fields = _form(incoming.body)
    form = dict(fields or ())
    if form.get("CallSid") and form.get("CallStatus"):
        return [*_call(form, source, received_ms)]
    if sid := form.get("MessageSid") or form.get("SmsSid"):
        return [*_message(form, sid, source, received_ms)]
    raise Refusal(Reason.BAD_VALUE, "expected a form with MessageSid, or CallSid and CallStatus")


def _message(form: dict[str, str], sid: str, source: Source, received_ms: int) -> Iterator[Event]:
    status = (form.get("MessageStatus") or form.get("SmsStatus") or "received").lower()
    if status in ("received", "receiving"):
        yield _about_message("message_received", form, "From", sid, "received", source, received_ms)
        stop = {"STOP": False, "START": True}.get(form.get("OptOutType", ""))
        if stop is not None:
            kind = "consent_given" if stop else "consent_withdrawn"
            found = _about_message(kind, form, "From", sid, "consent", source, received_ms)
            del found["message"]
            yield found | {"consent": {found["channel"]: stop}}
    elif status in _MESSAGES:
        yield _about_message(_MESSAGES[status], form, "To", sid, status, source, received_ms)
    elif status not in _MESSAGES_ON_THE_WAY:
        raise Refusal(Reason.BAD_VALUE, f"MessageStatus: expected one of {', '.join(_MESSAGES)}")


def _about_message(
    kind: str, form: dict[str, str], side: str, sid: str, name: str, source: Source, received_ms: int,
) -> Event:
    channel, number = _channel(form.get(side, ""))
    is_ours, answered = side == "To", form.get("OriginalRepliedMessageSid")
    return event(
        event_id=event_id("twilio", sid, name), channel=channel, type=kind, occurred_at=received_ms,
        source=source.name, device=source.device, identifiers=who("phone", number),
        message={
            "message_id": f"twilio:{sid}", "text": None if is_ours else form.get("Body"),
            "reply_to": f"twilio:{answered}" if answered else None,
        },
        place=None if is_ours else {"country": form.get("FromCountry"), "city": form.get("FromCity")},
        properties={
            "error_code": form.get("ErrorCode"), "media": form.get("MediaUrl0"), "payload": form.get("ButtonPayload"),
            "referrer": form.get("ReferralSourceUrl"),
        },
        campaign=_campaign(form),
    )


def _campaign(form: dict[str, str]) -> Event | None:
    """An advertisement that opened a chat on WhatsApp."""
    if form.get("ReferralSourceType") != "ad":
        return None
    return {
        "source": "meta", "medium": "cpc", "content": form.get("ReferralSourceId"),
        "click_id": form.get("ReferralCtwaClid"),
    }


def _channel(address: str) -> tuple[str, str]:
    """The channel and the number of an address such as +14155552671 or whatsapp:+14155552671."""
    prefix = next(prefix for prefix in _PREFIXES if address.startswith(prefix))
    return _PREFIXES[prefix], address.removeprefix(prefix)


def _call(form: dict[str, str], source: Source, received_ms: int) -> Iterator[Event]:
    status = form["CallStatus"].lower()
    if status in _CALLS_GOING_ON:
        return
    if status not in _CALLS_OVER:
        raise Refusal(Reason.BAD_VALUE, f"CallStatus: expected one of {', '.join(sorted(_CALLS_OVER))}")
    is_inbound = form.get("Direction", "inbound") == "inbound"
    seconds = _seconds(form.get("CallDuration") or form.get("Duration"))
    spoke = status == "completed" and seconds > 0 and not form.get("AnsweredBy", "").startswith("machine")
    kind = ("call_received" if spoke else "call_missed") if is_inbound else ("call_answered" if spoke else "call_made")
    yield event(
        event_id=event_id("twilio", form["CallSid"], "call"), channel="call_centre", type=kind,
        occurred_at=_over_ms(form, received_ms) - seconds * 1000, source=source.name, device="phone",
        identifiers=who("phone", form.get("From" if is_inbound else "To")),
        message={
            "message_id": f"twilio:{form['CallSid']}", "duration_ms": seconds * 1000,
            "recording_url": form.get("RecordingUrl"), **_price(form),
        },
        properties={"call_status": status, "answered_by": form.get("AnsweredBy")},
    )


def _price(form: dict[str, str]) -> Event:
    cost = amount(form.get("CallPrice") or form.get("Price"), "Price")
    return {"cost": cost, "currency": (form.get("PriceUnit") or "USD").upper()} if cost else {}


def _seconds(text: str | None) -> int:
    try:
        return min(max(int(text or 0), 0), 7 * 86_400)
    except ValueError:
        raise Refusal(Reason.BAD_VALUE, "CallDuration: expected seconds as a whole number") from None


def _over_ms(form: dict[str, str], received_ms: int) -> int:
    try:
        return int(parsedate_to_datetime(form["Timestamp"]).timestamp() * 1000)
    except KeyError:
        return received_ms
    except (ValueError, TypeError, OverflowError):
        raise Refusal(Reason.BAD_TIME, "Timestamp: expected a date as e-mails write it (RFC 2822)") from None


TWILIO = System(
    "twilio", "Twilio messages and calls", ("sms", "whatsapp", "call_centre"), verify, decode, answer=_NO_REPLY,
)
