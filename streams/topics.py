"""The names of all topics, in one place. Every topic of a deployment has `settings.partitions` partitions."""

from dataclasses import dataclass

from streams.core.facts import TOLD_ONCE

EVENTS = "events."

FORGOTTEN_MS = 3_600_000
"""Values that were written over or deleted leave a compacted topic this long after, once more records come."""


@dataclass(frozen=True)
class Topics:
    """Topic names of one deployment; `prefix` lets several share a broker."""

    prefix: str = ""

    def events(self, channel: str) -> str:
        return f"{self.prefix}{EVENTS}{channel}"

    def channel_of(self, topic: str) -> str:
        """The channel of an events topic."""
        return topic.removeprefix(f"{self.prefix}{EVENTS}")

    @property
    def identity(self) -> str:
        """Messages between nodes of the identity graph, packed; internal codec."""
        return f"{self.prefix}identity"

    @property
    def facts(self) -> str:
        """Rows for the sinks, packed; internal codec."""
        return f"{self.prefix}facts"

    def of_facts(self, table: str) -> str:
        """The topic of a table's rows."""
        return self.history if table in TOLD_ONCE else self.facts

    @property
    def history(self) -> str:
        """Rows of what happened (`facts.TOLD_ONCE`), packed as facts are; kept as long as events are."""
        return f"{self.prefix}history"

    @property
    def dead_letters(self) -> str:
        return f"{self.prefix}dead-letters"

    @property
    def persons(self) -> str:
        return f"{self.prefix}onethread.persons"

    @property
    def merges(self) -> str:
        return f"{self.prefix}onethread.merges"

    def reference(self, name: str) -> str:
        """Records of one kind of `streams.core.reference`; compacted, the last value of a key wins."""
        return f"{self.prefix}reference.{name}"

    @property
    def commands(self) -> str:
        """What operators decided: forced links and splits, policies. All in partition 0, kept for ever but for what
        names somebody who was erased."""
        return f"{self.prefix}onethread.commands"
