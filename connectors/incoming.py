"""What a foreign system sends, and what a connector makes of it: values, so that every connector is a pure function.

Rules kept here:
- `decode` never raises, whatever came: what cannot be understood is an `Unreadable`, which becomes a dead letter.
- One input may hold many things: what is wrong with one of them refuses that one.
- The same input gives the same events with the same event ids, so repeats are harmless.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from connectors.source import Source
from streams.core.refusal import Reject

Event: TypeAlias = dict[str, Any]
"""A channel event as one JSON object, in the field names of the contract: what `emit` takes as a line."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request, or one file.

    Shape: body as it came; the headers' names in lower case; url is the address that the sender called.
    """

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that is no event; `raw` is the part of the input it was in, None where that is all of it.

    From one request raw is a request again, that holds only this.
    """

    reject: Reject
    raw: bytes | None = None


Decoded: TypeAlias = list[Event | Unreadable]
Decode: TypeAlias = Callable[[Incoming, Source, int], Decoded]
"""(what came, its source, epoch milliseconds of its arrival) -> what it says."""
