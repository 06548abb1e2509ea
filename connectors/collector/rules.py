"""Under which rules the collector checks: the deployment's policy and channels, as they are now.

A thread looks for a policy commanded since, and for a change of `onethread.toml` and `segment.toml`. The last policy is
kept in the home, so that a collector which starts while Kafka is away works under it.
"""

import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from connectors import segment
from connectors.checking import Checker
from connectors.commands import policy_in_force
from connectors.segment import SegmentMapping
from deploy.local.ports import Addresses
from streams import settings
from streams.core import policy as policies
from streams.core.policy import Policy
from streams.errors import OneThreadError

LOOK_EVERY_S = 5.0
STOP_S_MAX = 0.5
"""It may be waiting for a Kafka that is away; it only reads, so nothing is lost where it is left there."""

_log = structlog.get_logger()


class Ruling:
    """Tells `tell` what holds from now on, whenever it is something else; `start` makes the thread."""

    def __init__(self, addresses: Addresses, kept: Path) -> None:
        self._addresses, self._kept = addresses, kept
        self.tell: Callable[[Checker, SegmentMapping], None] = lambda *_: None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ruling", daemon=True)
        self._settings, self._segment = settings.load(addresses.home), segment.load(addresses.home)
        self._text, self._policy = _last_known(kept)

    def known(self) -> tuple[Checker, SegmentMapping]:
        """What holds by what is known now, without asking Kafka."""
        return Checker(self._settings, self._policy), self._segment

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(STOP_S_MAX)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except OneThreadError as error:  # Kafka is away, or somebody is writing a file: what held goes on holding
                _log.info("rules_not_read", problem=str(error))
            self._stopping.wait(LOOK_EVERY_S)

    def look(self) -> None:
        """Ask what holds now. Errors: OneThreadError where Kafka does not answer or a file cannot be used."""
        found, mapping = settings.load(self._addresses.home), segment.load(self._addresses.home)
        in_force = policy_in_force(self._addresses.kafka_bootstrap, self._addresses.registry_url, found)
        if (found, mapping, in_force.text) == (self._settings, self._segment, self._text):
            return
        self._settings, self._segment, self._text, self._policy = found, mapping, in_force.text, in_force.policy
        self._keep(in_force.text if in_force.version else "")
        self.tell(*self.known())
        _log.info("rules_changed", policy_version=in_force.version)

    def _keep(self, text: str) -> None:
        """For the next start without Kafka; nothing of the policy that comes with the product."""
        if not text:
            self._kept.unlink(missing_ok=True)
            return
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        whole = self._kept.with_suffix(".new")
        whole.write_text(text)
        whole.replace(self._kept)


def _last_known(kept: Path) -> tuple[str, Policy]:
    """The last policy commanded that was seen; the product's where there is none, or it is of another release."""
    try:
        text = kept.read_text()
        return text, policies.parse(text, "the last policy known")
    except FileNotFoundError:
        pass
    except policies.PolicyError as error:
        _log.warning("policy_not_usable", problem=str(error))
    return policies.default_text(), policies.default()
