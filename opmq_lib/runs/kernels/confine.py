"""Keep a process, and all that it starts, to the files that it was given.

Linux does it, whatever asks: Python, compiled code, a child. Files are kept by Landlock (from 5.13
on), networks and other processes by seccomp. Names of files can still be listed. Only the standard
library is imported here.
"""

import ctypes
import errno
import os
import socket
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
DEVICES = ("full", "null", "ptmx", "pts", "random", "tty", "urandom", "zero")
SYSTEM = (
    *("/bin", "/etc", "/lib", "/lib64", "/proc", "/sbin", "/sys", "/usr", "/var/cache/fontconfig"),
    *(f"/dev/{name}" for name in DEVICES),
    *("/Library/Fonts", "/System", *map(os.path.realpath, ("/etc", "/var/db/timezone"))),
    *(sys.prefix, sys.base_prefix, str(Path(__file__).parents[2])),
    str(Path(__file__).parents[3] / "opmq.egg-info"),
    *(each for each in sys.path if Path(each).name in {"site-packages", "dist-packages"}),
    *(str(Path.home() / name) for name in HOME),
)
"""What any notebook may read: the system, Python with its packages, this library, and fonts."""

VERSION, PATH_BENEATH, NO_NEW_PRIVILEGES = 1, 1, 38
WRITE_FILE, READ_FILE, TRUNCATE = 1 << 1, 1 << 2, 1 << 14
MAKE_OR_REMOVE = 0b1_1111_1111_0000
"""Files, folders, links and sockets, in a folder."""
TRUNCATES_FROM = 3
"""Version of Landlock that knows of it."""

SECCOMP, FILTER, IO_URING = 22, 2, 425
SOCKETS = {"x86_64": (0xC000003E, 41, 42), "aarch64": (0xC00000B7, 198, 203)}
"""By processor: its name to seccomp, its calls `socket` and `connect`."""
LOAD, EQUAL, LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ARCHITECTURE, CALL, FIRST = 4, 0, 16
"""Where a filter finds the processor, the call and its first argument."""
ALLOWED, DENIED = 0x7FFF0000, 0x00050000 | errno.EACCES


@cache
def is_possible() -> bool:
    """Return whether this system can confine a process."""
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(SECCOMP, FILTER, None, 0, 0)  # a filter that is nowhere: fails in any case
    has_filters = ctypes.get_errno() == errno.EFAULT and os.uname().machine in SOCKETS
    return has_filters and bool(library.syscall(CREATE_RULESET, None, 0, VERSION) >= 1)


def allow_reading(paths: Iterable[str]) -> None:
    """Let this process read some files and all under some folders, and nothing else, for ever.

    Args:
        paths: Files and folders; one that is not there is left out.

    Raises:
        OSError: If the system refuses; the process is then as free as before.
    """
    _allow(READ_FILE, READ_FILE, paths)


def allow_writing(folders: Iterable[str]) -> None:
    """Let this process write under some folders, and to terminals, and nowhere else, for ever.

    Args:
        folders: One that is not there is left out.

    Raises:
        OSError: If the system refuses; the process is then as free as before.
    """
    knows = int(ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, VERSION)) >= TRUNCATES_FROM
    written = WRITE_FILE | (TRUNCATE if knows else 0)
    _allow(written | MAKE_OR_REMOVE, written, [f"/dev/{name}" for name in DEVICES], folders)


def _allow(handled: int, on_files: int, paths: Iterable[str], folders: Iterable[str] = ()) -> None:
    """Keep this process to some rights on some paths, and to all those handled under folders."""
    rights = struct.pack("=Q", handled)
    ruleset = _call(CREATE_RULESET, rights, len(rights), 0)
    try:
        for path, allowed in [*((p, on_files) for p in paths), *((p, handled) for p in folders)]:
            try:
                place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                _call(ADD_RULE, ruleset, PATH_BENEATH, struct.pack("=Qi", allowed, place), 0)
            finally:
                os.close(place)
        ctypes.CDLL(None).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        _call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def cut_off() -> None:
    """Let this process, and all that it starts, reach no network and no other process's socket.

    Others can still connect to it, as Jupyter does.

    Raises:
        OSError: If the system refuses.

    Source:
        seccomp(2): a filter in classic BPF, which says no to `connect`, to io_uring and to sockets
        that are not of this machine.
    """
    architecture, new_socket, connect = SOCKETS[os.uname().machine]
    steps = [
        (LOAD, 0, 0, ARCHITECTURE), (EQUAL, 0, 7, architecture),
        (LOAD, 0, 0, CALL), (LEAST, 5, 0, 1 << 30),  # calls of another kind (x32)
        (EQUAL, 4, 0, connect), (EQUAL, 3, 0, IO_URING), (EQUAL, 0, 3, new_socket),
        (LOAD, 0, 0, FIRST), (EQUAL, 1, 0, socket.AF_UNIX),
        (RETURN, 0, 0, DENIED), (RETURN, 0, 0, ALLOWED),
    ]  # fmt: skip
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = struct.pack("@HP", len(steps), ctypes.addressof(code))
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if library.prctl(SECCOMP, FILTER, program, 0, 0):
        raise OSError(ctypes.get_errno(), "the system does not cut this process off")


def _call(number: int, *arguments: int | bytes) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    result = int(library.syscall(number, *arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"the system does not confine this process: {os.strerror(error)}")
    return result
