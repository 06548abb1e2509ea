"""Each private name of Faust, mode and aiokafka that the transport and the recovery rely on, as they use it.

Their versions are pinned exactly; a test here that fails after an upgrade says what to read again.
"""

import asyncio
import inspect

import aiokafka
import pytest
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState, TopicPartitionState
from faust.app.base import App
from faust.assignor.partition_assignor import PartitionAssignor
from faust.stores.rocksdb import Store
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport import consumer as base
from faust.transport.conductor import Conductor
from faust.transport.drivers import aiokafka as driver


def instance_attributes(cls) -> set[str]:
    return set(cls.__init__.__code__.co_names) | set(dir(cls))


@pytest.mark.parametrize(("cls", "name"), [
    (Fetcher, "_prefetch_backoff"),
    (GroupCoordinator, "_group_instance_id"),
    (GroupCoordinator, "member_id"),
    (GroupCoordinator, "generation"),
    (GroupCoordinator, "group_id"),
    (GroupCoordinator, "_coordination_task"),
    (aiokafka.AIOKafkaConsumer, "_subscription"),
    (aiokafka.AIOKafkaConsumer, "_coordinator"),
    (SubscriptionState, "subscription"),
    (TopicPartitionState, "has_valid_position"),
    (TopicPartitionState, "position"),
    (TopicPartitionState, "highwater"),
    (base.Consumer, "_unacked_messages"),
    (base.Consumer, "_waiting_for_ack"),
    (base.Consumer, "can_resume_flow"),
    (base.Consumer, "_get_active_partitions"),
    (base.Consumer, "_is_changelog_tp"),
    (base.ThreadDelegateConsumer, "_thread"),
    (Store, "_dbs"),
    (Store, "offset_key"),
    (Recovery, "active_highwaters"),
    (Recovery, "standby_highwaters"),
    (Recovery, "tp_to_table"),
    (TableManager, "_recovery"),
    (App, "rebalancing"),
    (TableManager, "actives_ready"),
    (Recovery, "standby_tps"),
    (Recovery, "active_tps"),
    (PartitionAssignor, "_assignment"),
    (PartitionAssignor, "replicas"),
    (App, "crashed"),
    (App, "crash_reason"),
])
def test_the_attribute_exists(cls, name):
    assert name in instance_attributes(cls)


@pytest.mark.parametrize(("cls", "name", "arguments"), [
    (driver.AIOKafkaConsumerThread, "_create_worker_consumer", ["self", "transport"]),
    (driver.AIOKafkaConsumerThread, "_fetch_records",
     ["self", "consumer", "active_partitions", "timeout", "max_records"]),
    (driver.AIOKafkaConsumerThread, "_seek_wait", ["self", "consumer", "partitions"]),
    (driver.AIOKafkaConsumerThread, "on_partitions_assigned", ["self", "assigned", "generation_id"]),
    (base.Consumer, "getmany", ["self", "timeout"]),
    (base.Consumer, "ack", ["self", "message"]),
    (base.Consumer, "verify_event_path", ["self", "now", "tp"]),
    (base.Consumer, "_add_gap", ["self", "tp", "offset_from", "offset_to"]),
    (base.Consumer, "on_partitions_revoked", ["self", "revoked"]),
    (base.Consumer, "on_partitions_assigned", ["self", "assigned", "generation_id"]),
    (Recovery, "_build_highwaters", ["self", "consumer", "tps", "destination", "title"]),
    (Recovery, "_seek_offsets", ["self", "consumer", "tps", "offsets", "title"]),
    (Recovery, "_set_recovery_started", ["self"]),
    (Recovery, "_set_recovery_ended", ["self"]),
    (GroupCoordinator, "request_rejoin", ["self"]),
    (SubscriptionState, "assign_from_subscribed", ["self", "assignment"]),
    (PartitionAssignor, "_perform_assignment", ["self", "cluster", "member_metadata"]),
    (PartitionAssignor, "_protocol_assignments",
     ["self", "assignments", "cl_distribution", "tp_distribution", "topic_groups"]),
    (PartitionAssignor, "_get_changelog_distribution", ["self", "assignments"]),
    (PartitionAssignor, "_get_external_topic_distribution", ["self", "assignments"]),
    (PartitionAssignor, "_update_member_urls", ["self", "clients_metadata"]),
    (Store, "partition_path", ["self", "partition"]),
    (Store, "_open_for_partition", ["self", "partition"]),
    (Store, "_db_for_partition", ["self", "partition"]),
    (Store, "revoke_partitions", ["self", "table", "tps"]),
])
def test_the_method_takes_what_we_pass(cls, name, arguments):
    assert list(inspect.signature(getattr(cls, name)).parameters) == arguments


def test_the_loop_over_single_changelog_records_is_a_task_that_can_be_replaced():
    assert "_slurp_changelogs" in vars(Recovery)
    assert type(vars(Recovery)["_slurp_changelogs"]).__name__ == "ServiceTask"


def test_the_fetch_wait_is_an_argument_of_the_consumer():
    source = inspect.getsource(driver.AIOKafkaConsumerThread._create_worker_consumer)
    assert "aiokafka.AIOKafkaConsumer(" in source
    assert "fetch_max_wait_ms=1500" in source
    assert "isolation_level=isolation_level" in source


def test_faust_commits_only_what_its_own_ack_noted():
    """Our `ack` notes nothing there, so that offsets are committed by the transaction alone."""
    source = inspect.getsource(base.Consumer._filter_tps_with_pending_acks)
    assert "for tp in self._acked" in source


def test_a_rebalance_waits_for_messages_in_hand():
    assert "self._unacked_messages" in inspect.getsource(inspect.unwrap(base.Consumer.wait_empty))


def test_the_listener_tells_of_a_rebalance_before_anything_else():
    """`groups` and the fetch look at `app.rebalancing`; it has to be true before partitions are revoked."""
    source = inspect.getsource(driver.ConsumerRebalanceListener.on_partitions_revoked)
    assert source.index("on_rebalance_start()") < source.index("return thread.on_partitions_revoked")


def test_the_generation_is_read_in_the_same_step_as_the_assignment():
    """The membership of batches is taken there: nothing may await between the generation and our method."""
    source = inspect.getsource(driver.ConsumerRebalanceListener.on_partitions_assigned)
    assert source.index("_coordinator.generation") < source.index("thread.on_partitions_assigned")
    assert source.count("await") == 1


def test_partitions_lead_to_the_queues_of_their_agents():
    async def build():
        app = App("names", broker="kafka://", store="memory://", web_enabled=False)
        return app.topics
    conductor = asyncio.run(build())
    assert isinstance(conductor, Conductor)
    assert isinstance(conductor._tp_index, dict)
    assert hasattr(asyncio.Queue(), "_queue")
