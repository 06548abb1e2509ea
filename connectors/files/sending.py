"""Events and reference records of rows to Kafka, refusals to the dead letters; checked by the rules of ingest."""

from contextlib import ExitStack
from typing import Any, Self

from connectors.emit import Emitter
from connectors.files.mapping import Mapping
from connectors.reference import Loader
from streams.core import reference
from streams.core.policy import Policy
from streams.core.refusal import Refusal, Reject
from streams.settings import Settings


class RowSender:
    """Sends what rows give under one mapping; a context, leaving it waits until Kafka has everything."""

    def __init__(
        self, bootstrap: str, registry_url: str, settings: Settings, policy: Policy, mapping: Mapping,
    ) -> None:
        self._mapping, self._open = mapping, ExitStack()
        self.events = Emitter(bootstrap, registry_url, settings, policy)
        self._table = reference.TABLES[mapping.reference] if mapping.reference else None
        self._loader = Loader(bootstrap, registry_url, settings, mapping.reference) if mapping.reference else None

    def __enter__(self) -> Self:
        self._open.enter_context(self.events)
        if self._loader:
            self._open.enter_context(self._loader)
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)

    def flush(self) -> None:
        """Wait until Kafka has everything sent so far. Errors: OneThreadError where it does not take it."""
        self.events.flush()
        if self._loader:
            self._loader.flush()

    def send(self, row: dict[str, Any], source: str) -> tuple[int, list[Reject]]:
        """Send what a row gives: how many were sent, and what was refused; of a row that means nothing neither."""
        sent, refused = 0, []
        for given in self._mapping.events(row):
            if isinstance(given, Reject):
                self.refuse(given, row, source)
                refused.append(given)
            elif reject := self._send(given, row, source):
                refused.append(reject)
            else:
                sent += 1
        return sent, refused

    def refuse(self, reject: Reject, row: dict[str, Any] | None, source: str) -> None:
        """Write a row's dead letter: the row as JSON, and under which mapping it was refused."""
        raw = self._mapping.raw(row) if row is not None else None
        self.events.refuse(reject, raw, f"{source}{BY}{self._mapping.name}")

    def _send(self, given: dict[str, Any], row: dict[str, Any], source: str) -> Reject | None:
        if self._loader is None or self._table is None:
            return self.events.send(given, source)
        try:
            record = reference.record(self._table, given)
            self._loader.send(reference.key(self._table, reference.row(self._table, record)), record)
        except Refusal as refusal:
            self.refuse(refusal.reject(), row, source)
            return refusal.reject()
        return None


BY = " by "
"""Between where a row stands and the mapping that made no event of it: the mark of a dead letter that holds a row."""

