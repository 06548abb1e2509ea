"""Telegram bots: messages, pressed buttons, shared numbers, starts and stops of the bot.

Rules kept here:
- The header X-Telegram-Bot-Api-Secret-Token is the secret_token given to setWebhook.
- In a private chat a message is written to us; in a group it is a comment.
- A shared contact is the customer's own number only where its user_id is theirs.
- Message numbers are of one chat of one bot: ids carry the source's name, and a digest of the chat.

Source: core.telegram.org/bots/api (setWebhook, Update, Message, CallbackQuery, ChatMemberUpdated).
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from connectors.incoming import Decoded, Event, Incoming
from connectors.source import Source
from connectors.webhooks.reading import Number, decoder, digest, event, event_id, ms_of_seconds, parsed, who
from connectors.webhooks.system import System, same
from streams.core.refusal import Reason, Refusal

_NOTHING_A_CUSTOMER_SAID = frozenset({
    "channel_post", "edited_channel_post", "chat_member", "chat_join_request", "chat_boost", "removed_chat_boost",
    "poll", "poll_answer", "inline_query", "chosen_inline_result", "shipping_query", "pre_checkout_query",
    "message_reaction_count", "business_connection", "deleted_business_messages", "purchased_paid_media",
})
_GONE = frozenset({"kicked", "left"})


class _User(Struct, frozen=True):
    id: int
    is_bot: bool = False
    first_name: str | None = None
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None


class _Chat(Struct, frozen=True):
    id: int
    type: str = "private"


class _Contact(Struct, frozen=True):
    phone_number: str
    user_id: int | None = None


class _Place(Struct, frozen=True):
    latitude: float | None = None
    longitude: float | None = None


class _Replied(Struct, frozen=True):
    message_id: int
    chat: _Chat | None = None


class _Message(Struct, frozen=True, rename={"sender": "from"}):
    message_id: int
    date: Number
    chat: _Chat
    sender: _User | None = None
    text: str | None = None
    caption: str | None = None
    edit_date: Number = None
    contact: _Contact | None = None
    location: _Place | None = None
    reply_to_message: _Replied | None = None
    photo: list[Any] | None = None
    video: Any = None
    voice: Any = None
    audio: Any = None
    document: Any = None
    sticker: Any = None

    @property
    def attachments(self) -> str:
        names = ("photo", "video", "voice", "audio", "document", "sticker", "contact", "location")
        return ", ".join(name for name in names if getattr(self, name) is not None)


class _Pressed(Struct, frozen=True, rename={"sender": "from"}):
    id: str
    sender: _User
    data: str | None = None
    message: _Replied | None = None


class _Member(Struct, frozen=True):
    status: str


class _Membership(Struct, frozen=True, rename={"sender": "from"}):
    sender: _User
    chat: _Chat
    date: Number
    new_chat_member: _Member


class _Emoji(Struct, frozen=True):
    emoji: str | None = None


class _Reacted(Struct, frozen=True):
    chat: _Chat
    message_id: int
    date: Number
    user: _User | None = None
    new_reaction: list[_Emoji] = []


class _Update(Struct, frozen=True):
    update_id: int
    message: _Message | None = None
    edited_message: _Message | None = None
    business_message: _Message | None = None
    callback_query: _Pressed | None = None
    my_chat_member: _Membership | None = None
    message_reaction: _Reacted | None = None


def verify(incoming: Incoming, secret: str) -> bool:
    return bool(secret) and same(incoming.headers.get("x-telegram-bot-api-secret-token", ""), secret)


@decoder
def decode(incoming: Incoming, source: Source, received_ms: int) -> Decoded:
    update = parsed(incoming.body, _Update)
    reader = _Reader(source, received_ms)
    if (message := update.message or update.business_message) is not None:
        return [*reader.message(message, update.business_message is not None)]
    if update.edited_message is not None:
        return [*reader.edited(update.edited_message)]
    if update.callback_query is not None:
        return [reader.pressed(update.callback_query, update.update_id)]
    if update.my_chat_member is not None:
        return [*reader.membership(update.my_chat_member)]
    if update.message_reaction is not None:
        return [*reader.reacted(update.message_reaction, update.update_id)]
    if _NOTHING_A_CUSTOMER_SAID & parsed(incoming.body, dict[str, Any]).keys():
        return []
    raise Refusal(Reason.BAD_VALUE, "update: expected a message, callback_query, my_chat_member …")


class _Reader:
    def __init__(self, source: Source, received_ms: int) -> None:
        self._source, self._received_ms = source, received_ms

    def message(self, message: _Message, is_business: bool) -> Iterable[Event]:
        user = message.sender
        if is_business and user is not None and user.id != message.chat.id:
            yield self._event("message_sent", "telegram", _id(message), _User(message.chat.id), message.date,
                              message=self._content(message), properties={"attachments": message.attachments})
            return
        if user is None or user.is_bot:
            return
        own = message.contact if message.contact is not None and message.contact.user_id == user.id else None
        is_private = message.chat.type == "private"
        payload = (message.text or "").removeprefix("/start ") if (message.text or "").startswith("/start ") else None
        place = message.location or _Place()
        yield self._event(
            "message_received" if is_private else "commented", "telegram", _id(message), user, message.date,
            more=who("phone", f"+{own.phone_number.lstrip('+')}" if own else None),
            message=self._content(message),
            properties={
                "attachments": message.attachments, "start": payload, "latitude": place.latitude,
                "longitude": place.longitude,
            },
        )

    def edited(self, message: _Message) -> Iterable[Event]:
        if message.sender is not None and not message.sender.is_bot:
            yield self._event("message_edited", "telegram", f"{_id(message)}:{message.edit_date}", message.sender,
                              message.edit_date or message.date, message=self._content(message))

    def pressed(self, pressed: _Pressed, update_id: int) -> Event:
        """A button under a message of ours; Telegram tells no time of it, so it is the time of arrival."""
        told = pressed.message
        message_id = self._mid(told.chat, told.message_id) if told is not None and told.chat is not None else None
        return event(
            event_id=event_id("telegram", self._source.name, "message_clicked", update_id), channel="telegram",
            type="message_clicked", occurred_at=self._received_ms, **self._who(pressed.sender),
            message={"message_id": message_id}, properties={"payload": pressed.data},
        )

    def membership(self, told: _Membership) -> Iterable[Event]:
        """Who starts the bot again, or blocks it."""
        if told.chat.type == "private":
            is_gone = told.new_chat_member.status in _GONE
            name = digest(told.chat.id, told.date)
            yield self._event("unsubscribed" if is_gone else "subscribed", "telegram", name, told.sender, told.date,
                              consent={"telegram": not is_gone})

    def reacted(self, told: _Reacted, update_id: int) -> Iterable[Event]:
        if told.user is not None and told.new_reaction:
            yield self._event("message_reacted", "telegram", update_id, told.user, told.date,
                              message={"reply_to": self._mid(told.chat, told.message_id)},
                              properties={"reaction": told.new_reaction[0].emoji})

    def _content(self, message: _Message) -> Event:
        reply = message.reply_to_message
        return {
            "message_id": self._mid(message.chat, message.message_id), "text": message.text or message.caption,
            "reply_to": self._mid(message.chat, reply.message_id) if reply else None,
        }

    def _event(self, kind: str, channel: str, name: object, user: _User, at: Number, more: list[Event] | None = None,
               **fields: Any) -> Event:
        found = self._who(user)
        found["identifiers"] = [*found["identifiers"], *(more or [])]
        return event(event_id=event_id("telegram", self._source.name, kind, name), channel=channel, type=kind,
                     occurred_at=ms_of_seconds(at, "date"), **found, **fields)

    def _who(self, user: _User) -> Event:
        return {
            "source": self._source.name, "device": self._source.device, "language": user.language_code,
            "identifiers": who("telegram_id", user.id),
            "traits": {
                "first_name": user.first_name, "last_name": user.last_name, "telegram_username": user.username,
            },
        }

    def _mid(self, chat: _Chat, message_id: int) -> str:
        return f"telegram:{self._source.name}:{digest(chat.id, message_id)}"


def _id(message: _Message) -> str:
    return digest(message.chat.id, message.message_id)


TELEGRAM = System("telegram", "Telegram bot", ("telegram",), verify, decode)
