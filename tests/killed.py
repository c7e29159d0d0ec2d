"""Kill a process before a chosen change of its files: every change is told before it is made."""

import itertools
import os
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

PLACES = {"os.rename": 1, "os.remove": 0, "os.mkdir": 0, "os.rmdir": 0}
"""Event of the interpreter → which of its arguments is the file."""


def _change(event: str, args: tuple[Any, ...]) -> str:
    """Return the change of files that an event is about; if it is none, nothing."""
    if event == "open" and isinstance(args[0], str) and args[2] & (os.O_WRONLY | os.O_RDWR):
        return f"open {Path(args[0]).name}"
    return f"{event} {Path(str(args[PLACES[event]])).name}" if event in PLACES else ""


def forked(action: Callable[[], object], is_last: Callable[[str], bool]) -> int:
    """Run something in a copy of this process, killed before the change that is its last.

    Args:
        action: What to run.
        is_last: Called with every change, such as `os.rename 2026.zip`, before it is made.

    Returns:
        0, or less the signal that killed it.
    """

    def hook(event: str, args: tuple[Any, ...]) -> None:
        change = _change(event, args)
        if change and is_last(change):
            os.kill(os.getpid(), signal.SIGKILL)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            sys.addaudithook(hook)
            action()
            status = 0
        finally:
            if status:
                traceback.print_exc()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def nth(number: int) -> Callable[[str], bool]:
    """Return what stops at a change by its place, from 0."""
    place = itertools.count()
    return lambda _: next(place) == number


def changes(action: Callable[[], object]) -> list[str]:
    """Run something in a copy of this process, to its end; return its changes of files."""
    with tempfile.TemporaryFile() as told:

        def tell(change: str) -> bool:
            os.write(told.fileno(), f"{change}\n".encode())
            return False

        assert forked(action, tell) == 0
        told.seek(0)
        return told.read().decode().splitlines()
