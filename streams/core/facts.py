"""The facts: which rows the streams make, their columns, and how they travel to the sinks.

A row is a tuple in the order of its table's columns. The first `key` columns identify it; the version decides
between two rows of one key, the larger wins. A fact without values is a tombstone. Column types:

uuid 16 bytes · str · ms epoch milliseconds · int · money whole number of 1/10,000 · bool · real
uuids list of 16 bytes · strs list of str · mss list of ms · ints list of int · counts map str -> int ·
texts map str -> str · flags map str -> bool · shares list of whole numbers of 10**-12 · a trailing ? allows None
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

Row: TypeAlias = tuple[Any, ...]
Key: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True)
class Column:
    name: str
    type: str


@dataclass(frozen=True)
class Table:
    """One kind of row. `key` is how many of the first columns identify it."""

    name: str
    key: int
    columns: tuple[Column, ...]

    def key_of(self, row: Row) -> Key:
        return row[: self.key]


def _table(name: str, key: int, columns: str) -> Table:
    return Table(name, key, tuple(Column(*c.split(":")) for c in columns.split()))


CONTENT = _table(
    "content", 0,
    "local_at:ms source:str language:str? skus:strs query:str? "
    "campaign_source:str? campaign_medium:str? campaign_name:str? campaign_term:str? campaign_content:str? "
    "cost:money? cost_currency:str? amount:money? currency:str? properties:texts unavailable:strs "
    "score:real? scale_max:real?",
).columns
"""What a touchpoint's row carries that the core never reads; in the row it is one msgpack array, the last column.
A later release may append columns; what an earlier one packed lacks them."""

TABLES: dict[str, Table] = {t.name: t for t in (
    _table("touchpoints", 2,
        "person_id:uuid event_id:str session_id:uuid? visit_id:uuid? order_id:str? occurred_at:ms received_at:ms "
        "channel:str type:str role:str device:str? store_id:str? staff:str? click_id:str? message_id:str? "
        "conversation_id:str? identified_by:str? copies:int conflicts:int nodes:uuids journey_id:uuid? after_sale:bool "
        "content:content"),
    _table("persons", 1,
        "person_id:uuid known:bool shared:bool first_seen_at:ms last_seen_at:ms? last_interaction_at:ms? "
        "first_channel:str? channels:strs devices:strs identifier_kinds:counts touchpoints:int sessions:int "
        "home_store_id:str? journeys:int acquired_at:ms? acquisition_channel:str? acquisition_source:str? "
        "acquisition_medium:str? acquisition_campaign:str? preferences:texts consent:flags"),
    _table("identifiers", 1,
        "node:uuid kind:str value:str person_id:uuid shared:bool contested:bool first_seen_at:ms"),
    _table("identifier_sightings", 2,
        "person_id:uuid node:uuid kind:str value:str first_seen_at:ms last_seen_at:ms"),
    _table("sessions", 2,
        "person_id:uuid session_id:uuid started_at:ms ended_at:ms touchpoints:int channels:strs devices:strs "
        "switches:int device_switches:int parallel:bool entry_channel:str exit_channel:str entry_campaign:str? "
        "stores:strs order_ids:strs"),
    _table("visits", 2,
        "person_id:uuid visit_id:uuid session_id:uuid started_at:ms ended_at:ms touchpoints:int channel:str "
        "device:str? referrer:str? entry_campaign:str? stores:strs order_ids:strs"),
    _table("journeys", 2,
        "person_id:uuid journey_id:uuid started_at:ms last_step_at:ms last_touchpoint_at:ms order_id:str? "
        "path:strs path_at:mss path_touchpoints:ints path_devices:strs channels:strs device_switches:int "
        "touchpoints:int start_event_id:str start_channel:str start_campaign_source:str? start_campaign_name:str? "
        "end_channel:str end_type:str last_device:str? stage:str obstacles:strs unanswered_at:ms? after_sale:int"),
    _table("person_channels", 2,
        "person_id:uuid channel:str first_at:ms last_at:ms interactions:int exposures:int visits:int "
        "sessions_started:int"),
    _table("orders", 2,
        "person_id:uuid order_id:str person_shared:bool requested_at:ms? requested_channel:str? "
        "placed_at:ms? placed_channel:str? placed_device:str? placed_store_id:str? placed_staff:str? "
        "paid_at:ms? paid_channel:str? paid_store_id:str? payment_methods:strs ready_at:ms? ready_store_id:str? "
        "fulfilled_at:ms? fulfilled_channel:str? fulfilled_store_id:str? fulfilment_method:str? promised_at:ms? "
        "cancelled_at:ms? cancelled_channel:str? status:str total:money? currency:str? revenue:money? margin:money? "
        "returned_amount:money? discount:money? shipping:money? tax:money? points_spent:money? promo_code:str? "
        "anonymous:bool identified_by:str? receipt_ids:strs returns:int paid_amount:money? paid_in_full_at:ms? "
        "delivery_store_id:str? suspected_duplicate_of:str? journey_id:uuid?"),
    _table("order_items", 3,
        "person_id:uuid order_id:str line_id:str sku:str name:str? category:str? brand:str? quantity:money unit:str? "
        "returned_quantity:money price:money? discount:money? margin:money? currency:str? placed_at:ms? "
        "channel:str? store_id:str?"),
    _table("conversations", 2,
        "person_id:uuid conversation_id:str started_at:ms ended_at:ms channels:strs staff:strs staff_changes:int "
        "bot:bool messages_in:int messages_out:int calls:int first_response_s:int? longest_wait_s:int? "
        "waiting_since:ms? topics:strs repeats:int order_id:str?"),
    _table("conversation_messages", 3,
        "person_id:uuid conversation_id:str message_id:str at:ms channel:str type:str from_customer:bool staff:str? "
        "topic:str? text:str? recording_url:str? duration_ms:int?"),
    _table("promises", 2,
        "person_id:uuid promise_id:str conversation_id:str? kind:str order_id:str? requested_at:ms? promised_at:ms? "
        "promised_channel:str? promised_by:str? due_at:ms? done_at:ms? done_channel:str? done_by:str? "
        "cancelled_at:ms? attempts:int"),
    _table("returns", 3,
        "person_id:uuid order_id:str return_id:str person_shared:bool returned_at:ms channel:str store_id:str? "
        "staff:str? amount:money? currency:str? outcome:str reason:str? asked_at:ms? other_channel:bool? "
        "partial:bool?"),
    _table("shipments", 3,
        "person_id:uuid order_id:str shipment_id:str person_shared:bool method:str? carrier:str? status:str? "
        "promised_at:ms? delivered_at:ms? delayed:bool store_id:str? cost:money? currency:str?"),
    _table("consents", 3,
        "person_id:uuid key:str valid_from:ms value:bool valid_to:ms? event_id:str source:str"),
    _table("preferences", 3,
        "person_id:uuid key:str valid_from:ms value:str valid_to:ms? event_id:str source:str"),
    _table("person_traits", 3,
        "person_id:uuid key:str valid_from:ms value:str valid_to:ms? event_id:str source:str"),
    _table("alerts", 2,
        "person_id:uuid kind:str at:ms figure:int limit:int detail:str"),
    _table("credits", 2,
        "person_id:uuid order_id:str placed_at:ms event_ids:strs touches:strs ats:mss channels:strs "
        "campaign_sources:strs campaign_mediums:strs campaign_names:strs first:shares last:shares "
        "last_non_direct:shares linear:shares time_decay:shares position:shares acquired_at:ms "
        "acquisition_channel:str acquisition_source:str? acquisition_medium:str? acquisition_campaign:str?"),
    _table("evidence", 3,
        "person_id:uuid node_a:uuid node_b:uuid kind_a:str value_a:str kind_b:str value_b:str events:int "
        "first_seen_at:ms last_seen_at:ms first_event_id:str conducts:bool refused_because:str?"),
    _table("identifier_owners", 3,
        "node:uuid at:ms sequence:int person_id:uuid"),
    _table("rules", 2,
        "node_a:uuid node_b:uuid kind_a:str value_a:str kind_b:str value_b:str verb:str rule_id:str at:ms reason:str"),
    _table("merges", 4,
        "person_id:uuid other_person_id:uuid action:str event_id:str at:ms reason:str"),
    _table("erasures", 3,
        "receipt_id:str month:str currency:str at:ms touchpoints:int orders:int revenue:money"),
    _table("erased_records", 3,
        "topic:str partition:int offset:int"),
    _table("erased_identifiers", 2,
        "receipt_id:str node:uuid at:ms"),
    _table("intake", 2,
        "topic:str partition:int records:int refused:int unidentifiable:int suppressed:int"),
    _table("identifier_notes", 4,
        "topic:str partition:int offset:int ordinal:int event_id:str kind:str note:str at:ms"),
    _table("unidentifiable", 3,
        "topic:str partition:int offset:int event_id:str channel:str type:str occurred_at:ms reason:str"),
    _table("replays", 2,
        "letter_partition:int letter_offset:int at:ms"),
)}
"""Every table of facts, written out, so that one screen shows them all."""

TOLD_ONCE = frozenset({
    "identifier_owners", "merges", "identifier_notes", "unidentifiable", "erasures", "erased_records",
    "erased_identifiers", "replays",
})
"""Tables of what happened, which no state can tell again: their rows are kept on the topic `history`. Personal values
are not among them, because nothing is taken out of a topic."""

MILESTONE = "rebuild"
"""Stands in place of a table's name: (name, begun or ended) of a rebuild, whose rows lie between."""


def index_of(table: str, column: str) -> int:
    """Where a column stands in the rows of a table."""
    return _position(TABLES[table].columns, column)


def content_index(column: str) -> int:
    """Where a column stands in what `content` packs."""
    return _position(CONTENT, column)


def _position(columns: Iterable[Column], name: str) -> int:
    return [column.name for column in columns].index(name)


class Facts(msgspec.Struct, array_like=True):
    """One Kafka record of the topic `facts`: rows of one table, of one partition of the stitching stage.

    Each of `upserts` is [version, *row]; each of `tombstones` is [version, *key].
    """

    table: str
    upserts: list[Sequence[Any]]
    tombstones: list[Sequence[Any]]
    arrived: list[tuple[int, int]] = []
    """(occurred_ms, received_ms) of events whose first rows are these, or come shortly before; for metrics alone."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Facts)


def encode(facts: Facts) -> bytes:
    return _encoder.encode(facts)


def decode(data: bytes) -> Facts:
    """Errors: msgspec.DecodeError on bytes that `encode` did not make; that is a bug, not bad input."""
    return _decoder.decode(data)
