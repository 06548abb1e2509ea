"""The payloads of Shopify's webhooks, as far as they are read; what is read of them: `connectors.webhooks.shopify`."""

from msgspec import Struct

from connectors.webhooks.reading import Number


class Money(Struct, frozen=True):
    amount: Number = None
    currency_code: str | None = None


class MoneySet(Struct, frozen=True):
    shop_money: Money = Money()


class Tax(Struct, frozen=True):
    price: Number = None


class Allocation(Struct, frozen=True):
    amount: Number = None


class Line(Struct, frozen=True):
    id: int | str | None = None
    sku: str | None = None
    variant_id: int | str | None = None
    product_id: int | str | None = None
    title: str | None = None
    name: str | None = None
    vendor: str | None = None
    quantity: Number = 1
    price: Number = None
    tax_lines: list[Tax] = []
    discount_allocations: list[Allocation] = []


class Marketing(Struct, frozen=True):
    state: str | None = None
    consent_updated_at: str | None = None


class Customer(Struct, frozen=True):
    id: int | str | None = None
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    email_marketing_consent: Marketing | None = None
    sms_marketing_consent: Marketing | None = None


class Address(Struct, frozen=True):
    phone: str | None = None
    country_code: str | None = None
    city: str | None = None
    zip: str | None = None


class Shipping(Struct, frozen=True):
    title: str | None = None
    price: Number = None
    discounted_price: Number = None


class Code(Struct, frozen=True):
    code: str | None = None


class Fulfillment(Struct, frozen=True):
    id: int | str
    order_id: int | str | None = None
    status: str | None = None
    shipment_status: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    tracking_company: str | None = None
    tracking_number: str | None = None
    email: str | None = None


class Order(Struct, frozen=True):
    id: int | str
    name: str | None = None
    email: str | None = None
    contact_email: str | None = None
    phone: str | None = None
    created_at: str | None = None
    processed_at: str | None = None
    updated_at: str | None = None
    cancelled_at: str | None = None
    cancel_reason: str | None = None
    currency: str | None = None
    total_price: Number = None
    total_tax: Number = None
    total_discounts: Number = None
    total_outstanding: Number = None
    total_shipping_price_set: MoneySet | None = None
    taxes_included: bool = False
    test: bool = False
    financial_status: str | None = None
    fulfillment_status: str | None = None
    source_name: str | None = None
    location_id: int | str | None = None
    user_id: int | str | None = None
    customer_locale: str | None = None
    buyer_accepts_marketing: bool = False
    landing_site: str | None = None
    referring_site: str | None = None
    cart_token: str | None = None
    checkout_token: str | None = None
    payment_gateway_names: list[str] = []
    discount_codes: list[Code] = []
    line_items: list[Line] = []
    shipping_lines: list[Shipping] = []
    fulfillments: list[Fulfillment] = []
    customer: Customer | None = None
    billing_address: Address | None = None


class RefundLine(Struct, frozen=True):
    quantity: Number = 1
    subtotal: Number = None
    total_tax: Number = None
    subtotal_set: MoneySet = MoneySet()
    line_item: Line | None = None


class Transaction(Struct, frozen=True):
    kind: str | None = None
    status: str | None = None
    amount: Number = None
    currency: str | None = None
    source_name: str | None = None
    location_id: int | str | None = None


class Refund(Struct, frozen=True):
    id: int | str
    order_id: int | str
    created_at: str | None = None
    processed_at: str | None = None
    note: str | None = None
    user_id: int | str | None = None
    refund_line_items: list[RefundLine] = []
    transactions: list[Transaction] = []


class Checkout(Struct, frozen=True):
    token: str
    created_at: str | None = None
    updated_at: str | None = None
    email: str | None = None
    phone: str | None = None
    currency: str | None = None
    total_price: Number = None
    taxes_included: bool = False
    source_name: str | None = None
    landing_site: str | None = None
    line_items: list[Line] = []
    customer: Customer | None = None
