"""The identity policy: which kinds of identifier exist, how far each is trusted, and what never identifies anybody.

A policy is a TOML file. A new kind, a new blocked value or another limit is a row in it and needs no code; what the
columns mean is written in `default_policy.toml`.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import Any

FORMS = ("text", "lower", "digits", "luhn", "phone", "email", "messenger", "mac", "sha256", "payment_token")
"""The normal forms that `streams.core.identifiers` knows, by name."""

ANY = "any"
"""The row of `blocked` that holds for every kind."""

ALERTS: Mapping[str, int | None] = MappingProxyType({
    "many_names": 5, "many_birthdays": 2, "many_cities": 5, "person_touchpoints": 10_000, "super_identifier": 100,
})
"""By kind of alert, the most that is none: what a file says nothing about. The first three are rows of the streams
(`streams.core.alert`), the others are looked for by the view `identity_alerts`."""


class PolicyError(ValueError):
    """A policy file that cannot be used; the message names file, line, what was expected and what came."""


@dataclass(frozen=True)
class Kind:
    """One kind of identifier; None means no limit."""

    name: str
    strength: int
    personal: bool
    per_person: int | None
    shared_above: int | None
    shared_by: frozenset[str]
    busy_above: int | None
    min_events: int
    form: str


class Kinds(dict[str, Kind]):
    """Kinds by name. One that the policy does not have, but an earlier one had, is worth nothing: what was gathered
    under it identifies nobody (`Policy.is_blocked`), and stays for a policy that has it again."""

    def __missing__(self, name: str) -> Kind:
        return Kind(name, 0, False, None, None, frozenset(), None, 1, "text")


@dataclass(frozen=True)
class Blocked:
    """Values that identify nobody: whole values, and patterns that match the whole value; both in lower case."""

    values: frozenset[str]
    pattern: re.Pattern[str] | None

    def holds(self, value: str) -> bool:
        value = value.casefold()
        return value in self.values or (self.pattern is not None and self.pattern.fullmatch(value) is not None)


ALL_DOMAINS = "*"


@dataclass(frozen=True)
class EmailRules:
    """Domains at which what follows a + in an address, or its dots, mean nothing; `ALL_DOMAINS` is every one."""

    plus_tags: frozenset[str] = frozenset()
    dots: frozenset[str] = frozenset()

    def plain(self, address: str) -> str:
        """The address of the mailbox."""
        local, _, domain = address.rpartition("@")
        if {domain, ALL_DOMAINS} & self.plus_tags:
            local = local.split("+")[0] or local
        if {domain, ALL_DOMAINS} & self.dots:
            local = local.replace(".", "") or local
        return f"{local}@{domain}"


@dataclass(frozen=True, eq=False)
class Policy:
    """A whole policy. Compared by identity: it is a key of caches, and one process holds few of them."""

    kinds: Mapping[str, Kind]
    aliases: Mapping[str, str]
    """Other names of a kind -> the kind, so that one number space stays one kind."""
    blocked: Mapping[str, Blocked]
    """Kind, or `ANY` -> what is blocked."""
    threshold: float
    """The confidence from which an edge conducts."""
    person_identifiers_max: int
    version: str
    email: EmailRules = EmailRules()
    default_region: str = ""
    """Of phones without +, in place of the setting; empty: the setting's."""
    alerts: Mapping[str, int | None] = field(default_factory=lambda: ALERTS)
    """By kind of alert, the most that is none; None: no such alert."""

    def is_blocked(self, kind: str, value: str) -> bool:
        """Whether an identifier identifies nobody: by its value, or because the policy has no such kind."""
        if kind not in self.kinds or (kind == "email_sha256" and value in self._blocked_hashes):
            return True
        return any(row.holds(value) for row in (self.blocked.get(ANY), self.blocked.get(kind)) if row)

    @cached_property
    def _blocked_hashes(self) -> frozenset[str]:
        """Of e-mails that are listed: each names its SHA-256 besides. What a pattern matches has none to list."""
        emails = self.blocked["email"].values if "email" in self.blocked else ()
        return frozenset(hashlib.sha256(email.encode()).hexdigest() for email in emails)


@cache
def default() -> Policy:
    """The policy that comes with the product."""
    return parse(default_text(), "default_policy.toml")


def default_text() -> str:
    return files("streams.core").joinpath("default_policy.toml").read_text()


def parse(text: str, name: str) -> Policy:
    """The policy written in `text`.

    Shape:  TOML; `name` is the file's, for messages.
    Errors: PolicyError with the line of the first thing that is wrong.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{name}: not valid TOML: {error}") from None
    return _Reader(text, name).policy(tree)


def check(text: str, name: str) -> Policy:
    """The policy that somebody wants to put in force: `parse`, and no name may be a kind's and another name's.

    A policy of an earlier release may have such a name, so `parse` takes it: the other name holds.
    """
    policy = parse(text, name)
    _Reader(text, name).check_aliases(policy)
    return policy


class _Reader:
    """Checks a parsed tree key by key; keeps the text, to name the line of what is wrong."""

    def __init__(self, text: str, name: str) -> None:
        self._lines = text.splitlines()
        self._name = name

    def policy(self, tree: Mapping[str, Any]) -> Policy:
        required = {"version", "threshold", "person_identifiers_max", "kinds"}
        self._keys("", tree, required, {"aliases", "alerts", "blocked", "email", "default_region"})
        threshold = self._number("", tree, "threshold")
        kinds = Kinds({name: self._kind(name, row) for name, row in self._table("", tree, "kinds").items()})
        for kind in kinds.values():
            self._known(f"kinds.{kind.name}", "shared_by", kind.shared_by, kinds)
        aliases = self._table("", tree, "aliases")
        for alias, kind_name in aliases.items():
            self._known("aliases", alias, [kind_name], kinds)
        blocked = self._table("", tree, "blocked")
        return Policy(
            kinds=MappingProxyType(kinds),
            aliases=MappingProxyType(dict(aliases)),
            blocked=MappingProxyType({kind: self._blocked(kind, row, kinds) for kind, row in blocked.items()}),
            threshold=threshold,
            person_identifiers_max=self._count("", tree, "person_identifiers_max", least=2),
            version=self._text("", tree, "version"),
            email=self._email(tree),
            default_region=self._region(tree),
            alerts=self._alerts(tree),
        )

    def check_aliases(self, policy: Policy) -> None:
        for alias in policy.aliases:
            if alias in policy.kinds:
                raise self._error("aliases", alias, "another name than a kind's of this file", alias)

    def _email(self, tree: Mapping[str, Any]) -> EmailRules:
        rows = self._table("", tree, "email")
        self._keys("email", rows, set(), {"plus_tags", "dots"})
        tags, dots = (frozenset(d.lower() for d in self._texts("email", rows, key)) for key in ("plus_tags", "dots"))
        return EmailRules(tags, dots)

    def _region(self, tree: Mapping[str, Any]) -> str:
        value = tree.get("default_region", "")
        if not isinstance(value, str) or not re.fullmatch("([A-Z]{2})?", value):
            raise self._error("", "default_region", "a country such as UA", value)
        return value

    def _alerts(self, tree: Mapping[str, Any]) -> Mapping[str, int | None]:
        rows = self._table("", tree, "alerts")
        self._keys("alerts", rows, set(), set(ALERTS))
        return MappingProxyType({**ALERTS, **{kind: self._limit("alerts", rows, kind) for kind in rows}})

    def _kind(self, name: str, row: Any) -> Kind:
        where = f"kinds.{name}"
        if not re.fullmatch("[a-z][a-z0-9_]*", name):
            raise self._error(where, "", "a kind's name in lower case letters, digits and _", name)
        columns = {field.name for field in fields(Kind)} - {"name"}
        self._keys(where, row, columns - {"shared_by"}, {"shared_by"})
        if not isinstance(row["personal"], bool):
            raise self._error(where, "personal", "true or false", row["personal"])
        if row["form"] not in FORMS:
            raise self._error(where, "form", f"one of {', '.join(FORMS)}", row["form"])
        return Kind(
            name=name,
            strength=self._count(where, row, "strength", least=0),
            personal=row["personal"],
            per_person=self._limit(where, row, "per_person"),
            shared_above=self._limit(where, row, "shared_above"),
            shared_by=frozenset(self._texts(where, row, "shared_by")),
            busy_above=self._limit(where, row, "busy_above"),
            min_events=self._count(where, row, "min_events", least=1),
            form=row["form"],
        )

    def _blocked(self, kind: str, row: Any, kinds: Mapping[str, Kind]) -> Blocked:
        where = f"blocked.{kind}"
        if kind != ANY:
            self._known(where, "", [kind], kinds)
        self._keys(where, row, set(), {"values", "patterns"})
        patterns = self._texts(where, row, "patterns")
        try:
            pattern = re.compile("|".join(f"(?:{p})" for p in patterns)) if patterns else None
        except re.error as error:
            raise self._error(where, "patterns", f"regular expressions ({error})", patterns) from None
        return Blocked(frozenset(value.casefold() for value in self._texts(where, row, "values")), pattern)

    def _keys(self, where: str, row: Any, required: set[str], optional: set[str]) -> None:
        if not isinstance(row, dict):
            raise self._error(where, "", "a table", row)
        for key in row:
            if key not in required | optional:
                raise self._error(where, key, f"one of {', '.join(sorted(required | optional))}", key)
        for key in sorted(required - row.keys()):
            raise self._error(where, "", f"the key {key}", ", ".join(row) or "an empty table")

    def _known(self, where: str, key: str, names: Any, kinds: Mapping[str, Kind]) -> None:
        for name in names:
            if name not in kinds:
                raise self._error(where, key, "a kind of this file", name)

    def _table(self, where: str, row: Mapping[str, Any], key: str) -> dict[str, Any]:
        value = row.get(key, {})
        if not isinstance(value, dict):
            raise self._error(where, key, "a table", value)
        return value

    def _text(self, where: str, row: Mapping[str, Any], key: str) -> str:
        if not isinstance(row[key], str) or not row[key]:
            raise self._error(where, key, "a text", row[key])
        return str(row[key])

    def _texts(self, where: str, row: Mapping[str, Any], key: str) -> list[str]:
        value = row.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._error(where, key, "a list of texts", value)
        return value

    def _number(self, where: str, row: Mapping[str, Any], key: str) -> float:
        value = row[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
            raise self._error(where, key, "a number above 0, at most 1", value)
        return float(value)

    def _count(self, where: str, row: Mapping[str, Any], key: str, least: int) -> int:
        value = row[key]
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self._error(where, key, f"a whole number, at least {least}", value)
        return value

    def _limit(self, where: str, row: Mapping[str, Any], key: str) -> int | None:
        if row[key] == "none":
            return None
        try:
            return self._count(where, row, key, least=1)
        except PolicyError:
            raise self._error(where, key, 'a whole number, at least 1, or "none"', row[key]) from None

    def _error(self, where: str, key: str, expected: str, came: Any) -> PolicyError:
        path = ".".join(part for part in (where, key) if part)
        return PolicyError(f"{self._name}, line {self._line(where, key)}: {path}: expected {expected}; came {came!r}")

    def _line(self, where: str, key: str) -> int:
        """The line of `key` in the table `where`, else of the table's head, else the first."""
        table, head = "", 1
        for number, line in enumerate(self._lines, 1):
            if found := re.match(r"\s*\[([^\[\]]+)\]", line):
                table = found[1].strip()
                if table in (where, f"{where}.{key}".strip(".")):
                    head = number
            elif key and table == where and re.match(rf"\s*{re.escape(key)}\s*=", line):
                return number
            elif f"{table}.{line.split('=')[0].strip()}" == where:  # the row as an inline table
                head = number
        return head
