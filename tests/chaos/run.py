"""`python -m tests.chaos.run --faults 200 --minutes 100`: faults at random moments, and afterwards every row is right.

A stack of its own in a temporary home, three brokers, load by two ways all the time. After each fault, or two at once,
the run waits until everything works again: every part runs, every worker is ready, and new events that came in by both
ways, spread over all partitions, are seen in ClickHouse. How long that takes after the fault is undone is noted. In
the end everything settles, and an independent oracle judges every view. The seed decides the plan, the load and its
order; exit 1 where a fault was not recovered from, anything differs, or the time was over before the last fault. With
`--storm` nothing is waited for between the faults, so that they strike what is still down from the last ones.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import httpx
from rich.console import Console

from connectors.checking import Checker
from deploy.local.ports import PORTS
from deploy.local.settle import drained, settle
from deploy.prometheus.local import program
from streams import clock
from streams.core.policy import default
from tests.chaos import checker, poison
from tests.chaos.deployment import Deployment
from tests.chaos.faults import FAULTS
from tests.chaos.load import Load
from tests.chaos.plan import Step, plan
from tests.chaos.report import Journal, Struck, markdown, table
from tests.conftest import free_base
from tests.large import command
from tests.large.run import ENVIRON, business

MARKERS = 10
RECOVERY_S_MAX, AFTER_STORM_S_MAX = 240.0, 600.0
SETTLE_S_MAX = 900.0
LOOK_S = 0.4
ANSWER_S_MAX = 10

assert PORTS > 38, "the stack's own listeners and proxies are behind its ports"


class Unrecovered(Exception):  # noqa: N818 - it says what is the matter
    """A fault was undone and the stack does not work again."""


class Run:
    """One run over a deployment and its load."""

    def __init__(self, stack: Deployment, load: Load, journal: Journal, is_storm: bool) -> None:
        self._stack, self._load, self._journal, self._is_storm = stack, load, journal, is_storm
        self._started = time.monotonic()

    def strike(self, step: Step) -> None:
        """The faults of a step, until all works again. Errors: Unrecovered."""
        time.sleep(step.pause_s)
        began, ends = time.monotonic(), []
        with ExitStack() as undo:
            for fault in step.faults:
                at_s = began - self._started
                command.say(f"{at_s:6.0f} s  {fault.number:3}  {fault.kind}  {fault.target}  {fault.how}")
                undo.enter_context(FAULTS[fault.kind](self._stack, fault))
                ends.append(time.monotonic() + fault.seconds)
            time.sleep(max(0.0, max(ends) - time.monotonic()))
        undone = time.monotonic()
        if not self._is_storm:
            self.recover()
        recovered_s = time.monotonic() - undone
        if not self._is_storm:
            command.say(f"            undone after {undone - began:.1f} s, recovered {recovered_s:.1f} s later")
        for fault in step.faults:
            beside = tuple(other.kind for other in step.faults if other is not fault)
            self._journal.note(Struck(
                fault, round(began - self._started, 1), round(undone - began, 1), round(recovered_s, 1), beside))

    def recover(self) -> None:
        """Wait until every part works and new events come through."""
        deadline = time.monotonic() + (AFTER_STORM_S_MAX if self._is_storm else RECOVERY_S_MAX)
        names = self._load.mark(MARKERS)
        while True:
            self._load.check()
            troubles = self._stack.troubles()
            missing = [] if troubles else self._unseen(names)
            if not troubles and not missing:
                return
            if time.monotonic() > deadline:
                raise Unrecovered(f"not ready: {troubles or 'none'}; events not seen: {missing or 'none'}")
            time.sleep(LOOK_S)

    def _unseen(self, names: list[str]) -> list[str]:
        """Those that ClickHouse does not show yet; all where it does not answer."""
        query = "SELECT event_id FROM onethread.touchpoints WHERE event_id IN {names:Array(String)} FORMAT TSV"
        try:
            answer = httpx.post(
                self._stack.direct.clickhouse_url, params={"query": query, "param_names": str(names)}, verify=False,
                trust_env=False, timeout=ANSWER_S_MAX)
        except httpx.HTTPError:
            return names
        return sorted(set(names) - set(answer.text.split())) if answer.status_code == 200 else names


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    assert program("prometheus"), "no Prometheus here: `make promtool` fetches Debian's"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # leaving every context, so that no part stays
    home = Path(tempfile.mkdtemp(prefix="onethread-chaos-"))
    steps = plan(given.seed, given.faults, given.workers, 3)
    command.say(f"seed {given.seed}: {given.faults} faults in {len(steps)} steps; logs in {home}")
    journal = Journal(given.journal or home / "faults.jsonl")
    try:
        wrong = _through(given, home, steps, journal)
    except Exception:
        traceback.print_exc()
        wrong = True
    console = Console(stderr=True, width=110)
    console.print(table(journal.struck, f"seed {given.seed}"))
    print(markdown(journal.struck))
    if wrong:
        command.say("NOT AS IT SHOULD BE, see above; repeat with the seed; everything of the run is in " + str(home))
    else:
        shutil.rmtree(home, ignore_errors=True)
    return 1 if wrong else 0


def _through(given: argparse.Namespace, home: Path, steps: list[Step], journal: Journal) -> bool:
    """The whole run; whether anything was wrong."""
    with Deployment(home, given.port_base or free_base(), given.workers, ENVIRON, given.standbys) as stack:
        poison.good_event(stack.direct.registry_url)
        with Load(stack, _lines(given, stack), given.rate) as load:
            run = Run(stack, load, journal, given.storm)
            deadline, struck = time.monotonic() + given.minutes * 60, 0
            try:
                run.recover()
                command.say("everything works; the faults begin")
                for step in steps:
                    if time.monotonic() > deadline:
                        command.say(f"the time is over after {struck} of {given.faults} faults")
                        break
                    run.strike(step)
                    struck += len(step.faults)
                run.recover()
            except Unrecovered as error:
                command.say(f"NOT RECOVERED: {error}")
                return True
            load.stop()
            if struck < given.faults:
                command.say("NOT ALL that was planned was done")
            return _judge(stack, load) or struck < given.faults


def _judge(stack: Deployment, load: Load) -> bool:
    started = time.monotonic()
    load.flush()
    assert drained(stack.direct.collector_url, SETTLE_S_MAX), "the collector's spool does not drain"
    left = settle(stack.direct.kafka_bootstrap, stack.settings, SETTLE_S_MAX)
    command.say(f"settled in {time.monotonic() - started:.0f} s; {len(load.told)} events were acknowledged, "
                f"{load.sent_again} requests sent again, {stack.poisoned} poison messages; "
                f"parts started again: {sum(stack.restarts().values())} times")
    found = checker.check(stack, load.told)
    command.say(*checker.told(found))
    return bool(left) or any(found.values())


def _lines(given: argparse.Namespace, stack: Deployment) -> "cycle[bytes]":
    """Good lines for as long as anybody asks: after its end, an hour at 30 a second, the whole business once more."""
    enough = int(given.rate * given.minutes * 60 * 2) + 1000
    judge = Checker(stack.settings, default())
    now_ms = clock.now_ms()
    return cycle(line.strip() for line in business(given.seed, enough) if hasattr(judge.check(line, now_ms), "payload"))


def _parser() -> argparse.ArgumentParser:
    parser = command.parser("tests.chaos.run", __doc__)
    parser.add_argument("--seed", type=int, default=2026, help="decides the plan, the load and its order")
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=100.0, help="no fault begins later than that")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--standbys", type=int, default=0, help="workers that hold a copy of each partition's state")
    parser.add_argument("--rate", type=float, default=30.0, help="events a second, by both ways together")
    parser.add_argument("--storm", action="store_true", help="wait for no recovery between the faults")
    parser.add_argument("--journal", type=Path, help="where the faults are noted, a line of JSON each")
    return parser


if __name__ == "__main__":
    sys.exit(main())
