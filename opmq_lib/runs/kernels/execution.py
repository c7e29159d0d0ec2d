"""Execute one notebook through Papermill, in a folder and a kernel of its own.

Import this module only when something must run: it brings Papermill. The kernel is an ordinary one
of the interpreter that runs the batch, whatever kernels a user has registered; `new_kernel` decides
that, and `warm` how it is started.
"""

import asyncio
import logging
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypedDict
from uuid import uuid4

import nbformat
import papermill
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines
from papermill.exceptions import PapermillExecutionError

from opmq_lib.errors import DataError
from opmq_lib.runs.kernels import leftovers
from opmq_lib.runs.kernels.kernel import Settings
from opmq_lib.runs.kernels.warm import Provisioner, Zygotes
from opmq_lib.sources import project

LOG = logging.getLogger(__name__)
LOG.addHandler(logging.NullHandler())

ENVIRONMENT = {
    # Kernels run side by side: each computes on one core, in one order.
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    # A thread of pyarrow would keep the zygote from forking.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    # matplotlib reads it when imported, in the zygote before there is a kernel to set it.
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    # Silences a warning of the debugger.
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
KEPT = (
    "BLIS_", "CONDA_", "DYLD_", "FONTCONFIG_", "HOME", "LANG", "LC_", "LD_LIBRARY_PATH", "LOGNAME",
    "MKL_", "MPLCONFIGDIR", "NPY_", "OMP_", "OPENBLAS_", "OPMQ_", "PATH", "PYTHON", "SHELL",
    "SYSTEMROOT", "TEMP", "TMP", "TZ", "USER", "VIRTUAL_ENV", "WINDIR", "XDG_",
)  # fmt: skip
"""Starts of the names of variables that a notebook is given: others are nothing to publish."""
KERNEL_NAME = "python3"
TIMES = ("start_time", "end_time", "duration")
INJECTED = "injected-parameters"
"""Tag of the cell that Papermill adds; its identifier would else be drawn at random."""
LONGEST_MESSAGE = 2000
LONGEST_LOG = 1 << 20
"""Bytes that a kernel may print past Jupyter before they are thrown away."""
LESS_TIME = "make this cell do less, or allow more with --time-limit"
LESS_MEMORY = "make this cell need less, or allow more with --memory-mb"

DECLARE = (
    "a run reads parameters and what it declares, nothing of a network, and writes in its own "
    "folder: name the file in `tables` of its branch or, for a notebook of your own, in "
    "`opmq.files` of its metadata; its results are then your own"
)
NOT_TOLD = "its words may be of own data: read them in the notebook kept beside the results"
DISCREET = {"DataError", *(each.__name__ for each in DataError.__subclasses__())}
SAYS_DEFECTS = re.compile(r"\d+ defects?\n")
"""Errors that say where and what, and how they begin."""
FOUND = re.compile(r" \(found: .*?(?=\n    expected: |\Z)", re.DOTALL)
"""The value that they may show besides: of several lines, or cut."""


class Failure(TypedDict):
    """Why a run failed, as the ledger keeps it.

    Attributes:
        cell: The number of the code cell, as in `In [3]`; `None` if no cell is to blame.
        message: What happened, and what to do where we know.
    """

    cell: int | None
    message: str


def new_zygotes(preload: Iterable[str] = ()) -> Zygotes:
    """Return the zygotes of a batch, not started; without them every kernel is cold.

    Args:
        preload: Modules that its notebooks are going to import.
    """
    return Zygotes(preload, _kept() | ENVIRONMENT | _library_path())


def new_kernel(
    folder: Path, settings: Settings | None = None, zygotes: Zygotes | None = None
) -> AsyncKernelManager:
    """Return the manager of a kernel of this very interpreter, not started.

    Args:
        folder: Where it will work; its connection file lies beside, where it gets swept.
        settings: What it arranges before it starts.
        zygotes: Where to fork it from; without, or where forking is not possible, it is cold.
    """
    kernel = AsyncKernelManager(
        kernel_name=KERNEL_NAME,
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        connection_file=str(folder.with_name(f"{folder.name}.json")),
        log=LOG,
        **_address(),
    )
    kernel.kernel_id = uuid4().hex
    kernel.provisioner = Provisioner(
        kernel_id=kernel.kernel_id, kernel_spec=kernel.kernel_spec, parent=kernel
    )
    kernel.provisioner.settings = settings or Settings()
    kernel.provisioner.zygotes = zygotes
    return kernel


def kill(kernel: AsyncKernelManager) -> None:
    """End a kernel and what it started, at once; nothing happens if it does not run."""
    process = getattr(kernel.provisioner, "process", None)
    if process is not None and process.poll() is None:
        with suppress(ProcessLookupError):  # it may end between the two lines
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def execute(  # noqa: PLR0913 - what, with what, where, within what
    template: Path,
    parameters: Mapping[str, Any],
    folder: Path,
    kernel: AsyncKernelManager,
    limit_seconds: float,
    is_private: bool = False,
) -> Failure | None:
    """Execute a template and write the executed notebook, whole, into `folder`.

    Args:
        template: The notebook; never changed.
        parameters: Values of parameters that it declares.
        folder: Working folder of the kernel, and home of the executed notebook.
        kernel: From `new_kernel`; it is over when this returns.
        limit_seconds: Taking longer is a failure, at whatever cell it happens.
        is_private: Whether an error's own words may tell what is for its owner alone.

    Returns:
        `None`, or why it failed; the notebook then shows how far it came.

    Raises:
        OSError: If the executed notebook cannot be written.
    """
    kept: list[NotebookExecutionManager] = []
    with tempfile.TemporaryFile() as log, _watched(kernel, log, limit_seconds) as is_over:
        try:
            papermill.execute_notebook(
                nbformat.read(template, as_version=4),  # type: ignore[no-untyped-call]
                None,
                parameters=dict(parameters),
                engine_name=_OneKernel.__name__,
                kernel_name=KERNEL_NAME,
                language="python",
                progress_bar=False,
                kept=kept,
                client={
                    "km": kernel,
                    "startup_timeout": max(1, int(limit_seconds)),
                    "resources": {"metadata": {"path": str(folder)}},
                },
                start={
                    "env": _environment(template, folder),
                    "stdout": log,
                    "stderr": log,
                },
            )
            failure = _stopped_itself(kept[0].nb)
        except Exception as error:  # noqa: BLE001 - whatever happens to a run stays in that run
            failure = _failure(error, kept, is_over.is_set() and limit_seconds, log, is_private)
        finally:
            kill(kernel)
            _close_event_loop()
    try:
        if kept:
            _write(kept[0].nb, template, folder, failure is None)
    except OSError:
        (folder / template.name).unlink(missing_ok=True)
        if failure is None:
            raise
    return failure


@contextmanager
def _watched(
    kernel: AsyncKernelManager, log: IO[bytes], limit_seconds: float
) -> Iterator[threading.Event]:
    """End a kernel at its time limit, whatever the thread that reads its messages is at.

    What it prints past Jupyter (C code, children) is kept to a size.

    Yields:
        What is set once the time is over.
    """
    done, is_over = threading.Event(), threading.Event()
    deadline = time.monotonic() + limit_seconds

    def watch() -> None:
        while not done.wait(0.1):
            if time.monotonic() >= deadline:
                is_over.set()
                kill(kernel)
            if os.fstat(log.fileno()).st_size > LONGEST_LOG:
                os.ftruncate(log.fileno(), 0)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield is_over
    finally:
        done.set()
        watching.join()


class _OneKernel(Engine):  # type: ignore[misc] # papermill has no types
    """Papermill's own client on a kernel we chose; saves nothing, keeps the notebook for us."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        kept: list[NotebookExecutionManager],
        client: Mapping[str, Any],
        start: Mapping[str, Any],
        **_: object,
    ) -> None:
        kept.append(nb_man)
        PapermillNotebookClient(
            nb_man,
            kernel_name=kernel_name,
            extra_arguments=["--log-level=ERROR", "--HistoryManager.enabled=False"],
            log=LOG,
            shell_timeout_interval=1,
            shutdown_kernel="immediate",
            **client,
        ).execute(cleanup_kc=True, **start)


papermill_engines.register(_OneKernel.__name__, _OneKernel)


def _address() -> dict[str, str]:
    """Return where runner and kernel meet: on Linux a name that nobody else can take.

    Jupyter looks for free TCP ports before the kernel opens them; whatever runs beside may take
    one meanwhile, and the kernel dies or is waited for in vain. Linux has sockets with a name
    instead (abstract ones: no file, no length of path, gone with their process).
    """
    return {"transport": "ipc", "ip": f"@opmq-{uuid4().hex}"} if sys.platform == "linux" else {}


def _environment(template: Path, folder: Path) -> dict[str, str]:
    """Return the kernel's environment: its project and run, no start-up file of the user's."""
    own = {
        "IPYTHONDIR": str(folder.parent / "ipython"),
        leftovers.RUN: str(folder),
        project.ROOT: str(template.parent.parent.absolute()),
    }
    return _kept() | ENVIRONMENT | own | _library_path()


def _kept() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(KEPT)}


def _library_path() -> dict[str, str]:
    library = str(Path(__file__).parents[3])
    paths = [library, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths)}


def _close_event_loop() -> None:
    """Close the loop that Jupyter opened for this thread, with what a dead kernel left waiting."""
    loop = ensure_event_loop()
    waiting = asyncio.all_tasks(loop)
    for task in waiting:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))
    loop.close()


def _write(notebook: NotebookNode, template: Path, folder: Path, is_whole: bool) -> None:
    """Write an executed notebook; a whole one without its times: the same run, the same bytes."""
    notebook.metadata.papermill.input_path = f"{template.parent.name}/{template.name}"
    notebook.metadata.papermill.output_path = template.name
    if is_whole:
        for name in TIMES:
            notebook.metadata.papermill.pop(name, None)
        for cell in notebook.cells:
            for name in ("papermill", "execution"):
                cell.metadata.pop(name, None)
            if INJECTED in cell.metadata.get("tags", ()):
                cell.id = INJECTED
    text = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    project.write(folder / template.name, text + "\n")  # a link that a cell left there is replaced


def _stopped_itself(notebook: NotebookNode) -> Failure | None:
    """Return a failure if `sys.exit()` ended the notebook early; Papermill calls that success."""
    if not notebook.metadata.papermill.get("exception"):
        return None
    message = "the notebook stopped itself; remove `sys.exit()`"
    return {"cell": _last_started(notebook), "message": message}


def _failure(
    error: Exception,
    kept: list[NotebookExecutionManager],
    exceeded_seconds: float,
    kernel_log: IO[bytes],
    is_private: bool,
) -> Failure:
    """Say why a run failed; `exceeded_seconds` is its time limit if that is over, else 0."""
    name, said = (getattr(error, each, "") for each in ("ename", "evalue"))
    is_told = not is_private or bool(name in DISCREET and SAYS_DEFECTS.match(said))
    said = said if is_told else NOT_TOLD
    said = FOUND.sub("", said) if is_private else said
    match error:
        case PapermillExecutionError(ename="MemoryError"):
            message = f"MemoryError: {said or 'no memory is left'}; {LESS_MEMORY}"
        case PapermillExecutionError(ename="PermissionError" | "URLError" | "gaierror" as name):
            message = f"{name}: {said}; {DECLARE}"
        case PapermillExecutionError():
            message = f"{error.ename}: {said}"
        case _ if exceeded_seconds:
            message = f"the notebook took more than {exceeded_seconds:g} s; {LESS_TIME}"
        case CellTimeoutError():
            message = "its outputs came faster than they can be read: show less"
        case DeadKernelError():
            message = "the kernel died: it was killed, ran out of memory or crashed"
        case _:
            message = f"{type(error).__name__}: {error}"
    if is_told and not isinstance(error, PapermillExecutionError):
        kernel_log.seek(-min(500, kernel_log.seek(0, os.SEEK_END)), os.SEEK_END)
        words = kernel_log.read().replace(b"\0", b"").decode(errors="replace").strip()
        message += f"; its last words: {words}" if words else ""
    cell = _last_started(kept[0].nb) if kept else None
    return {"cell": cell, "message": message[:LONGEST_MESSAGE]}


def _last_started(notebook: NotebookNode) -> int | None:
    """Return the number of the last code cell that was started."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return sum(bool(cell.metadata.papermill.get("start_time")) for cell in cells) or None
