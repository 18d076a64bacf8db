"""The command line: one verb a job, and the only package that knows everybody."""

import os
import sys
import warnings

from manyview.cli import corpora, models  # noqa: F401  their verbs
from manyview.cli.app import app
from manyview.cli.output import print_message
from manyview.errors import ExitCode, ManyviewError
from manyview.terminal import print_anything

__all__ = ["app", "main"]


def main() -> None:
    """Run a verb; an error that the user can mend is one line on stderr and an exit code."""
    print_anything()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _print_warning  # type: ignore[assignment]
            app()
    except ManyviewError as error:
        print_message(f"{_process()}error: {error}" if error.exit_code < ExitCode.SAVED else str(error))
        sys.exit(error.exit_code)
    except UnicodeEncodeError as error:  # of a library that takes UTF-8 only, for a path that came as other bytes
        print_message(f"error: {error.object!r} holds bytes that are not UTF-8: rename it")
        sys.exit(ExitCode.USAGE)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(ExitCode.INTERRUPTED)


def _print_warning(message: Warning | str, *_: object) -> None:
    """A warning as a sentence, without the line of code that gave it."""
    print_message(f"warning: {message}")


def _process() -> str:
    """Which of several processes speaks."""
    return f"process {os.environ['RANK']}: " if int(os.environ.get("WORLD_SIZE", "1")) > 1 else ""
