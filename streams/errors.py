"""The kinds of failure, named by what the caller does next.

Bad input is a value (`Reject` in `streams.core.accept`), never an exception. A broken invariant is an assert or an
unexpected exception and stops the process. What is left:
"""


class OneThreadError(Exception):
    """The work failed for a reason the user can act on: the command line prints the message and exits with 1."""


class UsageError(OneThreadError):
    """The command was given something it cannot take: exit 2."""


class Retryable(Exception):  # noqa: N818 - named by what the caller does: it tries again
    """The outside world is away: keep the offsets, wait `retry_after_s` seconds, try again."""

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
