"""Segment's calls, as its SDKs and RudderStack's send them, become channel events."""

from connectors.segment.calls import keyless, unbatch
from connectors.segment.decode import decode
from connectors.segment.mapping import SegmentMapping, default, load

__all__ = ["SegmentMapping", "decode", "default", "keyless", "load", "unbatch"]
