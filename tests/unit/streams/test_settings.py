"""Settings are validated whole, before anything starts; the message names the key, what was expected and what came."""

from pathlib import Path

import pytest

from streams.errors import UsageError
from streams.settings import load


@pytest.mark.parametrize(("text", "message"), [
    ('session_gap = "half an hour"', "setting session_gap: expected a duration such as 30m, 24h or 7d; came "),
    ('as_of = "yesterday"', "setting as_of: expected a time such as 2026-03-01T00:00:00Z; came 'yesterday'"),
    ('reporting_zone = "Kyiv"', "setting reporting_zone: expected an IANA time zone"),
    ("session_gab = 1", "setting session_gab: "),
    ("[channels.stall]\nfamily = 'market'", "setting channels.stall: expected a family of online, store, phone, other"),
    ("[channels.stall]\nname = 'x'", "setting channels.stall: expected a family of"),
    ("[channels]\nstall = 'store'", "setting channels.stall: expected a table such as [channels.stall]"),
    ("channels = 3", "setting channels: expected tables such as [channels.<name>]"),
    ('[mappings."crm contacts"]\nfile = "x"', "setting mappings: expected the name of a Kafka topic"),
    ("[mappings.crm]\npath = 'x'", 'setting mappings."crm": expected file'),
    ("mappings = 1", "setting mappings: expected tables"),
    ('[channels."market stall"]\nfamily = "store"', "setting channels.market stall: expected a name of"),
])
def test_a_setting_that_cannot_be_is_refused_by_its_name(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "onethread.toml").write_text(text)
    with pytest.raises(UsageError) as refused:
        load(tmp_path, {})
    assert message in str(refused.value)


@pytest.mark.parametrize("text", ["", "2026-03-01", "2026-03-01T00:00:00Z", "2026-03-01T02:00:00+02:00"])
def test_as_of_is_empty_or_a_time(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, {"ONETHREAD_AS_OF": text}).as_of == text


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "onethread.toml").write_text('session_gap = "20m"\nnew_days = 10')
    found = load(tmp_path, {"ONETHREAD_SESSION_GAP": "45m"})
    assert (found.session_gap_ms, found.new_days) == (45 * 60_000, 10)


def test_a_channel_of_ones_own_has_a_family(tmp_path: Path) -> None:
    (tmp_path / "onethread.toml").write_text('[channels.market_stall]\nfamily = "store"')
    assert load(tmp_path, {}).channels == {"market_stall": "store"}


def test_a_foreign_topic_has_a_mapping_file(tmp_path: Path) -> None:
    (tmp_path / "onethread.toml").write_text('[mappings."crm.public.contacts"]\nfile = "crm_contacts"')
    assert load(tmp_path, {}).mappings == {"crm.public.contacts": "crm_contacts"}


def test_a_settings_file_that_went_away_is_not_forgotten(tmp_path: Path) -> None:
    """`up --config` links to it: without it the stack would silently run with defaults."""
    (tmp_path / "onethread.toml").symlink_to(tmp_path / "moved.toml")
    with pytest.raises(UsageError, match=r"moved\.toml"):
        load(tmp_path, {})
