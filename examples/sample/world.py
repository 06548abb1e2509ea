"""The whole sample: who lives in it, what each does, and in which order the systems report it.

Every person has a random stream of their own from the seed, so that fewer people are the first of more, and nothing
depends on a hash, a set's order, a clock or a float.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from examples.sample import online, shop, talk
from examples.sample.catalogue import at
from examples.sample.faults import fault_lines
from examples.sample.life import Json, Life, iso
from examples.sample.stories import tell_all

SEED = 2026
PEOPLE = 1500
PEOPLE_MAX = 9000  # the stories' persons have the numbers from here on

Scenario = Callable[[Life], None]


@dataclass(frozen=True)
class Persona:
    """A way of buying: its share of the people in percent, and what they do in six weeks."""

    name: str
    share: int
    habits: tuple[tuple[Scenario, int, int], ...]
    """What somebody does, the least and the most times."""
    rare: tuple[Scenario, ...] = ()
    """What one of five does, once."""


PERSONAS = (
    Persona("site", 20, ((online.site_visit, 1, 3), (online.site_order, 0, 2), (online.newsletter, 0, 2)),
            (online.abandoned_cart, online.abandoned_cart, talk.chat, talk.wish, shop.survey)),
    Persona("app", 9, ((online.app_session, 1, 4), (online.push, 0, 2), (shop.billboard, 0, 1)),
            (shop.geofence, shop.geofence, shop.preference)),
    Persona("card", 19, ((shop.card_purchase, 1, 6), (shop.crm_record, 0, 1), (shop.store_walk, 0, 2),
                         (online.sms, 0, 1), (shop.points, 0, 1)), (shop.kiosk, shop.portal_login, shop.survey)),
    Persona("token", 9, ((shop.token_purchase, 1, 6), (shop.store_walk, 0, 2))),
    Persona("cash", 7, ((shop.cash_purchase, 1, 5), (shop.store_walk, 0, 1))),
    Persona("messenger", 9, ((talk.messenger, 1, 4), (talk.social, 0, 1))),
    Persona("phone", 7, ((talk.call, 1, 4),), (talk.complaint, online.sms)),
    Persona("marketplace", 4, ((online.marketplace_order, 1, 3),)),
    Persona("both", 16, ((shop.crm_record, 0, 1), (online.site_visit, 0, 2), (online.site_order, 0, 2),
                         (shop.card_purchase, 1, 4), (online.newsletter, 0, 2), (shop.store_walk, 0, 1),
                         (talk.messenger, 0, 1)),
            (online.app_session, online.app_session, shop.points, shop.kiosk, shop.consultation, shop.workshop,
             shop.survey, talk.call, talk.call, shop.recognised)),
)
assert sum(persona.share for persona in PERSONAS) == 100


def lines(seed: int = SEED, people: int = PEOPLE) -> Iterator[str]:
    """JSON lines of the whole sample, in the order of arrival.

    Shape:  seed >= 0; 1 <= people <= PEOPLE_MAX -> lines without their line ends; faults and repeats included.
    Unit:   about 13 lines a person, plus 150 of the stories and faults.
    Errors: ValueError for people out of range.
    """
    if not 1 <= people <= PEOPLE_MAX:
        raise ValueError(f"expected 1 to {PEOPLE_MAX} people; came {people}")
    told: list[Json] = []
    for number in range(1, people + 1):
        _live(Life(number, Random(seed * 100_003 + number), told))
    tell_all(seed, told)
    arrivals = [(_arrival(event), _line(event)) for event in told if event["occurred_at"] < iso(at(42, 0))]
    arrivals += _repeats(seed, arrivals) + fault_lines()
    return (line for _, line in sorted(arrivals))


def _live(life: Life) -> None:
    persona = _persona(life.rng.randrange(100))
    for scenario, least, most in persona.habits:
        for _ in range(life.rng.randrange(least, most + 1)):
            scenario(life)
    for scenario in persona.rare:
        if life.chance(20):
            scenario(life)


def _persona(percentile: int) -> Persona:
    for persona in PERSONAS:
        if percentile < persona.share:
            return persona
        percentile -= persona.share
    raise AssertionError("shares sum to 100")


def _arrival(event: Json) -> str:
    """Most systems report at once; the tills of S4 were offline on one day and sent everything the day after."""
    occurred_at: str = event["occurred_at"]
    offline = event["channel"] == "pos" and event.get("place", {}).get("store_id") == "S4"
    day = iso(at(16, 0))[:10]
    return iso(at(17, 9)) if offline and occurred_at.startswith(day) else occurred_at


def _repeats(seed: int, arrivals: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """One line in 150 arrives a second time, right after the first: at-least-once producers do that."""
    rng = Random(seed)
    return [(f"{arrived}+again", line) for arrived, line in arrivals if rng.randrange(150) == 0]


def _line(event: Json) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
