"""How long it takes from an event's production until SQL shows it, under a steady load; and until SQL shows a merge.

Markers ride in the load: events of people of whom nothing else is known, and log-ins that join two people who were
known apart. SQL is asked every 50 ms whether the touchpoint is listed under its person; for a merge whether the
touchpoint of the one who lost its id is listed under the survivor. Both questions use the tables' order, so asking
costs little.
"""

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.bench.events import FIRST_MS, Event, event
from deploy.bench.sender import Encoded, Sender
from deploy.local.ports import Addresses
from sinks.clickhouse.client import connect
from streams.core.ids import person_id, uuid_text
from streams.core.keys import Keys
from streams.errors import OneThreadError
from streams.settings import Settings

POLL_S = 0.05
WAIT_S_MAX = 60.0
MARKERS_S = 20
MERGES_S = 5

Listed = tuple[str, str]
"""(person_id, event_id) of a touchpoint as SQL will list it."""


@dataclass(frozen=True)
class Marker:
    event: Event
    listed: Listed
    kind: str


class Markers:
    """The markers of one run: what has to be known before, and what rides in the load."""

    def __init__(self, settings: Settings, seed: int, seconds: int) -> None:
        self._keys = Keys(settings.pepper.get_secret_value(), settings.partitions)
        self._rng = random.Random(f"markers/{seed}")
        self._seed = seed
        self.before: list[Event] = []
        self.riding = [self._single(n) for n in range(MARKERS_S * seconds)]
        self.riding += [self._merge(n) for n in range(MERGES_S * seconds)]
        self._rng.shuffle(self.riding)

    def _single(self, n: int) -> Marker:
        who = ("customer_id", f"marker-{self._seed}-{n}")
        sent = event(self._rng, "web", "page_viewed", FIRST_MS + n, [who])
        return Marker(sent, (self._person(who), sent["event_id"]), "event")

    def _merge(self, n: int) -> Marker:
        """The anonymous one was seen first, so its id survives; the account's touchpoint comes over to it."""
        first, account = ("anonymous_id", f"merge-{self._seed}-{n}"), ("customer_id", f"merge-{self._seed}-{n}")
        moved = event(self._rng, "web", "page_viewed", FIRST_MS + 60_000, [account])
        self.before += [event(self._rng, "web", "page_viewed", FIRST_MS, [first]), moved]
        sent = event(self._rng, "web", "logged_in", FIRST_MS + 120_000, [first, account])
        return Marker(sent, (self._person(first), moved["event_id"]), "merge")

    def _person(self, who: tuple[str, str]) -> str:
        return uuid_text(person_id(self._keys.node(who)))


class Load(threading.Thread):
    """Sends the load at a steady rate with the markers spread evenly over it, and notes when each was produced."""

    def __init__(self, sender: Sender, load: Sequence[Encoded], markers: Sequence[Marker], rate: float) -> None:
        super().__init__(daemon=True)
        self.sent_at: dict[Listed, float] = {}
        self._sender, self._rate = sender, rate
        self._events = list(load)
        self._markers: dict[int, Listed] = {}
        every = len(load) // len(markers) + 1
        for number, marker in enumerate(markers):
            place = min(number * every, len(self._events))
            self._events.insert(place, sender.encode(marker.event))
            self._markers[place] = marker.listed

    def run(self) -> None:
        self._sender.send_at(self._events, self._rate, self._noted)

    def _noted(self, number: int) -> None:
        if (listed := self._markers.get(number)) is not None:
            self.sent_at[listed] = time.monotonic()


def measure(addresses: Addresses, sender: Sender, load: Sequence[Encoded], markers: Markers,
            rate: float) -> dict[str, list[float]]:
    """Seconds until visible of each kind of marker, in order of size.

    Errors: OneThreadError where one is not visible a minute after the last was sent.
    """
    thread = Load(sender, load, markers.riding, rate)
    waiting = {marker.listed: marker.kind for marker in markers.riding}
    found: dict[str, list[float]] = {"event": [], "merge": []}
    client = connect(addresses.clickhouse_url)
    thread.start()
    deadline = time.monotonic() + len(load) / rate + WAIT_S_MAX
    while waiting:
        time.sleep(POLL_S)
        asked = [listed for listed in list(thread.sent_at) if listed in waiting]
        people = ", ".join(f"'{person}'" for person in {person for person, _ in asked})
        rows = client.query(
            f"SELECT toString(person_id), event_id FROM onethread.touchpoints WHERE person_id IN ({people})"  # noqa: S608
        ).result_rows if asked else []
        now = time.monotonic()
        for listed in waiting.keys() & {(person, event_id) for person, event_id in rows}:
            found[waiting.pop(listed)].append(now - thread.sent_at[listed])
        if time.monotonic() > deadline:
            raise OneThreadError(f"{len(waiting)} of {len(markers.riding)} markers are not visible in SQL")
    thread.join()
    return {kind: sorted(values) for kind, values in found.items()}


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
