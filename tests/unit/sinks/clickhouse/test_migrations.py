"""Migrations: applied once, whatever stops them in the middle and whoever else applies them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from sinks.clickhouse import migrations
from streams.core.channels import CHANNELS
from streams.errors import OneThreadError
from streams.settings import TABLES, Settings
from tests.unit.sinks.clickhouse.conftest import Engine


@pytest.fixture
def fresh(engine: Engine) -> Iterator[Engine]:
    engine.client.command("DROP DATABASE onethread")
    yield engine
    engine.client.command("DROP DATABASE IF EXISTS onethread")
    migrations.apply(engine.url, Settings())


def test_applying_again_changes_nothing(fresh: Engine) -> None:
    migrations.apply(fresh.url, Settings())
    first = fresh.rows("SELECT * FROM onethread.migrations ORDER BY name, applied_at")
    migrations.apply(fresh.url, Settings())
    assert fresh.rows("SELECT * FROM onethread.migrations ORDER BY name, applied_at") == first
    assert [row[0] for row in first] == [*migrations.migrations(), "views"]


def test_every_statement_can_be_repeated_so_a_crash_in_the_middle_is_made_good(fresh: Engine) -> None:
    fresh.client.command("CREATE DATABASE onethread")
    text = next(iter(migrations.migrations().values()))
    for statement in migrations.statements(text)[:5]:
        fresh.client.command(statement)
    migrations.apply(fresh.url, Settings())
    assert fresh.rows("SELECT count() FROM onethread.persons") == [(0,)]


def test_two_at_once_both_succeed(fresh: Engine) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: migrations.apply(fresh.url, Settings()), range(2)))
    assert fresh.rows("SELECT count() FROM onethread.persons") == [(0,)]
    assert fresh.rows("SELECT count() FROM onethread.settings") == [(1,)]


def test_a_database_of_a_newer_version_is_left_alone(fresh: Engine) -> None:
    migrations.apply(fresh.url, Settings())
    fresh.client.command("INSERT INTO onethread.migrations VALUES ('9999_later.sql', 'd', now64(3))")
    with pytest.raises(OneThreadError, match="9999_later"):
        migrations.apply(fresh.url, Settings())


def test_an_edited_migration_is_refused(fresh: Engine) -> None:
    migrations.apply(fresh.url, Settings())
    fresh.client.command("INSERT INTO onethread.migrations VALUES ('0001_facts.sql', 'other', now64(3) + 1)")
    with pytest.raises(OneThreadError, match="differs from the one applied"):
        migrations.apply(fresh.url, Settings())


def test_views_are_replaced_when_one_changed(fresh: Engine) -> None:
    migrations.apply(fresh.url, Settings())
    fresh.client.command("CREATE OR REPLACE VIEW onethread.merges AS SELECT 1 AS old")
    fresh.client.command("INSERT INTO onethread.migrations VALUES ('views', 'of another version', now64(3) + 1)")
    migrations.apply(fresh.url, Settings())
    assert fresh.rows("SELECT at FROM onethread.merges") == []


def test_settings_are_one_row_with_one_column_a_setting(fresh: Engine) -> None:
    migrations.apply(fresh.url, Settings(session_gap="90s", reporting_currency="UAH", pepper=b"secret"))
    names = {name for (name, *_) in fresh.rows("DESCRIBE onethread.settings")}
    aliases = {field.alias or name for name, field in Settings.model_fields.items()}
    assert names == aliases - {*TABLES, "pepper"}
    assert fresh.rows("SELECT session_gap, reporting_currency FROM onethread.settings") == [(90, "UAH")]


def test_as_of_is_the_setting_else_the_time_of_the_query(fresh: Engine) -> None:
    migrations.apply(fresh.url, Settings())
    assert fresh.rows("SELECT abs(dateDiff('second', as_of, now())) <= 1 FROM onethread.settings") == [(1,)]
    migrations.apply(fresh.url, Settings(as_of="2026-03-01T00:00:00+02:00"))
    assert fresh.rows("SELECT as_of FROM onethread.settings") == [
        (datetime(2026, 2, 28, 22, tzinfo=UTC).replace(tzinfo=None),)]


def test_channels_are_the_registry_and_the_settings(fresh: Engine) -> None:
    migrations.apply(fresh.url, Settings(channels={"fax's": "phone"}))
    expected = {(channel.name, channel.family) for channel in CHANNELS.values()} | {("fax's", "phone")}
    assert set(fresh.rows("SELECT channel, family FROM onethread.channels")) == expected
