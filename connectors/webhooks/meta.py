"""What Meta's webhooks have in common: one signature, one handshake, one form of messages on Messenger and Instagram.

Rules kept here:
- Signature: X-Hub-Signature-256 is "sha256=" and the hex HMAC-SHA256 of the body under the app secret.
- Handshake: a GET with hub.mode=subscribe and the agreed hub.verify_token is answered with hub.challenge.
- A customer is numbered per account: the identifier is `<account>:<user>`.
- Message ids of Meta hold the numbers of both sides in base64; events carry a digest of them.
- What we sent comes as an echo, with the sides changed over.
- Who came by an advertisement clicked it: `ad_clicked` on ads, before the message that it led to.

Sources: developers.facebook.com/docs/graph-api/webhooks/getting-started (Validating Payloads, Verification Requests),
developers.facebook.com/docs/messenger-platform/reference/webhook-events,
developers.facebook.com/docs/instagram-platform/webhooks/examples.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from connectors.incoming import Event, Incoming
from connectors.source import Source
from connectors.webhooks.reading import Number, digest, event, event_id, ms, short, who
from connectors.webhooks.system import Answer, hex_sha256, query, same
from streams.core.refusal import Reason, Refusal


def verify(incoming: Incoming, secret: str) -> bool:
    return same(incoming.headers.get("x-hub-signature-256", ""), f"sha256={hex_sha256(secret, incoming.body)}")


def handshake(incoming: Incoming, token: str) -> Answer | None:
    asked = query(incoming.url)
    if not token or asked.get("hub.mode") != "subscribe" or not same(asked.get("hub.verify_token", ""), token):
        return None
    challenge = asked.get("hub.challenge", "")
    # It is a number; nothing else is repeated to whoever asks.
    return Answer(challenge.encode()) if challenge.isascii() and challenge.isalnum() else None


class Body(Struct, frozen=True):
    """What is posted to either: the entries of each account."""

    object: str
    entry: list[Any]


class Change(Struct, frozen=True):
    """Something besides messages in an entry, such as a comment."""

    field: str
    value: Any


class _Side(Struct, frozen=True):
    id: str | None = None


class _Referral(Struct, frozen=True):
    ref: str | None = None
    ad_id: str | None = None
    source: str | None = None
    type: str | None = None
    referer_uri: str | None = None


class _Reply(Struct, frozen=True):
    mid: str | None = None


class _Choice(Struct, frozen=True):
    payload: str | None = None


class _Attachment(Struct, frozen=True):
    type: str | None = None


class _Message(Struct, frozen=True):
    mid: str
    text: str | None = None
    is_echo: bool = False
    is_deleted: bool = False
    is_unsupported: bool = False
    quick_reply: _Choice | None = None
    reply_to: _Reply | None = None
    referral: _Referral | None = None
    attachments: list[_Attachment] = []


class _Postback(Struct, frozen=True):
    mid: str | None = None
    title: str | None = None
    payload: str | None = None
    referral: _Referral | None = None


class _Delivery(Struct, frozen=True):
    watermark: Number = None
    mids: list[str] = []


class _Read(Struct, frozen=True):
    watermark: Number = None
    mid: str | None = None


class _Reaction(Struct, frozen=True):
    mid: str
    action: str = "react"
    reaction: str | None = None
    emoji: str | None = None


class _Optin(Struct, frozen=True):
    type: str | None = None
    title: str | None = None
    payload: str | None = None
    notification_messages_status: str | None = None


class _Edit(Struct, frozen=True):
    mid: str
    text: str | None = None
    num_edit: int = 0


class Messaging(Struct, frozen=True):
    """One thing that happened in a thread of Messenger or Instagram Direct; exactly one of the parts is there."""

    sender: _Side = _Side()
    recipient: _Side = _Side()
    timestamp: Number = None
    message: _Message | None = None
    postback: _Postback | None = None
    delivery: _Delivery | None = None
    read: _Read | None = None
    reaction: _Reaction | None = None
    referral: _Referral | None = None
    optin: _Optin | None = None
    message_edit: _Edit | None = None
    account_linking: Any | UnsetType = UNSET
    pass_thread_control: Any | UnsetType = UNSET
    take_thread_control: Any | UnsetType = UNSET
    request_thread_control: Any | UnsetType = UNSET
    app_roles: Any | UnsetType = UNSET
    policy_enforcement: Any | UnsetType = UNSET

    @property
    def is_between_apps(self) -> bool:
        """Which app answers, who administers the page: nothing that a customer did."""
        return any(part is not UNSET for part in (
            self.account_linking, self.pass_thread_control, self.take_thread_control, self.request_thread_control,
            self.app_roles, self.policy_enforcement,
        ))


class Thread:
    """Reads the messages of one account.

    Shape: channel is also the name in ids; kind is that of the customer's identifier.
    """

    def __init__(self, channel: str, kind: str, account: str, source: Source) -> None:
        self._channel, self._kind, self._account, self._source = channel, kind, account, source

    def read(self, told: Messaging) -> Iterable[Event]:
        if told.message is not None:
            return self._message(told, told.message)
        if told.postback is not None:
            return self._postback(told, told.postback)
        if told.delivery is not None:
            return self._delivery(told, told.delivery)
        if told.read is not None:
            return [self._seen(told, "message_opened", told.read.mid, told.read.watermark)]
        if told.reaction is not None:
            return self._reaction(told, told.reaction)
        if told.message_edit is not None:
            edit = told.message_edit
            return [self._event(told, "message_edited", edit.mid, edit.num_edit,
                                message={"message_id": self._mid(edit.mid), "text": edit.text})]
        if told.referral is not None:
            return self._came(told, told.referral, digest(told.sender.id, told.timestamp))
        if told.optin is not None:
            return self._optin(told, told.optin)
        if told.is_between_apps:
            return []
        raise Refusal(Reason.BAD_VALUE, "messaging: expected message, postback, delivery, read, reaction, referral …")

    def _message(self, told: Messaging, message: _Message) -> Iterable[Event]:
        if message.is_deleted:
            return []
        kinds = ", ".join(attachment.type or "" for attachment in message.attachments)
        content = self._event(
            told, "message_sent" if message.is_echo else "message_received", message.mid, customer=
            told.recipient.id if message.is_echo else told.sender.id,
            message={
                "message_id": self._mid(message.mid),
                "reply_to": self._mid(message.reply_to.mid) if message.reply_to else None,
                "text": message.text,
            },
            campaign=self._campaign(message.referral),
            properties={
                "attachments": kinds, "payload": message.quick_reply.payload if message.quick_reply else None,
                "referral": message.referral.ref if message.referral else None,
            },
        )
        return [*self._ad(told, message.referral, message.mid), content]

    def _postback(self, told: Messaging, postback: _Postback) -> Iterable[Event]:
        """The customer pressed a button that says something: they wrote it."""
        mid = postback.mid or digest(told.sender.id, told.timestamp, postback.payload)
        content = self._event(
            told, "message_received", mid, message={"message_id": self._mid(mid), "text": postback.title},
            campaign=self._campaign(postback.referral),
            properties={
                "payload": postback.payload, "referral": postback.referral.ref if postback.referral else None,
            },
        )
        return [*self._ad(told, postback.referral, mid), content]

    def _delivery(self, told: Messaging, delivery: _Delivery) -> Iterable[Event]:
        """Each message that was delivered; without their ids, one event for all up to the watermark."""
        mids: list[str | None] = [*delivery.mids] or [None]
        for mid in mids:
            yield self._seen(told, "message_delivered", mid, delivery.watermark)

    def _seen(self, told: Messaging, kind: str, mid: str | None, watermark: Number) -> Event:
        name = mid or digest(told.sender.id, watermark)
        at = told.timestamp if told.timestamp is not None else watermark
        return self._event(told, kind, name, at=at, message={"message_id": self._mid(mid) if mid else None})

    def _reaction(self, told: Messaging, reaction: _Reaction) -> Iterable[Event]:
        if reaction.action != "react":
            return
        yield self._event(told, "message_reacted", reaction.mid, told.timestamp,
                          message={"reply_to": self._mid(reaction.mid)},
                          properties={"reaction": reaction.emoji or reaction.reaction})

    def _optin(self, told: Messaging, optin: _Optin) -> Iterable[Event]:
        is_given = optin.notification_messages_status != "STOP_NOTIFICATIONS"
        yield self._event(told, "consent_given" if is_given else "consent_withdrawn", digest(told.sender.id),
                          told.timestamp, consent={self._channel: is_given},
                          properties={"topic": optin.title, "payload": optin.payload, "optin": optin.type})

    def _came(self, told: Messaging, referral: _Referral, name: str) -> Iterable[Event]:
        """Somebody who had written before came again by a link or an advertisement."""
        if self._is_ad(referral):
            return self._ad(told, referral, name)
        return [self._event(told, "link_followed", name, campaign=self._campaign(referral),
                            properties={"referral": referral.ref, "referrer": referral.referer_uri})]

    def _ad(self, told: Messaging, referral: _Referral | None, name: str) -> list[Event]:
        if referral is None or not self._is_ad(referral):
            return []
        return [self._event(told, "ad_clicked", name, channel="ads", campaign=self._campaign(referral),
                            properties={"referral": referral.ref})]

    @staticmethod
    def _is_ad(referral: _Referral) -> bool:
        return referral.ad_id is not None or (referral.source or "").upper() in ("ADS", "AD")

    def _campaign(self, referral: _Referral | None) -> Event | None:
        if referral is None:
            return None
        medium = "cpc" if self._is_ad(referral) else "referral"
        return {"source": self._channel, "medium": medium, "name": short(referral.ref), "content": referral.ad_id}

    def _event(
        self, told: Messaging, kind: str, *name: object, customer: str | None = None, channel: str | None = None,
        at: Number = None, **fields: Any,
    ) -> Event:
        user = customer or told.sender.id
        return event(
            event_id=event_id(self._channel, kind, digest(self._account, *name)),
            channel=channel or self._channel,
            type=kind,
            occurred_at=ms(at if at is not None else told.timestamp, "timestamp"),
            source=self._source.name,
            device=self._source.device,
            identifiers=who(self._kind, f"{self._account}:{user}" if user else None),
            **fields,
        )

    def _mid(self, mid: str | None) -> str | None:
        return f"{self._channel}:{digest(mid)}" if mid else None
