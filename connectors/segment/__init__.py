"""Segment's calls, as its SDKs and RudderStack's send them, become channel events."""

from connectors.segment.calls import unbatch
from connectors.segment.decode import decode
from connectors.segment.mapping import SegmentMapping, default, load

__all__ = ["SegmentMapping", "decode", "default", "load", "unbatch"]
