"""Which homes the demo may take."""

import pytest

from cli.demo import MARKER, claim
from streams.errors import OneThreadError
from streams.settings import load


def test_an_absent_and_an_empty_home_are_taken(tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "new", tmp_path / "empty"):
        claim(folder)
        assert (folder / MARKER).exists()
        assert load(folder, {}).reporting_currency == "UAH"


def test_the_demos_settings_fix_clock_region_and_pepper(tmp_path):
    claim(tmp_path)
    settings = load(tmp_path, {})
    assert (settings.as_of, settings.default_region, settings.reporting_zone) == (
        "2026-03-01T00:00:00+02:00", "UA", "Europe/Kyiv")
    assert settings.pepper.get_secret_value()


def test_a_home_of_an_earlier_demo_is_made_anew(tmp_path):
    claim(tmp_path)
    (tmp_path / "clickhouse").mkdir()
    (tmp_path / "clickhouse" / "data").touch()
    claim(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo", "onethread.toml"]


def test_anybody_elses_home_is_left_alone(tmp_path):
    (tmp_path / "kafka").mkdir()
    with pytest.raises(OneThreadError, match="not the demo's"):
        claim(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kafka"]
