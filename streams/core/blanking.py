"""An event without some of its identifiers: nothing of it may still tell their values.

Fields that are the identifiers themselves are emptied; in what is carried along, every text that holds a value is.
Short values are not looked for inside texts, where they would be found by chance.
"""

from collections.abc import Collection
from typing import Any

import msgspec

from streams.core.event import Event, Identifier, pack, unpack

VALUE_LENGTH_MIN = 6
"""Of values that are looked for inside other texts: no phone, card or e-mail is shorter."""

_CARRIED = tuple(f.name for f in msgspec.structs.fields(Event) if f.type is bytes and f.name != "digest")
_TEXTS = tuple(f.name for f in msgspec.structs.fields(Event) if f.type == str | None)


def without(event: Event, lost: Collection[Identifier]) -> Event | None:
    """The event as if it had never named `lost`; None where it names nobody then.

    The digest stays: it is still the same event, and every copy of it loses the same identifiers.
    """
    ids = tuple(i for i in event.ids if i[:2] not in lost)
    if not ids:
        return None
    changes: dict[str, Any] = {"ids": ids}
    values = [value for _, value in lost if len(value) >= VALUE_LENGTH_MIN]
    for name in _TEXTS:
        text = getattr(event, name)
        if text is not None and ((name, text) in lost or _tells(text, values)):
            changes[name] = None
    for name in _CARRIED:
        data = getattr(event, name)
        if any(value.encode() in data for value in values):
            changes[name] = pack(_blank(unpack(data), values))
    if "order_id" in changes:
        changes["order"] = b""
    return msgspec.structs.replace(event, **changes)


def _tells(text: str, values: Collection[str]) -> bool:
    return any(value in text for value in values)


def _blank(value: Any, values: Collection[str]) -> Any:
    if isinstance(value, str):
        return "" if _tells(value, values) else value
    if isinstance(value, list):
        return [_blank(one, values) for one in value]
    if isinstance(value, dict):
        return {key: _blank(one, values) for key, one in value.items() if not _tells(str(key), values)}
    return value
