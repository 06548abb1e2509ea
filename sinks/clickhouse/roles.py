"""Who may read what: one table, from which the local gateway and the statements for a server are both made.

Rules kept:
- Deny by default. A role reads the views that are listed for it, of some only columns; a test holds that every view is
  in `VIEWS_OF`, so that a new one is decided about. No role reads the tables behind the views: a view is read with the
  rights of whoever made it (SQL SECURITY DEFINER).
- Raw identifiers, what was said, traits and addresses are in RAW. Nobody's role has all of them but the owner's.
- The marketer sees identifiers of persons who allow marketing (MARKETING) and of nobody else, by a row policy.

Source: ClickHouse's pages on access rights, row policies and `SQL SECURITY` of views.
"""

from dataclasses import dataclass, field

from clickhouse_connect.driver.binding import format_query_value

from sinks.clickhouse.migrations import has_period

OWNER = "owner"
"""Everything; the user `default`, as whom our own programs come."""

PREFIX = "onethread_"
"""Of the names of roles, policies and profiles on a server, where others have theirs."""

RAW = frozenset({"identifiers", "identifier_history", "identifiers_as_of", "conversation_messages", "person_traits"})
"""Views that hold raw values whole."""

NAMELESS: dict[str, tuple[str, ...]] = {
    "evidence": ("person_id", "kind_a", "kind_b", "events", "first_seen_at", "last_seen_at", "first_event_id",
                 "conducts", "refused_because"),
    "rules": ("rule_id", "verb", "kind_a", "kind_b", "at"),
    "dead_letters": ("at", "reason", "topic", "partition", "offset", "replayed_at", "schema_id", "source",
                     "letter_partition", "letter_offset"),
}
"""Views that hold raw values in some columns, and the columns that are none. `detail` may quote what came."""

MARKETING = """person_id IN (
    SELECT person_id FROM onethread.consents
    WHERE value AND valid_to IS NULL AND (key = 'marketing' OR endsWith(key, '_marketing'))
)"""
"""Whoever allows a purpose `marketing` or `…_marketing`, and has not taken it back."""

PEOPLE = (
    "persons", "person_channels", "touchpoints", "sessions", "visits", "journeys", "orders", "counted_orders",
    "order_items", "returns", "shipments", "credits", "conversations", "promises", "consents", "preferences",
    "persons_as_of", "merges", "identity_alerts", "receipts", "abandoned_carts", "duplicate_orders",
    "duplicate_contacts", "model_credits",
)
"""A row a person, or a thing a person did; nobody is named."""

FIGURES = (
    "channel_mix", "white_spots", "identification", "ropo", "click_and_collect", "cohorts", "campaign_return",
    "campaign_spend", "win_back_return", "ltv_by_acquisition", "connectivity", "store_funnel", "channel_profile",
    "device_mix", "channel_switches", "obstacles", "journey_paths", "time_to_purchase", "response_times", "said_again",
    "satisfaction", "trait_coverage", "refused_returns", "price_differences", "lost_to_stock", "model_runs",
    "model_weights",
)
"""Sums over many."""

REFERENCE = ("stores", "products", "stock", "staff", "rates", "campaign_costs", "settings", "channels", "policy")
BOOKS = ("intake", "unidentifiable", "identifier_notes", "erasures")

VIEWS_OF: dict[str, tuple[str, ...]] = {
    "analyst": (*PEOPLE, *FIGURES, *REFERENCE, *BOOKS),
    "marketer": ("persons", "person_channels", "consents", "preferences", "identifiers", "abandoned_carts", "stores",
                 "products", "campaign_costs", "campaign_spend", "campaign_return", "win_back_return", "cohorts",
                 "ltv_by_acquisition", "channel_mix", "channel_profile", "model_runs", "settings", "channels"),
    "sre": (*BOOKS, "settings", "channels", "policy", "model_runs"),
}


@dataclass(frozen=True)
class Role:
    """What somebody may read.

    `reads` is a view or table and its columns (empty: all); `rows` a condition that its rows must meet. `limits` are
    settings of a query. `system`: the tables of the database `system` too, where the texts of others' queries are.
    """

    name: str
    about: str
    reads: dict[str, tuple[str, ...]]
    rows: dict[str, str] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    system: bool = False

    @property
    def grants(self) -> list[str]:
        """What stands between GRANT and TO, a statement each."""
        given = [f"SELECT{'(' + ', '.join(map(_quoted, columns)) + ')' if columns else ''} ON onethread.{_quoted(view)}"
                 for view, columns in self.reads.items()]
        return [*given, *(["SELECT ON system.*"] if self.system else [])]


def _whole(*views: str) -> dict[str, tuple[str, ...]]:
    periods = [f"{view}_between" for view in views if has_period(view)]
    return dict.fromkeys((*views, *periods), ())


LIMITS = {"max_execution_time": 300, "max_memory_usage": 4 << 30, "max_threads": 8}


def roles() -> dict[str, Role]:
    """Every role but the owner's, by name."""
    found = (
        Role("analyst", "everything about everybody, without who they are", {
            **_whole(*VIEWS_OF["analyst"]), **{view: NAMELESS[view] for view in NAMELESS},
        }, limits=LIMITS),
        Role("marketer", "whom to address and how, of those who allow it", _whole(*VIEWS_OF["marketer"]),
             rows={"identifiers": MARKETING}, limits=LIMITS),
        Role("sre", "whether all of it works, and nobody's data", {
            **_whole(*VIEWS_OF["sre"]), "dead_letters": NAMELESS["dead_letters"], "migrations": (),
            "touchpoints": ("occurred_at", "received_at", "channel", "source", "type", "role", "copies", "conflicts"),
            "facts_erased_records": (),
        }, limits=LIMITS, system=True),
    )
    return {role.name: role for role in found}


def statements() -> list[str]:
    """What makes the roles on a server; can be repeated, and takes back what a role may no longer."""
    return [statement for role in roles().values() for statement in _of(role)]


def _of(role: Role) -> list[str]:
    name = PREFIX + role.name
    limits = ", ".join(f"{setting} = {value} MAX {value}" for setting, value in role.limits.items())
    made = [
        f"CREATE SETTINGS PROFILE OR REPLACE {name} SETTINGS readonly = 1, {limits}",
        f"CREATE ROLE IF NOT EXISTS {name} SETTINGS PROFILE {format_query_value(name)}",
        f"REVOKE ALL ON *.* FROM {name}",
        *(f"GRANT {grant} TO {name}" for grant in role.grants),
    ]
    for view, condition in role.rows.items():
        others = f"{name}_others_of_{view}"
        made += [
            f"CREATE ROW POLICY OR REPLACE {name} ON onethread.{view} USING {condition} TO {name}",
            # Where a table has a policy, whoever none of them is for sees nothing.
            f"CREATE ROW POLICY OR REPLACE {others} ON onethread.{view} USING 1 TO ALL EXCEPT {name}",
        ]
    return made


def user_statements(name: str, role: str, salt: str, digest: str) -> list[str]:
    """What makes a user of a role on a server. `digest` is the hex SHA-256 of password and `salt`.

    Shape: the owner gets no role; its rights are what the server's own administrator gave it.
    """
    who, known = _quoted(name), f"sha256_hash BY {format_query_value(digest)} SALT {format_query_value(salt)}"
    of = PREFIX + role
    return [f"CREATE USER OR REPLACE {who} IDENTIFIED WITH {known} DEFAULT ROLE NONE",
            f"GRANT {of} TO {who}", f"ALTER USER {who} DEFAULT ROLE {of}"]


def _quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
