"""The errors a user can meet, and the exit code each one leaves.

    Exception
    └── ManyviewError        1    something failed and the sentence says what
        ├── NonFiniteError   1    numbers that are infinite or not numbers: training skips the step
        ├── TooManyFailuresError 1  more URLs failed than a fetch puts up with
        ├── UsageError       2    a wrong path, key or argument: the user can put it right
        ├── DataError        3    corrupt or inconsistent data: the file is named
        ├── Saved           75    a signal came, the state is on disk: start the same command again
        └── Interrupted    130    Ctrl-C came, the state is on disk: start the same command again

A bare KeyboardInterrupt leaves 130 too. Anything else is a bug and keeps its traceback.
Every message is one sentence: what was met, what was got, what is allowed or what to do.
"""

from enum import IntEnum
from typing import ClassVar

__all__ = [
    "DataError",
    "ExitCode",
    "Interrupted",
    "ManyviewError",
    "NonFiniteError",
    "Saved",
    "TooManyFailuresError",
    "UsageError",
    "require_utf8",
]


class ExitCode(IntEnum):
    """What the process tells the shell."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    DATA = 3
    SAVED = 75
    INTERRUPTED = 130


class ManyviewError(Exception):
    """A failure that one sentence explains."""

    exit_code: ClassVar[ExitCode] = ExitCode.FAILURE


class NonFiniteError(ManyviewError):
    """Features, a loss or a gradient that are infinite or not numbers."""


class TooManyFailuresError(ManyviewError):
    """More URLs failed than the rules of a fetch put up with."""


class UsageError(ManyviewError):
    """A path, key or argument that cannot be used as given."""

    exit_code = ExitCode.USAGE


def require_utf8(path: object) -> None:
    """Raise UsageError for a path with bytes that are not UTF-8: Arrow, Daft and safetensors take no other."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise UsageError(f"the path {str(path)!r} holds bytes that are not UTF-8: rename it") from None


class DataError(ManyviewError):
    """Data on disk that is corrupt or contradicts itself."""

    exit_code = ExitCode.DATA


class Saved(ManyviewError):
    """Training stopped by a signal after writing a checkpoint: the same command with --resume continues."""

    exit_code = ExitCode.SAVED


class Interrupted(ManyviewError):
    """Training stopped by Ctrl-C after writing a checkpoint: the same command with --resume continues."""

    exit_code = ExitCode.INTERRUPTED
