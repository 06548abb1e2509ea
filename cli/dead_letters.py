"""`onethread dead-letters`: input that was refused, by reason, and its way back in."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated, Any

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError
from rich.text import Text

from cli import looks
from cli.progress import line
from cli.stack import find
from connectors.checking import Checker
from connectors.commands import policy_in_force
from connectors.files import mapping as mappings
from connectors.payloads import Payloads
from connectors.replaying import Replayer, ReplaySender, readable
from deploy.local.ports import Addresses
from schemas.registry import SchemaCache
from schemas.registry import client as registry_client
from sinks.clickhouse import letters as store
from sinks.clickhouse.client import connect
from sinks.clickhouse.letters import Letter, Place, Wanted
from streams import clock
from streams.core.refusal import Reason, Reject
from streams.errors import OneThreadError, Retryable, UsageError
from streams.settings import duration_ms, load
from streams.topics import Topics

NOTED_EVERY = 500
"""Letters whose events Kafka has before their replay is noted."""

SHOWN = 50

app = typer.Typer(no_args_is_help=True, help="Refused input: list, show, replay.")

Reasons = Annotated[list[str] | None, typer.Option("--reason", help="Only this reason; may be repeated.")]
Since = Annotated[str, typer.Option("--since", help="Only since then: 24h, 7d, or a time in ISO 8601.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command(name="list")
def list_(
    reason: Reasons = None, since: Since = "",
    each: Annotated[bool, typer.Option("--each", help="Every letter by itself, the first of them.")] = False,
    as_json: AsJson = False,
) -> None:
    """List dead letters by reason, with how many wait for their way back and where the latest lies.

    Example: onethread dead-letters list --reason bad_time --since 7d
    """
    wanted = _wanted(reason, since)
    addresses = find()
    try:
        if each:
            _list_each(addresses, wanted, as_json)
        else:
            _list(addresses, wanted, as_json)
    except ClickHouseError as error:
        raise _away(addresses) from error


@app.command()
def show(
    letter: Annotated[str, typer.Argument(metavar="LETTER", help="Where it lies, as 2/1043.")], as_json: AsJson = False,
) -> None:
    """Show one dead letter with its bytes: as text or JSON where they are that, else in hexadecimal."""
    wanted = Wanted(places=[_place(letter)])
    addresses = find()
    try:
        found = next(store.letters(connect(addresses.clickhouse_url), wanted), None)
    except ClickHouseError as error:
        raise _away(addresses) from error
    if found is None:
        raise OneThreadError(f"no such dead letter: {letter}")
    document = _document(found, _told(found, addresses))
    if as_json:
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for name, value in document.items():
        if name != "raw" and value is not None:
            print(f"{name:12}{value}")
    print(document["raw"] if document["raw"] is not None else "the bytes were not kept")


@app.command()
def replay(
    letters: Annotated[list[str] | None, typer.Argument(metavar="[LETTER]…", help="Where they lie, as 2/1043.")] = None,
    reason: Reasons = None, since: Since = "",
    everything: Annotated[bool, typer.Option("--all", help="Every letter that waits.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also those that were sent again before.")] = False,
    mapping: Annotated[str, typer.Option(help="Rows of files go through this mapping, not the one they name.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of them.")] = False,
) -> None:
    """Send refused input on its way again, after a mapping, the policy or a channel was put right.

    What would be refused again stays where it lies. Event ids stay what they were, so repeats are harmless.

    Example: onethread dead-letters replay --reason unknown_channel
    """
    if not (letters or reason or since or everything):
        raise UsageError("which dead letters? Name some, or --reason, --since or --all")
    wanted = _wanted(reason, since, [_place(one) for one in letters or []], not again)
    given = mappings.load(mappings.find(mapping)) if mapping else None
    addresses = find()
    settings = load(addresses.home)
    policy = policy_in_force(addresses.kafka_bootstrap, addresses.registry_url, settings).policy
    schemas = SchemaCache(registry_client(addresses.registry_url))
    foreign = mappings.of_topics(settings.mappings, addresses.home, settings.topic_prefix)
    checker, topics = Checker(settings, policy), Topics(settings.topic_prefix)
    replayer = Replayer(checker, topics, schemas, foreign, Payloads(addresses.home), given)
    try:
        with (
            line("replaying") as tell,
            ReplaySender(addresses.kafka_bootstrap, addresses.registry_url, settings, policy) as sender,
        ):
            work = _Work(replayer, None if dry_run else sender, tell)
            work.run(store.letters(connect(addresses.clickhouse_url), wanted))
    except ClickHouseError as error:
        raise _away(addresses) from error
    except Retryable as error:
        raise OneThreadError(f"{error}: is the stack up?") from error
    work.tell()
    if work.refused and not work.letters:
        raise typer.Exit(1)


class _Work:
    """Letters on their way back, and what became of them."""

    def __init__(self, replayer: Replayer, sender: ReplaySender | None, tell: Any) -> None:
        self._replayer, self._sender, self._tell = replayer, sender, tell
        self._sent: list[Place] = []
        self.letters = self.events = 0
        self.refused: Counter[tuple[str, str]] = Counter()

    def run(self, letters: Any) -> None:
        at_ms = clock.now_ms()
        for letter in letters:
            self._one(letter, at_ms)
            if len(self._sent) >= NOTED_EVERY:
                self._note(at_ms)
        self._note(at_ms)

    def tell(self) -> None:
        words = "would be replayed" if self._sender is None else "replayed"
        print(f"{words}: {self.letters} letters, {self.events} events")
        if self.refused:
            print(f"would be refused again, and stay: {self.refused.total()} letters")
        for (reason, detail), count in self.refused.most_common(SHOWN):
            print(f"  {count}  {reason}  {detail}")

    def _one(self, letter: Letter, at_ms: int) -> None:
        answer = self._replayer.answer(letter, at_ms)
        if isinstance(answer, Reject):
            self.refused[str(answer.reason), answer.detail] += 1
            return
        for checked in answer if self._sender else ():
            assert self._sender is not None
            self._sender.send_checked(checked)
        self.letters += 1
        self.events += len(answer)
        self._sent.append(letter.place)
        self._tell(description=f"replaying: {self.letters} letters")

    def _note(self, at_ms: int) -> None:
        if self._sender is not None and self._sent:
            self._sender.note(self._sent, at_ms)
        self._sent = []


def _list(addresses: Addresses, wanted: Wanted, as_json: bool) -> None:
    found = store.counts(connect(addresses.clickhouse_url), wanted)
    if as_json:
        print(json.dumps([{**one._asdict(), "first_at": one.first_at.isoformat(), "last_at": one.last_at.isoformat(),
                           "last": str(one.last)} for one in found], indent=2, ensure_ascii=False))
        return
    if not found:
        print("no dead letters")
        return
    sheet = looks.sheet("reason", "detail", "letters", "waiting", "last at", "last", right=("letters", "waiting"))
    for one in found:
        sheet.add_row(one.reason, Text(one.detail), f"{one.letters:,}", f"{one.waiting:,}", f"{one.last_at:%F %T}",
                      str(one.last))
    looks.page().print(sheet)


def _list_each(addresses: Addresses, wanted: Wanted, as_json: bool) -> None:
    found = [_document(one, None) for one in islice(store.letters(connect(addresses.clickhouse_url), wanted), SHOWN)]
    for one in found:
        del one["raw"]
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    sheet = looks.sheet("letter", "at", "reason", "detail", "from", "replayed")
    for one in found:
        sheet.add_row(one["letter"], one["at"][:19], one["reason"], Text(one["detail"]), Text(one["from"] or ""),
                      (one["replayed_at"] or "")[:19])
    looks.page().print(sheet)
    if len(found) == SHOWN:
        print(f"the first {SHOWN}; --reason and --since show others")


def _document(letter: Letter, raw: str | None) -> dict[str, Any]:
    place = f"{letter.topic} {letter.partition}/{letter.offset}" if letter.topic else letter.source
    return {
        "letter": str(letter.place), "at": letter.at.isoformat(), "reason": letter.reason, "detail": letter.detail,
        "from": place, "schema_id": letter.schema_id, "event_id": letter.event_id,
        "replayed_at": letter.replayed_at.isoformat() if letter.replayed_at else None,
        "bytes": None if letter.raw is None else len(letter.raw), "raw": raw,
    }


def _told(letter: Letter, addresses: Addresses) -> str | None:
    if letter.raw is None:
        return None
    try:
        text = readable(letter.raw, SchemaCache(registry_client(addresses.registry_url)))
    except Retryable:
        text = None
    return text if text is not None else letter.raw.hex(" ", -2)


def _wanted(reasons: list[str] | None, since: str, places: list[Place] | None = None, waiting: bool = False) -> Wanted:
    for reason in reasons or ():
        if reason not in {str(one) for one in Reason}:
            raise UsageError(f"no such reason: {reason}; expected one of {', '.join(Reason)}")
    return Wanted(reasons or (), _since(since) if since else None, places or (), waiting)


def _since(text: str) -> datetime:
    try:
        return datetime.now(UTC) - timedelta(milliseconds=duration_ms(text))
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--since: expected 24h, 7d, or a time in ISO 8601; came {text}") from None
    return at.replace(tzinfo=at.tzinfo or UTC)


def _place(text: str) -> Place:
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if found is None:
        raise UsageError(f"expected where a dead letter lies, as 2/1043; came {text}")
    return Place(int(found[1]), int(found[2]))


def _away(addresses: Addresses) -> OneThreadError:
    return OneThreadError(f"ClickHouse does not answer at {addresses.clickhouse_url}: see onethread status")
