"""The values of a call, taken one by one; what was not taken is still there at the end.

So nothing of a call is lost by forgetting it: a mapping moves what it knows, and the rest stays in sight. The call
itself is never changed: a table is copied before the first value is taken out of it.
"""

from collections.abc import Iterator, Mapping
from typing import Any


class Leaves:
    """A call, as far as it has not been taken."""

    def __init__(self, call: Mapping[str, Any]) -> None:
        self._rest = dict(call)
        self._own = {id(self._rest)}

    def get(self, *path: str) -> Any:
        """The value at the path, None where there is none."""
        value: Any = self._rest
        for key in path:
            if value is None or not isinstance(value, dict):
                return None
            value = value.get(key)
        return value

    def drop(self, *path: str) -> None:
        """Takes the value at the path away, where there is one."""
        table = self._rest
        for key in path[:-1]:
            child = table.get(key)
            if not isinstance(child, dict):
                return
            if id(child) not in self._own:
                child = table[key] = dict(child)
                self._own.add(id(child))
            table = child
        table.pop(path[-1], None)

    def take(self, *path: str) -> Any:
        value = self.get(*path)
        self.drop(*path)
        return value

    def rest(self) -> dict[str, Any]:
        """What is left."""
        return self._rest


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested tables under dotted names; lists are values; None, empty texts and empty tables are none."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flat(item, f"{path}.{key}" if path else str(key))
    elif value is not None and value not in ("", []):
        yield path, value
