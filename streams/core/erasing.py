"""Messages with which the identity graph forgets. They name identifiers by their node keys alone.

What they do is told in `streams.core.forgetting`.
"""

import msgspec

from streams.core.event import Cause, Identifier

FOR_EVER_MS = 2**62
"""Until then is erased what belongs to a person that is suppressed: whatever may still come."""



class Cut(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Identifiers are taken out of an event, of all its copies, for good; with none told the event is deleted."""

    event_id: str
    named: tuple[bytes, ...]
    """Node keys of all that the event named until now."""
    lost: tuple[bytes, ...]
    asks: bool = False
    """Whether the receiver has what it loses told again by whoever may know it from other events."""


class Erase(msgspec.Struct, frozen=True, array_like=True, tag="ee", gc=False):
    """To the root of x: forget its person, as far as received up to `until_ms`; `cause` is the command."""

    to: Identifier
    clock: int
    x: bytes
    until_ms: int
    cause: Cause


class Mark(msgspec.Struct, frozen=True, array_like=True, tag="em", gc=False):
    """To the own node of an identifier of an erased person."""

    to: Identifier
    clock: int
    until_ms: int
    cause: Cause


class Forget(msgspec.Struct, frozen=True, array_like=True, tag="eg", gc=False):
    """To the own node of whatever was seen or ruled with x: x was erased."""

    to: Identifier
    clock: int
    x: bytes
    until_ms: int
    cause: Cause


class Wipe(msgspec.Struct, frozen=True, array_like=True, tag="ex", gc=False):
    """To a root: take x out of everything received up to `until_ms`."""

    to: Identifier
    clock: int
    x: bytes
    until_ms: int
    cause: Cause


class Retract(msgspec.Struct, frozen=True, array_like=True, tag="et", gc=False):
    """To the own node of an identifier that these events named."""

    to: Identifier
    clock: int
    cuts: tuple[Cut, ...]
    cause: Cause


class Drop(msgspec.Struct, frozen=True, array_like=True, tag="ed", gc=False):
    """The same, to the root of x."""

    to: Identifier
    clock: int
    x: bytes
    cuts: tuple[Cut, ...]
    cause: Cause


class Retell(msgspec.Struct, frozen=True, array_like=True, tag="en", gc=False):
    """To a root: tell once more with what x was seen; some of what was told is lost."""

    to: Identifier
    clock: int
    x: bytes
    cause: Cause


class Remind(msgspec.Struct, frozen=True, array_like=True, tag="ez", gc=False):
    """To an own node: somebody lost what it knew of `to` from an event; have it told again."""

    to: Identifier
    clock: int
    cause: Cause


class Wake(msgspec.Struct, frozen=True, array_like=True, tag="eu", gc=False):
    """To the own node of an identifier that was erased and is named again: `to` says what it is."""

    to: Identifier
    clock: int
    until_ms: int
    """The sender's mark."""
    cause: Cause
    is_answer: bool = False
    """From its own root, asked for: the last word for now. Of any other word the receiver asks its root."""


class Sleep(msgspec.Struct, frozen=True, array_like=True, tag="eb", gc=False):
    """To the own node of an erased identifier that a root names no more."""

    to: Identifier
    clock: int
    cause: Cause
    is_answer: bool = False


class Ask(msgspec.Struct, frozen=True, array_like=True, tag="ei", gc=False):
    """To the root of x: is it named? The answer is `Wake` or `Sleep`."""

    to: Identifier
    clock: int
    x: bytes
    cause: Cause


class Ruled(msgspec.Struct, frozen=True, array_like=True, tag="ej", gc=False):
    """To the own nodes of both ends of a rule, so that erasing one finds the rule."""

    to: Identifier
    clock: int
    other: bytes
    cause: Cause


class Suppress(msgspec.Struct, frozen=True, array_like=True, tag="ev", gc=False):
    """To every partition: events that name one of these are refused from now on."""

    clock: int
    keys: tuple[bytes, ...]
