"""What the report is made of, as rows of the ready views."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

Rows: TypeAlias = list[dict[str, Any]]


@dataclass(frozen=True)
class Figures:
    """Rows of the views, by part of the report; a part without any is empty."""

    head: dict[str, Any]
    families: dict[str, str]
    """Channel -> family."""
    mix: Rows = field(default_factory=list)
    switches: Rows = field(default_factory=list)
    credits: Rows = field(default_factory=list)
    cohorts: Rows = field(default_factory=list)
    acquisitions: Rows = field(default_factory=list)
    statuses: Rows = field(default_factory=list)
    fit: dict[str, Any] | None = None
    """The last run of LTV: its parameters and report."""
    white_spots: Rows = field(default_factory=list)
    obstacles: Rows = field(default_factory=list)
    journey: dict[str, Any] | None = None
    """One journey to an order."""
    journey_credits: Rows = field(default_factory=list)
