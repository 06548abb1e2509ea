"""The look-up of the deployment that ONETHREAD_HOME and the environment name."""

from connectors.lookup.figures import Desk
from connectors.lookup.lookup import Lookup
from connectors.lookup.state import State
from deploy.local import workers
from deploy.local.ports import Addresses
from sinks.clickhouse.client import connect
from streams.core.keys import Keys
from streams.core.policy import default
from streams.core.shaping import DURATIONS, Shaping
from streams.settings import load

ANSWER_S_MAX = 60


def create(addresses: Addresses) -> Lookup:
    """A look-up that was not started yet; nothing is asked of anybody."""
    settings = load(addresses.home)
    keys = Keys(settings.pepper.get_secret_value(), settings.partitions)
    shaping = Shaping(keys, **{name: getattr(settings, name) for name in DURATIONS})
    state = State(lambda: workers.urls(addresses), shaping, default())
    return Lookup(state, Desk(lambda: connect(addresses.clickhouse_url, ANSWER_S_MAX)), settings)
