"""The table of rights in Kafka: what the page shows, what the commands say, and what nobody may."""

from pathlib import Path

from deploy import acls
from streams.settings import Settings


def test_the_page_shows_the_table() -> None:
    assert acls.table(Settings()) in Path("docs/security.md").read_text()


def test_a_prefix_is_in_every_name_but_that_of_consumers_without_a_group() -> None:
    """Deployments that share brokers keep apart; a reader's group is its own."""
    names = {grant.name for grant in acls.grants(Settings(topic_prefix="shop-"))}
    assert {name for name in names if not name.startswith("shop-")} == {acls.NO_GROUP, "reader-"}


def test_foreign_topics_are_read_and_not_written() -> None:
    found = [grant for grant in acls.grants(Settings(mappings={"crm.contacts": "crm_contacts"}))
             if grant.name == "crm.contacts" and grant.component == "worker"]
    assert [grant.operations for grant in found] == [("READ", "DESCRIBE")]


def test_only_workers_write_what_workers_make() -> None:
    writers = {name: {g.component for g in acls.grants(Settings()) if g.name == name and "WRITE" in g.operations}
               for name in ("identity", "facts", "history")}
    assert all(found == {"worker", "operator"} for found in writers.values())


def test_commands_are_kafkas() -> None:
    first = acls.commands(Settings())[0]
    assert first.endswith("--allow-principal User:worker --operation Read --operation Write --operation Describe "
                          "--topic 'events.' --resource-pattern-type prefixed")
    assert any("--operation DescribeConfigs" in command for command in acls.commands(Settings()))
