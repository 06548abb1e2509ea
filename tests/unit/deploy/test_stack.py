"""What `up` looks at before it starts anything."""

from pathlib import Path

import pytest

from deploy.local import stack
from deploy.local.ports import Addresses
from streams.errors import UsageError


def test_a_wrong_mapping_of_segments_calls_is_told_before_anything_starts(tmp_path: Path) -> None:
    """In the collector's log nobody would see it, and the collector would not start."""
    (tmp_path / "segment.toml").write_text("[events.X]\n")
    with pytest.raises(UsageError, match=r'segment\.toml: events\."X"'):
        stack.start(Addresses(tmp_path, 20300), workers=0)
