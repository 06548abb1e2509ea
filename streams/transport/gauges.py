"""What a worker's metrics say of its partitions: lag, standstill, ownership, recovery, size of the state.

Read at each look of the watch from what the consumer, the recovery and the stores know already; nobody is asked.
"""

from typing import Any

from faust.types import TP

from streams import metrics

SIZES_S = 5.0
"""RocksDB's figures take 20 µs a partition; nobody needs them twice a second."""


class Gauges:
    """Sets the gauges, and takes back those of partitions that left."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._read: set[TP] = set()
        self._kept: set[int] = set()
        self._restored: set[TP] = set()
        self._copied: set[TP] = set()
        self._sizes_at_s = 0.0

    def tell(self, app: Any, lags: dict[TP, tuple[int, int]], standing: dict[TP, float], now_s: float) -> None:
        """Of each partition read: (committed, end of the log), and for how long it has lagged and stood still."""
        metrics.WORKER_READY.set(app.tables.actives_ready and not app.rebalancing)
        for tp in self._read - lags.keys():
            metrics.LAG.remove(tp.topic, str(tp.partition))  # another worker's now
            metrics.STALLED.remove(tp.topic, str(tp.partition))
        for tp, (done, end) in lags.items():
            metrics.LAG.labels(tp.topic, str(tp.partition)).set(end - done)
            metrics.STALLED.labels(tp.topic, str(tp.partition)).set(standing.get(tp, 0.0))
        self._read = set(lags)
        for look in app.looks:
            look(lags)
        if app.consumer.membership is not None:  # before that its thread may not have a consumer to ask yet
            self._ownership(app)
            self._recovery(app)
        if now_s - self._sizes_at_s >= SIZES_S:
            self._sizes_at_s = now_s
            self._sizes()

    def _ownership(self, app: Any) -> None:
        topics = {topic for agent in app.agents.values() for topic in agent.channel.topics}
        metrics.PARTITIONS_ASSIGNED.set(sum(tp.topic in topics for tp in app.consumer.assignment()))
        metrics.PARTITIONS_EXPECTED.set(
            sum(app.consumer.topic_partitions(topic) or app.conf.topic_partitions for topic in topics)
        )

    def _recovery(self, app: Any) -> None:
        recovery = app.tables.recovery
        percent, seconds_left = recovery.progress()
        metrics.RECOVERY_PERCENT.set(percent)
        metrics.RECOVERY_SECONDS_LEFT.set(-1 if seconds_left is None else seconds_left)
        self._restored = _set(metrics.RECOVERY_LEFT, recovery.active_left(), self._restored)
        self._copied = _set(metrics.STANDBY_LAG, recovery.standby_left(app.consumer.ends()), self._copied)

    def _sizes(self) -> None:
        partitions = set(self._store.partitions())
        for number in partitions:
            size_bytes, keys = self._store.size(number)
            metrics.STATE_BYTES.labels(str(number)).set(size_bytes)
            metrics.STATE_KEYS.labels(str(number)).set(keys)
        for number in self._kept - partitions:
            metrics.STATE_BYTES.remove(str(number))
            metrics.STATE_KEYS.remove(str(number))
        self._kept = partitions


def _set(gauge: Any, values: dict[TP, int], before: set[TP]) -> set[TP]:
    """Set a gauge by partition and take back what is not there any more; what is there now."""
    for tp in before - values.keys():
        gauge.remove(str(tp.partition))
    for tp, value in values.items():
        gauge.labels(str(tp.partition)).set(value)
    return set(values)
