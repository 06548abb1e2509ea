"""Texts of a file as values: as the file writes them, refused without being quoted."""

import pytest

from connectors.files import values
from connectors.files.values import Read, Ways
from streams.core.refusal import Refusal

COMMA = Ways(decimal=",", thousands=".")
KYIV = Ways(zone="Europe/Kyiv", times=("iso", "epoch", "%d.%m.%Y %H:%M"))


def refused(read: Read, value: str) -> str:
    with pytest.raises(Refusal) as found:
        read(value, "order.total")
    assert found.value.detail.startswith("order.total: ")
    assert value not in found.value.detail or len(value) < 4
    return str(found.value.reason)


@pytest.mark.parametrize(("ways", "value", "expected"), [
    (Ways(), "12.50", "12.5"), (Ways(), "12", "12"), (Ways(), "-0.1230000", "-0.123"), (Ways(), "+5", "5"),
    (Ways(), "1 200.00", "1200"), (COMMA, "1.200,50", "1200.5"), (COMMA, "1\u00a0200,5", "1200.5"),
    (Ways(thousands=","), "1,200.50", "1200.5"), (Ways(), "00012.0", "00012"),
])
def test_amounts(ways: Ways, value: str, expected: str) -> None:
    assert values.amount(ways)(value, "x") == expected


@pytest.mark.parametrize(("ways", "value"), [
    (Ways(), "12,50"), (Ways(decimal=","), "12.50"), (Ways(), "1e3"), (Ways(), "NaN"), (Ways(), "12.34567"),
    (Ways(), "1234 EUR"), (Ways(), "--1"),
])
def test_what_is_no_amount_is_refused(ways: Ways, value: str) -> None:
    assert refused(values.amount(ways), value) == "bad_amount"


@pytest.mark.parametrize(("ways", "value", "expected"), [
    (KYIV, "2026-02-05T10:00:00", "2026-02-05T10:00:00+02:00"),
    (KYIV, "2026-07-05 10:00", "2026-07-05T10:00:00+03:00"),
    (KYIV, "2026-02-05", "2026-02-05T00:00:00+02:00"),
    (KYIV, "20260205", "2026-02-05T00:00:00+02:00"),
    (KYIV, "05.02.2026 10:00", "2026-02-05T10:00:00+02:00"),
    (KYIV, "2026-02-05T08:00:00Z", "2026-02-05T10:00:00+02:00"),
    (KYIV, "1770285600", "2026-02-05T12:00:00+02:00"),
    (KYIV, "1770285600000", "2026-02-05T12:00:00+02:00"),
    (KYIV, "1770285600123456", "2026-02-05T12:00:00.123456+02:00"),
    (KYIV, "1770285600000000000", "2026-02-05T12:00:00+02:00"),
    (Ways(), "1770285600", "2026-02-05T10:00:00Z"),
    (Ways(), "2026-02-05T10:00:00+01:00", "2026-02-05T10:00:00+01:00"),
    (KYIV, "2026-10-25T03:30:00", "2026-10-25T03:30:00+03:00"),
])
def test_times(ways: Ways, value: str, expected: str) -> None:
    assert values.instant(ways)(value, "x") == expected


def test_a_time_without_a_zone_is_refused_where_the_file_names_none() -> None:
    assert refused(values.instant(Ways()), "2026-02-05T10:00:00") == "bad_time"


@pytest.mark.parametrize("value", ["yesterday", "2026-13-01", "99999999999999999999", "12:30"])
def test_what_is_no_time_is_refused(value: str) -> None:
    assert refused(values.instant(KYIV), value) == "bad_time"


def test_a_day_is_that_of_the_file() -> None:
    assert values.day(Ways(times=("%d.%m.%Y",)))("01.03.2026", "x") == "2026-03-01"


def test_numbers_and_flags() -> None:
    assert values.whole(COMMA)("1.200", "x") == 1200
    assert refused(values.whole(COMMA), "1,5") == "bad_value"
    assert values.real(COMMA)("0,93", "x") == 0.93
    assert refused(values.real(Ways()), "surely") == "bad_value"
    assert [values.boolean(Ways())(told, "x") for told in ("Yes", "1", "так", "NO", "0")] == [True] * 3 + [False] * 2
    assert values.boolean(Ways(yes=frozenset({"x"})))("X", "x") is True
    assert refused(values.boolean(Ways()), "perhaps") == "bad_value"
