"""Types of events: the published table."""

from streams.core.event_types import ROLES, TYPES

GOLDEN = {
    "interaction": """page_viewed product_viewed product_searched review_read price_compared cart_updated
        checkout_started payment_failed order_requested order_placed ad_clicked message_received message_opened
        message_clicked call_received call_answered call_missed callback_requested form_submitted consulted
        store_visited card_shown app_opened logged_in signed_up identified review_left feedback_given complaint_made
        return_asked subscribed unsubscribed followed commented back_in_stock_requested stock_asked promo_code_used
        points_spent event_attended preference_set consent_given consent_withdrawn
        message_reacted message_edited conversation_started link_followed""",
    "exposure": """ad_viewed offer_shown message_sent message_delivered message_failed call_made callback_promised
        promise_made callback_done promise_kept""",
    "observation": "wifi_seen face_seen store_entered store_left",
    "order_fact": """order_updated order_paid payment_received order_ready order_fulfilled order_cancelled
        order_returned delivery_updated""",
    "record": "",
}

OF_AN_ORDER = """order_requested order_placed order_updated order_paid payment_received order_ready order_fulfilled
    order_cancelled delivery_updated"""


def test_the_types_are_the_published_ones() -> None:
    assert {t.name: t.role for t in TYPES.values()} == {
        name: role for role, names in GOLDEN.items() for name in names.split()
    }


def test_the_roles_are_the_published_ones() -> None:
    assert frozenset(GOLDEN) == ROLES


def test_each_type_needs_what_it_is_about() -> None:
    assert {t.name: t.needs for t in TYPES.values() if t.needs} == {
        "cart_updated": ("cart",),
        "order_returned": ("return.amount",),
        **dict.fromkeys(OF_AN_ORDER.split(), ("order",)),
    }
