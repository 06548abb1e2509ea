"""What shapes rows besides the cluster and the policy: the addresses of identifiers and durations of the settings.

A duration here has the name of its setting; another value reaches the facts already made, by `onethread config apply`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from streams.core.keys import Keys


@dataclass(frozen=True)
class Shaping:
    """Durations are in milliseconds of event time."""

    keys: Keys
    session_gap_ms: int
    conversation_gap_ms: int = 24 * 3_600_000
    callback_due_ms: int = 15 * 60_000
    journey_gap_ms: int = 30 * 86_400_000
    attribution_window_ms: int = 90 * 86_400_000
    half_life_ms: int = 7 * 86_400_000
    duplicate_window_ms: int = 24 * 3_600_000

    def durations(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in DURATIONS}

    def changed(self, durations: Mapping[str, int]) -> "Shaping":
        """With other durations; what they leave out is as it was."""
        return Shaping(self.keys, **{**self.durations(), **durations}) if durations else self


DURATIONS = tuple(field.name for field in fields(Shaping) if field.name != "keys")
