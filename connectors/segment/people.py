"""Who a call is about: the identifiers and the traits.

Rules kept here (docs/decisions/0106):
- `userId` is a customer number, or the e-mail where it is one; `previousId` of an alias is an anonymous id, or the
  e-mail.
- An advertising id counts unless the device says that tracking is off; then it is not kept at all.
- Traits are the customer's in identify and in `context.traits`; those of a group call are kept under `group.`.
- E-mails and phones stand among the identifiers alone. Anybody's e-mail or phone in other places becomes a trait,
  because properties are for every analyst to see; of a page's address the parameter stays, without its value.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from connectors.segment import values
from connectors.segment.leaves import Leaves, flat
from connectors.segment.mapping import SegmentMapping

DEVICE_KINDS = frozenset({"anonymous_id", "device_id", "advertising_id", "push_token"})
"""Of the browser or the device, which may be in another's hands."""

_EMAIL_LENGTH_MAX = 320
_is_email = re.compile(r"[^\s@<>,;:\"()\[\]]+@[^\s@]+\.[^\s@]+").fullmatch
_is_phone = re.compile(r"\+?[\d\s().\-/]{7,24}").fullmatch
_names_phone = re.compile(r"(^|[._])(phone|mobile|msisdn)(_?number)?$", re.IGNORECASE).search
_parameters = re.compile(r"([?&;#])([\w.\-]{1,64})=([^&;#\s]{3,1000})").sub
_is_kind = re.compile("[a-z][a-z0-9_]{0,63}").fullmatch


def _is_address(text: str, path: str) -> bool:
    """Longer texts are none, and would take long to look at (RFC 5321, section 4.5.3.1)."""
    return len(text) <= _EMAIL_LENGTH_MAX and bool(_is_email(text) or (_names_phone(path) and _is_phone(text)))


class People:
    """Gathers identifiers and traits of one call."""

    def __init__(self, mapping: SegmentMapping, confidence: float) -> None:
        self._mapping = mapping
        self._confidence = confidence
        self._found: dict[tuple[str, str], float] = {}
        self.traits: dict[str, str] = {}

    def name(self, kind: str, value: Any) -> bool:
        """Adds an identifier; False where the value is none."""
        text = values.name(value)
        if text is None:
            return False
        if kind in ("customer_id", "anonymous_id") and _is_address(text, ""):
            kind = "email"
        if (kind == "email" and "@" not in text) or (kind == "phone" and not any(map(str.isdigit, text))):
            return False
        self._found[kind, text] = self._confidence if kind in DEVICE_KINDS else 1.0
        return True

    def read(self, leaves: Leaves) -> None:
        """Takes identifiers and traits out of the call."""
        call = leaves.get("type")
        if leaves.get("context", "device", "adTrackingEnabled") is False:
            leaves.drop("context", "device", "advertisingId")
        for path, kind in self._mapping.identifiers:
            places = [("context", *path)] if path[0] == "traits" else [path]
            if path[0] == "traits" and call == "identify":
                places.append(path)
            for place in places:
                if self.name(kind, leaves.get(*place)):
                    leaves.drop(*place)
        if call == "alias" and self.name("anonymous_id", leaves.get("previousId")):
            leaves.drop("previousId")
        for key in ("externalIds", "externalId"):
            self._external(leaves, key)
        self._traits(leaves, ("context", "traits"), "")
        if leaves.get("groupId") is not None:
            self.traits["group_id"] = values.text(leaves.take("groupId"))
        self._traits(leaves, ("traits",), "group." if call == "group" else "")

    def _external(self, leaves: Leaves, key: str) -> None:
        """context.externalIds of Segment, externalId of RudderStack: a list of {id, type}."""
        listed = leaves.get("context", key)
        if not isinstance(listed, list):
            return
        left = []
        for row in listed:
            kind = row.get("type") if isinstance(row, dict) else None
            is_user = isinstance(row, dict) and row.get("collection", "users") == "users"
            if not (is_user and isinstance(kind, str) and _is_kind(kind) and self.name(kind, row.get("id"))):
                left.append(row)
        leaves.drop("context", key)
        if left:
            self.traits[key] = values.text(left)

    def _traits(self, leaves: Leaves, path: tuple[str, ...], prefix: str) -> None:
        for key, value in flat(leaves.take(*path)):
            self.traits[prefix + self._mapping.traits.get(key, key)] = values.text(value)

    def hide(self, value: Any, path: str) -> Any:
        """The value without the e-mails and phones in it, which become traits; None where nothing is left."""
        if isinstance(value, dict):
            kept = {key: self.hide(item, f"{path}.{key}") for key, item in value.items()}
            return {key: item for key, item in kept.items() if item is not None} or (None if value else value)
        if isinstance(value, list):
            return [self.hide(item, f"{path}.{number}") for number, item in enumerate(value)]
        if not isinstance(value, str):
            return value
        if _is_address(value.strip(), path):
            self.traits.setdefault(path, value.strip())
            return None
        return self._without_addresses(value, path) if "=" in value and ("@" in value or "%40" in value) else value

    def _without_addresses(self, url: str, path: str) -> str:
        """An address of the web without the e-mails among its parameters."""
        def moved(found: re.Match[str]) -> str:
            told = unquote_plus(found[3])
            if not _is_address(told, ""):
                return found[0]
            self.traits.setdefault(f"{path}.{found[2]}", told)
            return f"{found[1]}{found[2]}=~"

        return _parameters(moved, url)

    def identifiers(self) -> list[Mapping[str, Any]]:
        """As a channel event has them."""
        return [
            {"kind": kind, "value": value} | ({"confidence": held} if held < 1.0 else {})
            for (kind, value), held in self._found.items()
        ]
