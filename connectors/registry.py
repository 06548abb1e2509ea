"""Every way in that exists, written out in full: what `onethread connectors` lists and the contract suite runs over.

A new connector is a file, a line here, a page of the docs and samples; `tests/contract` then tests it at once.
"""

from dataclasses import dataclass

from connectors.files import ready as files
from connectors.incoming import Decode
from connectors.segment.incoming import decode_body
from connectors.source import Source
from connectors.webhooks.systems import SYSTEMS

WAYS = ("collector", "webhook", "file", "topic", "code")
"""By HTTP with a write key; by HTTP with a signature of the sender; from files; from a Kafka topic; from a program."""

_SAMPLE = Source("sample", "web")


@dataclass(frozen=True)
class Connector:
    """One way in.

    Shape: channels are those its events can be of, none: any. page is in the repository, with a command to try.
           decode makes channel events of what comes; None where these come as they are. samples is a folder of the
           repository, or a file, with what such a system sends, as its maker publishes it.
    """

    name: str
    title: str
    way: str
    page: str
    try_it: str
    channels: tuple[str, ...] = ()
    decode: Decode | None = None
    samples: str | None = None
    source: Source = _SAMPLE
    """Under which its samples are read."""


def _webhook(name: str) -> Connector:
    system = SYSTEMS[name]
    return Connector(
        name, system.title, "webhook", f"docs/connectors/{name}.md", f"POST /webhooks/{name}/SOURCE", system.channels,
        system.decode, f"tests/fixtures/webhooks/{name}.json",
    )


def _file(name: str, title: str, source: str, *channels: str, sample: str = "csv") -> Connector:
    return Connector(
        name, title, "file", "docs/import.md", f"onethread import {name} FILE", channels, files.decode(name),
        f"connectors/files/mappings/{name}.{sample}", Source(source, channels[0]),
    )


CONNECTORS: dict[str, Connector] = {connector.name: connector for connector in (
    Connector("emit", "Channel events in JSON lines", "file", "README.md", "onethread emit FILE"),
    Connector("segment", "Segment's calls, of the SDKs of Segment and RudderStack", "collector", "docs/segment.md",
              "POST /v1/batch", (), decode_body, "tests/fixtures/segment"),
    Connector("browser", "Web pages, by onethread.js", "collector", "docs/segment.md", "GET /onethread.js"),
    Connector("events", "Channel events by HTTP", "collector", "docs/collector.md", "POST /v1/events"),
    _webhook("whatsapp"),
    _webhook("messenger"),
    _webhook("instagram"),
    _webhook("telegram"),
    _webhook("viber"),
    _webhook("twilio"),
    _webhook("sendgrid"),
    _webhook("shopify"),
    _webhook("woocommerce"),
    _file("till_receipts", "Receipts of tills, sales and returns by line", "till", "pos"),
    _file("loyalty_members", "Members of a loyalty programme", "loyalty", "loyalty"),
    _file("crm_contacts", "Contacts of a CRM", "crm", "crm"),
    _file("crm_agreements", "Agreements of a CRM, by where they began", "crm",
          "crm", "instagram", "facebook", "telegram", "viber", "call_centre", "web"),
    _file("asterisk_cdr", "Call detail records of Asterisk", "asterisk", "call_centre"),
    _file("marketplace_orders", "Orders of a marketplace", "market", "marketplace"),
    _file("delivery_statuses", "Statuses of a carrier's parcels", "carrier", "delivery"),
    _file("wifi_sightings", "Devices that a store's Wi-Fi saw", "wifi", "wifi"),
    _file("face_sightings", "Visitors that a camera knew again", "camera", "face", sample="jsonl"),
    Connector("ad_costs", "Advertising cost by day and campaign", "file", "docs/import.md",
              "onethread import ad_costs FILE"),
    Connector("import", "Any CSV or JSON lines, through a mapping file", "file", "docs/import.md",
              "onethread import MAPPING FILE"),
    Connector("cdc", "Tables of a database, as Debezium tells of them", "topic", "docs/cdc.md",
              'mappings."TOPIC" of onethread.toml'),
    Connector("python", "Programs in Python, through a queue on their own disk", "code", "docs/producing.md",
              "python -m examples.produce"),
    Connector("kafka", "Programs in any language, Avro straight to Kafka", "code", "docs/producing.md",
              "examples/produce_go, examples/produce_java"),
)}
