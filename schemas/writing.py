"""A fast encoder of Avro bytes, generated from the schema: the counterpart of the decoder in `schemas.plain`.

fastavro checks a value against every branch of a union down to its last field before it writes one, which for an order
takes five times as long as all else that happens to it. Our unions are null and one other, so a look at the value tells
the branch. The encoder never judges: whatever it does not expect raises some exception, and the caller takes fastavro's
word (`schemas.records`). A property test holds the two against each other.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any

Encoder = Callable[[Any], bytes]


class NotExpected(ValueError):  # noqa: N818 - not an error: the other encoder's turn
    """A value or a schema that this encoder leaves to the other."""


def compile_encoder(schema: Mapping[str, Any]) -> Encoder:
    """The encoder of a record's schema.

    Shape:  as `schemas.plain.compile_decoder`; fields that the value lacks have their defaults.
    Errors: NotExpected where a union is not of null and one other; the encoder raises anything where a value is not of
            its type.
    """
    source = _Source()
    root = source.record(schema)
    scope: dict[str, Any] = {
        "_long": _long, "_double": struct.Struct("<d").pack, "NotExpected": NotExpected, **source.defaults,
    }
    exec("\n".join(source.lines), scope)  # noqa: S102 - source made here, from schemas that ship with the product
    write = scope[root]

    def encode(value: Any) -> bytes:
        out = bytearray()
        write(value, out)
        return bytes(out)

    return encode


def _long(out: bytearray, n: int) -> None:
    """A number of several bytes; n is not negative."""
    while n > 127:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)


class _Source:
    """Python source, one function a record; `o` is what is written to, `n` a number to be written."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.defaults: dict[str, Any] = {}
        self._records: dict[str, str] = {}

    def record(self, schema: Mapping[str, Any]) -> str:
        """Writes the function of a record and returns its name."""
        function = self._records[schema["name"]] = f"write_{len(self._records)}"
        body: list[str] = []
        for number, field in enumerate(schema["fields"]):
            name, value = field["name"], f"v{number}"
            if "default" in field:
                default = f"default_{len(self.defaults)}"
                self.defaults[default] = field["default"]
                body.append(f"{value} = v.get({name!r}, {default})")
            else:
                body.append(f"{value} = v[{name!r}]")
            body += self._value(field["type"], value)
        self.lines += [f"def {function}(v, o):", *_indented(body)]
        return function

    def _value(self, schema: Any, name: str) -> list[str]:
        """Lines that write the variable `name` as a value of `schema`."""
        if isinstance(schema, list):
            if len(schema) != 2 or schema[0] != "null":
                raise NotExpected(f"a union of {schema}")
            return [f"if {name} is None:", "    o.append(0)", "else:", "    o.append(2)",
                    *_indented(self._value(schema[1], name))]
        if isinstance(schema, str):
            return self._named(schema, name)
        if schema["type"] == "record":
            return [f"{self.record(schema)}({name}, o)"]
        if schema["type"] == "array":
            return _block(name, "list", f"for {name}_ in {name}:", self._value(schema["items"], f"{name}_"))
        if schema["type"] == "map":
            item = [*self._named("string", f"{name}k"), *self._value(schema["values"], f"{name}_")]
            return _block(name, "dict", f"for {name}k, {name}_ in {name}.items():", item)
        return self._named(schema["type"], name)

    def _named(self, schema: str, name: str) -> list[str]:
        if schema in self._records:
            return [f"{self._records[schema]}({name}, o)"]
        return [line.replace("$", name) for line in _PRIMITIVES[schema]]


def _block(name: str, kind: str, loop: str, item: list[str]) -> list[str]:
    """One block of all items and the end mark, or the end mark alone."""
    return [*_only(f"type({name}) is not {kind}"), f"if {name}:", *_indented([f"n = len({name}) << 1", *_NUMBER]),
            f"    {loop}", *_indented(item, 2), "o.append(0)"]


def _only(condition: str) -> list[str]:
    return [f"if {condition}:", "    raise NotExpected"]


def _indented(lines: list[str], depth: int = 1) -> list[str]:
    return ["    " * depth + line for line in lines]


_NUMBER = ["if n < 128:", "    o.append(n)", "else:", "    _long(o, n)"]
_BYTES = ["n = len(b) << 1", *_NUMBER, "o += b"]
_PRIMITIVES: dict[str, list[str]] = {
    "boolean": [*_only("$ is not True and $ is not False"), "o.append($)"],
    "int": [*_only("type($) is not int or not -2147483648 <= $ <= 2147483647"), "n = ($ << 1) ^ ($ >> 63)", *_NUMBER],
    "long": [*_only(f"type($) is not int or not {-(2**63)} <= $ <= {2**63 - 1}"), "n = ($ << 1) ^ ($ >> 63)", *_NUMBER],
    "double": [*_only("type($) is not float and type($) is not int"), "o += _double($)"],
    "bytes": [*_only("type($) is not bytes"), "b = $", *_BYTES],
    "string": ["b = $.encode()", *_BYTES],
}
