"""Conditions on a row: `when = { operation = ["sale", "exchange"], total = "> 0", phone = "*" }`; all must hold.

"" is empty and "*" is not; `< <= > >=` compare numbers, `~` a regular expression with the whole text, `!` negates.
Anything else is compared as it is, in any case of letters. Of a list one is enough; a list behind `!` is written so
for each.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from connectors.files.errors import MappingError
from connectors.files.texts import Row, Words, column, number

Holds = Callable[[Row], bool]
_Test = Callable[[str], bool]

_comparison = re.compile(r"(<=|>=|<|>)\s*(-?[0-9.]+)").fullmatch


class Condition(NamedTuple):
    holds: Holds
    columns: frozenset[str]
    needed: frozenset[str]


def condition(written: Any, words: Words, where: str) -> Condition:
    """Compile a table of conditions. Errors: MappingError naming `where`."""
    if not isinstance(written, Mapping):
        raise MappingError(f"{where}: expected a table of columns and what they must hold")
    tests: list[tuple[Callable[[Row], str], list[_Test], list[_Test]]] = []
    columns, needed = set(), set()
    for name, wanted in written.items():
        plain = name.removesuffix("?")
        columns.add(plain)
        if plain == name:
            needed.add(plain)
        given = wanted if isinstance(wanted, list) else [wanted]
        if not all(isinstance(one, str) for one in given):
            raise MappingError(f"{where}.{name}: expected texts")
        against = [_test(one[1:], f"{where}.{name}") for one in given if one.startswith("!")]
        for_it = [_test(one, f"{where}.{name}") for one in given if not one.startswith("!")]
        tests.append((column(plain, words), for_it, against))

    def holds(row: Row) -> bool:
        for ask, for_it, against in tests:
            value = ask(row)
            if for_it and not any(test(value) for test in for_it):
                return False
            if any(test(value) for test in against):
                return False
        return True

    return Condition(holds, frozenset(columns), frozenset(needed))


def _test(written: str, where: str) -> _Test:
    if written == "*":
        return bool
    if written.startswith("~"):
        try:
            matches = re.compile(written[1:].strip(), re.IGNORECASE).fullmatch
        except re.error as error:
            raise MappingError(f"{where}: {written}: not a regular expression: {error}") from None
        return lambda value: matches(value) is not None
    if found := _comparison(written):
        return _compared(found[1], Decimal(found[2]))
    wanted = written.strip().lower()
    return lambda value: value.lower() == wanted


def _compared(sign: str, limit: Decimal) -> _Test:
    def test(value: str) -> bool:
        found = number(value)
        if found is None:
            return False
        return {"<": found < limit, "<=": found <= limit, ">": found > limit, ">=": found >= limit}[sign]

    return test
