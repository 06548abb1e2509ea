"""What the sample's business has: stores, goods, campaigns, reporting systems, and the calendar of its six weeks.

Everything is plainly synthetic. Money is in kopecks (1/100 UAH), time in epoch milliseconds.
"""

from dataclasses import dataclass

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
OFFSET_MIN = 120  # Europe/Kyiv is UTC+2 on every day of the sample: summer time begins on 29 March 2026
START_MS = 1_768_687_200_000
"""2026-01-18 00:00 in Kyiv."""
DAYS = 42
AS_OF = "2026-03-01T00:00:00+02:00"
"""The end of the sample: the midnight after 28 February."""
CURRENCY = "UAH"
ZONE = "Europe/Kyiv"

assert (START_MS + OFFSET_MIN * MINUTE_MS) % DAY_MS == 0


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> int:
    """The instant of a local time on the sample's day 0 .. 41."""
    return START_MS + day * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS + second * 1000


@dataclass(frozen=True)
class Good:
    sku: str
    name: str
    category: str
    price: int
    unit: str = "pc"


GOODS = (
    Good("garland-led-10", "LED garland, 10 m", "light", 64900),
    Good("garland-led-20", "LED garland, 20 m", "light", 109900),
    Good("garland-aa", "Garland on batteries", "light", 24900),
    Good("lamp-desk", "Desk lamp", "light", 89900),
    Good("lamp-floor", "Floor lamp", "light", 219900),
    Good("bulb-e27", "Bulb E27, warm", "light", 7900),
    Good("kettle-17", "Kettle, 1.7 l", "kitchen", 129900),
    Good("mug-blue", "Mug, blue", "kitchen", 15900),
    Good("pan-28", "Frying pan, 28 cm", "kitchen", 84900),
    Good("knife-chef", "Chef's knife", "kitchen", 69900),
    Good("blanket-wool", "Wool blanket", "home", 159900),
    Good("pillow-60", "Pillow, 60 cm", "home", 49900),
    Good("candle-wax", "Wax candle", "home", 9900),
    Good("towel-grey", "Towel, grey", "home", 32900),
    Good("headphones-x", "Headphones X", "electronics", 249900),
    Good("powerbank-20", "Power bank, 20 Ah", "electronics", 179900),
    Good("cable-usb-c", "USB-C cable", "electronics", 29900),
    Good("speaker-mini", "Mini speaker", "electronics", 119900),
)
FOOD = (
    Good("apple", "Apples", "food", 4990, "kg"),
    Good("tomato", "Tomatoes", "food", 11900, "kg"),
    Good("cheese-hard", "Hard cheese", "food", 48900, "kg"),
    Good("coffee-beans", "Coffee beans", "food", 72000, "kg"),
    Good("bread-rye", "Rye bread", "food", 4200),
    Good("milk-1l", "Milk, 1 l", "food", 5400),
    Good("chocolate-70", "Chocolate, 70 %", "food", 8900),
)
GOOD = {good.sku: good for good in GOODS + FOOD}

STORES = {"S1": "Kyiv", "S2": "Kyiv", "S3": "Lviv", "S4": "Odesa", "S5": "Dnipro"}

CAMPAIGNS = (
    {"source": "google", "medium": "cpc", "name": "winter-light"},
    {"source": "google", "medium": "cpc", "name": "brand"},
    {"source": "meta", "medium": "paid_social", "name": "cosy-home"},
    {"source": "tiktok", "medium": "paid_social", "name": "gifts"},
)
AD_COSTS = {"google": 480, "meta": 350, "tiktok": 210}
"""What one click costs, by source."""

SOURCES = {
    "web": "site", "app": "mobile-app", "push": "push-service", "chat": "chat-widget", "email": "mailer",
    "sms": "sms-gateway", "whatsapp": "whatsapp-webhook", "viber": "viber-webhook", "telegram": "telegram-bot",
    "instagram": "instagram-webhook", "facebook": "facebook-webhook", "social": "social-listener",
    "marketplace": "marketplace-feed", "ads": "ads-platform", "pos": "till", "wifi": "wifi-controller",
    "face": "camera", "event": "events-desk", "kiosk": "kiosk", "outdoor": "billboards", "call_centre": "pbx",
    "delivery": "parcel-tracker", "loyalty": "loyalty-engine", "crm": "crm", "survey": "survey-form",
    "payment": "payment-gateway",
}
"""Which system reports each channel."""

DEVICES = {
    "app": "mobile", "push": "mobile", "sms": "mobile", "whatsapp": "mobile", "viber": "mobile",
    "telegram": "mobile", "instagram": "mobile", "facebook": "mobile", "social": "mobile", "pos": "pos",
    "kiosk": "kiosk", "call_centre": "phone", "outdoor": "other",
}
"""The device where a channel has only one."""
