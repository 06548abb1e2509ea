"""What a group of records gives: messages small enough for Kafka, rows, and books that only grow."""

from streams.core.accept import Accepted, Outcome, Unidentifiable
from streams.core.event import Position, pack
from streams.core.facts import Facts
from streams.core.intake import Books, Intake
from streams.core.keys import Keys
from streams.core.messages import RECORD_MESSAGES_MAX, Rebuild, observe, unpack
from streams.core.policy import default
from streams.core.refusal import Reason, Reject
from tests.unit.streams.core.records import accepted, named

WEB = ("events.web", 2)
KEYS = Keys(b"pepper", 4)


def intake(*outcomes: Outcome, books: Books | None = None) -> Intake:
    found = Intake(KEYS, {WEB: books or Books()})
    for offset, outcome in enumerate(outcomes):
        found.take(outcome, position(offset), 5, b"raw", 17, default())
    return found


def position(offset: int) -> Position:
    return (*WEB, offset)


def test_the_books_count_every_record() -> None:
    seen = Unidentifiable("e-2", "web", "wifi_seen", 4, "randomised", ())
    taken = intake(
        Accepted(accepted(), ()), Reject(Reason.EMPTY, "no"), seen, books=Books(10, 3, 2),
    )
    assert taken.books == {WEB: Books(13, 4, 3, 0, 3)}
    assert next(iter(taken.facts())) == (2, Facts("intake", [(13, "events.web", 2, 13, 4, 3, 0)], []))


def test_books_are_kept_as_bytes() -> None:
    assert Books.unpack(Books(13, 4, 3, 1, 14).pack()) == Books(13, 4, 3, 1, 14)
    assert Books.unpack(pack((13, 4, 3, 1))) == Books(13, 4, 3, 1), "as an older release kept them"
    assert Books.unpack(None) == Books()


def test_a_key_of_books_tells_what_they_are_of() -> None:
    assert Books.source(Books.key(WEB)) == WEB


def test_a_rebuild_goes_to_every_partition() -> None:
    taken = intake()
    taken.command(Rebuild(0, "0001"), ("commands", 0, 3), 5, None, None)
    assert [(partition, unpack(packed)) for partition, packed in taken.messages()] == [
        (partition, [Rebuild(0, "0001")]) for partition in range(4)
    ]


def test_each_partition_of_a_topic_has_books_of_its_own() -> None:
    sources = [(topic, partition) for topic in ("events.web", "events.we") for partition in (1, 11)]
    assert len({Books.key(source) for source in sources}) == 4
    assert Books.key(("events.web", 1)) == b"bevents.web\x001"


def test_an_event_goes_to_the_owner_of_its_anchor() -> None:
    event = accepted(identifiers=[named("device_id", "d"), named("email", "a@example.com")])
    taken = intake(Accepted(event, ()))
    ((partition, packed),) = taken.messages()
    assert partition == KEYS.owner(("email", "a@example.com"))
    assert unpack(packed) == [observe(event, default())]


def test_a_refusal_is_a_dead_letter_of_its_partition() -> None:
    taken = intake(Reject(Reason.BAD_VALUE, "x", "e-1"))
    assert taken.letters == [(2, {
        "reason": "bad_value", "detail": "x", "topic": "events.web", "partition": 2, "offset": 0, "at": 5,
        "schema_id": 17, "source": None, "event_id": "e-1", "raw": b"raw",
    })]
    assert list(taken.messages()) == []


def test_notes_and_what_identifies_nobody_are_rows_of_their_position() -> None:
    notes = (("wifi_mac", "randomised"), ("email", "blocked"))
    seen = Unidentifiable("e-1", "wifi", "wifi_seen", 4, "randomised", notes)
    assert [fact for _, fact in intake(seen).facts()][1:] == [
        Facts("unidentifiable", [(1, "events.web", 2, 0, "e-1", "wifi", "wifi_seen", 4, "randomised")], []),
        Facts("identifier_notes", [
            (1, "events.web", 2, 0, 0, "e-1", "wifi_mac", "randomised", 5),
            (1, "events.web", 2, 0, 1, "e-1", "email", "blocked", 5),
        ], []),
    ]


def test_many_events_travel_in_records_that_kafka_takes() -> None:
    small = Accepted(accepted(), ())
    sizes = [len(unpack(packed)) for _, packed in intake(*[small] * (RECORD_MESSAGES_MAX + 1)).messages()]
    assert sizes == [RECORD_MESSAGES_MAX, 1]


def test_of_somebody_suppressed_nothing_is_kept_also_of_what_is_refused() -> None:
    gone = named("email", "gone@example.com")
    events = [accepted(event_id="e-1", identifiers=[gone]), accepted(event_id="e-2")]
    taken = Intake(KEYS, {WEB: Books()}, suppressed={KEYS.node(("email", "gone@example.com"))})
    for offset, event in enumerate(events):
        taken.take(Accepted(event, ()), position(offset), 5, b"raw", 17, default())
    refused = Reject(Reason.BAD_VALUE, "no")
    taken.take(refused, position(2), 5, b"raw", 17, default(), [("email", "gone@example.com"), ("phone", "1")])
    taken.take(refused, position(3), 5, b"raw", 17, default(), [("phone", "1")])
    assert taken.books[WEB] == Books(4, 1, 0, 2, 4)
    assert [letter["offset"] for _, letter in taken.letters] == [3]
    assert [m.event.event_id for _, packed in taken.messages() for m in unpack(packed)] == ["e-2"]
