"""A fast decoder for Avro bytes in their plain form, generated from the schema.

Avro leaves a writer some freedom: several blocks in a list, blocks with their size, numbers longer than needed. Nearly
no writer uses it. Bytes without any of it are *plain*: they are exactly what encoding the value again would give, so
their hash is the value's hash. Three to four times as fast as fastavro for our events, whose fields are mostly absent,
because the generated code asks one question a field and calls nothing.

The decoder never judges: whatever is not plain, broken bytes included, raises some exception, and the caller takes
fastavro's word (`schemas.records`). A property test holds the two against each other.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any

Decoder = Callable[[bytes, int], Any]


class NotPlain(ValueError):  # noqa: N818 - not an error: the other decoder's turn
    """The bytes use a freedom of the format, or are broken."""


def compile_decoder(schema: Mapping[str, Any]) -> Decoder:
    """The decoder of a record's schema: (data, start) -> value; all bytes from start on must be used.

    Shape:  the JSON of an .avsc without logical types; records, arrays, maps, unions and primitives but fixed and enum.
    Errors: the decoder raises NotPlain, IndexError, UnicodeDecodeError or struct.error where bytes are not plain.
    """
    source = _Source()
    root = source.record(schema)
    scope: dict[str, Any] = {"_long": _long, "_double": struct.Struct("<d").unpack_from, "NotPlain": NotPlain}
    exec("\n".join(source.lines), scope)  # noqa: S102 - source made here, from schemas that ship with the product
    read = scope[root]

    def decode(data: bytes, start: int) -> Any:
        value, end = read(data, start)
        if end != len(data):
            raise NotPlain
        return value

    return decode


def _long(data: bytes, i: int, first: int) -> tuple[int, int]:
    """The unsigned value of a number of several bytes, of which `first` is read, and where it ends."""
    value, shift = first & 0x7F, 7
    while True:
        byte = data[i]
        i += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if byte == 0 or value >= 1 << 64:
                raise NotPlain
            return value, i
        shift += 7


class _Source:
    """Python source, one function a record; `d` is the data, `i` where to read next, `n` a number just read."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._records: dict[str, str] = {}

    def record(self, schema: Mapping[str, Any]) -> str:
        """Writes the function of a record and returns its name."""
        function = self._records[schema["name"]] = f"read_{len(self._records)}"
        body: list[str] = []
        for number, field in enumerate(schema["fields"]):
            body += self._value(field["type"], f"v{number}", 1)
        pairs = ", ".join(f"{field['name']!r}: v{number}" for number, field in enumerate(schema["fields"]))
        self.lines += [f"def {function}(d, i):", *body, f"    return {{{pairs}}}, i"]
        return function

    def _value(self, schema: Any, target: str, depth: int) -> list[str]:
        """Lines that read a value of `schema` into the variable `target`."""
        if isinstance(schema, list):
            lines = self._union(schema, target)
        elif isinstance(schema, str):
            lines = self._named(schema, target)
        elif schema["type"] == "record":
            lines = self._call(self.record(schema), target)
        elif schema["type"] == "array":
            item = self._value(schema["items"], f"{target}_", 0)
            lines = self._blocks(target, "[]", item, f"{target}.append({target}_)")
        elif schema["type"] == "map":
            item = [*self._named("string", f"{target}k"), *self._value(schema["values"], f"{target}_", 0)]
            lines = self._blocks(target, "{}", item, f"{target}[{target}k] = {target}_")
        else:
            lines = self._named(schema["type"], target)
        return _indent(lines, depth)

    def _union(self, branches: list[Any], target: str) -> list[str]:
        lines = ["n = d[i]", "i += 1"]
        for number, branch in enumerate(branches):
            lines += [f"{'if' if number == 0 else 'elif'} n == {2 * number}:", *self._value(branch, target, 1)]
        return [*lines, "else:", "    raise NotPlain"]

    def _named(self, name: str, target: str) -> list[str]:
        if name in self._records:
            return self._call(self._records[name], target)
        return [line.replace("$", target) for line in _PRIMITIVES[name]]

    def _call(self, function: str, target: str) -> list[str]:
        return [f"{target}, i = {function}(d, i)"]

    def _blocks(self, target: str, empty: str, item: list[str], keep: str) -> list[str]:
        """One block with a positive count and the end mark, or the end mark alone."""
        return [
            f"{target} = {empty}",
            *_PLAIN_COUNT,
            "if n:",
            "    for _ in range(n):",
            *_indent([*item, keep], 2),
            "    if d[i]:",
            "        raise NotPlain",
            "    i += 1",
        ]


def _indent(lines: list[str], depth: int) -> list[str]:
    return ["    " * depth + line for line in lines]


_NUMBER = ["n = d[i]", "i += 1", "if n > 127:", "    n, i = _long(d, i, n)"]
_PLAIN_COUNT = [*_NUMBER, "if n & 1:", "    raise NotPlain", "n >>= 1"]
_LONG = [*_NUMBER, "$ = (n >> 1) ^ -(n & 1)"]
_INT = [*_LONG, "if not -2147483648 <= $ <= 2147483647:", "    raise NotPlain"]
_BYTES = [*_PLAIN_COUNT, "n += i", "$ = d[i:n]", "i = n"]
_PRIMITIVES: dict[str, list[str]] = {
    "null": ["$ = None"],
    "boolean": ["n = d[i]", "i += 1", "if n > 1:", "    raise NotPlain", "$ = n == 1"],
    "int": _INT,
    "long": _LONG,
    "double": ["$, = _double(d, i)", "i += 8"],
    "bytes": _BYTES,
    "string": [*_PLAIN_COUNT, "n += i", "$ = str(d[i:n], 'utf-8')", "i = n"],
}
