"""End what the cells of a run have started and left, in whatever session it lives (Linux).

Each kernel's environment names its run; what it starts inherits that. Only the standard library is
imported here.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path

RUN = "OPMQ_RUN"
"""Variable of the environment: the folder in which a run works."""

PASSES = 5
"""A process may start another while it is looked for."""


def end(start: str) -> None:
    """Kill all processes of one's own whose run works in a folder of which this is the start."""
    sought = f"{RUN}={start}".encode()
    for _ in range(PASSES):
        if not sum(_end(process, sought) for process in Path("/proc").glob("[0-9]*")):
            return


def _end(process: Path, sought: bytes) -> bool:
    """Kill a process if it is one of those; say whether it was."""
    with suppress(OSError):
        if any(each.startswith(sought) for each in (process / "environ").read_bytes().split(b"\0")):
            os.kill(int(process.name), signal.SIGKILL)
            return True
    return False
