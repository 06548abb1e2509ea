"""WhatsApp Cloud API: messages, what became of ours, orders from the catalogue, advertisements that open a chat.

Rules kept here:
- A number is a `phone`; who hides theirs behind a user name has a `whatsapp_user_id`, scoped to the business.
- A wamid holds the customer's number in base64: events carry a digest of it, the same in all events of one message.
- The `conversation` of a status is what Meta bills by the day, not a talk: it is a property.
- What is billed as marketing is a message of a campaign, and no talk.
- A basket sent from the catalogue is asked for, not agreed: `order_requested`.

Source: developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference (messages, status,
user_preferences, smb_message_echoes), …/whatsapp/business-scoped-user-ids.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from connectors.incoming import Decoded, Event, Incoming
from connectors.source import Source
from connectors.webhooks import meta
from connectors.webhooks.reading import (
    amount,
    decimal,
    decoder,
    digest,
    each,
    event,
    ms_of_seconds,
    parsed,
    phone,
    short,
    who,
)
from connectors.webhooks.system import System
from connectors.webhooks.whatsapp_payloads import (
    Body,
    Change,
    Contact,
    Entry,
    Error,
    Interactive,
    Message,
    Note,
    Order,
    Place,
    Preference,
    Referral,
    Status,
    Value,
)
from streams.core.refusal import Reason, Refusal

_STATUSES = {
    "sent": "message_sent", "delivered": "message_delivered", "read": "message_opened", "played": "message_opened",
    "failed": "message_failed",
}
_ABOUT_THE_ACCOUNT = frozenset({
    "account_alerts", "account_review_update", "account_settings_update", "account_update", "automatic_events",
    "business_capability_update", "business_status_update", "business_username_update", "flows", "history",
    "message_template_components_update", "message_template_quality_update", "message_template_status_update",
    "partner_solutions", "payment_configuration_update", "phone_number_name_update", "phone_number_quality_update",
    "security", "smb_app_state_sync", "template_category_update", "tracking_events",
})
"""Fields of the webhook that tell nothing of a customer."""


_WRITTEN = frozenset({
    "text", "image", "video", "audio", "document", "sticker", "interactive", "button", "location", "contacts",
    "unsupported", "request_welcome",
})


@decoder
def decode(incoming: Incoming, source: Source, _received_ms: int) -> Decoded:
    body = parsed(incoming.body, Body)
    if body.object != "whatsapp_business_account":
        raise Refusal(Reason.BAD_VALUE, "object: expected whatsapp_business_account")
    reader = _Reader(source)
    return each(
        body.entry, Entry, lambda entry: each(entry.changes, Change, reader.change, lambda part: {"changes": [part]}),
        lambda part: {"object": body.object, "entry": [part]},
    )


class _Reader:
    def __init__(self, source: Source) -> None:
        self._source = source

    def change(self, change: Change) -> Decoded:
        if change.field in _ABOUT_THE_ACCOUNT:
            return []
        if change.field not in ("messages", "smb_message_echoes", "user_preferences"):
            raise Refusal(Reason.BAD_VALUE, "field: expected messages, smb_message_echoes or user_preferences")
        return each([change.value], Value, self._value, lambda part: {"field": change.field, "value": part})

    def _value(self, value: Value) -> Decoded:
        contacts = value.contacts
        return [
            *each(value.messages, Message, lambda message: self._message(message, contacts),
                  lambda part: {"contacts": contacts, "messages": [part]}),
            *each(value.message_echoes, Message, self._echo, lambda part: {"message_echoes": [part]}),
            *each(value.statuses, Status, self._status, lambda part: {"statuses": [part]}),
            *each(value.user_preferences, Preference, self._preference, lambda part: {"user_preferences": [part]}),
        ]

    def _message(self, message: Message, contacts: list[Contact]) -> Iterable[Event]:
        contact = next((c for c in contacts if message.sender in (None, c.wa_id)), (contacts or [Contact()])[0])
        user_id = message.sender_id or contact.user_id
        customer = [*phone(message.sender or contact.wa_id), *who("whatsapp_user_id", user_id)]
        profile = {"name": contact.profile.name, "whatsapp_username": contact.profile.username}
        if message.type == "system" and message.system is not None:
            return self._moved(message, message.system, customer)
        if message.type == "reaction" and message.reaction is not None:
            return [self._event("message_reacted", message, customer, traits=profile,
                                message={"reply_to": _mid(message.reaction.message_id)},
                                properties={"reaction": message.reaction.emoji})]
        if (message.origin or "").startswith("contact_request"):  # their own card, because we asked for it
            numbers = [number.wa_id or number.phone for card in message.contacts[:1] for number in card.phones[:1]]
            customer += [one for number in numbers for one in phone(number)]
        return [*self._ad(message, customer), self._said(message, customer, profile)]

    def _said(self, message: Message, customer: list[Event], profile: Event) -> Event:
        if message.type == "order" and message.order is not None:
            kind, order = "order_requested", _order(message, message.order)
        elif message.type in _WRITTEN:
            kind, order = "message_received", None
        else:
            raise Refusal(Reason.BAD_VALUE, "messages.type: expected one of WhatsApp's types of messages")
        product = message.context.referred_product if message.context else None
        sku = product.product_retailer_id if product else None
        return self._event(
            kind, message, customer, traits=profile, message=_content(message), campaign=_campaign(message.referral),
            products=[{"sku": sku}] if sku else None, properties=_properties(message), order=order,
        )

    def _ad(self, message: Message, customer: list[Event]) -> list[Event]:
        referral = message.referral
        if referral is None or referral.source_type != "ad":
            return []
        return [self._event("ad_clicked", message, customer, channel="ads", campaign=_campaign(referral),
                            properties={"referrer": referral.source_url, "headline": referral.headline})]

    def _moved(self, message: Message, system: Note, customer: list[Event]) -> list[Event]:
        """The customer took their account to another number; other notes of the system say nothing of a customer."""
        number = system.new_wa_id or system.wa_id
        if not (system.type or "").endswith("changed_number") or not number:
            return []
        return [self._event("identified", message, [*customer, *phone(number)], role="record")]

    def _echo(self, message: Message) -> Iterable[Event]:
        """We wrote, on the phone that the account is shared with."""
        return [self._event("message_sent", message, [*phone(message.to), *who("whatsapp_user_id", message.to_user_id)],
                            message=_content(message), properties=_properties(message))]

    def _status(self, status: Status) -> Iterable[Event]:
        if status.recipient_type == "group":
            return
        if status.status not in _STATUSES:
            raise Refusal(Reason.BAD_VALUE, f"statuses.status: expected one of {', '.join(_STATUSES)}")
        error = status.errors[0] if status.errors else Error()
        yield event(
            event_id=f"whatsapp:{status.status}:{digest(status.id)}",
            channel="whatsapp",
            type=_STATUSES[status.status],
            occurred_at=ms_of_seconds(status.timestamp, "statuses.timestamp"),
            source=self._source.name,
            identifiers=[*phone(status.recipient_id), *who("whatsapp_user_id", status.recipient_user_id)],
            message={"message_id": _mid(status.id)},
            campaign={"source": "whatsapp", "medium": "message"} if status.pricing.category == "marketing" else None,
            properties={
                "billed_as": status.conversation.id,
                "category": status.pricing.category or status.conversation.origin.type,
                "error_code": error.code, "error": error.title,
            },
        )

    def _preference(self, preference: Preference) -> Iterable[Event]:
        if preference.value not in ("stop", "resume"):
            raise Refusal(Reason.BAD_VALUE, "user_preferences.value: expected stop or resume")
        is_given = preference.value == "resume"
        user = preference.wa_id or preference.user_id
        yield event(
            event_id=f"whatsapp:consent:{digest(user, preference.category, preference.timestamp)}",
            channel="whatsapp",
            type="consent_given" if is_given else "consent_withdrawn",
            occurred_at=ms_of_seconds(preference.timestamp, "user_preferences.timestamp"),
            source=self._source.name,
            device=self._source.device,
            identifiers=[*phone(preference.wa_id), *who("whatsapp_user_id", preference.user_id)],
            consent={"whatsapp": is_given},
            properties={"category": preference.category},
        )

    def _event(
        self, kind: str, about: Message, customer: list[Event], /, channel: str = "whatsapp", **fields: Any,
    ) -> Event:
        return event(
            event_id=f"whatsapp:{kind}:{digest(about.id)}",
            channel=channel,
            type=kind,
            occurred_at=ms_of_seconds(about.timestamp, "timestamp"),
            source=self._source.name,
            device=self._source.device,
            identifiers=customer,
            **fields,
        )


def _mid(wamid: str | None) -> str | None:
    return f"whatsapp:{digest(wamid)}" if wamid else None


def _content(message: Message) -> Event:
    interactive, place = message.interactive or Interactive(), message.location or Place()
    choice, form = interactive.button_reply or interactive.list_reply, interactive.nfm_reply
    texts = (
        message.text.body if message.text else None,
        message.media.caption if message.media else None,
        choice.title if choice else None,
        form.body if form else None,
        message.button.text if message.button else None,
        message.order.text if message.order else None,
        place.name,
        place.address,
    )
    return {
        "message_id": _mid(message.id), "reply_to": _mid(message.context.id) if message.context else None,
        "text": next((text for text in texts if text), None),
    }


def _properties(message: Message) -> Event:
    interactive = message.interactive or Interactive()
    choice, media = interactive.button_reply or interactive.list_reply, message.media
    return {
        "message_type": message.type,
        "media_id": media.id if media else None,
        "mime_type": media.mime_type if media else None,
        "payload": (choice.id if choice else None) or (message.button.payload if message.button else None),
        "form": interactive.nfm_reply.response_json if interactive.nfm_reply else None,
        "latitude": message.location.latitude if message.location else None,
        "longitude": message.location.longitude if message.location else None,
        "group_id": message.group_id,
        "catalog_id": message.order.catalog_id if message.order else None,
        "referrer": message.referral.source_url if message.referral else None,
    }


def _campaign(referral: Referral | None) -> Event | None:
    if referral is None:
        return None
    medium = "cpc" if referral.source_type == "ad" else "social"
    return {"source": "meta", "medium": medium, "content": short(referral.source_id), "click_id": referral.ctwa_clid}


def _order(message: Message, order: Order) -> Event:
    """A basket; its total is what the lines say, as WhatsApp tells none."""
    total, items = Decimal(0), []
    for number, item in enumerate(order.product_items):
        path = f"order.product_items[{number}]"
        price, quantity = decimal(item.item_price, f"{path}.item_price"), decimal(item.quantity, f"{path}.quantity")
        total += (price or 0) * (quantity or 1)
        items.append({
            "sku": item.product_retailer_id, "quantity": amount(quantity), "price": amount(price),
            "currency": item.currency,
        })
    currency = next((item.currency for item in order.product_items if item.currency), None)
    return {
        "order_id": f"whatsapp:{digest(message.id)}", "items": items, "currency": currency,
        "total": amount(total) if currency else None,
    }


WHATSAPP = System(
    "whatsapp", "WhatsApp Cloud API (Meta)", ("whatsapp", "ads"), meta.verify, decode, meta.handshake,
)
