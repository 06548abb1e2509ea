"""What an import would do, told before anything is sent: refusals by line, repeats, and who would join and by what.

The events are those that would be sent, judged by the same rules; persons are made of them, and of what the stack
already knows, by the same functions that the policy's dry run uses.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from connectors.checking import Checker
from connectors.files.mapping import Mapping
from connectors.files.reading import Found, rows
from streams.core import reference
from streams.core.accept import Unidentifiable
from streams.core.drafting import Drafted
from streams.core.dry_run import Persons, State, persons
from streams.core.event import Identifier
from streams.core.keys import Keys
from streams.core.policy import Policy
from streams.core.refusal import Refusal, Reject

LARGEST = 10
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True)
class Line:
    """Where a row stands."""

    file: str
    number: int

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"


@dataclass
class Counts:
    """What one file holds."""

    rows: int = 0
    events: int = 0
    passed_over: int = 0
    unidentifiable: int = 0
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Large:
    """A person of many identifiers: how many of each kind, and a line that tells of one of them."""

    kinds: dict[str, int]
    seen_at: Line


@dataclass
class Joins:
    """Who the files' identifiers would be.

    `met` are identifiers, by kind, that more than one file names, or a file and what is known already.
    """

    persons: int
    known: int
    in_several_files: int
    already_there: int
    """Of the persons, those that the stack has."""
    united: int
    """Persons that the stack has and that would become one with another of them."""
    met: dict[str, int]
    shared: dict[str, int]
    contested: int
    largest: list[Large]


class Report:
    """Reads files, one after the other; `joins` at the end. Memory: about 4 KB an event at the end."""

    def __init__(self, checker: Checker, mapping: Mapping, now_ms: int, state: State | None = None) -> None:
        self._checker, self._mapping, self._now_ms, self._state = checker, mapping, now_ms, state
        self._drafted = Drafted(state)
        self._copies: dict[bytes, tuple[bytes, Line]] = {}
        self._seen_in: dict[Identifier, int] = defaultdict(int)
        """Files that name an identifier, a bit each."""
        self._first_at: dict[Identifier, Line] = {}
        self.files: dict[str, Counts] = {}
        self.refusals: list[tuple[Line, Reject]] = []
        self.repeats: list[tuple[Line, Line]] = []
        """(line, the line of the same event before it)"""
        self.conflicts: list[tuple[Line, Line]] = []
        """The same of events with one id and different contents."""

    def read(self, path: Path) -> Counts:
        """Errors: MappingError where the file does not fit the mapping."""
        counts = self.files.setdefault(path.name, Counts())
        bit = 1 << (len(self.files) - 1)
        for found in rows(path, self._mapping):
            counts.rows += 1
            self._row(found, Line(path.name, found.line), counts, bit)
        return counts

    def joins(self, policy: Policy, keys: Keys) -> Joins:
        """Who would join. Cost: as of `streams.core.dry_run.persons`."""
        after = persons(self._drafted, policy, keys)
        before = persons(self._state, policy, keys) if self._state else Persons()
        return self._joins(after, before)

    def _row(self, found: Found, line: Line, counts: Counts, bit: int) -> None:
        if found.row is None or found.problem is not None:
            assert found.problem is not None, "a row that is not there has a reason"
            self._refuse(found.problem, line, counts)
            return
        given = self._mapping.events(found.row)
        counts.passed_over += not given
        for one in given:
            if isinstance(one, Reject):
                self._refuse(one, line, counts)
            elif self._mapping.reference:
                self._record(one, line, counts)
            else:
                self._event(one, line, counts, bit)

    def _event(self, given: dict[str, Any], line: Line, counts: Counts, bit: int) -> None:
        digest = blake2b(_encode(given), digest_size=16).digest()
        outcome = self._checker.outcome(given, self._now_ms, digest)
        if isinstance(outcome, Reject):
            self._refuse(outcome, line, counts)
            return
        counts.events += 1
        name = blake2b(given["event_id"].encode(), digest_size=8).digest()
        first, first_line = self._copies.setdefault(name, (digest[:8], line))
        if first_line is not line:
            (self.repeats if first == digest[:8] else self.conflicts).append((line, first_line))
        if isinstance(outcome, Unidentifiable):
            counts.unidentifiable += 1
            return
        self._drafted.add(outcome.event)
        for kind, value, _ in outcome.event.ids:
            self._seen_in[kind, value] |= bit
            self._first_at.setdefault((kind, value), line)

    def _record(self, given: dict[str, Any], line: Line, counts: Counts) -> None:
        table = reference.TABLES[self._mapping.reference]
        try:
            reference.row(table, reference.record(table, given))
        except Refusal as refusal:
            self._refuse(refusal.reject(), line, counts)
        else:
            counts.events += 1

    def _refuse(self, reject: Reject, line: Line, counts: Counts) -> None:
        counts.refused[str(reject.reason)] += 1
        self.refusals.append((line, reject))

    def _joins(self, after: Persons, before: Persons) -> Joins:
        groups: dict[bytes, list[Identifier]] = defaultdict(list)
        met: Counter[str] = Counter()
        for x, files in self._seen_in.items():
            if x not in after.shared:
                groups[after.owner[x]].append(x)
                met[x[0]] += files.bit_count() + (x in before.owner) > 1
        earlier: dict[bytes, set[bytes]] = defaultdict(set)
        kinds: dict[bytes, Counter[str]] = defaultdict(Counter)
        for x, owner in after.owner.items():
            if owner in groups and x not in after.shared:
                kinds[owner][x[0]] += 1
                if x in before.owner and x not in before.shared:
                    earlier[owner].add(before.owner[x])
        largest = sorted(groups, key=lambda owner: (-kinds[owner].total(), owner))[:LARGEST]
        return Joins(
            persons=len(groups), known=len(groups.keys() & after.known),
            in_several_files=sum(1 for group in groups.values() if _files(group, self._seen_in).bit_count() > 1),
            already_there=len(earlier), united=sum(len(found) - 1 for found in earlier.values()),
            met={kind: count for kind, count in sorted(met.items()) if count},
            shared=dict(sorted(Counter(kind for kind, value in after.shared & self._seen_in.keys()).items())),
            contested=len(after.contested & self._seen_in.keys()),
            largest=[Large(dict(sorted(kinds[o].items())), self._first_at[min(groups[o])]) for o in largest],
        )


def _files(group: list[Identifier], seen_in: dict[Identifier, int]) -> int:
    found = 0
    for x in group:
        found |= seen_in[x]
    return found
