"""The types of events: the role each plays and the part of the record it cannot do without.

A type that is not here is an interaction without requirements.
"""

from dataclasses import dataclass

INTERACTION = "interaction"
EXPOSURE = "exposure"
OBSERVATION = "observation"
ORDER_FACT = "order_fact"
RECORD = "record"
ROLES = frozenset({INTERACTION, EXPOSURE, OBSERVATION, ORDER_FACT, RECORD})
"""The customer acted; we acted; a sensor saw somebody; about an order; something was written down, nobody acted."""


@dataclass(frozen=True)
class EventType:
    """`needs` are paths of the record: `cart`, `order`, or `return.amount` (unless asked or refused)."""

    name: str
    role: str
    needs: tuple[str, ...] = ()


def _types(role: str, names: str, *needs: str) -> list[EventType]:
    return [EventType(name, role, needs) for name in names.split()]


TYPES: dict[str, EventType] = {t.name: t for t in (
    *_types(
        INTERACTION,
        "page_viewed product_viewed product_searched review_read price_compared checkout_started payment_failed "
        "ad_clicked message_received message_opened message_clicked call_received call_answered call_missed "
        "callback_requested form_submitted consulted store_visited card_shown app_opened logged_in signed_up "
        "identified review_left feedback_given complaint_made return_asked subscribed unsubscribed followed commented "
        "back_in_stock_requested stock_asked promo_code_used points_spent event_attended preference_set "
        "consent_given consent_withdrawn "
        # what messengers tell besides messages
        "message_reacted message_edited conversation_started link_followed",
    ),
    *_types(INTERACTION, "cart_updated", "cart"),
    *_types(INTERACTION, "order_requested order_placed", "order"),
    *_types(
        EXPOSURE,
        "ad_viewed offer_shown message_sent message_delivered message_failed call_made callback_promised "
        "promise_made callback_done promise_kept",
    ),
    *_types(OBSERVATION, "wifi_seen face_seen store_entered store_left"),
    *_types(
        ORDER_FACT,
        "order_updated order_paid payment_received order_ready order_fulfilled order_cancelled delivery_updated",
        "order",
    ),
    *_types(ORDER_FACT, "order_returned", "return.amount"),
)}
