"""The command line: one verb a job, and the only package that knows everybody."""

import os
import sys

from manyview.cli import corpora, models  # noqa: F401  their verbs
from manyview.cli.app import app
from manyview.errors import ExitCode, ManyviewError

__all__ = ["app", "main"]


def main() -> None:
    """Run a verb; an error that the user can mend is one line on stderr and an exit code."""
    try:
        app()
    except ManyviewError as error:
        print(f"{_process()}error: {error}" if error.exit_code < ExitCode.SAVED else str(error), file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(ExitCode.INTERRUPTED)


def _process() -> str:
    """Which of several processes speaks."""
    return f"process {os.environ['RANK']}: " if int(os.environ.get("WORLD_SIZE", "1")) > 1 else ""
