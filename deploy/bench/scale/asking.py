"""One question and what it costs."""

import time
from typing import NamedTuple

from clickhouse_connect.driver.exceptions import DatabaseError

from deploy.bench.scale.engine import Running
from deploy.bench.scale.questions import Question

THREADS = 2


class Answered(NamedTuple):
    """Seconds of the clock and of CPU, of the cheapest of several times; `error` where there was no answer."""

    name: str
    seconds: float
    cpu_s: float
    error: str = ""


def ask(engine: Running, question: Question, times: int) -> Answered:
    """Ask so many times; all columns are computed, none is sent. Errors of ClickHouse are part of the answer."""
    runs = []
    for _ in range(times):
        cpu, started = engine.cpu_s(), time.monotonic()
        try:
            question.run(engine.client, {"max_threads": THREADS, "use_query_condition_cache": 0})
        except DatabaseError as error:
            return Answered(question.name, time.monotonic() - started, engine.cpu_s() - cpu, str(error).strip()[:160])
        runs.append((engine.cpu_s() - cpu, time.monotonic() - started))
    cpu_s, seconds = min(runs)
    return Answered(question.name, seconds, cpu_s)
