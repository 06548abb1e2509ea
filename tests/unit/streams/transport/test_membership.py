"""The group's metadata as librdkafka wants it."""

import pytest
from confluent_kafka import Consumer

from streams.transport.membership import Membership


@pytest.mark.parametrize("instance", [None, "worker-0"])
def test_bytes_are_those_of_a_real_consumer(instance):
    """A consumer that never joined has generation -1 and an empty member id; all else is the same serialisation."""
    config = {"bootstrap.servers": "127.0.0.1:1", "group.id": "a-group", "log_level": 0}
    consumer = Consumer(config | ({"group.instance.id": instance} if instance else {}))
    real = consumer.consumer_group_metadata()
    consumer.close()
    ours = object.__new__(Membership)
    for name, value in (("group", "a-group"), ("generation", -1), ("member", ""), ("instance", instance)):
        object.__setattr__(ours, name, value)
    assert ours.to_bytes() == real


@pytest.mark.parametrize(("generation", "member"), [(-1, "m"), (3, "")])
def test_nobody_commits_unchecked(generation, member):
    """The broker does not check the generation -1, nor an empty member."""
    with pytest.raises(AssertionError, match="not a member"):
        Membership("a-group", generation, member)
