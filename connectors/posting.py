"""From a spool to the collector, in order: a thread that posts what waits and forgets what was answered 200.

Rules: events leave as the collector takes them, one JSON list a request. What it answers 200 is on its disk, as events
or as dead letters, and is forgotten here; with anything else the same events are posted again, after what Retry-After
says or a pause that grows; where it does not take a list as a whole, half of it. A key that is refused is a problem for
somebody to mend: nothing is lost meanwhile.
"""

import threading
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
import structlog

from connectors.draining import IDLE_S, PAUSES_S
from connectors.spool import Spool, SpoolFull, Waiting
from schemas.records import DEAD_LETTER
from streams import connections

EVENTS_MAX = 500
BODY_BYTES_MAX = 1024 * 1024
ANSWER_S = 60.0
STOP_S_MAX = 5.0
NOT_AS_A_WHOLE = (400, 413)
"""A single event that is answered so is a dead letter there, or one that no collector will ever take."""

_log = structlog.get_logger()


class _Away(Exception):  # noqa: N818 - what the collector did
    """It did not take the events; `pause_s` is what it asks for, None where it asks for nothing."""

    def __init__(self, problem: str, pause_s: float | None = None) -> None:
        super().__init__(problem)
        self.pause_s = pause_s


class Post:
    """Posts a spool's records; `start` makes the thread, `stop` ends it when what waits has arrived, or soon."""

    def __init__(self, spool: Spool, url: str, key: str, transport: httpx.BaseTransport | None = None) -> None:
        self._spool = spool
        self._client = httpx.Client(
            base_url=url, auth=(key, ""), timeout=ANSWER_S, trust_env=False, transport=transport,
            verify=connections.collector().verify,
        )
        self._stopping, self._something = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="post", daemon=True)
        self._events_max = EVENTS_MAX
        self.problem = ""
        self.refused = 0
        """Events that the collector refused although they were accepted here: under another policy, or another key."""

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._something.set()

    def stop(self) -> None:
        self._stopping.set()
        self._something.set()
        self._thread.join(STOP_S_MAX)
        self._client.close()

    def _run(self) -> None:
        failures = 0
        while True:
            self._something.clear()
            waiting = self._spool.read(0, self._events_max, BODY_BYTES_MAX)
            if not waiting:
                if self._stopping.is_set():
                    return
                self._spool.tidy()
                self._something.wait(IDLE_S)
                continue
            try:
                self._send(waiting)
                self._spool.drop(waiting[-1].number)
                self.problem, failures = "", 0
            except (_Away, SpoolFull) as error:
                if self._stopping.is_set():
                    return
                failures += 1
                asked = error.pause_s if isinstance(error, _Away) else None
                pause_s = PAUSES_S[min(failures, len(PAUSES_S)) - 1] if asked is None else asked
                if str(error) != self.problem:
                    _log.warning("post_paused", problem=str(error), waiting=self._spool.depth.records)
                self.problem = str(error)
                self._stopping.wait(pause_s)

    def _send(self, waiting: Sequence[Waiting]) -> None:
        """Errors: _Away where it has to be tried again."""
        body = b"[" + b",".join(told(one) for one in waiting) + b"]"
        try:
            answer = self._client.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
        except httpx.HTTPError as error:
            raise _Away(f"the collector does not answer: {type(error).__name__}") from None
        if answer.status_code in NOT_AS_A_WHOLE and len(waiting) > 1:
            self._events_max = len(waiting) // 2
            raise _Away("the collector takes less at a time", 0.0)
        if answer.status_code != 200 and answer.status_code not in NOT_AS_A_WHOLE:
            retry_after = answer.headers.get("Retry-After", "")
            raise _Away(f"the collector answers {answer.status_code}: {_reason(answer)}",
                        float(retry_after) if retry_after.isdigit() else None)
        self._events_max = min(EVENTS_MAX, self._events_max + 1)
        letters = sum(one.spooled.record == DEAD_LETTER for one in waiting)
        refused = len(answer.json()["refused"]) if answer.status_code == 200 else 1
        self.refused += max(0, refused - letters)


def told(waiting: Waiting) -> bytes:
    """A record as the collector takes it: an event as JSON; of a dead letter what was refused, to be refused there.

    What was refused and is no JSON is told as a text, which is no event either.
    """
    value = waiting.spooled.record.decode(waiting.spooled.value)
    if waiting.spooled.record != DEAD_LETTER:
        return msgspec.json.encode(_without_nulls(value))
    raw = value["raw"] or b""
    try:
        return msgspec.json.encode(msgspec.json.decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.encode(raw.decode("utf-8", "replace"))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_without_nulls(part) for part in value]
    return value


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["reason"])
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase
