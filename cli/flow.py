"""The pipeline at a moment, from two or more scrapes: rates, lags, latencies, books. Pure: times come with the scrapes.

A rate is the increase between the oldest scrape of the last WINDOW_S and the newest; a counter that fell began anew.
Quantiles are those of the increase of a histogram's buckets, straight lines within a bucket, as Prometheus'
`histogram_quantile` has it (https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cli.scraping import Scrape

WINDOW_S = 10.0
HISTORY = 30
"""Scrapes that are remembered: a minute of lags."""

STAGES = ("map", "ingest", "stitch", "load")
STEPS = ("wait", "records", "changelog", "offsets", "kafka", "store")
_REFUSED = "onethread_events_refused_total"
SINCE = ("occurred", "produced", "merge")


@dataclass(frozen=True)
class Part:
    name: str
    state: str
    restarts: int
    last_error: str = ""


@dataclass(frozen=True)
class Lag:
    """Records of a topic not consumed, now and at the scrapes before; for how long its slowest partition stands."""

    topic: str
    records: int
    history: list[int]
    stalled_s: float


@dataclass(frozen=True)
class Stage:
    """Groups a second, records of a group, seconds to handle and to commit one; None where there was none."""

    name: str
    groups_s: float
    records: float | None
    handle_s: float | None
    commit_s: float | None


@dataclass(frozen=True)
class Latency:
    """Until visible in SQL. `events` is how many the quantiles are of."""

    since: str
    events: int
    p50_s: float | None
    p99_s: float | None


@dataclass(frozen=True)
class Flow:
    """Everything `top` shows. Rates end in `_s`: a second; ages and times in seconds."""

    seconds: float
    parts: list[Part]
    silent: list[str]
    """Processes that should tell and do not."""
    events_s: float
    channels: dict[str, float]
    refused_s: dict[str, float]
    lags: list[Lag]
    partitions: tuple[int, int]
    """Assigned to workers, and how many there are."""
    latency: list[Latency]
    stages: list[Stage]
    commit_steps_s: dict[str, float | None]
    commits_s: float
    commit_failures: int
    last_commit_age_s: float | None
    rows_s: float
    clickhouse_delay_s: float
    clickhouse_errors_s: float
    merges_s: dict[str, float]
    duplicates_s: float
    largest_cluster: int
    state_bytes: int
    recovery_left: int
    spool_records: int
    spool_age_s: float
    books: dict[str, int] | None
    identifiers: dict[str, int] = field(default_factory=dict)


def flow(scrapes: Sequence[Scrape], parts: Sequence[Part], expected: Sequence[str]) -> Flow:
    """The newest scrape against those before it.

    Shape: two scrapes at least, oldest first; `expected` are the processes that should answer.
    """
    new = scrapes[-1]
    assert len(scrapes) > 1, "rates need two scrapes"
    old = next((one for one in scrapes[:-1] if new.at_s - one.at_s <= WINDOW_S), scrapes[-2])
    span = Span(old, new)
    failures = new.total("onethread_commit_failures_total")
    last = new.largest("onethread_last_commit_seconds")
    books = {key: int(value) for key, value in new.by("entry", "onethread_books").items()}
    return Flow(
        seconds=new.at_s - old.at_s,
        parts=list(parts),
        silent=[name for name in expected if name not in new.pages],
        events_s=span.rate("onethread_events_in_total"),
        channels=_by_channel(span.rates("topic", "onethread_events_in_total")),
        refused_s={reason: rate for reason, rate in span.rates("reason", _REFUSED).items() if rate},
        lags=_lags(scrapes),
        partitions=(int(new.total("onethread_partitions_assigned")),
                    int(new.largest("onethread_partitions_expected") or 0)),
        latency=[_latency(span, since) for since in SINCE],
        stages=[_stage(span, name) for name in STAGES if new.by("stage", "onethread_batch_records_count").get(name)],
        commit_steps_s={step: span.mean("onethread_commit_seconds", step=step) for step in STEPS},
        commits_s=span.rate("onethread_commits_total"),
        commit_failures=int(failures),
        last_commit_age_s=max(0.0, new.unix_s - last) if last else None,
        rows_s=span.rate("onethread_clickhouse_rows_total"),
        clickhouse_delay_s=new.largest("onethread_clickhouse_delay_seconds") or 0.0,
        clickhouse_errors_s=span.rate("onethread_clickhouse_errors_total"),
        merges_s=span.rates("action", "onethread_merges_total"),
        duplicates_s=span.rate("onethread_duplicates_total"),
        largest_cluster=int(new.largest("onethread_largest_cluster_identifiers") or 0),
        state_bytes=int(new.total("onethread_state_bytes")),
        recovery_left=int(new.total("onethread_recovery_records_left")),
        spool_records=int(new.total("onethread_spool_records")),
        spool_age_s=new.largest("onethread_spool_age_seconds") or 0.0,
        books=books if new.total("onethread_books_read_seconds") else None,
        identifiers={word: int(new.total(name)) for word, name in (
            ("shared", "onethread_shared_identifiers"), ("contested", "onethread_identifiers_contested"),
            ("pending links", "onethread_pending_links"),
        )},
    )


@dataclass(frozen=True)
class Span:
    """Increases between two scrapes, process by process: one that began anew counts from 0."""

    old: Scrape
    new: Scrape

    @property
    def seconds(self) -> float:
        return max(self.new.at_s - self.old.at_s, 1e-3)

    def increases(self, label: str, name: str, **labels: str) -> dict[str, float]:
        """By the values of a label; without one ("") all together."""
        found: dict[str, float] = {}
        for process, has, value in self.new.find(name, **labels):
            known = process in self.old.pages
            before = self.old.pages.get(process, {}).get(name, {}).get(tuple(sorted(has.items())), 0.0)
            grown = (value - before if value >= before else value) if known else 0.0
            key = has.get(label, "")
            found[key] = found.get(key, 0.0) + grown
        return found

    def rates(self, label: str, name: str) -> dict[str, float]:
        return {key: value / self.seconds for key, value in self.increases(label, name).items()}

    def rate(self, name: str) -> float:
        return sum(self.rates("", name).values())

    def increase(self, name: str, **labels: str) -> float:
        return sum(self.increases("", name, **labels).values())

    def mean(self, histogram: str, **labels: str) -> float | None:
        """Of what a histogram took in meanwhile; None where it took nothing."""
        count = self.increase(f"{histogram}_count", **labels)
        return self.increase(f"{histogram}_sum", **labels) / count if count else None


def quantile(share: float, buckets: Mapping[str, float]) -> float | None:
    """The value below which that share of a histogram's values lies.

    Shape: counts by upper bound (`le`), each with those below it -> None of an empty one; where it lies above the
    last bound, that bound.
    """
    counts = sorted((float(bound), count) for bound, count in buckets.items())
    if not counts or not counts[-1][1]:
        return None
    wanted, below, low = share * counts[-1][1], 0.0, 0.0
    for bound, count in counts:
        if count >= wanted:
            if bound == float("inf"):
                return low
            inside = count - below
            return low + (bound - low) * ((wanted - below) / inside if inside else 1.0)
        below, low = count, bound
    return low


def _latency(span: Span, since: str) -> Latency:
    buckets = span.increases("le", "onethread_visible_seconds_bucket", since=since)
    events = int(span.increase("onethread_visible_seconds_count", since=since))
    return Latency(since, events, quantile(0.5, buckets), quantile(0.99, buckets))


def _stage(span: Span, name: str) -> Stage:
    return Stage(
        name, span.increase("onethread_batch_records_count", stage=name) / span.seconds,
        span.mean("onethread_batch_records", stage=name),
        span.mean("onethread_batch_seconds", stage=name, step="handle"),
        span.mean("onethread_batch_seconds", stage=name, step="commit"),
    )


def _by_channel(topics: Mapping[str, float]) -> dict[str, float]:
    """By name of the channel, the busiest first; those in which nothing ever came are left out already."""
    named = {topic.rpartition("events.")[2]: rate for topic, rate in topics.items()}
    return dict(sorted(named.items(), key=lambda item: (-item[1], item[0])))


def _lags(scrapes: Sequence[Scrape]) -> list[Lag]:
    """Of each topic that lags or lagged, the longest first; the stages' own topics always."""
    histories = [one.by("topic", "onethread_lag_records") for one in scrapes]
    stalled: dict[str, float] = {}
    for _, has, value in scrapes[-1].find("onethread_stalled_seconds"):
        stalled[has["topic"]] = max(value, stalled.get(has["topic"], 0.0))
    lags = []
    for topic, now in histories[-1].items():
        history = [int(one.get(topic, 0)) for one in histories]
        if any(history) or topic.endswith(("identity", "facts")):
            lags.append(Lag(topic, int(now), history, stalled.get(topic, 0.0)))
    return sorted(lags, key=lambda lag: (-lag.records, lag.topic))
