"""Shopify: orders from placing to refund, parcels, checkouts, customers.

Rules kept here:
- Signature: X-Shopify-Hmac-SHA256 is the base64 HMAC-SHA256 of the body under the app's client secret.
- The header X-Shopify-Topic says what happened. An order's channel is where it was made: `source_name` web, pos, iphone
  and so on; the source's channel where that is some other app.
- Order numbers of Shopify are unique over all its shops: `shopify:<id>`. What the customer sees (#1001) is receipt_id.
- One event a step: a topic that is sent twice, or comes late, changes nothing.
- A checkout of which nobody is known yet is passed over.

Sources: shopify.dev/docs/apps/build/webhooks, shopify.dev/docs/api/webhooks, shopify.dev/docs/api/admin-rest/latest/
resources/order, …/refund, …/fulfillment.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TypeVar

from connectors.incoming import Decoded, Event, Incoming
from connectors.source import Source
from connectors.webhooks import shop
from connectors.webhooks.reading import Number, amount, decimal, decoder, digest, event, event_id, parsed, short
from connectors.webhooks.shopify_payloads import (
    Address,
    Checkout,
    Customer,
    Fulfillment,
    Line,
    Order,
    Refund,
    RefundLine,
    Shipping,
    Transaction,
)
from connectors.webhooks.system import System, base64_sha256, same
from streams.core.refusal import Reason, Refusal

_CHANNELS = {"web": "web", "pos": "pos", "iphone": "app", "android": "app", "shop": "app"}
_ORDER_STEPS = {
    "orders/create": "order_placed", "orders/paid": "order_paid", "orders/cancelled": "order_cancelled",
    "orders/fulfilled": "order_fulfilled", "orders/updated": "order_updated", "orders/edited": "order_updated",
    "orders/partially_fulfilled": "order_updated",
}
_PAID = frozenset({"paid", "partially_paid", "partially_refunded", "refunded"})
_PARCELS = {
    "label_printed": "packed", "label_purchased": "packed", "confirmed": "handed_over", "in_transit": "in_transit",
    "out_for_delivery": "in_transit", "attempted_delivery": "delayed", "delayed": "delayed",
    "ready_for_pickup": "ready", "delivered": "delivered", "failure": "failed", "picked_up": "handed_over",
}
_TO_BE_DONE = frozenset({"customers/data_request", "customers/redact", "shop/redact"})

_Kind = TypeVar("_Kind")


def verify(incoming: Incoming, secret: str) -> bool:
    return same(incoming.headers.get("x-shopify-hmac-sha256", ""), base64_sha256(secret, incoming.body))


@decoder
def decode(incoming: Incoming, source: Source, _received_ms: int) -> Decoded:
    topic = incoming.headers.get("x-shopify-topic", "")
    if topic in _ORDER_STEPS:
        return [_order(parsed(incoming.body, Order), _ORDER_STEPS[topic], source)]
    if topic in _TO_BE_DONE:
        raise Refusal(Reason.BAD_VALUE, f"{topic}: a request to forget or to tell: use `onethread erase` or `export`")
    read: Callable[[Incoming, Source], Iterable[Event]] | None = _TOPICS.get(topic)
    if read is None:
        raise Refusal(Reason.BAD_VALUE, f"x-shopify-topic: expected one of {', '.join([*_ORDER_STEPS, *_TOPICS])}")
    return [*read(incoming, source)]


def _order(order: Order, step: str, source: Source) -> Event:
    """One step. A change of an order that is cancelled leaves it cancelled: `order_updated` would revive it."""
    kind = "order_cancelled" if step == "order_updated" and order.cancelled_at else step
    channel = _CHANNELS.get(order.source_name or "", source.channel)
    at = {
        "order_placed": order.processed_at or order.created_at,
        "order_cancelled": order.cancelled_at,
        "order_fulfilled": order.fulfillments[-1].created_at if order.fulfillments else None,
    }.get(step) or order.updated_at or order.created_at
    customer = order.customer or Customer()
    is_pos = channel == "pos"
    return event(
        event_id=event_id("shopify", order.id, step, *([at] if step in ("order_updated", "order_cancelled") else [])),
        channel=channel, type=kind, occurred_at=at, source=source.name, device="pos" if is_pos else source.device,
        language=order.customer_locale,
        identifiers=shop.customer(
            f"shopify:{customer.id}" if customer.id else None, (order.email, order.contact_email, customer.email),
            _phones(order),
        ),
        place={"store_id": str(order.location_id) if is_pos and order.location_id else None},
        staff={"id": str(order.user_id), "role": "cashier"} if is_pos and order.user_id else None,
        order=_content(order, is_pos),
        campaign=shop.campaign(order.landing_site) if kind == "order_placed" else None,
        consent={"email": True} if order.buyer_accepts_marketing and kind == "order_placed" else None,
        traits={"first_name": customer.first_name, "last_name": customer.last_name},
        properties={
            "referrer": order.referring_site, "cart_token": order.cart_token, "checkout_token": order.checkout_token,
            "cancel_reason": order.cancel_reason, "financial_status": order.financial_status,
            "fulfillment_status": order.fulfillment_status, "test": order.test or None,
        },
    )


def _phones(order: Order) -> list[str | None]:
    """The number of the billing address only where nothing else says who ordered."""
    customer, billing = order.customer or Customer(), order.billing_address or Address()
    own = [order.phone, customer.phone]
    is_known = any((*own, order.email, order.contact_email, customer.email, customer.id))
    return own if is_known else [billing.phone]


def _content(order: Order, is_pos: bool) -> Event:
    shipping = order.total_shipping_price_set.shop_money.amount if order.total_shipping_price_set else None
    if shipping is None:
        told = [decimal(line.discounted_price or line.price, "shipping_lines.price") for line in order.shipping_lines]
        shipping = str(sum((price for price in told if price), Decimal(0))) if told else None
    return event(
        order_id=f"shopify:{order.id}", receipt_id=short(order.name), currency=order.currency,
        total=amount(order.total_price, "total_price"), tax=amount(order.total_tax, "total_tax"),
        shipping=amount(shipping, "shipping"), discount=amount(order.total_discounts, "total_discounts"),
        promo_code=next((short(code.code) for code in order.discount_codes if code.code), None),
        items=[_line(line, order.taxes_included, number) for number, line in enumerate(order.line_items)],
        payments=_payments(order, is_pos),
        delivery={"method": _delivery(order.shipping_lines[0])} if order.shipping_lines else None,
    )


def _delivery(line: Shipping) -> str | None:
    return "pickup" if "pickup" in (line.title or "").lower().replace("-", "").replace(" ", "") else None


def _payments(order: Order, is_pos: bool) -> list[Event]:
    """What was paid with what; of a till only once it is paid, as there payments say that it was."""
    if not order.payment_gateway_names or (is_pos and order.financial_status not in _PAID):
        return []
    paid: Decimal | None = None
    if len(order.payment_gateway_names) == 1 and order.financial_status in _PAID:
        total, owed = decimal(order.total_price, "total_price"), decimal(order.total_outstanding, "total_outstanding")
        paid = total - (owed or 0) if total is not None else None
    return [
        event(method=shop.method(gateway, is_pos), provider=short(gateway), amount=amount(paid))
        for gateway in order.payment_gateway_names if gateway
    ]


def _line(line: Line, taxes_included: bool, number: int) -> Event:
    path = f"line_items[{number}]"
    quantity = decimal(line.quantity, f"{path}.quantity") or Decimal(0)
    discount = _sum([told.amount for told in line.discount_allocations], f"{path}.discount_allocations")
    tax = _sum([told.price for told in line.tax_lines], f"{path}.tax_lines")
    gross = (decimal(line.price, f"{path}.price") or Decimal(0)) * quantity - discount
    return shop.line(
        line.sku or line.variant_id or line.product_id or line.id or line.title, line.title or line.name, quantity,
        gross if taxes_included else gross + tax, discount, tax,
        line_id=str(line.id) if line.id is not None else None, brand=short(line.vendor),
    )


def _sum(told: list[Number], path: str) -> Decimal:
    return sum((found for one in told if (found := decimal(one, path)) is not None), Decimal(0))


def _refunded(incoming: Incoming, source: Source) -> Iterable[Event]:
    refund = parsed(incoming.body, Refund)
    paid_back = [t for t in refund.transactions if t.kind == "refund" and t.status in ("success", "pending", None)]
    money = [line.subtotal_set.shop_money for line in refund.refund_line_items]
    currency = next((m.currency_code for m in money if m.currency_code), None) or next(
        (t.currency for t in refund.transactions if t.currency), source.currency)
    if paid_back:
        total = _sum([t.amount for t in paid_back], "transactions.amount")
    else:
        total = _sum([n for line in refund.refund_line_items for n in (line.subtotal, line.total_tax)], "subtotal")
    where = next(iter(refund.transactions), Transaction())
    channel = _CHANNELS.get(where.source_name or "", source.channel)
    yield event(
        event_id=event_id("shopify", refund.order_id, "refund", refund.id), channel=channel, type="order_returned",
        occurred_at=refund.processed_at or refund.created_at, source=source.name,
        order={"order_id": f"shopify:{refund.order_id}"},
        place={"store_id": str(where.location_id) if channel == "pos" and where.location_id else None},
        staff={"id": str(refund.user_id)} if refund.user_id else None,
        **{"return": event(
            return_id=f"shopify:{refund.id}", amount=amount(total), currency=currency, reason=short(refund.note),
            items=[_back(line, number) for number, line in enumerate(refund.refund_line_items) if line.line_item],
        )},
    )


def _back(line: RefundLine, number: int) -> Event:
    item, path = line.line_item or Line(), f"refund_line_items[{number}]"
    gross = _sum([line.subtotal, line.total_tax], path)
    return shop.line(
        item.sku or item.variant_id or item.product_id or item.id or item.title, item.title or item.name,
        decimal(line.quantity, f"{path}.quantity") or Decimal(0), gross,
        line_id=str(item.id) if item.id is not None else None,
    )


def _parcel(incoming: Incoming, source: Source) -> Iterable[Event]:
    parcel = parsed(incoming.body, Fulfillment)
    sent = {"success": "handed_over", "cancelled": "failed", "failure": "failed", "error": "failed"}
    status = _PARCELS.get(parcel.shipment_status or "") or sent.get(parcel.status or "", "packed")
    at = parcel.updated_at or parcel.created_at
    yield event(
        event_id=event_id("shopify", parcel.order_id, "fulfillment", parcel.id, at), channel="delivery",
        type="delivery_updated", occurred_at=at, source=source.name,
        order={"order_id": f"shopify:{parcel.order_id}", "delivery": {
            "shipment_id": f"shopify:{parcel.id}", "carrier": short(parcel.tracking_company),
            "tracking_id": short(parcel.tracking_number), "status": status,
        }},
    )


def _checkout(incoming: Incoming, source: Source) -> Iterable[Event]:
    checkout = parsed(incoming.body, Checkout)
    customer = checkout.customer or Customer()
    identifiers = shop.customer(
        f"shopify:{customer.id}" if customer.id else None, (checkout.email, customer.email),
        (checkout.phone, customer.phone),
    )
    at = checkout.updated_at or checkout.created_at
    if not identifiers:
        return
    yield event(
        event_id=event_id("shopify", "checkout", checkout.token, at),
        channel=_CHANNELS.get(checkout.source_name or "", source.channel), type="checkout_started", occurred_at=at,
        source=source.name, device=source.device, identifiers=identifiers,
        cart={
            "cart_id": f"shopify:{checkout.token}", "currency": checkout.currency,
            "total": amount(checkout.total_price, "total_price"),
            "items": [_line(line, checkout.taxes_included, number) for number, line in enumerate(checkout.line_items)],
        },
        campaign=shop.campaign(checkout.landing_site),
    )


def _customer(incoming: Incoming, source: Source) -> Iterable[Event]:
    customer = parsed(incoming.body, Customer)
    at = customer.updated_at or customer.created_at
    asked = {"email": customer.email_marketing_consent, "sms": customer.sms_marketing_consent}
    told = {"subscribed": True, "unsubscribed": False}
    yield event(
        event_id=event_id("shopify", "customer", digest(customer.id), at), channel=source.channel, type="identified",
        role="record", occurred_at=at, source=source.name,
        identifiers=shop.customer(
            f"shopify:{customer.id}" if customer.id else None, (customer.email,), (customer.phone,),
        ),
        traits={"first_name": customer.first_name, "last_name": customer.last_name},
        consent={name: told[c.state] for name, c in asked.items() if c is not None and c.state in told},
    )


_TOPICS: dict[str, Callable[[Incoming, Source], Iterable[Event]]] = {
    "refunds/create": _refunded,
    "fulfillments/create": _parcel,
    "fulfillments/update": _parcel,
    "checkouts/create": _checkout,
    "checkouts/update": _checkout,
    "customers/create": _customer,
    "customers/update": _customer,
}

SHOPIFY = System(
    "shopify", "Shopify", ("web", "pos", "app", "delivery"), verify, decode, topic_header="x-shopify-topic",
)
