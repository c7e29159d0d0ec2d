"""The commands: parse, call, print. Results on standard output, progress on standard error.

Exit status: 0 all done, 1 some runs or checks failed, 2 bad usage or bad input, 130 interrupted.
What a command needs is imported when it runs: `--help`, `validate` and `status` stay quick.
"""

import sys
import warnings

# Each module adds its commands.
from opmq_lib.cli import (  # noqa: F401
    batch,
    branch,
    decisions,
    notes,
    pages,
    requests,
    series,
    skills,
    vote,
    works,
)
from opmq_lib.cli.app import app
from opmq_lib.errors import DataError


def main() -> None:
    """Run the command line; bad input is printed without a traceback and ends with status 2.

    What a calculation warns of is one line each on standard error.
    """
    warnings.formatwarning = lambda message, *_, **__: f"Note: {message}\n"
    try:
        app()
    except DataError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(2)
