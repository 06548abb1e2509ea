"""One partition of the identity graph: messages in, effects out.

Rules kept here (each was found necessary by simulation, see docs/decisions):
- A pointer always leads from a larger to a smaller node key, so there is no cycle.
- The difference of rows is taken after every message that changes who is who; other touchpoints wait for each other
  until the batch ends. Of each key only the last of a batch leaves.
- Rows that come with Absorb are sent again, compared with nothing: a late copy does not know what the sink has.
- The version of a row is a Lamport clock, one a partition, carried by every message.
- Messages to nodes of the same partition are worked at once, as if they were next in its log.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from streams.core import forgetting, knowing, losing, partition, placing, resending, uniting
from streams.core.effects import Effects
from streams.core.erasing import (
    Ask,
    Drop,
    Erase,
    Forget,
    Mark,
    Remind,
    Retell,
    Retract,
    Ruled,
    Sleep,
    Suppress,
    Wake,
    Wipe,
)
from streams.core.messages import (
    Absorb,
    Chunk,
    Compress,
    Evidence,
    Keep,
    Link,
    Message,
    Observe,
    PolicyChange,
    Rebuild,
    Resend,
    Rule,
    Seen,
    Shared,
    Sighting,
    Status,
    Sweep,
    whole,
)


class Partition(partition.Partition):
    """`work` takes messages in the order of the log, `take` returns everything that must be committed with them."""

    def work(self, messages: Iterable[Message]) -> None:
        todo: deque[Message] = deque()
        for message in messages:
            todo.append(message)
            while todo:
                self._handle(todo.popleft())
                # Depth first: a link is through before anybody tells what a cluster of its own would have shown.
                todo.extendleft(reversed(self.local))
                self.local.clear()

    def take(self) -> Effects:
        """What has to leave because of all work since the last call."""
        self.tell_all()
        effects, self.effects = self.effects, Effects()
        effects.puts, effects.deletes = self.nodes.flush(self.clock)
        return effects

    def _handle(self, message: Message) -> None:
        self.clock = max(self.clock, message.clock) + 1
        kind = type(message)
        if kind in _PARTITION_HANDLERS:
            self.tell_all()
            _PARTITION_HANDLERS[kind](self, message)
            return
        node = self.nodes.get(message.to)  # type: ignore[union-attr]
        if kind not in _TOLD_LATER or node.policy_version != self.policies.version:
            self.tell(node)
        if node.policy_version != self.policies.version:
            knowing.adopt(self, node)
        if kind in _NODE_HANDLERS:
            _NODE_HANDLERS[kind](self, node, message)
        elif node.parent is None:
            _ROOT_HANDLERS[kind](self, node, message)
        else:
            self.send(msgspec.structs.replace(message, to=node.parent, clock=self.clock), node.parent)


def _chunk(p: partition.Partition, m: Chunk) -> None:
    """Chunks of one message come in one log in order, but a batch may end between them."""
    chunks = p.nodes.gather(m)
    if chunks:
        p.local.append(whole(chunks))


_NODE_HANDLERS: dict[type, Callable[[partition.Partition, Any, Any], None]] = {
    Observe: placing.observe,
    Keep: placing.keep,
    Sighting: knowing.sighting,
    Link: uniting.link,
    Compress: uniting.compress,
    Mark: losing.mark,
    Remind: losing.remind,
    Forget: losing.forget,
    Retract: losing.retract,
    Ruled: losing.ruled,
    Wake: losing.waken,
    Sleep: losing.sleep,
}
"""At an identifier's own node."""

_TOLD_LATER = {Observe, Keep, Sighting, Seen, Status, Link, Compress}
"""What comes between touchpoints that are told together: it leaves the rows alone, or has all of them told."""

_ROOT_HANDLERS: dict[type, Callable[[partition.Partition, Any, Any], None]] = {
    Evidence: placing.evidence,
    Seen: knowing.seen,
    Status: knowing.status,
    Absorb: uniting.absorb,
    Rule: uniting.rule,
    Erase: forgetting.erase,
    Wipe: forgetting.wipe,
    Drop: forgetting.drop,
    Retell: forgetting.retell,
    Ask: forgetting.answer,
}
"""At the root of the node; on the way there the message follows the pointers."""

_PARTITION_HANDLERS: dict[type, Callable[[partition.Partition, Any], None]] = {
    Chunk: _chunk,
    PolicyChange: knowing.change_policy,
    Sweep: knowing.sweep,
    Shared: knowing.shared,
    Suppress: losing.suppress,
    Rebuild: resending.rebuild,
    Resend: resending.resend,
}
