"""Do the slow imports once, in a zygote, and fork one kernel per notebook from it (Linux).

    runner ── control socket ──▶ zygote ── fork ──▶ kernel ◀── Jupyter's sockets ──▶ runner

Read `docs/batch.md` first. The zygote has one thread, no event loop and no ZeroMQ context, so that
a fork is a clean copy. For each kernel the runner sends two descriptors through the control socket:
the end of a socket that stands for that kernel, and the log for what it prints. On that socket:

    runner:  {"argv": …, "settings": …, "cwd": …, "env": …}, one line of JSON
    zygote:  the number of the process once forked, and how it ended once it has; four bytes each

Nobody outlives anybody: a kernel's socket closed by the runner kills that kernel and what it
started; the control socket closed (the runner has died, say) ends the zygote and all kernels, and
wakes it if it was stopped; the system kills the kernels if the zygote dies.
"""

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
from typing import Any, NamedTuple

from opmq_lib.runs.kernels import leftovers
from opmq_lib.runs.kernels.kernel import Notes, Settings, become_kernel, end_with_parent

LATER = {
    "ipykernel": ".kernelapp .ipkernel .zmqshell .debugger",
    "IPython": ".core.magics .core.completerlib .core.pylabtools .extensions.storemagic",
    "tornado": ".platform.asyncio",
    "zmq": ".utils.garbage",
    "matplotlib": ".backends.backend_svg .backends.backend_agg",
    "pandas": ".io.formats.csvs .io.formats.excel .io.formats.html .core.methods.to_dict",
    "pyarrow": ".pandas_compat",
    "opmq_lib.methods.forecast.second_opinions": "statsmodels.tsa.exponential_smoothing.ets",
}
"""What modules import when first used, loaded with them (no inline backend: it hooks a shell)."""


class Child(NamedTuple):
    """A kernel: its process, the descriptor that tells its end, the runner's socket, its run."""

    pid: int
    ended: int
    runner: socket.socket
    run: str


def preload(names: list[str], notes: Notes) -> None:
    """Import what notebooks will, and refuse to serve from a process that cannot fork cleanly.

    A name that cannot be imported is left to the notebook that asks for it; `module:function` is
    called as well. If an import has started a thread, the fork would copy its locks and not it:
    then this raises `RuntimeError`.
    """
    calls = [name for name in names if ":" in name]
    for name in ("numpy", "ipykernel", *(name for name in names if name not in calls)):
        with suppress(Exception):
            importlib.import_module(name)
    for module, later in LATER.items():
        for name in later.split() if module in sys.modules else ():
            with suppress(ImportError):
                importlib.import_module(name, module)
    if "matplotlib" in sys.modules:
        _draw_once()
    seen = set(notes.seen)
    for module, _, function in (call.partition(":") for call in calls):
        with suppress(Exception):
            getattr(sys.modules[module], function)()
    _forget_files()
    notes.seen = seen
    count = len(os.listdir("/proc/self/task"))  # noqa: PTH208
    if count != 1:
        raise RuntimeError(f"{count} threads after the imports; a fork is clean with one only")
    gc.collect()
    gc.freeze()  # the collector would write to, and so copy, every page shared with the kernels


def _forget_files() -> None:
    """Drop what the library keeps of files: each kernel opens those that it uses, and is heard."""
    for name in [name for name in sys.modules if name.startswith("opmq_lib.sources.")]:
        for each in vars(sys.modules[name]).values():
            if hasattr(each, "cache_clear"):
                each.cache_clear()


def _draw_once() -> None:
    """Let matplotlib find its fonts; not through pyplot, which would settle its backend."""
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([0, 1])
    figure.savefig(os.devnull, format="svg")


def serve(control: socket.socket, notes: Notes) -> None:
    """Fork kernels until the runner closes the control socket."""
    children: dict[int, Child] = {}  # by each of its two descriptors
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
        for child in set(children.values()):
            _end(child)


def _fork(descriptors: list[int], notes: Notes) -> Child | None:
    """Fork a kernel for a request; `None` if the runner went away before making it."""
    runner, log = socket.socket(fileno=descriptors[0]), descriptors[1]
    with runner.makefile("rb") as lines:
        line = lines.readline()
    zygote = os.getpid()
    request: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {}
    pid = os.fork() if request else -1
    if pid == 0:
        _live(request, log, zygote, notes)
    os.close(log)
    if not request:
        runner.close()
        return None
    with suppress(OSError):  # the kernel does so too, whoever comes first
        os.setpgid(pid, pid)
    child = Child(pid, os.pidfd_open(pid), runner, request["env"].get(leftovers.RUN, ""))
    _tell(child, pid)
    return child


def _tell_end(child: Child) -> None:
    """Tell the runner how a kernel ended; it stays a zombie, so that its number is not reused."""
    if (result := os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)) is not None:
        exited = result.si_code == os.CLD_EXITED
        _tell(child, result.si_status if exited else -result.si_status)


def _tell(child: Child, number: int) -> None:
    with suppress(OSError):  # a runner that has gone away needs no news
        child.runner.sendall(number.to_bytes(4, "big", signed=True))


def _end(child: Child) -> None:
    """Kill a kernel and what it started, and let go of it."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)
    if child.run:
        leftovers.end(child.run)
    os.close(child.ended)
    child.runner.close()


def _live(request: dict[str, Any], log: int, zygote: int, notes: Notes) -> None:
    """Be the kernel that was asked for, in the fork; never returns."""
    status = 1
    try:
        end_with_parent(signal.SIGKILL)
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
        become_kernel(request["argv"], Settings(**request["settings"]), notes)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001 - nothing may fall through to the zygote's loop
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(status)


if __name__ == "__main__":  # arguments: the descriptor of the control socket, modules to import
    end_with_parent(signal.SIGCONT)  # a zygote that somebody stopped sees then that it is over
    runner = socket.socket(fileno=int(sys.argv[1]))
    listening = Notes()
    preload(sys.argv[2:], listening)
    runner.send(b"+")
    serve(runner, listening)
