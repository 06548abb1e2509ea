"""Decimal texts into whole numbers of 1/10,000."""

import pytest

from streams.core.money import CURRENCIES, scaled


@pytest.mark.parametrize(("text", "expected"), [
    ("0", 0), ("0.456", 4560), ("12.5", 125_000), ("12.50", 125_000), ("007", 70_000), ("0.0001", 1),
    ("99999999999999.9999", 999_999_999_999_999_999),
])
def test_amounts_are_exact(text: str, expected: int) -> None:
    assert scaled(text) == expected


@pytest.mark.parametrize("text", [
    "", "-1", "+1", "1,50", "1.", ".5", "1.00001", "1e3", " 1", "1 ", "1\n", "NaN", "١", "100000000000000",
])
def test_what_is_no_decimal_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a decimal text such as 12\.50"):
        scaled(text)


def test_currencies_are_codes_of_three_capitals() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)
    assert {"EUR", "UAH", "USD", "PLN", "GBP"} <= CURRENCIES
