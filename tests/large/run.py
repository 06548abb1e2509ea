"""`python -m tests.large.run --events 100000`: every row of every view is the oracle's, and so are the ready answers.

A stack of its own in a temporary home. First a business of that many events, in an order and with repeats that the
seed decides; then, in the same stack, a CRM's export of contacts, after which there may be no session, visit or
journey more than before. What differs is printed, by view; exit 1 then.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from connectors.emit import Emitter
from deploy.local.ports import Addresses
from examples.sample import lines
from examples.sample.catalogue import AS_OF, CURRENCY, ZONE
from examples.sample.world import PEOPLE_MAX
from sinks.clickhouse.client import connect
from streams.core.policy import default
from streams.settings import Settings, load
from tests.conftest import PEPPER, free_base
from tests.integration.pipeline import (
    SHOWN,
    accepted,
    await_rest,
    differing,
    oracles,
    running,
    shown,
    view_columns,
    wanted,
)
from tests.large import command, contacts
from tests.oracle.batch import Tables
from tests.oracle.ready import wrong_answers

EVENTS_A_PERSON = 13.5
REPEATED = 0.1
SETTLE_S_MAX = 3600
CUT = ("sessions", "visits", "journeys")
"""What a record may not add to."""
ENVIRON = {"ONETHREAD_PEPPER": PEPPER, "ONETHREAD_DEFAULT_REGION": "UA", "ONETHREAD_REPORTING_ZONE": ZONE,
           "ONETHREAD_REPORTING_CURRENCY": CURRENCY, "ONETHREAD_AS_OF": AS_OF}


@dataclass
class Check:
    """A running stack, all that was told to it, and what was found wrong."""

    addresses: Addresses
    told: list[bytes] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return load(self.addresses.home)

    def tell(self, what: str, new: Sequence[bytes]) -> None:
        """Send lines, and wait until ClickHouse has what follows from them."""
        started = time.monotonic()
        with Emitter(self.addresses.kafka_bootstrap, self.addresses.registry_url, self.settings, default()) as emitter:
            for line in new:
                emitter.send(line, "large")
        await_rest(self.addresses, SETTLE_S_MAX)
        seconds = time.monotonic() - started
        command.say(f"{what}: {len(new)} lines through the stack in {seconds:.0f} s, {len(new) / seconds:.0f}/s")
        self.told += new

    def compare(self) -> Tables:
        """Every view with the oracle."""
        started = time.monotonic()
        tables = oracles(accepted(self.told, self.settings), self.settings)
        command.say(f"the oracle took {time.monotonic() - started:.0f} s")
        want = wanted(tables, view_columns(self.addresses))
        for table in SHOWN:
            differences = differing(want[table], shown(self.addresses, table))
            self._note(table, f"{want[table].total()} rows", differences)
        return tables

    def answers(self, tables: Tables) -> None:
        """Every ready question that the oracle can answer."""
        client = connect(self.addresses.clickhouse_url)
        for view, rows, differences in wrong_answers(client, tables, self.settings):
            self._note(view, f"{rows} rows", differences)

    def counts(self) -> dict[str, int]:
        client = connect(self.addresses.clickhouse_url)
        return {view: int(client.query(f"SELECT count() FROM onethread.{view}").result_rows[0][0])
                for view in ("touchpoints", "persons", "identifiers", *CUT)}

    def same(self, before: dict[str, int], after: dict[str, int]) -> None:
        """Records cut no session and no journey, and belong to none. Joined people may have fewer than apart."""
        for view, number in after.items():
            more = number - before[view]
            self._note(f"{view} after the export", f"{more:+d}", [f"{more} more"] if view in CUT and more > 0 else [])
        client = connect(self.addresses.clickhouse_url)
        [(records, cut)] = client.query("""
            SELECT count(), countIf(coalesce(session_id, visit_id, journey_id) IS NOT NULL)
            FROM onethread.touchpoints WHERE role = 'record'""").result_rows
        self._note("records in no session or journey", str(records), [f"{cut} are in one"] if cut else [])

    def _note(self, name: str, said: str, differences: list[str]) -> None:
        command.say(f"{name:<32} {said:>14}  {f'{len(differences)} differ' if differences else 'equal'}")
        self.wrong += [f"{name} {line}" for line in differences[:6]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was compared; 0 where all is equal."""
    given = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="onethread-large-") as home:
        addresses = Addresses(Path(home), given.port_base or free_base())
        os.environ |= addresses.environ() | ENVIRON
        with running(addresses, given.workers):
            check = Check(addresses)
            check.tell("a business", business(given.seed, given.events))
            check.answers(check.compare())
            if given.contacts:
                before = check.counts()
                events = accepted(check.told, check.settings)
                export = contacts.lines(given.seed, given.contacts, events)
                check.tell("a CRM's export", [line.encode() for line in export])
                check.same(before, check.counts())
                check.compare()
    print(*check.wrong, sep="\n")
    return 1 if check.wrong else 0


def business(seed: int, events: int) -> list[bytes]:
    """Lines of the sample's business, so many or a little more, one in ten again, in any order."""
    random = Random(seed)
    people = min(PEOPLE_MAX, max(1, round(events / EVENTS_A_PERSON)))
    told = [line.encode() for line in lines(seed, people) if line.startswith("{") and len(line) < 10_000]
    told += random.sample(told, round(len(told) * REPEATED))
    random.shuffle(told)
    return told


def _parser() -> argparse.ArgumentParser:
    parser = command.parser("tests.large.run", __doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--contacts", type=int, default=100_000, help="of the CRM's export; 0: none")
    parser.add_argument("--seed", type=int, default=2026, help="decides the events, their order and the repeats")
    parser.add_argument("--workers", type=int, default=2)
    return parser


if __name__ == "__main__":
    sys.exit(main())
