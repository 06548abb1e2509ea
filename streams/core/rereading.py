"""What another policy would read otherwise than it was read when it came.

A policy reaches every identifier, but no value: an identifier is held in the normal form of the day it came. Two things
are told of a policy before it is put in force, each a count by kind:
- *other*: identifiers whose value it would bring to another one, or refuse. Events to come name the customer by the
  other value, and the two meet by further evidence only.
- *unsure*: identifiers of which the policy in force may have taken what the other one keeps: dots, separators, the
  country of a number. What came is known no more.
Of a value that the other policy blocks nothing stays, for it is everybody's from then on (`Policy.is_blocked`). The
SHA-256 of an e-mail that only a pattern blocks does: no pattern knows it, so it counts as other.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import phonenumbers

from streams.core.event import Identifier
from streams.core.identifiers import email_sha256, normalise
from streams.core.policy import ALL_DOMAINS, Policy

_TAKEN: Mapping[str, str] = MappingProxyType({
    "text": "", "payment_token": "", "messenger": "", "lower": "case", "sha256": "case",
    "digits": "separators", "luhn": "separators",
})
"""What a form takes from a value; of those that are not here it is a matter of their own."""


@dataclass(frozen=True)
class Counts:
    """Identifiers by kind."""

    other: Mapping[str, int]
    unsure: Mapping[str, int]

    def __bool__(self) -> bool:
        return bool(self.other or self.unsure)


class Rereading:
    """Compares how two policies read. `kinds` are those that they may read otherwise: no other need be counted."""

    def __init__(self, present: Policy, other: Policy, default_region: str) -> None:
        self._present, self._other, self._default_region = present, other, default_region
        self._country = phonenumbers.country_code_for_region(present.default_region or default_region)
        self._has_other_country = (present.default_region or default_region) != (other.default_region or default_region)
        self._renamed = {kind for alias, kind in present.aliases.items() if other.aliases.get(alias) != kind}
        self.kinds = frozenset(kind for kind in other.kinds if self._concerns(kind))

    def count(self, held: Iterable[Identifier]) -> Counts:
        """Cost: two normal forms an identifier of `kinds`."""
        others: Counter[str] = Counter()
        unsure: Counter[str] = Counter()
        for kind, value in held:
            if kind in self.kinds:
                found = list(self._others(kind, value))
                others.update(found)
                if kind not in found and self._is_unsure(kind, value):
                    unsure[kind] += 1
        return Counts(*(dict(sorted(counts.items())) for counts in (others, unsure)))

    def _concerns(self, kind: str) -> bool:
        was, will = self._forms(kind)
        return (
            was != will or kind in self._renamed
            or (will == "phone" and self._has_other_country)
            or (will == "email" and self._present.email != self._other.email)
            or (kind == "email" and self._present.blocked != self._other.blocked)
        )

    def _others(self, kind: str, value: str) -> Iterator[str]:
        """The kind, where the other policy alone would have read a held value otherwise; and of what is derived."""
        if self._other.is_blocked(kind, value):
            if kind == "email" and not self._present.is_blocked(kind, value):
                derived = "email_sha256", email_sha256(value)
                yield from () if self._other.is_blocked(*derived) else ("email_sha256",)
            return
        was, will = (normalise(kind, value, policy, self._default_region) for policy in (self._present, self._other))
        if will not in (was, (kind, value)):
            yield kind

    def _is_unsure(self, kind: str, value: str) -> bool:
        was, will = self._forms(kind)
        taken = _TAKEN.get(was, was)
        return (
            taken not in ("", _TAKEN.get(will, will)) or kind in self._renamed
            or (was == "phone" and self._has_other_country and value.startswith(f"+{self._country}"))
            or (was == "email" and self._keeps_more(value))
        )

    def _keeps_more(self, address: str) -> bool:
        domains = {address.rpartition("@")[2], ALL_DOMAINS}
        was, will = self._present.email, self._other.email
        return any(domains & a and not domains & b for a, b in ((was.plus_tags, will.plus_tags), (was.dots, will.dots)))

    def _forms(self, kind: str) -> tuple[str, str]:
        return self._present.kinds[kind].form, self._other.kinds[kind].form
