"""Tables and views of the database `onethread`: made, and brought up to date, by `apply`.

Tables change by numbered files, each applied once and recorded; every statement in them can be repeated (IF NOT
EXISTS), so that a crash in the middle, or two processes at once, do no harm. Views hold no data: their files are the
current truth, replaced as a whole when any of them changed. `settings` and `channels` are views made from the
settings themselves, so they cannot disagree with them, and always have exactly the rows they should; `policy` and
`facts_alert_limits` are made from the identity policy by whoever applies one. The setting `clickhouse_cluster` makes
all of it for a cluster, from the same texts (`sinks.clickhouse.cluster`).
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib import resources

from clickhouse_connect.driver.binding import format_query_value
from clickhouse_connect.driver.client import Client

from sinks.clickhouse import cluster
from sinks.clickhouse.client import connect
from streams.core.channels import registry
from streams.core.policy import Policy, default
from streams.errors import OneThreadError
from streams.settings import TABLES, Settings

VIEWS = (
    "stores", "products", "stock", "staff", "rates", "facts_money", "campaign_costs",
    "touchpoints", "sessions", "visits", "facts_orders_in_doubt", "facts_orders_winning",
    "orders", "counted_orders", "order_items", "facts_ways", "journeys", "credits",
    "conversations", "conversation_messages", "promises", "consents", "preferences", "person_traits",
    "returns", "shipments", "campaign_spend",
    "persons", "person_channels",
    "identifiers", "facts_evidence_in_doubt", "evidence", "identifier_history", "identifiers_as_of", "persons_as_of",
    "rules", "merges", "identity_alerts", "dead_letters", "identifier_notes", "unidentifiable", "intake", "erasures",
    "duplicate_orders", "refused_returns", "click_and_collect", "price_differences", "lost_to_stock",
    "receipts", "channel_mix", "white_spots", "identification", "ropo", "abandoned_carts",
    "connectivity", "store_funnel", "channel_profile", "device_mix",
    "model_runs", "model_weights", "model_credits", "cohorts", "ltv_by_acquisition", "win_back_return",
    "channel_switches", "obstacles", "journey_paths", "time_to_purchase",
    "response_times", "said_again", "satisfaction", "trait_coverage", "duplicate_contacts",
    "campaign_return",
)
"""Every view with a file, in an order in which each needs only those before it."""

PARAMETERISED = ("identifiers_as_of", "persons_as_of")
"""Those of them that are asked with a parameter."""

VIEWED_ALERTS = ("person_touchpoints", "super_identifier")
"""Alerts that are no rows of facts: whether there is one is asked when somebody looks."""

_PERIOD = re.compile(r"/\* period of ([\w.]+) \*/")
"""Where a file says of which instant its rows are: besides the view there is one of a period, `from` included."""

_HEAD = re.compile(r"(VIEW (?:IF NOT EXISTS )?onethread\.\w+)\s+AS\b")

_HERE = resources.files("sinks.clickhouse")
_RECORDS = """
CREATE TABLE IF NOT EXISTS onethread.migrations (name String, digest String, applied_at DateTime64(3, 'UTC'))
ENGINE = ReplacingMergeTree(applied_at) ORDER BY name
"""
_VIEWS_RECORD = "views"
_POLICY_COLUMNS = (
    "kind String, strength UInt64, personal Bool, per_person Nullable(UInt64), shared_above Nullable(UInt64), "
    "shared_by Array(String), busy_above Nullable(UInt64), min_events UInt64, threshold Float64, "
    "person_identifiers_max UInt64"
)


def apply(url: str, settings: Settings) -> None:
    """Bring the database to this version: tables, the views settings and channels, then all others.

    Errors: OneThreadError where the database is of a newer version, a migration was edited after it was applied, or the
    tables are of the other flavour than the setting; clickhouse_connect's DatabaseError.
    """
    client = connect(url)
    name = settings.clickhouse_cluster

    def run(statement: str) -> None:
        for text in cluster.flavoured(statement, name):
            client.command(text)

    try:
        _check_flavour(client, name)
        run("CREATE DATABASE IF NOT EXISTS onethread")
        run(_RECORDS)
        records = client.query("SELECT name, digest FROM onethread.migrations FINAL").result_rows
        applied = {str(name): str(digest) for name, digest in records}
        _apply_migrations(client, run, applied)
        run(settings_view(settings))
        run(channels_view(settings))
        for view in (policy_view, alert_limits_view):
            run(view(default(), "CREATE VIEW IF NOT EXISTS"))
        _apply_views(client, run, applied.get(_VIEWS_RECORD))
    finally:
        client.close()


def _check_flavour(client: Client, name: str) -> None:
    made_for = cluster.found(client)
    if made_for is not None and made_for != name:
        raise OneThreadError(f"setting clickhouse_cluster: the tables are there, made for "
                             f"{made_for or 'one server'}; came {name!r}: set it back, or empty ClickHouse")
    if name:
        cluster.check(client, name)


def show_policy(url: str, policy: Policy) -> None:
    """Make the views of the policy show another one, once that is applied."""
    client = connect(url)
    try:
        cluster.run(client, policy_view(policy))
        cluster.run(client, alert_limits_view(policy))
    finally:
        client.close()


def migrations() -> dict[str, str]:
    """The numbered migrations, name -> text, in order."""
    files = sorted((_HERE / "migrations").iterdir(), key=lambda file: file.name)
    return {file.name: file.read_text(encoding="utf-8") for file in files if file.name.endswith(".sql")}


def statements(text: str) -> list[str]:
    """The statements of a migration; each ends with a semicolon at the end of its line."""
    return [part.strip() for part in (text + "\n").split(";\n") if part.strip()]


def _apply_migrations(client: Client, run: Callable[[str], None], applied: dict[str, str]) -> None:
    ours = migrations()
    if newer := sorted(applied.keys() - ours.keys() - {_VIEWS_RECORD}):
        raise OneThreadError(f"the database is of a newer version: it has {newer[-1]}, this program does not know it")
    for name, text in ours.items():
        digest = _digest([text])
        if name not in applied:
            for statement in statements(text):
                run(statement)
            _record(client, name, digest)
        elif applied[name] != digest:
            raise OneThreadError(f"migration {name} differs from the one applied: put it back and add a new one")


def _apply_views(client: Client, run: Callable[[str], None], applied: str | None) -> None:
    texts = [text for name in VIEWS for text in texts_of(name)]
    digest = _digest(texts)
    if digest != applied:
        for text in texts:
            run(text)
        _record(client, _VIEWS_RECORD, digest)


def texts_of(view: str) -> list[str]:
    """The statements of a view's file: the view itself, and `…_between(from, to)` where the file names a period."""
    text = (_HERE / "views" / f"{view}.sql").read_text(encoding="utf-8")
    limited, limits = _PERIOD.subn(r"AND \1 >= {from:DateTime64(3, 'UTC')} AND \1 < {to:DateTime64(3, 'UTC')}", text)
    between = limited.replace(f"VIEW onethread.{view} AS", f"VIEW onethread.{view}_between AS")
    return [_as_owner(text), _as_owner(between)] if limits else [_as_owner(text)]


def has_period(view: str) -> bool:
    """Whether there is a `…_between(from, to)` besides the view."""
    file = _HERE / "views" / f"{view}.sql"
    return file.is_file() and bool(_PERIOD.search(file.read_text(encoding="utf-8")))


def _as_owner(text: str) -> str:
    """The same view, read with the rights of who makes it: so that a role may read it, and not what is behind it."""
    return _HEAD.sub(r"\1 DEFINER = CURRENT_USER SQL SECURITY DEFINER AS", text, count=1)


def _record(client: Client, name: str, digest: str) -> None:
    client.insert("onethread.migrations", [[name, digest, datetime.now(UTC)]])


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def settings_view(settings: Settings) -> str:
    """The view `settings`: one row, one column a setting; durations in seconds; secrets are left out."""
    columns = [f"{_as_of(settings.as_of_at)} AS as_of"]
    for name, field in type(settings).model_fields.items():
        if name in ("as_of", "pepper", *TABLES):
            continue
        columns.append(f"{_literal(name, getattr(settings, name))} AS {field.alias or name}")
    return _as_owner("CREATE OR REPLACE VIEW onethread.settings AS SELECT " + ", ".join(columns))


def channels_view(settings: Settings) -> str:
    """The view `channels`: every channel and its family, those of the settings included."""
    rows = ", ".join(f"({format_query_value(channel.name)}, {format_query_value(channel.family)})"
                     for channel in registry(settings.channels).values())
    return _as_owner("CREATE OR REPLACE VIEW onethread.channels AS "
                     f"SELECT * FROM values('channel String, family String', {rows})")


def policy_view(policy: Policy, verb: str = "CREATE OR REPLACE VIEW") -> str:
    """The view `policy`: a row for each kind of identifier, with what holds for all kinds repeated on each."""
    rows = ", ".join(
        "(" + ", ".join(_cell(value) for value in (
            kind.name, kind.strength, kind.personal, kind.per_person, kind.shared_above, sorted(kind.shared_by),
            kind.busy_above, kind.min_events, policy.threshold, policy.person_identifiers_max,
        )) + ")"
        for kind in policy.kinds.values()
    )
    return _as_owner(f"{verb} onethread.policy AS SELECT * FROM values({format_query_value(_POLICY_COLUMNS)}, {rows})")


def alert_limits_view(policy: Policy, verb: str = "CREATE OR REPLACE VIEW") -> str:
    """The view `facts_alert_limits`: one row, a column for each alert that the view `identity_alerts` looks for."""
    columns = (f"CAST({_cell(policy.alerts[kind])}, 'Nullable(UInt64)') AS {kind}" for kind in VIEWED_ALERTS)
    return _as_owner(f"{verb} onethread.facts_alert_limits AS SELECT {', '.join(columns)}")


def _cell(value: str | bool | float | list[str] | None) -> str:
    return "NULL" if value is None else str(format_query_value(value))


def _literal(name: str, value: str | int | float) -> str:
    """A setting as a value whose type does not depend on how large it is."""
    if isinstance(value, str):
        return str(format_query_value(value))
    if name.endswith("_ms"):
        value = value / 1000
    return f"to{'Float64' if isinstance(value, float) else 'UInt64'}({value})"


def _as_of(at: datetime | None) -> str:
    return f"toDateTime64('{at:%Y-%m-%d %H:%M:%S.%f}', 3, 'UTC')" if at else "now64(3, 'UTC')"
