"""`onethread policy`: the identity policy in force, what another one would change, and putting it in force."""

import json
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError

from cli import looks
from cli.progress import line
from cli.stack import find
from cli.sweeping import wait
from connectors import commands
from deploy.local.ports import Addresses
from sinks.clickhouse import migrations
from sinks.clickhouse.client import connect
from sinks.clickhouse.profile import select
from streams.core import policy as policy_file
from streams.core.commands import DOCUMENT_CHARACTERS_MAX, POLICY_VERB, InForce
from streams.core.dry_run import Change, Difference, State, compare, persons
from streams.core.event import Identifier
from streams.core.keys import Keys
from streams.core.policy import Policy, PolicyError
from streams.core.rereading import Counts, Rereading
from streams.errors import OneThreadError, UsageError
from streams.settings import Settings, load
from streams.state.snapshot import changelog_topic, read

DIFFERS = 3
"""Exit code of `diff` where it found differences."""

app = typer.Typer(no_args_is_help=True, help="The identity policy: show, check, diff, apply.")

File = Annotated[str, typer.Argument(metavar="FILE", help="A policy file; - is standard input.")]


@app.command()
def show() -> None:
    """Print the policy in force, as a file that can be changed, checked and applied."""
    print(_in_force(*_stack()).text, end="")


@app.command()
def check(file: File) -> None:
    """Check a policy file; the first thing that is wrong is told with its line. Needs no stack."""
    _, policy = _read(file)
    print(f"{_name(file)}: good: {len(policy.kinds)} kinds, version {policy.version}")


@app.command()
def diff(
    file: File, as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Show what a policy would make of the present state: a dry run, nothing is changed.

    Exit 0 where nothing would, 3 where something would.
    """
    _, policy = _read(file)
    addresses, settings = _stack()
    present = _in_force(addresses, settings).policy
    found, held = _difference(addresses, settings, present, policy)
    if as_json:
        print(json.dumps(_document(found, held), indent=2))
    else:
        _show(found, held)
    raise typer.Exit(DIFFERS if found or held else 0)


@app.command()
def apply(
    file: File, no_wait: Annotated[bool, typer.Option("--no-wait", help="Return once it is on its way.")] = False,
    keep_values: Annotated[bool, typer.Option(
        "--keep-values", help="Also where held identifiers keep a value that the policy reads otherwise.")] = False,
) -> None:
    """Put a policy in force: for events to come, and in the background for everything there is but held values.

    Waits until every identifier has come to it and ClickHouse shows it. Exit 1 where identifiers would keep a value
    that the policy reads otherwise, unless with --keep-values. Look at `onethread policy diff` first.
    """
    text, policy = _read(file)
    addresses, settings = _stack()
    present = _in_force(addresses, settings)
    if text == present.text:
        print(f"{_name(file)} is in force already")
        return
    identifiers = _check_kinds(addresses, policy)
    if not keep_values:
        _check_values(addresses, Rereading(present.policy, policy, settings.default_region))
    _, offset = commands.send(
        addresses.kafka_bootstrap, addresses.registry_url, settings, verb=POLICY_VERB, document=text,
    )
    migrations.show_policy(addresses.clickhouse_url, policy)
    if not no_wait:
        wait(addresses, settings, offset + 1, identifiers)
    print(f"{_name(file)} is in force as version {offset + 1}" if not no_wait else f"{_name(file)} is on its way")


def _stack() -> tuple[Addresses, Settings]:
    addresses = find()
    return addresses, load(addresses.home)


def _in_force(addresses: Addresses, settings: Settings) -> InForce:
    return commands.policy_in_force(addresses.kafka_bootstrap, addresses.registry_url, settings)


def _name(file: str) -> str:
    return "standard input" if file == "-" else file


def _read(file: str) -> tuple[str, Policy]:
    """Errors: UsageError where there is no such file; OneThreadError with the line of what is wrong in it."""
    if file != "-" and not Path(file).is_file():
        raise UsageError(f"no such file: {file}")
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
        policy = policy_file.check(text, _name(file))
    except (PolicyError, UnicodeDecodeError) as error:
        raise OneThreadError(str(error)) from None
    if len(text) > DOCUMENT_CHARACTERS_MAX:
        raise OneThreadError(f"{_name(file)}: expected at most {DOCUMENT_CHARACTERS_MAX} characters; came {len(text)}")
    return text, policy


def _check_kinds(addresses: Addresses, policy: Policy) -> int:
    """How many identifiers there are. Errors: OneThreadError where the policy lacks a kind that some of them have."""
    try:
        rows = select(connect(addresses.clickhouse_url), """
            SELECT kind, count() AS held FROM onethread.identifiers GROUP BY kind ORDER BY kind""")
    except ClickHouseError as error:
        raise _no_clickhouse(addresses, error) from None
    lost = [f"{row['kind']} ({row['held']} identifiers)" for row in rows if row["kind"] not in policy.kinds]
    if lost:
        raise OneThreadError(
            f"the policy lacks kinds that are in use: {', '.join(lost)}. Leave their rows in it"
        )
    return sum(row["held"] for row in rows)


def _check_values(addresses: Addresses, rereading: Rereading) -> None:
    """Errors: OneThreadError where identifiers are held under a value that the policy reads otherwise."""
    if not rereading.kinds:
        return
    with line("reading what is held"):
        counts = rereading.count(_held(addresses, rereading.kinds))
    if counts:
        raise OneThreadError(
            f"expected a policy that reads what is held as it is held; came one that reads otherwise: "
            f"{'; '.join(_told(counts))}. Held values stay as they are, and events to come may name the same customer "
            "by another one. Apply it so with --keep-values, or send the events again into an empty home that has this "
            "policy (docs/identity.md)"
        )


def _held(addresses: Addresses, kinds: Collection[str]) -> Iterator[Identifier]:
    """Errors: OneThreadError where ClickHouse does not answer."""
    try:
        with connect(addresses.clickhouse_url).query_rows_stream("""
            SELECT kind, value FROM onethread.facts_identifiers FINAL WHERE kind IN {kinds:Array(String)}""",
            parameters={"kinds": sorted(kinds)},
        ) as rows:
            yield from ((kind, value) for kind, value in rows)
    except ClickHouseError as error:
        raise _no_clickhouse(addresses, error) from None


def _no_clickhouse(addresses: Addresses, error: ClickHouseError) -> OneThreadError:
    return OneThreadError(f"ClickHouse does not answer at {addresses.clickhouse_url}: {error}")


def _difference(
    addresses: Addresses, settings: Settings, present: Policy, other: Policy,
) -> tuple[Difference, Counts]:
    state, keys = State(), Keys(settings.pepper.get_secret_value(), settings.partitions)
    with line("reading the state") as tell:
        read(addresses.kafka_bootstrap, changelog_topic(settings.topic_prefix), state.put,
             lambda done, total: tell(description=f"reading the state: {done:,} of {total:,} records"))
        tell(description=f"persons of {len(state.events):,} events under the policy in force")
        before = persons(state, present, keys)
        tell(description=f"persons of {len(state.events):,} events under the other policy")
        rereading = Rereading(present, other, settings.default_region)
        return compare(before, persons(state, other, keys)), rereading.count(node.identifier for node in state.nodes())


def _document(found: Difference, held: Counts) -> dict[str, Any]:
    told = asdict(found) | {"read_otherwise": asdict(held)}
    told["largest"] = [
        {"action": c.action, "person_id": _uuid(c.person_id), "others": [_uuid(o) for o in c.others], "kinds": c.kinds}
        for c in found.largest
    ]
    return told


def _show(found: Difference, held: Counts) -> None:
    page = looks.page()
    for text in _told(held):
        page.print(f"held, but read otherwise: {text}", highlight=False)
    if not found:
        page.print(f"no differences in persons: {found.before:,} as before", highlight=False)
        return
    page.print(f"persons {found.before:,} → {found.after:,}, known {found.known_before:,} → {found.known_after:,}",
               highlight=False)
    page.print(f"merges {found.merges:,}, splits {found.splits:,}, under another id {found.renamed:,}, "
               f"identifiers that change hands {found.moved:,}", highlight=False)
    for text, kinds in (("become shared", found.shared), ("are shared no longer", found.unshared)):
        if kinds:
            page.print(f"{text}: {_counts(kinds)}", highlight=False)
    if found.contested:
        page.print(f"become contested, or are so no longer: {found.contested:,}", highlight=False)
    if found.largest:
        page.print(_largest(found.largest))


def _told(held: Counts) -> list[str]:
    words = ((held.other, "would be another value, or refused"), (held.unsure, "may have come as several values"))
    return [f"{_counts(kinds)} {text}" for kinds, text in words if kinds]


def _largest(changes: list[Change]) -> Any:
    sheet = looks.sheet("the largest", "", "with", "identifiers")
    for change in changes:
        words = "takes in" if change.action == "merged" else "loses"
        others = len(change.others)
        sheet.add_row(_uuid(change.person_id), words, f"{others} person{'s' * (others != 1)}", _counts(change.kinds))
    return sheet


def _counts(kinds: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {count:,}" for kind, count in kinds.items())


def _uuid(person_id: bytes) -> str:
    return str(UUID(bytes=person_id))
