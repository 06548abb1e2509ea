"""Conversations of one person, their messages, and promises: from the text of the specification, in plain loops."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise
from typing import Any
from uuid import UUID

from streams.core.event import Event
from streams.core.facts import Row
from streams.core.said import Talk, talk_of
from tests.oracle.keys import uuid8
from tests.oracle.touches import cut, distinct, in_order

WRITTEN = ("message_received", "form_submitted", "callback_requested", "complaint_made")
CALLS = ("call_received", "call_answered", "call_made", "call_missed")
REPORTS = ("message_delivered", "message_opened", "message_clicked", "message_failed")
OPENING = ("callback_requested", "callback_promised", "promise_made")
ENDING = ("callback_done", "promise_kept", "callback_cancelled", "promise_cancelled")
REPEATED_FROM = 12


def text_id(kind: str, event_id: str) -> str:
    return str(UUID(bytes=uuid8(hashlib.blake2b(f"{kind}\0{event_id}".encode(), digest_size=16).digest())))


def is_speech(e: Event) -> bool:
    if e.type in (*WRITTEN, *CALLS, "message_sent", "consulted"):
        return True
    return e.conversation_id is not None and e.type not in (*REPORTS, *ENDING, "order_cancelled")


def parted(touches: list[Event], gap_ms: int) -> dict[str, str]:
    """The conversation of each event, by event_id."""
    talk = [e for e in in_order(touches) if e.talk]
    of: dict[str, str] = {}
    for stretch in cut([e for e in talk if is_speech(e)], gap_ms):
        named = [e for e in stretch if e.conversation_id is not None]
        for e in stretch:
            earlier = [n for n in named if in_order([n, e])[0] is n]
            near = earlier[-1] if earlier else named[0] if named else None
            of[e.event_id] = near.conversation_id if near else text_id("conversation", stretch[0].event_id)
    spoken = dict(of)
    for e in talk:
        if e.event_id not in spoken and (name := _near(e, talk, spoken, gap_ms)) is not None:
            of[e.event_id] = name
    return of


def _near(e: Event, talk: list[Event], of: dict[str, str], gap_ms: int) -> str | None:
    """The conversation of an event that is no speech."""
    if e.conversation_id is not None:
        return e.conversation_id
    before = [b for b in talk if b.event_id in of and in_order([b, e])[0] is b]
    if e.type in REPORTS:
        about = [b for b in talk if b.event_id in of and b.type == "message_sent" and b.message_id == e.message_id]
        if e.message_id is None or not about:
            return None
        return of[about[0].event_id]
    if not before or e.at_ms - before[-1].at_ms > gap_ms:
        return None
    name = of[before[-1].event_id]
    if e.type in ("callback_promised", "promise_made", *ENDING):
        return name
    used = {b.channel for b in before if of[b.event_id] == name}
    return name if e.type in ("order_requested", "order_placed") and e.channel in used else None


def conversation_rows(person: bytes, touches: list[Event], gap_ms: int) -> tuple[list[Row], list[Row]]:
    """Rows of `conversations`, and of `conversation_messages`."""
    of = parted(touches, gap_ms)
    talk = [e for e in in_order(touches) if e.talk and e.event_id in of]
    rows, messages = [], []
    for name in {of[e.event_id] for e in talk if is_speech(e)}:
        mine = [e for e in talk if of[e.event_id] == name]
        row, told = _one(person, name, mine)
        rows.append(row)
        messages += told
    return rows, messages


def _one(person: bytes, name: str, mine: list[Event]) -> tuple[Row, list[Row]]:
    speech = [e for e in mine if is_speech(e)]
    said = {e.event_id: talk_of(e.talk) for e in speech}
    staff = [e.staff for e in speech if e.staff is not None]
    changes = [n for n in range(1, len(staff)) if staff[n] != staff[n - 1]]
    groups: dict[str, list[Event]] = defaultdict(list)
    for e in speech:
        if e.type in (*WRITTEN, *CALLS, "message_sent", "consulted") or said[e.event_id].text is not None:
            groups[e.message_id or e.event_id].append(e)
    messages = [_message(person, name, key, group, said) for key, group in groups.items()]
    waits = _waits(speech, said)
    ordering = [e for e in mine if is_speech(e) or e.type in ("order_requested", "order_placed")]
    row = (
        person, name, speech[0].at_ms, speech[-1].at_ms, distinct(e.channel for e in speech), distinct(staff),
        len(changes), any(t.is_bot for t in said.values()), sum(m[5] in WRITTEN for m in messages),
        sum(m[5] == "message_sent" for m in messages), sum(m[5] in CALLS for m in messages),
        waits[0] // 1000 if waits else None, max(waits) // 1000 if waits else None, _waiting(speech),
        distinct(said[e.event_id].topic for e in speech)[:200], _repeats(speech, list(groups.values()), messages, said),
        next((e.order_id for e in ordering if e.order_id is not None), None),
    )
    return row, messages


def _message(person: bytes, name: str, key: str, group: list[Event], said: dict[str, Talk]) -> Row:
    def last(values: list[Any]) -> Any:
        return next((v for v in reversed(values) if v is not None), None)
    first, told = group[0], [said[e.event_id] for e in group]
    return (
        person, name, key, first.at_ms, first.channel, first.type,
        first.role == "interaction" and first.type != "call_answered", last([e.staff for e in group]),
        last([t.topic for t in told]), last([t.text for t in told]), last([t.recording_url for t in told]),
        last([t.duration_ms for t in told]),
    )


def _asks(e: Event) -> bool:
    return e.type in WRITTEN or e.type == "call_missed"


def _answers(e: Event) -> bool:
    return e.type in ("message_sent", "call_answered", "call_received", "consulted")


def _waits(speech: list[Event], said: dict[str, Talk]) -> list[int]:
    waits = []
    for n, e in enumerate(speech):
        if _answers(e):
            since = next((m + 1 for m in reversed(range(n)) if _answers(speech[m])), 0)
            asked = [a.at_ms for a in speech[since:n] if _asks(a)]
            waits += [e.at_ms - asked[0]] if asked else []
            on_line = said[e.event_id].wait_ms
            waits += [on_line] if e.type == "call_received" and on_line is not None else []
    return waits


def _waiting(speech: list[Event]) -> int | None:
    since = next((n + 1 for n in reversed(range(len(speech))) if _answers(speech[n])), 0)
    return next((e.at_ms for e in speech[since:] if _asks(e)), None)


def _repeats(speech: list[Event], groups: list[list[Event]], messages: list[Row], said: dict[str, Talk]) -> int:
    told = []
    for group, m in zip(groups, messages, strict=True):
        until = speech[: speech.index(group[0]) + 1]
        staff = [e.staff for e in until if e.staff is not None]
        handovers = sum(a != b for a, b in pairwise(staff))
        first = said[group[0].event_id]
        if m[6]:
            told.append((" ".join((first.text or "").lower().split()), first.topic, (m[4], handovers)))
    again = 0
    for n, (text, topic, to) in enumerate(told):
        same_text = len(text) >= REPEATED_FROM and any(t[0] == text for t in told[:n])
        raised = [t[2] for t in told[:n] if t[1] == topic] if topic is not None else []
        again += same_text or bool(raised and raised[-1] != to)
    return again


def promise_rows(person: bytes, touches: list[Event], durations: Mapping[str, int]) -> list[Row]:
    of = parted(touches, durations["conversation_gap_ms"])
    found: list[dict[str, Any]] = []
    for e in in_order(touches):
        if not e.talk:
            continue
        talk = talk_of(e.talk)
        here = of.get(e.event_id)
        kind = talk.promise_kind or ("callback" if e.type.startswith("callback") else "other")
        if e.type in OPENING:
            p = _opened_before(found, e, talk, kind, here)
            if p is None:
                p = {"opened": e, "kind": kind, "calls": [], "due": None, "told": False}
                found.append(p)
            _open(p, e, talk, here, durations["callback_due_ms"])
        elif e.type in ("call_made", "call_answered", *ENDING):
            p = _meant(found, talk, "callback" if e.type.startswith("call_") else kind, here)
            if p is not None and _is_open(p):
                _act(p, e)
        elif e.type == "order_cancelled":
            for p in found:
                if _is_open(p) and p.get("order") is not None and p["order"] == e.order_id:
                    p["cancelled"] = e.at_ms
    return [_promise_row(person, p) for p in found]


def _is_open(p: dict[str, Any]) -> bool:
    return "done" not in p and "cancelled" not in p


def _candidates(found: list[dict[str, Any]], talk: Talk, kind: str) -> list[dict[str, Any]]:
    return [
        p for p in found
        if _is_open(p) and p["kind"] == kind and (talk.promise_id is None or p.get("id") is None)
    ]


def _named(found: list[dict[str, Any]], talk: Talk) -> dict[str, Any] | None:
    return next((p for p in found if talk.promise_id is not None and p.get("id") == talk.promise_id), None)


def _meant(found: list[dict[str, Any]], talk: Talk, kind: str, here: str | None) -> dict[str, Any] | None:
    named, open_ = _named(found, talk), _candidates(found, talk, kind)
    same = [p for p in open_ if here is not None and p.get("conversation") == here]
    return named or next(iter([*same, *open_]), None)


def _opened_before(
    found: list[dict[str, Any]], e: Event, talk: Talk, kind: str, here: str | None,
) -> dict[str, Any] | None:
    if (named := _named(found, talk)) is not None:
        return named
    open_ = _candidates(found, talk, kind)
    same = [p for p in open_ if here is not None and p.get("conversation") == here]
    if e.type == "callback_requested":
        return same[0] if same else None
    requests = [p for p in open_ if "promised" not in p]
    near = [p for p in same if "promised" not in p or kind == "callback"]
    return next(iter([*near, *requests]), None)


def _open(p: dict[str, Any], e: Event, talk: Talk, here: str | None, due_ms: int) -> None:
    for name, value in (("id", talk.promise_id), ("conversation", here), ("order", e.order_id)):
        if p.get(name) is None:
            p[name] = value
    p.setdefault("requested" if e.type == "callback_requested" else "promised", e)
    if talk.due_ms is not None:
        p["due"] = talk.due_ms
    elif p["due"] is None and p["kind"] == "callback":
        p["due"] = e.at_ms + due_ms


def _act(p: dict[str, Any], e: Event) -> None:
    if e.type == "call_made":
        p["calls"].append(e.message_id)
    elif e.type.endswith("cancelled"):
        p["cancelled"] = e.at_ms
    else:
        p["done"] = e


def _promise_row(person: bytes, p: dict[str, Any]) -> Row:
    def who(e: Event | None) -> tuple[Any, Any, Any]:
        return (e.at_ms, e.channel, e.staff) if e is not None else (None, None, None)
    requested, done = p.get("requested"), p.get("done")
    named = {c for c in p["calls"] if c is not None}
    attempts = len(named) + sum(c is None for c in p["calls"])
    if done is not None and done.type == "call_answered" and not (
        done.message_id in named if done.message_id is not None else attempts
    ):
        attempts += 1
    return (
        person, p["id"] or text_id("promise", p["opened"].event_id), p["conversation"], p["kind"], p["order"],
        requested.at_ms if requested is not None else None, *who(p.get("promised")), p["due"], *who(done),
        p.get("cancelled"), attempts,
    )
