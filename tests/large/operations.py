"""`python -m tests.large.operations`: what an operator does with a stack at work, and what it must not change.

Partitions are added while messages are on their way, and again with the supervisor killed in the middle; a person is
erased; a backup is taken under load; it is restored in another home. After each step every view is what it was, or what
the oracle says. Exit 1 where not.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from deploy.local import home, records, stack
from deploy.local.ports import Addresses
from deploy.local.supervisor import SUPERVISOR
from examples.sample import lines
from sinks.clickhouse.client import connect
from tests.conftest import PEPPER, free_base
from tests.integration.pipeline import assert_as_expected, await_rest
from tests.integration.test_governing import onethread
from tests.integration.test_pipeline import _emit, _good, _loading
from tests.integration.test_rebuild import views

OF_THE_MOMENT = {"settings", "channels"}
"""Views that do not follow from what is held, but from the home."""


OF_ARRIVAL = frozenset({"merges", "identifier_history", "identity_alerts"})
"""Views that tell of the way, which depends on the order in which partitions work."""


class Steps:
    """Says what is done, and how long it took."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()

    def done(self, text: str) -> None:
        now_s = time.monotonic()
        print(f"{now_s - self._began_s:6.1f} s  {text}", flush=True)
        self._began_s = now_s


def load_rates(folder: Path, **rates: str) -> None:
    file = folder / "rates.jsonl"
    told = ({"day": "2026-01-01", "currency": currency, "rate": rate} for currency, rate in rates.items())
    file.write_text("".join(json.dumps(one) + "\n" for one in told))
    onethread("load", "rates", str(file))


def use(addresses: Addresses) -> Addresses:
    os.environ.update({**addresses.environ(), "ONETHREAD_PEPPER": PEPPER, "ONETHREAD_DEFAULT_REGION": "UA",
                       "ONETHREAD_REPORTING_ZONE": "Europe/Kyiv", "ONETHREAD_REPORTING_CURRENCY": "UAH"})
    addresses.home.mkdir(parents=True, exist_ok=True)
    return addresses


def set_partitions(addresses: Addresses, number: int) -> None:
    (addresses.home / home.SETTINGS).write_text(f"partitions = {number}\n")


def grow_killed(addresses: Addresses, number: int) -> None:
    """Begin to add partitions, and kill the supervisor that does it, and the command."""
    set_partitions(addresses, number)
    command = subprocess.Popen([sys.executable, "-m", "cli.main", "config", "apply"], env=os.environ)
    log = addresses.home / "logs" / "supervisor.log"
    before, until_s = log.read_text().count("records to move"), time.monotonic() + 120
    while log.read_text().count("records to move") == before:
        assert time.monotonic() < until_s, "nothing is moved"
        time.sleep(0.02)
    supervisor = records.read(addresses.home, SUPERVISOR)
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    command.send_signal(signal.SIGKILL)
    command.wait()
    assert home.growing_from(addresses.home) is not None
    stack.stop(addresses.home)


def books(steps: Steps, what: str) -> None:
    told = json.loads(onethread("status", "--json"))["books"]
    assert told["difference"] == 0, told
    steps.done(f"{what}: books balance, {told['in']:,} in")


def settled_views(addresses: Addresses) -> dict[str, Counter[str]]:
    await_rest(addresses)
    return {view: rows for view, rows in views(addresses).items()
            if view not in OF_THE_MOMENT and not view.startswith("facts_")}  # these know older versions of rows too


def same(
    got: dict[str, Counter[str]], want: dict[str, Counter[str]], without: frozenset[str] = frozenset(),
) -> None:
    for view in sorted(want.keys() - without):
        gone, more = want[view] - got[view], got[view] - want[view]
        shown = "\n".join([*list(gone)[:3], *list(more)[:3]])
        assert got[view] == want[view], f"{view}: {sum(gone.values())} rows gone, {sum(more.values())} more\n{shown}"


def grow(old: Addresses, folder: Path, told: list[bytes], steps: Steps) -> None:
    """Twice, before and after a third of these events; the stack runs before and after."""
    part = len(told) // 3
    load_rates(folder, EUR="42.5", USD="39", PLN="10", CZK="1.7", GBP="50")
    _emit(old, told[:part])
    set_partitions(old, 5)
    assert "applied: partitions 3 → 5" in onethread("config", "apply")
    steps.done("5 partitions")
    load_rates(folder, USD="40", PLN="11", CZK="1.8", GBP="51")
    _emit(old, told[part : 2 * part])
    grow_killed(old, 8)
    stack.start(old, 2)
    assert home.growing_from(old.home) is None
    steps.done("8 partitions, the supervisor killed on the way; the next start went on")
    _emit(old, told[2 * part :])
    await_rest(old)
    assert_as_expected(old, told)
    found = connect(old.clickhouse_url).query("SELECT currency, toFloat64(rate) FROM onethread.rates")
    assert dict(found.result_rows) == {"EUR": 42.5, "USD": 40, "PLN": 11, "CZK": 1.8, "GBP": 51}
    books(steps, "every row is the oracle's")


def run(folder: Path, people: int, grows: bool) -> None:
    steps, told = Steps(), _good(lines(people=people))
    most = len(told) * 3 // 4
    old = use(Addresses(folder / "old", free_base()))
    set_partitions(old, 3)
    stack.start(old, 1)
    steps.done("up with 3 partitions")
    try:
        if grows:
            grow(old, folder, told[:most], steps)
        else:
            _emit(old, told[:most])
            await_rest(old)
        phone = _erase_somebody(old)
        with _loading(old, told[most:], rate=100):
            time.sleep(1)
            _say(onethread("backup", str(folder / "loaded")))
            _say(onethread("backup", str(folder / "loaded"), "--check"))
        at_rest = settled_views(old)
        books(steps, "backup under load, and the rest of the events")
        _say(onethread("backup", str(folder / "rest")))
    finally:
        stack.stop(old.home)
    steps.done("backup at rest")
    for name in ("rest", "loaded", "replayed"):
        new = use(Addresses(folder / f"new-{name}", free_base()))
        try:
            if name == "replayed":
                _say(onethread("restore", str(folder / "rest"), "--replay"))
                same(settled_views(new), at_rest, OF_ARRIVAL)
                books(steps, "replayed: every row that does not tell the order of arrival is as before")
            elif name == "loaded":
                _say(onethread("restore", str(folder / "loaded")))
                _emit(new, told[most:])
                await_rest(new)
                books(steps, "restored from the backup under load, later events sent again")
            else:
                _say(onethread("restore", str(folder / "rest")))
                same(settled_views(new), at_rest)
                books(steps, "restored: every row of every view is as before")
            assert "no such phone" in onethread("who", f"phone:{phone}", code=1)
        finally:
            stack.stop(new.home)


def _erase_somebody(at: Addresses) -> str:
    """Erase one who has a phone, whom later events name too; the phone."""
    query = "SELECT min(value) FROM onethread.identifiers WHERE kind = 'phone' AND NOT shared"
    phone = str(connect(at.clickhouse_url).query(query).result_rows[0][0])
    onethread("erase", f"phone:{phone}", "--reason", "asked for it", "--yes", "--suppress")
    return phone


def _say(text: str) -> None:
    print("          " + text.strip().replace("\n", "\n          "), flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--without-growing", action="store_true", help="only backup, restore and replay")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), chosen.people, not chosen.without_growing)
    print("all as it should be")


if __name__ == "__main__":
    main()
