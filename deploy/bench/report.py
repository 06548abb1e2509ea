"""The figures of a run beside their goals, as rows of one table."""

from dataclasses import dataclass
from typing import Any

SECONDS_TOLD_MIN = 0.5
"""A restore begins with a fetch and ends with a look: what is shorter says nothing of its speed."""


@dataclass(frozen=True)
class Figure:
    """`of_floor` is the figure's speed as a share of the floor's, where the two can be compared."""

    name: str
    goal: str
    measured: str
    of_floor: float | None = None


def figures(document: dict[str, Any]) -> list[Figure]:
    """The table of what this run could measure, in the order in which an event meets it."""
    floor, stitch, pipeline = document["floor"], document["stitch"], document["pipeline"]
    late, merge = document["latency"]["event"], document["latency"]["merge"]
    cpu, memory = pipeline["cpu_us"], document["memory_mib"]
    return [
        Figure("floor: read and decode", "",
               f"{floor['cpu_us']:.1f} µs CPU an event, {floor['events_s']:,.0f} events/s", 1.0),
        Figure("stitch, decoded event to facts", "≤ 45 µs CPU an event, ≥ 0.25 of the floor",
               f"{stitch['cpu_us']:.0f} µs CPU an event", floor["cpu_us"] / stitch["cpu_us"]),
        Figure("the same, one identifier shared by all", "≥ 0.7 of the speed without it",
               f"{stitch['kiosk_cpu_us']:.0f} µs CPU an event, {stitch['cpu_us'] / stitch['kiosk_cpu_us']:.2f} of it",
               floor["cpu_us"] / stitch["kiosk_cpu_us"]),
        Figure("the largest cluster and the largest person of it", "≤ 10,000 and ≤ 1,000 identifiers",
               f"{stitch['kiosk_cluster']:,} and {stitch['kiosk_person']:,} identifiers"),
        *(Figure(f"a group of {name} in the worker", "", _group(stage)) for name, stage in pipeline["stages"].items()),
        Figure("end to end, Kafka to rows in ClickHouse", "",
               f"{pipeline['events_s']:,.0f} events/s", pipeline["events_s"] / floor["events_s"]),
        _sustained(pipeline["sustained_s"], floor["events_s"]),
        Figure("CPU an event: worker, Kafka, ClickHouse", "",
               f"{cpu['worker']:.0f} + {cpu['kafka']:.0f} + {cpu['clickhouse']:.0f} µs"),
        Figure(f"produced to visible in SQL at {document['latency']['rate']:,.0f} events/s", "p50 ≤ 0.5 s, p99 ≤ 2 s",
               f"p50 {late['p50']:.2f} s, p99 {late['p99']:.2f} s"),
        Figure("a merge visible in SQL", "p99 ≤ 5 s", f"p50 {merge['p50']:.2f} s, p99 {merge['p99']:.2f} s"),
        Figure("memory of a worker", "≤ 600 MiB at 5 M identifiers",
               f"{memory['worker']:.0f} MiB at {pipeline['identifiers']:,} identifiers"),
        Figure("restore of a lost store", "≥ 200,000 keys/s",
               _restored(document["restore"])),
    ]


def collector_figures(document: dict[str, Any]) -> list[Figure]:
    """The collector beside the empty handler."""
    floor, found = document["floor"], document["collector"]

    def steady(speed: dict[str, Any]) -> str:
        return f"p50 {speed['steady_p50_ms']:.0f} ms, p99 {speed['steady_p99_ms']:.0f} ms"

    def fast(speed: dict[str, Any]) -> str:
        return f"{speed['cpu_us']:.0f} µs CPU an event, {speed['events_core_s']:,.0f} events/s of one core"

    return [
        Figure("floor: an empty handler, batches of 100", "", fast(floor), 1.0),
        Figure("collector: checked, on disk, on to Kafka", "≥ 3,000 events/s of one core", fast(found),
               floor["cpu_us"] / found["cpu_us"]),
        Figure("its clients, four connections without pause", "",
               f"{found['events_s']:,.0f} events/s, p50 {found['p50_ms']:.0f} ms, p99 {found['p99_ms']:.0f} ms",
               found["events_s"] / floor["events_s"]),
        Figure("floor: a request at 3,000 events/s", "", steady(floor)),
        Figure("collector: a request at 3,000 events/s", "p99 ≤ 100 ms", steady(found)),
    ]


def why_figures(document: dict[str, Any]) -> list[Figure]:
    """The question beside an empty one."""
    floor, why = document["floor"], document["why"]
    return [
        Figure("floor: `onethread sql`, an empty question", "", _seconds(floor), 1.0),
        Figure(f"`onethread why`, {document['hops']} hops apart", "under 1 s", _seconds(why),
               floor["p50"] / why["p50"]),
    ]


def _seconds(spread: dict[str, float]) -> str:
    return f"p50 {spread['p50']:.2f} s, p99 {spread['p99']:.2f} s"


def _sustained(rate: float | None, floor: float) -> Figure:
    name, goal = "the same, sustained: the middle four fifths of all rows", "≥ 8,000 events/s"
    if rate is None:
        return Figure(name, goal, "too few events to tell")
    return Figure(name, goal, f"{rate:,.0f} events/s", rate / floor)


def _group(stage: dict[str, float]) -> str:
    return f"{stage['records']:,.0f} records: {stage['handle_ms']:,.0f} ms work, {stage['commit_ms']:,.0f} ms commit"


def _restored(restore: dict[str, Any]) -> str:
    records, seconds = restore["records"], restore["seconds"]
    if seconds < SECONDS_TOLD_MIN:
        return f"{records:,} keys in under {SECONDS_TOLD_MIN:g} s"
    return (f"{records / seconds:,.0f} keys/s ({records:,} in {seconds:.1f} s), "
            f"{records / restore['cpu_s']:,.0f} a CPU second")
