"""`python -m deploy.bench.scale`: what each view costs over ten million touchpoints of a million persons.

Rows go straight into the tables of a ClickHouse of its own: the gateway of the local stack, with the memory it has
there. Of each question the cheapest of several runs counts: seconds of the clock, and CPU seconds of the process,
which say the same on a busy machine as on a quiet one. No merge runs meanwhile; two threads answer.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy.bench.scale.asking import Answered, ask
from deploy.bench.scale.engine import Running, running
from deploy.bench.scale.filling import fill
from deploy.bench.scale.questions import Question, questions
from streams.errors import OneThreadError


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill a database where there is none, ask, print a table."""
    given = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the engine is stopped too
    with tempfile.TemporaryDirectory(prefix="onethread-scale-") as temporary:
        path = given.path or Path(temporary)
        try:
            with running(path, given.port, given.memory_mb) as engine:
                fill(engine, given.persons, _say)
                answered = [_asked(engine, question, given.times) for question in questions(given.only)]
        except OneThreadError as error:
            print(error, file=sys.stderr)
            return 1
    if given.json:
        print(json.dumps([one._asdict() for one in answered], indent=2))
    else:
        print(*map(_line, answered), sep="\n")
    return 1 if any(one.error for one in answered) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.bench.scale", description=__doc__)
    parser.add_argument("--persons", type=int, default=1_000_000, help="ten touchpoints each, and all other rows")
    parser.add_argument("--path", type=Path, help="where the data are kept, or lie already; default: nowhere")
    parser.add_argument("--port", type=int, default=0, help="of the ClickHouse; default: a free one")
    parser.add_argument("--memory-mb", type=int, default=1024, help="of the ClickHouse; default: the local stack's")
    parser.add_argument("--only", nargs="*", default=[], help="names of questions")
    parser.add_argument("--times", type=int, default=2, help="how often each is asked; the least counts")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    return parser


def _say(told: str) -> None:
    print(told, file=sys.stderr, flush=True)


def _asked(engine: Running, question: Question, times: int) -> Answered:
    answered = ask(engine, question, times)
    _say(_line(answered))
    return answered


def _line(one: Answered) -> str:
    return f"{one.name:<34} {one.seconds:>7.2f} s {one.cpu_s:>7.2f} CPU s  {one.error}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
