"""The commands: parse, call, print. Results on standard output, progress on standard error.

Exit status: 0 all done, 1 some runs or checks failed, 2 bad usage or bad input, 130 interrupted.
What a command needs is imported when it runs: `--help`, `validate` and `status` stay quick.
"""

import errno
import gc
import sys
import warnings

# Each module adds its commands.
from opmq_lib.cli import (  # noqa: F401
    audit,
    batch,
    branch,
    data,
    decisions,
    editions,
    notes,
    pages,
    project,
    requests,
    series,
    skills,
    sources,
    vote,
    works,
)
from opmq_lib.cli.app import app
from opmq_lib.errors import DataError

FREE = "free space on that disk, then start again: what was done is kept"
OPEN = "make it writable for you, or work on a copy of the project that is"
ADVICE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), FREE),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), OPEN),
}


def main() -> None:
    """Run the command line; bad input is printed without a traceback and ends with status 2.

    So is what the system refuses (full disk, no right). What a calculation warns of is one line
    each on standard error.
    """
    gc.set_threshold(50_000)  # collecting costs a tenth of a short command
    warnings.formatwarning = lambda message, *_, **__: f"Note: {message}\n"
    try:
        app()
    except DataError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        todo = ADVICE.get(error.errno or 0, "correct that, then start again")
        print(f"{where}{error.strerror or error}; {todo}", file=sys.stderr)
        sys.exit(2)
