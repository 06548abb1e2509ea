"""The table of rights: nothing is forgotten in it, and what raw values are in is in no role but where it is meant."""

from sinks.clickhouse.migrations import VIEWS
from sinks.clickhouse.roles import NAMELESS, RAW, VIEWS_OF, roles, statements, user_statements

BEHIND = {view for view in VIEWS if view.startswith("facts_")}


def test_every_view_is_decided_about() -> None:
    decided = {view for views in VIEWS_OF.values() for view in views} | RAW | set(NAMELESS)
    assert decided == {*VIEWS, "settings", "channels", "policy"} - BEHIND


def test_raw_values_are_in_no_role_but_the_marketers_identifiers() -> None:
    found = {(role.name, view) for role in roles().values() for view in role.reads if view in RAW}
    assert found == {("marketer", "identifiers")}
    assert set(roles()["marketer"].rows) == {"identifiers"}


def test_columns_with_raw_values_are_in_no_role() -> None:
    for role in roles().values():
        for view, columns in NAMELESS.items():
            assert role.reads.get(view, columns) == columns


def test_nothing_behind_the_views_is_granted_but_the_erased_records_that_the_books_count() -> None:
    granted = {name for role in roles().values() for name in role.reads if name.startswith(("facts_", "batch_"))}
    assert granted == {"facts_erased_records"}


def test_statements_take_back_before_they_give() -> None:
    """So that repeating them after a change leaves what the table says."""
    ours = [text for text in statements() if text.endswith("onethread_analyst") or " onethread_analyst " in text]
    assert [text.split()[0] for text in ours[:4]] == ["CREATE", "CREATE", "REVOKE", "GRANT"]
    assert "GRANT SELECT ON onethread.`persons` TO onethread_analyst" in ours
    assert not [text for text in ours if "`identifiers`" in text]


def test_a_policy_for_one_role_leaves_the_rows_to_all_others() -> None:
    """ClickHouse shows no row to whom no policy is for, once a table has one."""
    policies = [text for text in statements() if "ROW POLICY" in text]
    assert [text.rpartition(" TO ")[2] for text in policies] == ["onethread_marketer", "ALL EXCEPT onethread_marketer"]


def test_a_user_is_made_from_a_hash() -> None:
    made = user_statements("o'neil", "analyst", "aa", "bb")
    assert made[0] == "CREATE USER OR REPLACE `o'neil` IDENTIFIED WITH sha256_hash BY 'bb' SALT 'aa' DEFAULT ROLE NONE"
    assert made[1:] == ["GRANT onethread_analyst TO `o'neil`", "ALTER USER `o'neil` DEFAULT ROLE onethread_analyst"]
