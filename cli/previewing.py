"""What `onethread import --report` tells: a page about files, before anything of them is sent."""

import csv
from pathlib import Path

from cli import looks
from cli.progress import line
from cli.stack import find
from connectors.checking import Checker
from connectors.commands import policy_in_force
from connectors.files.importing import TOLD
from connectors.files.mapping import Mapping
from connectors.files.report import Joins, Report
from deploy.local.ports import Addresses
from streams import clock, settings
from streams.core.dry_run import State
from streams.core.keys import Keys
from streams.core.policy import default
from streams.errors import OneThreadError
from streams.state.snapshot import changelog_topic, read

LINES_SHOWN = 20


def preview(files: list[tuple[Path, Mapping]], into: Path | None) -> None:
    """Read files, each through its mapping, and tell what would become of them; `into` is where every line it names is
    written.

    Without a stack persons are made of the files alone, under the policy that comes with the product.
    """
    try:
        addresses: Addresses | None = find()
    except OneThreadError:
        addresses = None
    chosen = settings.load((addresses or Addresses.from_environ()).home)
    policy, state = default(), None
    has_events = not all(mapping.reference for _, mapping in files)
    with line("reading") as tell:
        if addresses and has_events:
            policy = policy_in_force(addresses.kafka_bootstrap, addresses.registry_url, chosen).policy
            state = State()
            tell(description="reading what is known")
            read(addresses.kafka_bootstrap, changelog_topic(chosen.topic_prefix), state.put)
        report = Report(Checker(chosen, policy), clock.now_ms(), state)
        for file, mapping in files:
            tell(description=f"reading {file.name}")
            report.read(file, mapping)
        tell(description="who would join")
        joins = report.joins(policy, Keys(chosen.pepper.get_secret_value(), chosen.partitions))
    _show_files(report)
    if has_events:
        _show_lines("lines that would join an earlier one", [str(one) for one in joins.meetings])
        _show_joins(joins, addresses is not None)
    if into:
        _write(report, joins, into)


def _show_files(report: Report) -> None:
    page = looks.page()
    numbers = ("rows", "events", "refused", "passed over", "unidentifiable")
    sheet = looks.sheet("file", *numbers, right=numbers)
    for name, counts in report.files.items():
        figures = (counts.rows, counts.events, counts.refused.total(), counts.passed_over, counts.unidentifiable)
        sheet.add_row(name, *(f"{figure:,}" for figure in figures))
    page.print(sheet)
    _show_lines("refused", [f"{at}  {reject.reason}  {reject.detail}" for at, reject in report.refusals])
    _show_lines("told twice", [f"{at} repeats {first}" for at, first in report.repeats])
    _show_lines("told twice with different contents", [f"{at} differs from {first}" for at, first in report.conflicts])


def _show_lines(title: str, lines: list[str]) -> None:
    if lines:
        print(f"\n{title}: {len(lines):,}")
        print("\n".join(f"  {one}" for one in lines[:LINES_SHOWN]))
    if len(lines) > LINES_SHOWN:
        print(f"  … and {len(lines) - LINES_SHOWN:,} more")


def _show_joins(joins: Joins, has_stack: bool) -> None:
    print(f"\nwho they would be: {joins.persons:,} persons, {joins.known:,} of them known; "
          f"{joins.in_several_files:,} in more than one file")
    if has_stack:
        print(f"already there: {joins.already_there:,}; of these would become one with another: {joins.united:,}")
    for words, kinds in (("identifiers met before or in another file", joins.met),
                         ("identifiers of many people, which join nobody", joins.shared)):
        if kinds:
            print(f"{words}: {', '.join(f'{kind} {count:,}' for kind, count in kinds.items())}")
    if joins.contested:
        print(f"contested identifiers: {joins.contested:,}")
    if joins.largest and sum(joins.largest[0].kinds.values()) > 1:
        print("the largest:")
        for large in joins.largest:
            print(f"  {', '.join(f'{kind} {count:,}' for kind, count in large.kinds.items())}  ({large.seen_at})")


def _write(report: Report, joins: Joins, into: Path) -> None:
    with into.open("w", encoding="utf-8", newline="") as file:
        told = csv.writer(file)
        told.writerow(TOLD)
        told.writerows((at.file, at.number, reject.reason, reject.detail) for at, reject in report.refusals)
        told.writerows((at.file, at.number, "repeat", f"of {first}") for at, first in report.repeats)
        told.writerows((at.file, at.number, "conflict", f"with {first}") for at, first in report.conflicts)
        told.writerows((at.file, at.number, "join", f"{first} by {by}") for at, first, by in joins.meetings)
