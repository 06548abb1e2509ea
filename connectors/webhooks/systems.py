"""Every system whose webhooks are understood; a new one is a file of this folder and a line here."""

from connectors.webhooks.instagram import INSTAGRAM
from connectors.webhooks.messenger import MESSENGER
from connectors.webhooks.sendgrid import SENDGRID
from connectors.webhooks.shopify import SHOPIFY
from connectors.webhooks.system import System
from connectors.webhooks.telegram import TELEGRAM
from connectors.webhooks.twilio import TWILIO
from connectors.webhooks.viber import VIBER
from connectors.webhooks.whatsapp import WHATSAPP
from connectors.webhooks.woocommerce import WOOCOMMERCE

SYSTEMS: dict[str, System] = {system.name: system for system in (
    WHATSAPP,
    MESSENGER,
    INSTAGRAM,
    TELEGRAM,
    VIBER,
    TWILIO,
    SENDGRID,
    SHOPIFY,
    WOOCOMMERCE,
)}
