"""WooCommerce: orders with every step that their payload tells, refunds, customers.

Rules kept here:
- Signature: X-WC-Webhook-Signature is the base64 HMAC-SHA256 of the body under the webhook's secret. When a webhook is
  saved, its address is tried with the unsigned form `webhook_id=<number>`, which is answered and means nothing.
- The header X-WC-Webhook-Topic says what happened. Numbers are a shop's own: orders are `<source>:<id>`.
- An order tells by its dates what happened to it: paid, completed. These steps are the same in every delivery; what can
  change is in `order_placed`, told once by order.created, and in `order_updated`, by the time of the change.
- A refund tells no time of its own: it is that of the change, and its return_id stays the same.

Sources: woocommerce.github.io/woocommerce-rest-api-docs (Orders, Webhooks), WooCommerce's class-wc-webhook.php
(generate_signature, deliver_ping), class OrderAttributionController (meta_data _wc_order_attribution_…).
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from msgspec import Struct

from connectors.incoming import Decoded, Event, Incoming
from connectors.source import Source
from connectors.webhooks import shop
from connectors.webhooks.reading import Number, amount, decimal, decoder, digest, event, event_id, parsed, short
from connectors.webhooks.system import Answer, System, base64_sha256, same
from streams.core.refusal import Reason, Refusal

_NOT_YET = frozenset({"checkout-draft", "auto-draft", "draft"})
_OFF = frozenset({"cancelled", "trash", "failed"})
"""Paying in vain is no sale; an order that is tried again is updated, which revives it. `order_updated` beside the
cancellation would do so too."""
_DEVICES = {"desktop": "desktop", "mobile": "mobile", "tablet": "tablet"}
_ORDERS = frozenset({"order.created", "order.updated", "order.restored"})
_CUSTOMERS = frozenset({"customer.created", "customer.updated"})
_NOTHING_A_CUSTOMER_DID = frozenset({
    "coupon.created", "coupon.updated", "coupon.deleted", "coupon.restored", "customer.deleted",
    "product.created", "product.updated", "product.deleted", "product.restored",
})
_is_ping = re.compile(rb"webhook_id=\d{1,18}").fullmatch


class _Meta(Struct, frozen=True):
    key: Any = None
    """Of any plugin, which may put anything there."""
    value: Any = None


class _Billing(Struct, frozen=True):
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None


class _Line(Struct, frozen=True):
    id: int | str | None = None
    name: str | None = None
    product_id: int | str | None = None
    variation_id: int | str | None = None
    quantity: Number = 1
    subtotal: Number = None
    total: Number = None
    total_tax: Number = None
    sku: str | None = None


class _Shipping(Struct, frozen=True):
    method_id: str | None = None
    method_title: str | None = None


class _Coupon(Struct, frozen=True):
    code: str | None = None


class _Refund(Struct, frozen=True):
    id: int | str
    reason: str | None = None
    total: Number = None


class _Order(Struct, frozen=True):
    id: int | str
    number: int | str | None = None
    status: str = ""
    currency: str | None = None
    created_via: str | None = None
    date_created_gmt: str | None = None
    date_modified_gmt: str | None = None
    date_paid_gmt: str | None = None
    date_completed_gmt: str | None = None
    total: Number = None
    total_tax: Number = None
    shipping_total: Number = None
    shipping_tax: Number = None
    discount_total: Number = None
    discount_tax: Number = None
    customer_id: int | str | None = None
    payment_method: str | None = None
    payment_method_title: str | None = None
    billing: _Billing = _Billing()
    line_items: list[_Line] = []
    shipping_lines: list[_Shipping] = []
    coupon_lines: list[_Coupon] = []
    refunds: list[_Refund] = []
    meta_data: list[_Meta] = []


class _Customer(Struct, frozen=True):
    id: int | str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    date_created_gmt: str | None = None
    date_modified_gmt: str | None = None
    billing: _Billing = _Billing()


class _Deleted(Struct, frozen=True):
    id: int | str


def verify(incoming: Incoming, secret: str) -> bool:
    return same(incoming.headers.get("x-wc-webhook-signature", ""), base64_sha256(secret, incoming.body))


def handshake(incoming: Incoming, _token: str) -> Answer | None:
    return Answer() if _is_ping(incoming.body) else None


@decoder
def decode(incoming: Incoming, source: Source, received_ms: int) -> Decoded:
    if _is_ping(incoming.body):
        return []
    topic = incoming.headers.get("x-wc-webhook-topic", "")
    if topic in _ORDERS:
        return [*_events(parsed(incoming.body, _Order), topic == "order.created", source)]
    if topic in _CUSTOMERS:
        return [_customer(parsed(incoming.body, _Customer), source)]
    if topic == "order.deleted":
        return [_deleted(parsed(incoming.body, _Deleted), source, received_ms)]
    if topic in _NOTHING_A_CUSTOMER_DID:
        return []
    raise Refusal(Reason.BAD_VALUE, "x-wc-webhook-topic: expected order.… or customer.…")


def _events(order: _Order, is_new: bool, source: Source) -> Iterable[Event]:
    if order.status in _NOT_YET:
        return
    changed = order.date_modified_gmt or order.date_created_gmt
    if is_new:
        yield _step("order_placed", order, source, order.date_created_gmt, content=True)
    if order.status in _OFF:
        yield _step("order_cancelled", order, source, changed, changed, content=True)
    elif not is_new:
        yield _step("order_updated", order, source, changed, changed, content=True)
    if order.date_paid_gmt:
        yield _step("order_paid", order, source, order.date_paid_gmt, payments=_payments(order))
    if order.date_completed_gmt:
        yield _step("order_fulfilled", order, source, order.date_completed_gmt)
    if order.status == "failed":
        yield _step("payment_failed", order, source, changed, changed)
    for refund in order.refunds:
        found = _step("order_returned", order, source, changed, refund.id, changed)
        found["return"] = event(
            return_id=f"{_order_id(order, source)}:{refund.id}", amount=amount(refund.total, "refunds.total"),
            currency=order.currency or source.currency, reason=short(refund.reason),
        )
        yield found


def _step(
    kind: str, order: _Order, source: Source, at: str | None, *name: object, content: bool = False, **told: Any,
) -> Event:
    """One step; the order's content is only in those that may change: the others are the same in every delivery."""
    told_by = _attribution(order)
    is_first = kind == "order_placed"
    account = f"{source.name}:{order.customer_id}" if order.customer_id not in (None, 0, "0", "") else None
    return event(
        event_id=event_id("woocommerce", source.name, order.id, kind, *name),
        channel=source.channel, type=kind, occurred_at=_utc(at), source=source.name,
        device=_DEVICES.get(told_by.get("device_type", "").lower(), source.device),
        identifiers=shop.customer(account, (order.billing.email,), (order.billing.phone,)),
        order={"order_id": _order_id(order, source), **(_content(order, source) if content else {}), **told},
        campaign=_campaign(told_by) if is_first else None,
        traits={"first_name": order.billing.first_name, "last_name": order.billing.last_name} if content else None,
        properties={"status": order.status, "created_via": order.created_via, "referrer": told_by.get("referrer")}
        if content else None,
    )


def _order_id(order: _Order, source: Source) -> str:
    return f"{source.name}:{order.id}"


def _content(order: _Order, source: Source) -> Event:
    return {
        "receipt_id": short(str(order.number)) if order.number is not None else None,
        "currency": order.currency or source.currency,
        "total": amount(order.total, "total"), "tax": amount(order.total_tax, "total_tax"),
        "shipping": _both(order.shipping_total, order.shipping_tax, "shipping_total"),
        "discount": _both(order.discount_total, order.discount_tax, "discount_total"),
        "promo_code": next((short(coupon.code) for coupon in order.coupon_lines if coupon.code), None),
        "items": [_line(line, number) for number, line in enumerate(order.line_items)],
        "payments": _payments(order),
        "delivery": {"method": _delivery(order.shipping_lines[0])} if order.shipping_lines else None,
    }


def _line(line: _Line, number: int) -> Event:
    path = f"line_items[{number}]"
    quantity = decimal(line.quantity, f"{path}.quantity") or Decimal(0)
    total, before = decimal(line.total, f"{path}.total") or Decimal(0), decimal(line.subtotal, f"{path}.subtotal")
    tax = decimal(line.total_tax, f"{path}.total_tax") or Decimal(0)
    return shop.line(
        line.sku or line.variation_id or line.product_id or line.id or line.name, line.name, quantity, total + tax,
        max((before if before is not None else total) - total, Decimal(0)), tax,
        line_id=str(line.id) if line.id is not None else None,
    )


def _payments(order: _Order) -> list[Event]:
    if not order.payment_method:
        return []
    return [event(method=shop.method(order.payment_method), provider=short(order.payment_method))]


def _delivery(line: _Shipping) -> str | None:
    return "pickup" if "pickup" in (line.method_id or "") else None


def _both(net: Number, tax: Number, path: str) -> str | None:
    found = decimal(net, path)
    return amount(found + (decimal(tax, path) or 0)) if found is not None else None


def _attribution(order: _Order) -> dict[str, str]:
    """What WooCommerce noted of the visit in which the order was made."""
    prefix = "_wc_order_attribution_"
    return {
        meta.key.removeprefix(prefix): meta.value for meta in order.meta_data
        if isinstance(meta.key, str) and meta.key.startswith(prefix) and isinstance(meta.value, str)
    }


def _campaign(told: dict[str, str]) -> Event | None:
    if told.get("source_type") not in ("utm", "organic", "referral"):
        return None
    return {
        "source": short(told.get("utm_source")), "medium": short(told.get("utm_medium")),
        "name": short(told.get("utm_campaign")), "term": short(told.get("utm_term")),
        "content": short(told.get("utm_content")),
    }


def _customer(customer: _Customer, source: Source) -> Event:
    at = customer.date_modified_gmt or customer.date_created_gmt
    return event(
        event_id=event_id("woocommerce", source.name, "customer", digest(customer.id), at), channel=source.channel,
        type="identified", role="record", occurred_at=_utc(at), source=source.name,
        identifiers=shop.customer(
            f"{source.name}:{customer.id}", (customer.email, customer.billing.email), (customer.billing.phone,),
        ),
        traits={"first_name": customer.first_name, "last_name": customer.last_name},
    )


def _deleted(order: _Deleted, source: Source, received_ms: int) -> Event:
    """Deleting tells a number and no time: it is that of arrival."""
    return event(
        event_id=event_id("woocommerce", source.name, order.id, "deleted"), channel=source.channel,
        type="order_cancelled", occurred_at=received_ms, source=source.name,
        order={"order_id": f"{source.name}:{order.id}"}, properties={"status": "deleted"},
    )


def _utc(text: str | None) -> str:
    if not text:
        raise Refusal(Reason.MISSING_FIELD, "date_created_gmt: expected a time")
    return text if text.endswith("Z") else f"{text}Z"


WOOCOMMERCE = System(
    "woocommerce", "WooCommerce", ("web",), verify, decode, handshake, topic_header="x-wc-webhook-topic",
)
