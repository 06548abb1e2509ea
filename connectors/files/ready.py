"""The ready mapping files as connectors: a file's bytes in, channel events out."""

import io
from functools import cache

from connectors.files.errors import MappingError
from connectors.files.mapping import FOLDER, Mapping, load
from connectors.files.reading import rows_in
from connectors.incoming import Decode, Decoded, Incoming, Unreadable
from connectors.source import Source
from streams.core.refusal import Reason, Reject


def decode(name: str) -> Decode:
    """What reads files through the mapping of that name. The mapping says channel and source, not the caller."""

    def decoded(incoming: Incoming, _source: Source, _received_ms: int) -> Decoded:
        mapping = _mapping(name)
        found: Decoded = []
        try:
            for one in rows_in(io.BytesIO(incoming.body), name, mapping):
                if one.problem is not None or one.row is None:
                    assert one.problem is not None, "a row that is not there has a reason"
                    found.append(Unreadable(one.problem))
                else:
                    found += [Unreadable(event, mapping.raw(one.row)) if isinstance(event, Reject) else event
                              for event in mapping.events(one.row)]
        except MappingError as error:
            found.append(Unreadable(Reject(Reason.BAD_VALUE, str(error))))
        return found

    return decoded


@cache
def _mapping(name: str) -> Mapping:
    return load(FOLDER / f"{name}.toml")
