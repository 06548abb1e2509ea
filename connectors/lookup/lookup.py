"""One look-up: KIND and VALUE to a document, over the workers' state and what ClickHouse predicts."""

import time
from collections.abc import Callable
from enum import StrEnum
from uuid import UUID

from connectors.lookup.document import Document, document
from connectors.lookup.figures import Desk, NotTold
from connectors.lookup.held import Held
from connectors.lookup.standing import Figures, is_counted, moment
from connectors.lookup.state import State
from streams.core.identifiers import Refused, normalise
from streams.core.policy import Policy
from streams.errors import Retryable
from streams.settings import Settings

PERSON = "person"
POLICY_S = 5.0
"""So long a policy that was applied may be unknown here: it only says how identifiers are written."""


IN_FLIGHT_MAX = 100
"""More at a time would only wait longer; half a second's worth at 200 a second."""


class Nobody(StrEnum):
    """Why there is no document."""

    UNKNOWN_KIND = "unknown_kind"
    NO_PERSON_ID = "no_person_id"
    REFUSED_VALUE = "refused_value"
    NOBODY = "nobody"


class Lookup:
    """Answers look-ups, from `start` to `stop`."""

    def __init__(
        self, state: State, desk: Desk, settings: Settings, clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state, self._desk, self._settings, self._clock = state, desk, settings, clock
        self._policy: Policy | None = None
        self._policy_until = 0.0
        self._in_flight = 0

    def start(self) -> None:
        """In a running event loop."""
        self._desk.start()

    async def stop(self) -> None:
        await self._desk.stop()
        await self._state.close()

    async def document(self, kind: str, value: str) -> Document | Nobody:
        """Everything on the person that an identifier names, or an id of a person, also one that was merged.

        Errors: TooLarge; Retryable where the workers do not answer for a while, or too much is asked at once.
        """
        if self._in_flight >= IN_FLIGHT_MAX:
            raise Retryable(f"{IN_FLIGHT_MAX} look-ups are being answered at this moment")
        self._in_flight += 1
        try:
            return await self._document(kind, value)
        finally:
            self._in_flight -= 1

    async def _document(self, kind: str, value: str) -> Document | Nobody:
        held = await self._held(kind, value)
        if isinstance(held, Nobody):
            return held
        self._desk.check()
        missing: list[str] = []
        figures, prediction = self._desk.figures, None
        if figures is None:
            missing += ["figures", "predictions"]
        elif any(is_counted(order) for order in held.rows.get("orders", ())):
            try:
                prediction = await self._desk.prediction(UUID(bytes=held.person_id))
            except NotTold:
                missing.append("predictions")
        return document(held, figures or Figures(), prediction, self._settings, moment(self._settings), missing)

    async def _held(self, kind: str, value: str) -> Held | Nobody:
        if kind == PERSON:
            try:
                return await self._state.of_person(UUID(value.strip()).bytes) or Nobody.NOBODY
            except ValueError:
                return Nobody.NO_PERSON_ID
        policy = await self._known_policy()
        if policy.aliases.get(kind, kind) not in policy.kinds:
            return Nobody.UNKNOWN_KIND
        named = normalise(kind, value, policy, self._settings.default_region)
        if isinstance(named, Refused):
            return Nobody.REFUSED_VALUE
        return await self._state.of_identifier(named) or Nobody.NOBODY

    async def _known_policy(self) -> Policy:
        if self._policy is None or self._clock() > self._policy_until:
            self._policy = await self._state.policy()
            self._policy_until = self._clock() + POLICY_S
        return self._policy
