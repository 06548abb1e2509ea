"""Readers of the compacted topic of persons see no versions: of one person the later record must be the truer one."""

from random import Random
from typing import Any

import pytest

from streams.core import facts
from tests.simulation.broker import Run
from tests.strategies import make_world


@pytest.mark.parametrize("seed", range(40))
def test_the_last_record_of_a_person_is_what_versions_say(seed: int) -> None:
    """Whatever comes twice, late or after a crash: a person's rows leave in the order of their versions."""
    random = Random(seed)
    run = Run(make_world(random, 30), random)
    sink = run.finish()
    last: dict[Any, Any] = {}
    for packed in map(facts.decode, run.sent):
        if packed.table == "persons":
            last |= {row[1]: tuple(row[1:]) for row in packed.upserts}
            last |= {key[1]: None for key in packed.tombstones}
    assert {row[0]: row for row in sink.rows("persons").values()} == {k: row for k, row in last.items() if row}
