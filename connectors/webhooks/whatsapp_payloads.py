"""The payloads of WhatsApp's webhook, as far as they are read; what is read of them: `connectors.webhooks.whatsapp`."""

from typing import Any

from msgspec import Struct

from connectors.webhooks.reading import Number


class Change(Struct, frozen=True):
    field: str
    value: Any = None


class Entry(Struct, frozen=True):
    changes: list[Any] = []


class Body(Struct, frozen=True):
    object: str
    entry: list[Any]


class Profile(Struct, frozen=True):
    name: str | None = None
    username: str | None = None


class Contact(Struct, frozen=True):
    wa_id: str | None = None
    user_id: str | None = None
    profile: Profile = Profile()


class Value(Struct, frozen=True):
    contacts: list[Contact] = []
    messages: list[Any] = []
    statuses: list[Any] = []
    message_echoes: list[Any] = []
    user_preferences: list[Any] = []
    errors: list[Any] = []


class Text(Struct, frozen=True):
    body: str


class Media(Struct, frozen=True):
    id: str | None = None
    caption: str | None = None
    mime_type: str | None = None


class Choice(Struct, frozen=True):
    id: str | None = None
    title: str | None = None


class Form(Struct, frozen=True):
    name: str | None = None
    body: str | None = None
    response_json: str | None = None


class Interactive(Struct, frozen=True):
    button_reply: Choice | None = None
    list_reply: Choice | None = None
    nfm_reply: Form | None = None


class Button(Struct, frozen=True):
    text: str | None = None
    payload: str | None = None


class Place(Struct, frozen=True):
    latitude: float | None = None
    longitude: float | None = None
    name: str | None = None
    address: str | None = None


class Item(Struct, frozen=True):
    product_retailer_id: str
    quantity: Number = 1
    item_price: Number = None
    currency: str | None = None


class Order(Struct, frozen=True):
    catalog_id: str | None = None
    text: str | None = None
    product_items: list[Item] = []


class Reaction(Struct, frozen=True):
    message_id: str
    emoji: str | None = None


class Note(Struct, frozen=True):
    type: str | None = None
    wa_id: str | None = None
    new_wa_id: str | None = None


class Telephone(Struct, frozen=True):
    phone: str | None = None
    wa_id: str | None = None


class Card(Struct, frozen=True):
    phones: list[Telephone] = []


class Product(Struct, frozen=True):
    product_retailer_id: str | None = None


class Context(Struct, frozen=True):
    id: str | None = None
    referred_product: Product | None = None


class Referral(Struct, frozen=True):
    source_type: str | None = None
    source_id: str | None = None
    source_url: str | None = None
    headline: str | None = None
    ctwa_clid: str | None = None


class Message(Struct, frozen=True, rename={"sender": "from", "sender_id": "from_user_id"}):
    id: str
    type: str
    timestamp: Number
    sender: str | None = None
    sender_id: str | None = None
    to: str | None = None
    to_user_id: str | None = None
    group_id: str | None = None
    origin: str | None = None
    context: Context | None = None
    referral: Referral | None = None
    text: Text | None = None
    image: Media | None = None
    video: Media | None = None
    audio: Media | None = None
    document: Media | None = None
    sticker: Media | None = None
    interactive: Interactive | None = None
    button: Button | None = None
    location: Place | None = None
    order: Order | None = None
    reaction: Reaction | None = None
    system: Note | None = None
    contacts: list[Card] = []

    @property
    def media(self) -> Media | None:
        return self.image or self.video or self.audio or self.document or self.sticker


class Origin(Struct, frozen=True):
    type: str | None = None


class Billed(Struct, frozen=True):
    id: str | None = None
    origin: Origin = Origin()


class Pricing(Struct, frozen=True):
    category: str | None = None
    billable: bool | None = None


class Error(Struct, frozen=True):
    code: int | None = None
    title: str | None = None


class Status(Struct, frozen=True):
    id: str
    status: str
    timestamp: Number
    recipient_id: str | None = None
    recipient_user_id: str | None = None
    recipient_type: str | None = None
    conversation: Billed = Billed()
    pricing: Pricing = Pricing()
    errors: list[Error] = []


class Preference(Struct, frozen=True):
    category: str
    value: str
    timestamp: Number
    wa_id: str | None = None
    user_id: str | None = None
