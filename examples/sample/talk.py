"""Conversations: messengers, the chat on the site, Direct, comments, the call centre."""

from examples.sample.catalogue import GOODS, HOUR_MS, MINUTE_MS
from examples.sample.life import Json, Life, order
from examples.sample.online import basket, product
from examples.sample.parcels import by_parcel

_QUESTIONS = (
    "Is it in stock in my city?", "How long is the warranty?", "Чи є доставка на завтра?", "Яка гарантія?",
    "Can I pay at the parcel office?", "Do you have it in another colour?", "What does delivery cost?",
)
_MESSENGERS = {"telegram": "telegram_id", "viber": "viber_id", "whatsapp": "phone", "instagram": "instagram_id",
               "facebook": "facebook_id"}


def messenger(life: Life) -> None:
    """A question in a messenger, an answer, often a phone number; now and then an order in the dialogue."""
    channel = tuple(_MESSENGERS)[(life.number + life.rng.choice((0, 0, 0, 1))) % len(_MESSENGERS)]
    me = life.id(_MESSENGERS[channel])
    now = life.day_time(8, 22)
    talk = f"{channel}-{life.serial()}"
    now = _say(life, now, channel, "message_received", [me], talk, life.rng.choice(_QUESTIONS))
    now = _answer(life, now, channel, [me], talk)
    if not life.chance(60):
        return
    now = _say(life, life.soon(now), channel, "message_received", [me, life.id("phone")], talk, "Here is my number.")
    if not life.chance(35):
        return
    goods = basket(life, 2)
    order_id = f"{channel}-{life.serial()}"
    now = life.soon(now)
    wanted = order(order_id, goods, delivery={"method": "post", "promised_at": now + 96 * HOUR_MS})
    if life.chance(40):  # written in the messenger, agreed by phone
        life.tell(now, channel, "order_requested", [me, life.id("phone")], source="crm", order=wanted)
        now = life.soon(now, 10, 90)
        life.tell(now, "call_centre", "order_placed", [life.id("phone")], staff=_operator(life), order=wanted)
    else:
        life.tell(now, channel, "order_placed", [me, life.id("phone")], source="crm", order=wanted)
    by_parcel(life, now, order_id, goods, prepaid=False)


def chat(life: Life) -> None:
    device = life.rng.choice(("desktop", "mobile"))
    me = life.id("anonymous_id", 0 if device == "desktop" else 1)
    now = life.day_time(9, 21)
    talk = f"chat-{life.serial()}"
    now = _say(life, now, "chat", "message_received", [me], talk, life.rng.choice(_QUESTIONS), device)
    now = _answer(life, now, "chat", [me], talk, bot=life.chance(40))
    if life.chance(50):
        ids = [me, life.id("email")]
        _say(life, life.soon(now), "chat", "message_received", ids, talk, "Please mail it to me.", device)


def social(life: Life) -> None:
    kind = life.rng.choice(("instagram_id", "facebook_id"))
    life.tell(life.day_time(8, 23), "social", life.rng.choice(("followed", "commented", "commented")), [life.id(kind)],
              properties={"post": f"post-{life.rng.randrange(20)}"})


def call(life: Life) -> None:
    """The customer rings: answered, or missed with a promise to ring back that is mostly kept."""
    me = [life.id("phone")]
    now = life.day_time(9, 19)
    talk = f"call-{life.serial()}"
    operator = _operator(life)
    if life.chance(18):
        life.tell(now, "call_centre", "call_missed", me, message={"message_id": talk, "wait_ms": 55_000})
        promise = {"promise_id": f"promise-{talk}", "kind": "callback", "due_at": now + 15 * MINUTE_MS}
        life.tell(now + 5000, "call_centre", "callback_promised", me, promise=promise)
        if not life.chance(80):
            return
        now = life.soon(now, 4, 40)
        life.tell(now, "call_centre", "call_made", me, staff=operator, message={"message_id": f"{talk}-back"})
        life.tell(now + 9000, "call_centre", "call_answered", me, staff=operator,
                  message={"message_id": f"{talk}-back", "duration_ms": 94_000}, promise=promise)
    else:
        spoken = {"message_id": talk, "duration_ms": life.rng.randrange(40, 600) * 1000,
                  "wait_ms": life.rng.randrange(2, 90) * 1000, "recording_url": f"s3://calls/{talk}.ogg"}
        life.tell(now, "call_centre", "call_received", me, staff=operator, message=spoken)
    if life.chance(55):
        goods = basket(life, 2)
        order_id = f"call-{life.serial()}"
        now = life.soon(now)
        life.tell(now, "call_centre", "order_placed", me, staff=operator,
                  order=order(order_id, goods, delivery={"method": "courier", "promised_at": now + 72 * HOUR_MS}))
        by_parcel(life, now, order_id, goods, prepaid=False)


def complaint(life: Life) -> None:
    life.tell(life.day_time(9, 19), "call_centre", "complaint_made", [life.id("phone")],
              staff=_operator(life),
              feedback={"score": 2, "scale_max": 10, "text": "Waited too long."})


def wish(life: Life) -> None:
    """Asks to be told when a thing is back."""
    life.tell(life.day_time(9, 22), "web", "back_in_stock_requested", [life.id("anonymous_id"), life.id("email")],
              device="desktop", products=[product(life.rng.choice(GOODS), available=False)])


def _operator(life: Life) -> Json:
    return {"id": f"operator-{life.rng.randrange(1, 9)}", "role": "operator", "team": "care"}


def _say(life: Life, now: int, channel: str, kind: str, ids: list[Json], talk: str, text: str,
         device: str | None = None) -> int:
    fields = {} if device is None else {"device": device}
    life.tell(now, channel, kind, ids, language=life.language, **fields,
              message={"message_id": f"{talk}-{now}", "conversation_id": talk, "text": text})
    return now


def _answer(life: Life, now: int, channel: str, ids: list[Json], talk: str, bot: bool = False) -> int:
    now = now + 2000 if bot else life.soon(now, 1, 50)
    staff = {"id": "bot-1", "role": "bot"} if bot else _operator(life)
    life.tell(now, channel, "message_sent", ids, staff=staff,
              message={"message_id": f"{talk}-{now}", "conversation_id": talk, "text": "Yes, gladly."})
    return now
