"""The zygote: a process that has done the slow imports and forks one kernel per notebook (Linux).

    runner ── control socket ──▶ zygote ── fork ──▶ kernel ◀── Jupyter's sockets ──▶ runner

Read `docs/batch.md` first. The zygote has one thread, no event loop and no ZeroMQ context, so that
a fork is a clean copy. For each kernel the runner sends two descriptors through the control socket:
the end of a socket that stands for that kernel, and the log for what it prints. On that socket:

    runner:  {"argv": …, "settings": …, "cwd": …, "env": …}
    zygote:  {"pid": 123} once forked, {"exit": 0} once it has ended

Nobody outlives anybody: a kernel's socket closed by the runner kills that kernel and what it
started; the control socket closed (the runner has died, say) ends the zygote and all kernels; the
system kills the kernels if the zygote dies.
"""

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from opmq_lib.engine.kernel import Notes, Settings, become_kernel

ALWAYS = (
    "numpy",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "tornado.platform.asyncio",
    "IPython.core.magics",
    "IPython.core.completerlib",
    "IPython.core.pylabtools",
    "IPython.extensions.storemagic",
)
"""What every kernel imports."""

LATER = (
    "matplotlib.backends.backend_svg",
    "matplotlib.backends.backend_agg",
    "pandas.io.formats.csvs",
    "pandas.io.formats.html",
    "pandas.io.formats.string",
    "pandas.core.methods.to_dict",
    "pandas.core.reshape.reshape",
    "pandas.plotting._matplotlib",
    "pyarrow.pandas_compat",
)
"""What packages import when first used; loaded here if the package itself is.

Not `matplotlib_inline.backend_inline`: it hooks itself into a shell, and there is none yet.
"""

PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """A kernel: its process, the descriptor that tells its end, and the runner's socket."""

    pid: int
    ended: int
    runner: socket.socket


def preload(names: list[str]) -> None:
    """Import what notebooks will, and refuse to serve from a process that cannot fork cleanly.

    A name that cannot be imported is left to the notebook that asks for it.

    Raises:
        RuntimeError: If an import has started a thread: a fork would copy its locks, not it.
    """
    for name in (*ALWAYS, *names):
        with suppress(Exception):
            importlib.import_module(name)
    for name in LATER:
        if name.partition(".")[0] in sys.modules:
            with suppress(ImportError):
                importlib.import_module(name)
    if "matplotlib" in sys.modules:
        _draw_once()
    count = len(os.listdir("/proc/self/task"))  # noqa: PTH208
    if count != 1:
        raise RuntimeError(f"{count} threads after the imports; a fork is clean with one only")
    gc.collect()
    gc.freeze()  # the collector would write to, and so copy, every page shared with the kernels


def _draw_once() -> None:
    """Let matplotlib find its fonts; not through pyplot, which would settle its backend."""
    import io

    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasSVG(figure)
    figure.subplots().plot([0, 1], label="x")
    figure.axes[0].legend()
    figure.savefig(io.BytesIO(), format="svg")


def serve(control: socket.socket, notes: Notes) -> None:
    """Fork kernels until the runner closes the control socket."""
    children: dict[int, Child] = {}
    poller = select.poll()
    poller.register(control, select.POLLIN)
    try:
        while True:
            # One event at a time: dealing with it may give a number of another to a new file.
            descriptor, _ = poller.poll()[0]
            if descriptor == control.fileno():
                message, descriptors, *_ = socket.recv_fds(control, 1, 2)
                if not message:
                    return
                if (child := _fork(descriptors, notes)) is not None:
                    for each in (child.runner.fileno(), child.ended):
                        children[each] = child
                        poller.register(each, select.POLLIN)
            elif (child := children[descriptor]).ended == descriptor:
                poller.unregister(descriptor)
                _tell_end(child)
            else:
                del children[descriptor], children[child.ended]
                poller.unregister(descriptor)
                with suppress(KeyError):
                    poller.unregister(child.ended)
                _end(child)
    finally:
        for child in {id(each): each for each in children.values()}.values():
            _end(child)


def _fork(descriptors: list[int], notes: Notes) -> Child | None:
    """Fork a kernel for a request; `None` if the runner has gone away before making it."""
    runner, log = socket.socket(fileno=descriptors[0]), descriptors[1]
    with runner.makefile("rb") as lines:
        line = lines.readline()
    if not line.endswith(b"\n"):
        runner.close()
        os.close(log)
        return None
    zygote = os.getpid()
    pid = os.fork()
    if pid == 0:
        _live(json.loads(line), log, zygote, notes)
    with suppress(OSError):  # the kernel does so too, whoever comes first
        os.setpgid(pid, pid)
    os.close(log)
    child = Child(pid, os.pidfd_open(pid), runner)
    _tell(child, {"pid": pid})
    return child


def _tell_end(child: Child) -> None:
    """Tell the runner how a kernel ended; it stays a zombie, so that its number is not reused."""
    result = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    if result is not None:
        exited = result.si_code == os.CLD_EXITED
        _tell(child, {"exit": result.si_status if exited else -result.si_status})


def _tell(child: Child, message: dict[str, int]) -> None:
    with suppress(OSError):  # a runner that has gone away needs no news
        child.runner.sendall(json.dumps(message).encode() + b"\n")


def _end(child: Child) -> None:
    """Kill a kernel and what it started, and let go of it."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)
    os.close(child.ended)
    child.runner.close()


def _live(request: dict[str, Any], log: int, zygote: int, notes: Notes) -> None:
    """Be the kernel that was asked for, in the fork; never returns."""
    status = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != zygote:  # it died in between
            os._exit(1)
        os.setpgid(0, 0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for descriptor, source in ((0, nothing), (1, log), (2, log)):
            os.dup2(source, descriptor)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.environ.clear()
        # ipykernel ends when the process of this number does: its parent is the zygote.
        os.environ.update(request["env"], JPY_PARENT_PID=str(zygote))
        os.chdir(request["cwd"])
        become_kernel(request["argv"], Settings.from_json(request["settings"]), notes)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001 - nothing may fall through to the zygote's loop
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(status)


def main() -> None:
    """Serve on the socket whose descriptor is the first argument; the others name imports."""
    control = socket.socket(fileno=int(sys.argv[1]))
    notes = Notes()
    preload(sys.argv[2:])
    control.send(b"+")
    serve(control, notes)


if __name__ == "__main__":
    main()
