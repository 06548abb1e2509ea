"""Amounts, quantities and currencies as producers write them: decimal texts, read into whole numbers of 1/10,000.

Never a float: 0.1 + 0.2 must be 0.3 in a report about money.
"""

import re
from functools import lru_cache

from streams.core.event import SCALE

_WHOLE_DIGITS, _FRACTION_DIGITS = 14, 4
assert SCALE == 10**_FRACTION_DIGITS
assert 10 ** (_WHOLE_DIGITS + _FRACTION_DIGITS) < 2**63  # so that every amount fits in 64 bits

_matches = re.compile(rf"([0-9]{{1,{_WHOLE_DIGITS}}})(?:\.([0-9]{{1,{_FRACTION_DIGITS}}}))?").fullmatch

AMOUNT_FIELDS = frozenset({
    "total", "tax", "shipping", "discount", "margin", "price", "amount", "cost", "quantity",
    "points_earned", "points_spent", "balance",
})
"""The fields of an event that hold decimal texts, by name, in whichever record they stand."""


@lru_cache(maxsize=8192)
def scaled(text: str) -> int:
    """The amount as a whole number of 1/10,000.

    Unit:   "12.5" -> 125000.
    Errors: ValueError where it is not 1 to 14 digits with at most 4 decimals; a sign is none.
    """
    found = _matches(text)
    if not found:
        raise ValueError("expected a decimal text such as 12.50, not negative, at most 4 decimals")
    return int(found[1]) * SCALE + int((found[2] or "").ljust(_FRACTION_DIGITS, "0"))


CURRENCIES = frozenset("""
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD
    CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS
    GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD
    KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR
    NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN
    SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG
    XAU XCD XCG XDR XOF XPD XPF XPT XSU XUA YER ZAR ZMW ZWG ZWL
""".split())  # noqa: SIM905 - a list of literals would fill four screens
"""ISO 4217, with those withdrawn since 2020, because history is imported too."""
