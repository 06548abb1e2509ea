"""The dry run: two makings of one state told as merges and splits. That the makings are right is held elsewhere."""

from streams.core.dry_run import Change, Persons, compare

A, B, C, D, E = bytes(15) + b"a", bytes(15) + b"b", bytes(15) + b"c", bytes(15) + b"d", bytes(15) + b"e"
MAIL, PHONE, CARD, COOKIE = ("email", "a"), ("phone", "b"), ("loyalty_card", "c"), ("anonymous_id", "d")


def test_the_same_is_no_difference() -> None:
    same = Persons({MAIL: A, PHONE: A, CARD: B}, set(), set(), {A, B})
    assert not compare(same, same)
    assert compare(same, same).before == 2


def test_a_person_that_takes_in_two_others_is_two_merges() -> None:
    before = Persons({MAIL: A, PHONE: B, CARD: C}, known={A, B, C})
    after = Persons({MAIL: B, PHONE: B, CARD: B}, known={B})
    found = compare(before, after)
    assert (found.before, found.after, found.merges, found.splits, found.moved) == (3, 1, 2, 0, 2)
    assert found.largest == [Change("merged", B, (A, C), {"email": 1, "loyalty_card": 1, "phone": 1})]
    back = compare(after, before)
    assert (back.merges, back.splits, back.largest[0].action) == (0, 2, "split")


def test_of_the_shared_only_their_number_is_told() -> None:
    before = Persons({MAIL: A, PHONE: A, COOKIE: A})
    after = Persons({MAIL: A, PHONE: B, COOKIE: D}, shared={COOKIE})
    found = compare(before, after)
    assert (found.splits, found.shared, found.unshared) == (1, {"anonymous_id": 1}, {})
    assert found.after == 2


def test_an_id_alone_may_change() -> None:
    found = compare(Persons({MAIL: A, PHONE: A}), Persons({MAIL: B, PHONE: B}))
    assert (found.renamed, found.merges, found.splits, bool(found)) == (1, 0, 0, True)


def test_only_the_largest_are_told() -> None:
    before = Persons({("email", str(n)): n.to_bytes(16, "big") for n in range(60)})
    after = Persons({("email", str(n)): (n // 2).to_bytes(16, "big") for n in range(60)})
    found = compare(before, after)
    assert (found.merges, len(found.largest)) == (30, 20)


def test_known_or_contested_alone_is_a_difference() -> None:
    one = Persons({MAIL: A})
    assert compare(one, Persons({MAIL: A}, known={A}))
    assert compare(one, Persons({MAIL: A}, contested={MAIL}))
