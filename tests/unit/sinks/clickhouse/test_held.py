"""What `onethread export` holds: of one person everything, of others nothing."""

import json
import uuid
from typing import Any

from cli.who import plain
from sinks.clickhouse import migrations
from sinks.clickhouse.held import OF_PERSON, held
from streams.core import reference
from tests.unit.sinks.clickhouse.conftest import Engine, columns, person, row

NOT_OF_A_PERSON = {"unidentifiable", "intake", "identity_alerts", "campaign_spend",
                   "model_runs", "model_weights", "cohorts", "ltv_by_acquisition", "win_back_return", *reference.TABLES,
                   "campaign_return",
                   "click_and_collect", "duplicate_orders", "lost_to_stock", "price_differences", "refused_returns",
                   "response_times", "said_again", "satisfaction", "trait_coverage", "duplicate_contacts", "erasures",
                   "abandoned_carts", "channel_mix", "channel_profile", "channel_switches", "connectivity",
                   "counted_orders", "device_mix", "identification", "journey_paths", "obstacles", "receipts", "ropo",
                   "store_funnel", "time_to_purchase", "white_spots"}
"""Input that names nobody, the books, reference records, runs of models,
and what other views already say."""


def test_every_view_that_has_a_person_is_exported(engine: Engine) -> None:
    told = held(engine.client, uuid.UUID(int=1)).keys() - {"person_id"}
    views = {view for view in migrations.VIEWS if not view.startswith("facts_")}
    assert told == views - NOT_OF_A_PERSON - set(migrations.PARAMETERISED)
    assert all("person_id" in columns(engine, view) for view in OF_PERSON)


def test_refused_input_that_names_the_person_is_exported(engine: Engine) -> None:
    for who, value in ((1, "a@example.com"), (2, "b@example.com")):
        engine.write("persons", row("persons", person_id=person(who)))
        engine.write("identifiers", row("identifiers", person_id=person(who), node=person(10 + who), kind="email",
                                        value=value))
        raw = b"\x00\xff" + value.upper().encode()
        engine.write("dead_letters", row("dead_letters", letter_offset=who, reason="bad_value", raw=raw))
    [letter] = json.loads(json.dumps(held(engine.client, uuid.UUID(int=1)), default=plain))["dead_letters"]
    assert (letter["reason"], letter["raw"]) == ("bad_value", "\x00\ufffdA@EXAMPLE.COM")


def test_rows_are_of_the_person_and_properties_come_whole(engine: Engine) -> None:
    for who in (1, 2):
        held_by: dict[str, Any] = {"person_id": person(who)}
        engine.write("persons", row("persons", **held_by))
        engine.write("touchpoints", row("touchpoints", **held_by, event_id=f"e{who}", properties={"url": "/x"}))
        engine.write("identifiers", row("identifiers", **held_by, node=person(10 + who), kind="phone", value=str(who)))
        engine.write("identifier_owners", row("identifier_owners", **held_by, node=person(10 + who)))
        engine.write("rules", row("rules", node_a=person(10 + who), node_b=person(99), kind_a="phone",
                                  value_a=str(who)))
        engine.write("identifier_notes", row("identifier_notes", event_id=f"e{who}", offset=who))
        engine.write("merges", row("merges", person_id=person(3), other_person_id=person(who)))
    told = json.loads(json.dumps(held(engine.client, uuid.UUID(int=1)), default=plain))
    [touchpoint] = told["touchpoints"]
    assert (touchpoint["event_id"], touchpoint["properties"]) == ("e1", {"url": "/x"})
    assert [row["value"] for row in told["identifier_history"]] == ["1"]
    assert [row["value_a"] for row in told["rules"]] == ["1"]
    assert [row["event_id"] for row in told["identifier_notes"]] == ["e1"]
    assert [row["other_person_id"] for row in told["merges"]] == [str(uuid.UUID(int=1))]
