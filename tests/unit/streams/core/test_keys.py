from streams.core.keys import Keys

PHONE = ("phone", "+380501234567")


def test_key_is_a_function_of_kind_value_and_pepper() -> None:
    assert Keys(b"a", 4).node(PHONE) == Keys(b"a", 8).node(PHONE)
    assert Keys(b"a", 4).node(PHONE) != Keys(b"b", 4).node(PHONE)
    assert Keys(b"a", 4).node(PHONE) != Keys(b"a", 4).node(("viber_id", PHONE[1]))


def test_kind_and_value_do_not_run_into_each_other() -> None:
    assert Keys(b"a", 4).node(("ab", "c")) != Keys(b"a", 4).node(("a", "bc"))


def test_pepper_may_be_longer_than_the_hash_takes() -> None:
    assert Keys(b"x" * 65, 4).node(PHONE) != Keys(b"x" * 66, 4).node(PHONE)


def test_owner_is_the_partition_of_the_first_four_bytes() -> None:
    keys = Keys(b"a", 7)
    assert keys.owner(PHONE) == int.from_bytes(keys.node(PHONE)[:4], "big") % 7
