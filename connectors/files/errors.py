"""What can be wrong with a mapping file: one error, naming where."""

from streams.errors import OneThreadError


class MappingError(OneThreadError):
    """A mapping file that cannot be used; says where, what was expected and what came."""
