"""Prepare the process of one notebook before it becomes a kernel, warm or cold.

It notes which files of the project the notebook opens, limits its memory and outputs, and seeds its
generators of random numbers. A cold kernel runs as `python -m opmq_lib.runs.kernels.kernel
SETTINGS`; a warm one calls `become_kernel` in the fork. Only the standard library is imported until
then.
"""

import ctypes
import json
import os
import random
import signal
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from opmq_lib.runs.kernels import confine

O_PATH = getattr(os, "O_PATH", 0)
SOURCE_CODE = (".py", ".pyc", ".so")
"""Endings of files whose opening is not noted: the library is known by its imports."""

OUTPUTS = ("stream", "display_data", "execute_result", "update_display_data")
"""Messages that bring what a notebook shows."""
OUTPUT_BYTES = 300
"""What each takes beside its content."""
CUT = "Sorties coupées à {} Mo : la suite n’est pas conservée (--output-mb)."


@dataclass(frozen=True)
class Settings:
    """How a kernel starts.

    Attributes:
        notes: File that gets the path of each file opened, or folder listed; `""` for none.
        watched: Starts of the paths that are noted.
        seed: Of the global generators of `random` and NumPy.
        memory_mb: Most memory that the notebook may take, libraries included; 0 for no limit.
        output_mb: Size of outputs, all cells together, after which the rest is cut.
        readable: Files and folders that it may read, where the system can hold it to them, beside
            those of the system; none: all.
        temporary: Folder of its temporary files, which must be there; `""` for the usual one.
        released: Folder of the branches' own tables as they may be published, from the project's
            root, in place of those that parameters name; `""` for none.
    """

    notes: str = ""
    watched: Sequence[str] = ()
    seed: int = 0
    memory_mb: int = 0
    output_mb: int = 20
    readable: Sequence[str] = ()
    temporary: str = ""
    released: str = ""


class Notes:
    """The paths of what this process has opened to read or listed, each once.

    Folders end in `/`. A parameter file that the library reads (`opmq.fields`) is noted by its
    fields, once they are used (`opmq.field`): `parameters/edition.yml#base_year`. What is opened by
    compiled code is not seen (Parquet files, notably).
    """

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.by_fields = ""
        self.watched: tuple[str, ...] = ()
        self.file = -1
        sys.addaudithook(self.hear)

    def write_to(self, path: str, watched: Iterable[str]) -> None:
        """Note from now on in a file; what was seen before, too."""
        self.watched = tuple(watched)
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
        seen, self.seen = self.seen, set()
        for each in sorted(seen):
            self.note(each)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take note of one event of the interpreter."""
        if event == "open":
            path, mode, flags = arguments
            only_written = mode is not None and not {"r", "+"} & set(mode)
            if self.by_fields and path == self.by_fields:
                self.by_fields = ""
            elif not only_written and flags & os.O_ACCMODE != os.O_WRONLY and not flags & O_PATH:
                self.note(path)
        elif event == "opmq.fields":
            (self.by_fields,) = arguments
        elif event == "opmq.field":
            path, field = arguments
            self.note(path, "" if field == "__dict__" else f"#{field}")
        elif event in ("os.listdir", "os.scandir"):
            self.note(arguments[0], ending="/")

    def note(self, path: Any, ending: str = "") -> None:
        """Note a path, unless it is a descriptor, source code, already known or not watched."""
        if isinstance(path, int) or path is None:
            return
        name = os.fsdecode(path)
        if name.endswith(SOURCE_CODE):
            return
        full = os.path.abspath(name) + ending  # noqa: PTH100 - pathlib would be heard here again
        if full in self.seen or (self.file >= 0 and not full.startswith(self.watched)):
            return
        self.seen.add(full)
        if self.file >= 0:
            os.write(self.file, full.encode(errors="surrogateescape") + b"\0")


def noted(path: str) -> list[str]:
    """Return the paths in a file of notes, in the order they were opened; none without file."""
    try:
        with open(path, "rb") as notes:  # noqa: PTH123 - pathlib is not loaded here
            return [os.fsdecode(each) for each in notes.read().split(b"\0") if each]
    except FileNotFoundError:
        return []


def become_kernel(argv: list[str], settings: Settings, notes: Notes | None = None) -> None:
    """Arrange this process and run an ordinary ipykernel in it, until it ends.

    Args:
        argv: Arguments of ipykernel: its connection file and the like.
        settings: From the runner.
        notes: What is already listening, in a fork.
    """
    if settings.notes:
        (notes or Notes()).write_to(settings.notes, settings.watched)
    _limit_memory(settings.memory_mb)
    if settings.temporary:
        tempfile.tempdir = os.environ["TMPDIR"] = settings.temporary
        os.environ.setdefault("MPLCONFIGDIR", settings.temporary)  # the usual one it cannot write
    os.environ["OPMQ_RELEASED"] = settings.released
    if settings.readable and confine.is_possible():
        confine.allow_reading([*confine.SYSTEM, *settings.readable])
    from ipykernel.kernelapp import IPKernelApp

    # Jupyter tells by the environment, which ipykernel has read before a fork: tell it again.
    parent = f"--IPKernelApp.parent_handle={os.environ.get('JPY_PARENT_PID', 0)}"
    sys.argv = ["kernel", *argv]
    # What C code and children print goes to the runner's log, at once: a dying kernel's last words.
    kernel = IPKernelApp.instance(capture_fd_output=False)
    kernel.initialize([*argv, parent])  # type: ignore[no-untyped-call]
    if settings.readable and confine.is_possible():
        _keep_in(kernel, [os.getcwd(), settings.temporary])  # noqa: PTH109 - as above
    shell: Any = kernel.shell
    _limit_outputs(kernel.session, settings.output_mb)

    def seed_once(_: object) -> None:
        shell.events.unregister("pre_run_cell", seed_once)
        _seed(settings.seed)

    # Not before the first cell: answering the runner, IPython draws a tip of the day at random.
    shell.events.register("pre_run_cell", seed_once)
    kernel.start()  # type: ignore[no-untyped-call]


def _keep_in(kernel: Any, folders: Sequence[str]) -> None:
    """Keep cells from writing elsewhere and from networks, in every thread that they can use.

    Jupyter's are there by now: what a cell has one of them do would else be done freely.
    """
    import asyncio

    def keep() -> None:
        confine.allow_writing(folders)
        confine.cut_off()

    async def kept() -> None:
        keep()

    last = getattr(kernel, "shell_channel_thread", kernel.control_thread)  # from ipykernel 7 on
    for thread in (kernel.iopub_thread, kernel.control_thread, last):
        asyncio.run_coroutine_threadsafe(kept(), thread.io_loop.asyncio_loop).result()
    keep()


def end_with_parent(number: signal.Signals) -> None:
    """Have the system signal this process when the thread that started it ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, number)  # PR_SET_PDEATHSIG


def _limit_outputs(session: Any, output_mb: int) -> None:
    """Send no more outputs than a size, and say in the notebook where the rest is cut.

    Here and not in the runner: what is never sent takes no memory there, and no time.
    """
    send, left = session.send, output_mb << 20
    streams: list[Any] = [sys.stdout, sys.stderr]

    def send_some(stream: Any, message: Any, *arguments: Any, **named: Any) -> Any:
        nonlocal left
        if not isinstance(message, dict) or message["msg_type"] not in OUTPUTS:
            return send(stream, message, *arguments, **named)
        if left <= 0:
            return None
        content = message["content"]
        text = content.get("text")
        size = OUTPUT_BYTES + len(text or json.dumps(content, default=str, ensure_ascii=False))
        if text:
            content["text"] = text[:left]
        if text or size <= left:
            send(stream, message, *arguments, **named)
        left -= size
        if left <= 0:
            cut = {"data": {"text/plain": CUT.format(output_mb)}, "metadata": {}}
            send(stream, session.msg("display_data", cut, parent=message["parent_header"]))
            for each in streams:
                each.write = len  # they would gather it, to be thrown away afterwards
        return None

    session.send = send_some


def _seed(seed: int) -> None:
    """Seed the global generators, which a fork would have in common with its neighbours."""
    random.seed(seed)
    try:
        import numpy as np
    except ImportError:
        return
    np.random.seed(seed % 2**32)  # noqa: NPY002 - a notebook may use the global one


def _limit_memory(memory_mb: int) -> None:
    """Let an allocation beyond the limit raise `MemoryError` in the cell that asks for it."""
    if memory_mb and sys.platform == "linux":
        import resource

        # Data, not address space: shared libraries that are merely mapped do not count.
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb << 20, memory_mb << 20))


if __name__ == "__main__":
    end_with_parent(signal.SIGKILL)
    become_kernel(sys.argv[2:], Settings(**json.loads(sys.argv[1])))
