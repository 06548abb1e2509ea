"""SendGrid's event webhook: what became of every e-mail, in batches.

Rules kept here:
- Signature: ECDSA over the timestamp header and the body; the secret is the verification key that SendGrid shows, which
  is public. So a stolen configuration signs nothing.
- Opens and clicks name their addressee with confidence 0.8, as mails are forwarded. An open by a machine (Apple's mail
  privacy) is written down, and is nobody's act.
- Its mails are of campaigns, by the name of the marketing campaign, else by the first category: they are no talk.
- Whatever else stands beside an event, such as one's own arguments, is kept in its properties.

Sources: www.twilio.com/docs/sendgrid/for-developers/tracking-events/event,
…/getting-started-event-webhook-security-features.
"""

import base64
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from connectors.incoming import Decoded, Event, Incoming
from connectors.source import Source
from connectors.webhooks.reading import (
    Number,
    converted,
    decoder,
    each,
    event,
    event_id,
    ms_of_seconds,
    parsed,
    short,
    who,
)
from connectors.webhooks.system import System
from streams.core.refusal import Reason, Refusal

_FORWARDED = 0.8
_TYPES = {
    "processed": "message_sent", "delivered": "message_delivered", "open": "message_opened",
    "click": "message_clicked", "bounce": "message_failed", "dropped": "message_failed",
    "spamreport": "unsubscribed", "unsubscribe": "unsubscribed", "group_unsubscribe": "unsubscribed",
    "group_resubscribe": "subscribed",
}
_TRACKED = frozenset({"open", "click"})
_CONSENTS = {"spamreport": False, "unsubscribe": False, "group_unsubscribe": False, "group_resubscribe": True}
_NO_NEWS = frozenset({"deferred", "account_status_change"})
"""It is tried again; nothing of a customer."""


class _Mail(msgspec.Struct, frozen=True):
    event: str
    timestamp: Number
    email: str | None = None
    sg_event_id: str | None = None
    sg_message_id: str | None = None
    category: str | list[str] | None = None
    sg_machine_open: bool = False
    asm_group_id: int | str | None = None
    marketing_campaign_name: str | None = None
    marketing_campaign_id: int | str | None = None


_OWN_FIELDS = frozenset(_Mail.__struct_fields__) | {"smtp-id", "smtp_id", "ip", "tls", "cert_err", "pool"}


def verify(incoming: Incoming, secret: str) -> bool:
    key = _key(secret)
    signed = incoming.headers.get("x-twilio-email-event-webhook-timestamp", "").encode() + incoming.body
    try:
        signature = base64.b64decode(incoming.headers.get("x-twilio-email-event-webhook-signature", ""), validate=True)
    except ValueError:
        return False
    if key is None:
        return False
    try:
        key.verify(signature, signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=16)
def _key(text: str) -> EllipticCurvePublicKey | None:
    """The key of base64 DER, as SendGrid shows it; None where it is none."""
    try:
        key = load_der_public_key(base64.b64decode(text))
    except Exception:
        return None
    return key if isinstance(key, EllipticCurvePublicKey) else None


@decoder
def decode(incoming: Incoming, source: Source, _received_ms: int) -> Decoded:
    mails = parsed(incoming.body, list[Any])
    return each(mails, dict[str, Any], lambda mail: _event(converted(mail, _Mail), mail, source), lambda part: [part])


def _event(mail: _Mail, whole: dict[str, Any], source: Source) -> Iterable[Event]:
    if mail.event in _NO_NEWS:
        return
    if mail.event not in _TYPES:
        raise Refusal(Reason.BAD_VALUE, f"event: expected one of {', '.join(_TYPES)}")
    if not mail.sg_event_id:
        raise Refusal(Reason.MISSING_FIELD, "sg_event_id: expected a text")
    categories = [mail.category] if isinstance(mail.category, str) else mail.category or []
    purpose = "email" if mail.asm_group_id is None else f"email_group_{mail.asm_group_id}"
    consent = _CONSENTS.get(mail.event)
    yield event(
        event_id=event_id("sendgrid", mail.sg_event_id),
        channel="email",
        type=_TYPES[mail.event],
        role="record" if mail.sg_machine_open else None,
        occurred_at=ms_of_seconds(mail.timestamp, "timestamp"),
        source=source.name,
        identifiers=who("email", mail.email, _FORWARDED if mail.event in _TRACKED else None),
        message={
            "message_id": f"sendgrid:{short(mail.sg_message_id)}" if mail.sg_message_id else None,
            "topic": short(", ".join(categories)),
        },
        campaign={
            "source": "sendgrid", "medium": "email",
            "name": short(mail.marketing_campaign_name or next(iter(categories), None)),
            "content": str(mail.marketing_campaign_id or "") or None,
        },
        consent={purpose: consent} if consent is not None else None,
        properties={key: value for key, value in whole.items() if key not in _OWN_FIELDS}
        | {"machine_open": mail.sg_machine_open or None, "spam_report": mail.event == "spamreport" or None},
    )


SENDGRID = System("sendgrid", "SendGrid e-mail events", ("email",), verify, decode)
