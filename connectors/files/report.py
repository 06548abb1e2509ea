"""What an import would do, told before anything is sent: refusals by line, repeats, and who would join and by what.

The events are those that would be sent, judged by the same rules; persons are made of them, and of what the stack
already knows, by the same functions that the policy's dry run uses.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from connectors.checking import Checker
from connectors.files.mapping import Mapping
from connectors.files.reading import Found, rows
from streams.core import reference
from streams.core.accept import Unidentifiable
from streams.core.drafting import Drafted
from streams.core.dry_run import Persons, State, persons
from streams.core.event import Identifier
from streams.core.facts import Table
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


class Meeting(NamedTuple):
    """Two lines that would be of one person, by identifiers of these kinds that both name."""

    at: Line
    first: Line
    by: str

    def __str__(self) -> str:
        return f"{self.at} joins {self.first} by {self.by}"


@dataclass
class Joins:
    """Who the files' identifiers would be.

    `meetings` are lines that name what an earlier line named, in the same file or in another. `met` are identifiers, by
    kind, that more than one file names, or a file and what is known already.
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
    meetings: list[Meeting]


class Report:
    """Reads files, one after the other; `joins` at the end. Memory: about 4 KB an event at the end."""

    def __init__(self, checker: Checker, now_ms: int, state: State | None = None) -> None:
        self._checker, self._now_ms, self._state = checker, now_ms, state
        self._drafted = Drafted(state)
        self._copies: dict[bytes, tuple[bytes, Line]] = {}
        self._seen_in: dict[Identifier, int] = defaultdict(int)
        """Files that name an identifier, a bit each."""
        self._told: list[tuple[Line, list[Identifier]]] = []
        """What each line names that told of something new."""
        self.files: dict[str, Counts] = {}
        self.refusals: list[tuple[Line, Reject]] = []
        self.repeats: list[tuple[Line, Line]] = []
        """(line, the line of the same event before it)"""
        self.conflicts: list[tuple[Line, Line]] = []
        """The same of events with one id and different contents."""

    def read(self, path: Path, mapping: Mapping) -> Counts:
        """Errors: MappingError where the file does not fit the mapping."""
        counts = self.files.setdefault(path.name, Counts())
        bit = 1 << (len(self.files) - 1)
        for found in rows(path, mapping):
            counts.rows += 1
            self._row(found, Line(path.name, found.line), mapping, counts, bit)
        return counts

    def joins(self, policy: Policy, keys: Keys) -> Joins:
        """Who would join. Cost: as of `streams.core.dry_run.persons`."""
        after = persons(self._drafted, policy, keys)
        before = persons(self._state, policy, keys) if self._state else Persons()
        return self._joins(after, before)

    def _row(self, found: Found, line: Line, mapping: Mapping, counts: Counts, bit: int) -> None:
        if found.row is None or found.problem is not None:
            assert found.problem is not None, "a row that is not there has a reason"
            self._refuse(found.problem, line, counts)
            return
        given = mapping.events(found.row)
        counts.passed_over += not given
        for one in given:
            if isinstance(one, Reject):
                self._refuse(one, line, counts)
            elif mapping.reference:
                self._record(reference.TABLES[mapping.reference], one, line, counts)
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
        is_repeat = first_line is not line and first == digest[:8]
        if first_line is not line:
            (self.repeats if is_repeat else self.conflicts).append((line, first_line))
        if isinstance(outcome, Unidentifiable):
            counts.unidentifiable += 1
            return
        self._drafted.add(outcome.event)
        named = [(kind, value) for kind, value, _ in outcome.event.ids]
        for identifier in named:
            self._seen_in[identifier] |= bit
        if not is_repeat:
            self._told.append((line, named))

    def _record(self, table: Table, given: dict[str, Any], line: Line, counts: Counts) -> None:
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
        first_at, meetings = self._meetings(after.shared | after.contested)
        largest = sorted(groups, key=lambda owner: (-kinds[owner].total(), owner))[:LARGEST]
        return Joins(
            persons=len(groups), known=len(groups.keys() & after.known),
            in_several_files=sum(1 for group in groups.values() if _files(group, self._seen_in).bit_count() > 1),
            already_there=len(earlier), united=sum(len(found) - 1 for found in earlier.values()),
            met={kind: count for kind, count in sorted(met.items()) if count},
            shared=dict(sorted(Counter(kind for kind, value in after.shared & self._seen_in.keys()).items())),
            contested=len(after.contested & self._seen_in.keys()),
            largest=[Large(dict(sorted(kinds[o].items())), first_at[min(groups[o])]) for o in largest],
            meetings=meetings,
        )

    def _meetings(self, of_many: set[Identifier]) -> tuple[dict[Identifier, Line], list[Meeting]]:
        """Where each identifier is named first, and the lines that join an earlier one by it; not by what `of_many`
        people have."""
        first_at: dict[Identifier, Line] = {}
        meetings = []
        for line, named in self._told:
            by: dict[Line, set[str]] = defaultdict(set)
            for x in named:
                first = first_at.setdefault(x, line)
                if first != line and x not in of_many:
                    by[first].add(x[0])
            meetings += [Meeting(line, first, ", ".join(sorted(kinds))) for first, kinds in by.items()]
        return first_at, meetings


def _files(group: list[Identifier], seen_in: dict[Identifier, int]) -> int:
    found = 0
    for x in group:
        found |= seen_in[x]
    return found
