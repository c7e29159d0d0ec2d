"""Keep a process, and all that it starts, from reading files that it was not given.

Linux does it (Landlock, from 5.13 on), whatever opens the file: Python, compiled code, a child.
Names of files can still be listed. Only the standard library is imported here.
"""

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""System calls; the numbers are those of every processor."""

HOME = (
    *(".cache/fontconfig", ".cache/matplotlib", ".config/matplotlib", ".matplotlib"),
    *(".fonts", ".local/lib", ".local/share/fonts", ".local/share/jupyter", "Library/Fonts"),
)
SYSTEM = (
    *("/bin", "/dev", "/etc", "/lib", "/lib64", "/proc", "/sbin", "/sys", "/usr", "/var/cache"),
    *("/Library/Fonts", "/System", *map(os.path.realpath, ("/etc", "/var/db/timezone"))),
    *(sys.prefix, sys.base_prefix, str(Path(__file__).parents[2])),
    str(Path(__file__).parents[3] / "opmq.egg-info"),
    *(each for each in sys.path if Path(each).name in {"site-packages", "dist-packages"}),
    *(str(Path.home() / name) for name in HOME),
)
"""What any notebook may read: the system, Python with its packages, this library, and fonts."""

VERSION, PATH_BENEATH, READ_FILE, NO_NEW_PRIVILEGES = 1, 1, 1 << 2, 38


@cache
def is_possible() -> bool:
    """Return whether this system can confine a process."""
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, VERSION) >= 1)


def allow_reading(paths: Iterable[str]) -> None:
    """Let this process read some files and all under some folders, and nothing else, for ever.

    Args:
        paths: Files and folders; one that is not there is left out.

    Raises:
        OSError: If the system refuses; the process is then as free as before.
    """
    rights = struct.pack("=Q", READ_FILE)
    ruleset = _call(CREATE_RULESET, rights, len(rights), 0)
    try:
        for path in paths:
            try:
                place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                _call(ADD_RULE, ruleset, PATH_BENEATH, struct.pack("=Qi", READ_FILE, place), 0)
            finally:
                os.close(place)
        ctypes.CDLL(None).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        _call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _call(number: int, *arguments: int | bytes) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    result = int(library.syscall(number, *arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"the system does not confine this process: {os.strerror(error)}")
    return result
