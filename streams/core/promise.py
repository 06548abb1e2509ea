"""Promises: what was asked of us or promised by us, when it was due, and what became of it.

Rules kept here:
- A promise is opened by callback_requested, callback_promised or promise_made. A request and the promise that answers
  it are one, and so are two that name one promise_id, and callbacks asked for or promised again in one conversation.
- It is closed by callback_done, promise_kept or call_answered (a callback): the one of the same promise_id, else an
  open one of that kind in the same conversation, else the person's earliest open one of that kind. Two that name
  different promise_ids are never one.
- It is cancelled by callback_cancelled or promise_cancelled, found in the same way, and by order_cancelled where it was
  made on that order.
- It is due when the last event with a due_at says, else callback_due after a callback was first asked for or promised.
- What depends on the present (open, overdue) is not said here. Order is by (at_ms, event_id).
"""

from collections.abc import Callable, Mapping

from streams.core import ids
from streams.core.event import Event
from streams.core.facts import Row
from streams.core.said import CANCELLED_ORDER, OUTCOMES, PROMISES, Talk

CALLBACK, OTHER = "callback", "other"
REQUESTED = "callback_requested"
CANCELLED = frozenset({"callback_cancelled", "promise_cancelled"})

CONCERNED = PROMISES | OUTCOMES | {REQUESTED, "call_made", "call_answered", CANCELLED_ORDER}
"""Types of events that a promise can depend on."""


class _Promise:
    __slots__ = (
        "attempts", "calls", "cancelled_at", "conversation_id", "done", "due_ms", "kind", "opened",
        "order_id", "promise_id", "promised", "requested_at",
    )

    def __init__(self, opened: Event, kind: str) -> None:
        self.opened, self.kind = opened, kind
        self.promise_id: str | None = None
        self.conversation_id: str | None = None
        self.order_id: str | None = None
        self.requested_at: int | None = None
        self.promised: Event | None = None
        self.due_ms: int | None = None
        self.done: Event | None = None
        self.cancelled_at: int | None = None
        self.attempts = 0
        self.calls: set[str | None] = set()

    @property
    def is_open(self) -> bool:
        return self.done is None and self.cancelled_at is None


class Book:
    """One person's promises so far. The conversation of an event is looked up by its event_id, where it has one.

    Unit: callback_due_ms in milliseconds of event time.
    """

    def __init__(self, person_id: bytes, conversation_of: Mapping[str, str], callback_due_ms: int) -> None:
        self._person_id, self._conversation_of = person_id, conversation_of
        self._callback_due_ms = callback_due_ms
        self._promises: list[_Promise] = []
        self._open: list[_Promise] = []
        self._by_id: dict[str, _Promise] = {}

    def rows(self) -> list[Row]:
        """The person's rows of facts `promises`, by the events that opened them."""
        return [_row(self._person_id, promise) for promise in self._promises]

    def take(self, event: Event, talk: Talk) -> list[tuple[Row | None, Row]]:
        """The next event in order, of a type CONCERNED; returns the rows it changes, before and after.

        Cost: O(promises open at once).
        """
        concerned = [*self._open]
        if talk.promise_id in self._by_id and not self._by_id[talk.promise_id].is_open:
            concerned.append(self._by_id[talk.promise_id])
        before = [_row(self._person_id, promise) for promise in concerned]
        known = len(self._promises)
        self._turn(event, talk)
        changes: list[tuple[Row | None, Row]] = [(None, _row(self._person_id, p)) for p in self._promises[known:]]
        for old, promise in zip(before, concerned, strict=True):
            new = _row(self._person_id, promise)
            if new != old:
                changes.append((old, new))
        return changes

    def _turn(self, event: Event, talk: Talk) -> None:
        if event.type == REQUESTED or event.type in PROMISES:
            self._open_one(event, talk)
        elif event.type == CANCELLED_ORDER:
            for promise in [p for p in self._open if p.order_id is not None and p.order_id == event.order_id]:
                promise.cancelled_at = event.at_ms
                self._open.remove(promise)
        else:
            self._act(event, talk)

    def _act(self, event: Event, talk: Talk) -> None:
        """An attempt, a cancellation, or the end that was promised."""
        is_call = event.type in ("call_made", "call_answered")
        promise = self._find(event, talk, CALLBACK if is_call else _kind(event, talk), lambda _: True)
        if promise is None or not promise.is_open:
            return
        if is_call and (event.message_id is None or event.message_id not in promise.calls):
            # Told as two events without a common message_id, an attempt and its answer are one call.
            is_same = event.type == "call_answered" and event.message_id is None and promise.attempts > 0
            promise.attempts += not is_same
            promise.calls.add(event.message_id)
        if event.type == "call_made":
            return
        if event.type in CANCELLED:
            promise.cancelled_at = event.at_ms
        else:
            promise.done = event
        self._open.remove(promise)

    def _open_one(self, event: Event, talk: Talk) -> None:
        promise = self._find(event, talk, _kind(event, talk), self._is_answered_by(event))
        if promise is None:
            promise = _Promise(event, _kind(event, talk))
            self._promises.append(promise)
            self._open.append(promise)
        if talk.promise_id is not None and promise.promise_id is None:
            promise.promise_id = talk.promise_id
            self._by_id[talk.promise_id] = promise
        if promise.conversation_id is None:
            promise.conversation_id = self._conversation_of.get(event.event_id)
        if promise.order_id is None:
            promise.order_id = event.order_id
        if event.type == REQUESTED:
            promise.requested_at = event.at_ms if promise.requested_at is None else promise.requested_at
        elif promise.promised is None:
            promise.promised = event
        if talk.due_ms is not None:
            promise.due_ms = talk.due_ms
        elif promise.due_ms is None and promise.kind == CALLBACK:
            promise.due_ms = event.at_ms + self._callback_due_ms

    def _is_answered_by(self, event: Event) -> Callable[[_Promise], bool]:
        """Which open promises an opening event may belong to."""
        conversation = self._conversation_of.get(event.event_id)

        def fits(promise: _Promise) -> bool:
            is_request = promise.promised is None
            is_here = conversation is not None and promise.conversation_id == conversation
            if event.type == REQUESTED:
                return is_here
            return is_request or (is_here and promise.kind == CALLBACK)

        return fits

    def _find(self, event: Event, talk: Talk, kind: str, fits: Callable[[_Promise], bool]) -> _Promise | None:
        """Of the same promise_id, else an open one of the same conversation, else the earliest open one."""
        if talk.promise_id is not None and talk.promise_id in self._by_id:
            return self._by_id[talk.promise_id]
        found = [
            p for p in self._open
            if p.kind == kind and (talk.promise_id is None or p.promise_id is None) and fits(p)
        ]
        conversation = self._conversation_of.get(event.event_id)
        here = (p for p in found if conversation is not None and p.conversation_id == conversation)
        return next(here, found[0] if found else None)


def _kind(event: Event, talk: Talk) -> str:
    return talk.promise_kind or (CALLBACK if event.type.startswith(CALLBACK) else OTHER)


def _row(person_id: bytes, p: _Promise) -> Row:
    promised, done = p.promised, p.done
    return (
        person_id, p.promise_id or ids.uuid_text(ids.promise_id(p.opened.event_id)), p.conversation_id, p.kind,
        p.order_id, p.requested_at, *((promised.at_ms, promised.channel, promised.staff) if promised else _NOBODY),
        p.due_ms, *((done.at_ms, done.channel, done.staff) if done else _NOBODY), p.cancelled_at, p.attempts,
    )


_NOBODY = (None, None, None)
