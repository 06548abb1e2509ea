"""Ids are pure functions of what they name, and proper UUIDs."""

from uuid import RFC_4122, UUID

from streams.core import ids


def test_ids_are_of_version_8_and_the_rfc_variant() -> None:
    for made in (ids.session_id("e1"), ids.visit_id("e1"), ids.person_id(b"\xff" * 16), ids.person_id(bytes(16))):
        uuid = UUID(bytes=made)
        assert (len(made), uuid.version, uuid.variant) == (16, 8, RFC_4122)


def test_ids_do_not_change_between_releases() -> None:
    """They are in everybody's tables: another way to make them would orphan every row."""
    assert ids.uuid_text(ids.session_id("e1")) == "f27a510b-ee87-8f43-afbd-c43967dfc281"
    assert ids.uuid_text(ids.visit_id("e1")) == "e615dcc6-432e-81c8-975a-4bad8e95e3c8"
    assert ids.uuid_text(ids.person_id(bytes(range(16)))) == "00010203-0405-8607-8809-0a0b0c0d0e0f"


def test_session_and_visit_of_one_event_have_different_ids() -> None:
    assert ids.session_id("e1") != ids.visit_id("e1")


def test_event_ids_of_any_alphabet_have_ids() -> None:
    assert ids.session_id("подія-1") != ids.session_id("подія-2")


def test_partition_bytes_of_the_node_key_stay_in_the_person_id() -> None:
    assert ids.person_id(b"\xff" * 16)[:4] == b"\xff" * 4


def test_text_of_an_id_reads_back() -> None:
    assert UUID(ids.uuid_text(ids.session_id("e1"))).bytes == ids.session_id("e1")
