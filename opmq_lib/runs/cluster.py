"""Execute runs on the workers of a Dask cluster: `opmq run --cluster tcp://HOST:8786`.

A worker gets with each run the files that it may read as bytes, executes it in a project of its own
in the worker's folder, exactly as `one` does here, and sends the results back as bytes: no folder
has to be shared. Dask gives the runs of a worker that is lost to another one, and clears its folder
when a worker starts there again. A worker keeps its zygote from one run to the next, and must have
the very library and packages that the runner has.
"""

import logging
import re
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from distributed import Client, KilledWorker, Security, get_worker

from opmq_lib.errors import DataError, Defect
from opmq_lib.params import ParameterFile
from opmq_lib.runs import fingerprint, folders, library, one, origin
from opmq_lib.runs.files import Files
from opmq_lib.runs.hashes import Hashes
from opmq_lib.runs.kernels import leftovers
from opmq_lib.runs.library import LIBRARY
from opmq_lib.runs.plan import Run
from opmq_lib.runs.report import Limits
from opmq_lib.sources import ledger
from opmq_lib.sources.ledger import Record

Contents = Mapping[str, bytes]
"""Path from the project's root → content."""

SECONDS_TO_ANSWER = 20
SECONDS_TO_LEAVE = 5

LOG = logging.getLogger(__name__)
for _name in ("distributed.client", "distributed.batched"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)  # what befalls the scheduler is said below


class Cluster:
    """Executes runs on the workers of a cluster; takes the place of `one.Kernels`.

    Args:
        address: Of the scheduler.
        files: Of the project.
        limits: Of each run.
        imports: Modules to have ready in the workers' zygotes.

    Raises:
        DataError: If there is no scheduler or no worker, or a worker has another library or other
            packages than this machine.
    """

    def __init__(self, address: str, files: Files, limits: Limits, imports: Sequence[str]) -> None:
        self._address, self._lock = address, threading.Lock()
        self._stopping, self._left = threading.Event(), threading.Event()
        self._waiting: set[Any] = set()
        if not re.fullmatch(r"(tcp|tls)://\S+:[0-9]+", address):
            raise _no_scheduler(address, "not an address")
        try:
            self._client = _connect(address)
        except (OSError, ValueError, TimeoutError) as error:
            raise _no_scheduler(address, f"{type(error).__name__}: {error}") from error
        try:
            identity = _identity()
            answers = self._client.run(_identity, on_error="return")
            DataError.refuse(_strangers(address, identity, answers))
            self.threads_count = sum(self._client.nthreads().values())
            self._client.subscribe_topic("all", _say_loss)
            common = (_contents(files.root, _common(files.root)), files.parameters)
            self._for_all = (common, identity, tuple(imports), limits)
        except BaseException:
            self._client.close()
            raise

    def perform(self, run: Run, made_of: Record) -> Record:
        """Have a run executed, put its results in place and return its record.

        Raises:
            DataError: If the scheduler is lost, and nothing but that.
        """
        try:
            sent = replace(run, files=None)  # type: ignore[arg-type] # a worker has its own
            own = _own(run)
            with self._lock:
                if self._stopping.is_set():
                    raise CancelledError
                # A name for the run that people recognise on the scheduler's pages.
                key = f"{run.branch_code}-{run.notebook}-{uuid4().hex}"
                order = (sent, made_of, own, *self._for_all)
                task = self._client.submit(work, *order, pure=False, key=key)
                self._waiting.add(task)
            try:
                return _received(run, made_of, *self._result(task))
            finally:
                self._waiting.discard(task)
        except CancelledError as error:
            if not self._stopping.is_set():  # the client takes all back when it has lost it
                raise _scheduler_lost(self._address) from error
            message = "stopped"
        except KilledWorker:
            message = "every worker that took it was lost: it may need more memory than they have"
        except Exception as error:  # noqa: BLE001 - one run never stops the others
            message = f"{type(error).__name__}: {error}"
        return one.record(run, made_of, {"error": {"cell": None, "message": message}})

    def _result(self, task: Any) -> Any:
        """Wait for what a run has given, even if the scheduler never answers again."""
        while self._client.status == "running" and not self._left.is_set():
            try:
                return task.result(timeout=SECONDS_TO_LEAVE)
            except TimeoutError:
                if task.done():
                    raise
        raise CancelledError

    def kill(self) -> None:
        """Take back what waits, and end what is being executed, if the scheduler still answers."""
        with self._lock:
            if self._stopping.is_set():
                return
            self._stopping.set()

        def end() -> None:
            with suppress(Exception):
                if waiting := list(self._waiting):  # before each of them is taken back
                    self._client.cancel(waiting, force=True)
                    self._client.run(end_kernels)

        ending = threading.Thread(target=end, daemon=True)
        ending.start()
        ending.join(SECONDS_TO_ANSWER)
        self._left.set()

    def close(self) -> None:
        """Leave the cluster."""
        with suppress(Exception):
            self._client.close(timeout=SECONDS_TO_LEAVE)


def work(  # noqa: PLR0913 - all that a worker needs
    run: Run,
    made_of: Record,
    own: Contents,
    common: tuple[Contents, Mapping[str, ParameterFile]],
    identity: Mapping[str, str],
    imports: tuple[str, ...],
    limits: Limits,
) -> tuple[Record, dict[str, bytes]]:
    """Execute one run on a worker.

    Args:
        run: As planned by the runner, without its files.
        made_of: What is known of it before.
        own: What it may read beside what all may.
        common: What all may read, and the parameter files among it by what they hold.
        identity: What the worker must have in common with the runner.
        imports: Modules to have ready in the zygote.
        limits: Of the run.

    Returns:
        Its record, and its files: path in the edition's folder → content.

    Raises:
        RuntimeError: If the worker is not like the runner.
    """
    with _LOCK:  # Python 3.11 cannot read two sources (`ast`) at a time
        differences, modules = _differences(identity, _identity()), library.read(HASHES)
    if differences:
        raise RuntimeError(f"this worker has another {', '.join(differences)} than the runner")
    with tempfile.TemporaryDirectory(prefix="opmq-", dir=get_worker().local_directory) as folder:
        root = Path(folder).resolve()
        contents, parameters = common
        for name, content in {**contents, **own}.items():
            folders.write(root / name, content, private=True)
        edition_folder = root / "outputs" / run.edition_folder.name
        here = replace(
            run,
            template=replace(run.template, path=root / "notebooks" / run.template.path.name),
            edition_folder=edition_folder,
            files=Files(edition_folder, modules, Hashes(), parameters),
        )
        record = _kernels(identity, imports, limits).perform(here, made_of)
        leftovers.end(str(root))
        failed = folders.failed_notebook(here.folder)
        return record, _contents(edition_folder, [failed, *here.folder.rglob("*")])


def end_kernels() -> None:
    """End every kernel of this worker."""
    with _LOCK:
        while _KERNELS:
            _KERNELS.popitem()[1].kill()


HASHES = Hashes()
_LOCK = threading.RLock()
_KERNELS: dict[str, one.Kernels] = {}


def _kernels(identity: Mapping[str, str], imports: Sequence[str], limits: Limits) -> one.Kernels:
    """Return this worker's kernels: one zygote for as long as the library is the same."""
    name = fingerprint.json_sha256([dict(identity), imports, str(limits)])
    with _LOCK:
        if name not in _KERNELS:
            end_kernels()
            _KERNELS[name] = one.Kernels(limits, one.execution().new_zygotes(imports))
        return _KERNELS[name]


def _identity() -> dict[str, str]:
    """Return what a worker must have in common with the runner."""
    modules = library.read(HASHES)
    data = {name: HASHES.sha256(modules.folder.parent / name) for name in modules.texts}
    ours = {LIBRARY: fingerprint.json_sha256([dict(modules.sha256), data])[:12]}
    return {**fingerprint.versions(), **ours}


def _differences(expected: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    """Say in what a worker differs.

    Examples:
        >>> _differences({"pandas": "3.0", "numpy": "2.1"}, {"pandas": "3.1", "numpy": "2.1"})
        ['pandas (3.1 there, 3.0 here)']
    """
    return [
        f"{name} ({there.get(name, 'none')} there, {version} here)"
        for name, version in expected.items()
        if there.get(name) != version
    ]


def _connect(address: str) -> Any:
    """Return a client of the scheduler; `Any`, as its methods have no types."""
    settings = Security().get_connection_args("client")  # type: ignore[no-untyped-call]
    if address.startswith("tls") and settings["ssl_context"] is None:
        raise ValueError("no certificate in Dask's configuration")
    return Client(address, timeout=SECONDS_TO_ANSWER, set_as_default=False)  # type: ignore[no-untyped-call]


def _strangers(
    address: str, identity: Mapping[str, str], answers: Mapping[str, Any]
) -> list[Defect]:
    """Say which workers are not like this machine, from their identities or errors."""
    if not answers:
        return [Defect(address, "the scheduler has no worker", "at least one", "start workers")]
    defects = []
    for worker, answer in sorted(answers.items()):
        if isinstance(answer, Exception):
            what = f"the worker cannot use the library: {type(answer).__name__}: {answer}"
            fix = "install this very version of the project there, and start it again"
            defects.append(Defect(worker, what, "the library of this machine", fix))
        elif differences := _differences(identity, answer):
            what = f"the worker has another {', '.join(differences)}"
            fix = "install the same there (requirements.lock), and start it again"
            defects.append(Defect(worker, what, "what this machine has", fix))
    return defects


def _say_loss(event: tuple[float, Mapping[str, Any]]) -> None:
    """Say that a worker is gone with runs that it was executing: Dask gives them to others."""
    _, what = event
    if what.get("action") == "remove-worker" and (runs := what["processing-tasks"]):
        LOG.warning("Worker %s is lost; its runs (%d) start again.", what["worker"], len(runs))


def _scheduler_lost(address: str) -> DataError:
    what, expected = "the scheduler no longer answers", "one that lives as long as the batch"
    fix = "start it and its workers again, then the same command: what had finished is kept"
    return DataError.of(address, what, expected, fix)


def _no_scheduler(address: str, why: str) -> DataError:
    what = f"no Dask scheduler answers: {why}"
    fix = "start one with `dask scheduler`, and correct --cluster"
    return DataError.of(address, what, "an address such as tcp://HOST:8786", fix)


def _common(root: Path) -> list[Path]:
    """Return what every run may read: parameters, templates, what says that it is a project."""
    found = [*(root / "parameters").rglob("*"), *(root / "notebooks").glob("*.ipynb")]
    return [*sorted(found), root / "_quarto.yml"]


def _own(run: Run) -> dict[str, bytes]:
    """Return what one run may read beside: what it rests on, the results that it reads."""
    ledger_path = run.edition_folder / ledger.LEDGER
    records = ledger.latest(ledger_path)
    results = [
        run.edition_folder / code / notebook / name
        for code, notebook in run.reads
        for name in records[code, notebook]["outputs"]
        if not name.endswith(".ipynb")
    ]
    declared = [run.root / name for name in run.declared if not name.startswith(f"{LIBRARY}/")]
    lines = b"".join(ledger.as_line(records[id_]) for id_ in run.reads)
    contents = _contents(run.root, [*declared, *results])
    return contents | {ledger_path.relative_to(run.root).as_posix(): lines}


def _contents(folder: Path, paths: Iterable[Path]) -> dict[str, bytes]:
    """Return the content of those of some paths that are files, by path from a folder."""
    files = (path for path in paths if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _received(run: Run, made_of: Record, record: Record, results: Contents) -> Record:
    """Put the results of a worker in place, if they rest on the very files that are here."""
    failed = folders.failed_notebook(run.folder).relative_to(run.edition_folder).as_posix()
    own = f"{run.branch_code}/{run.notebook}/"
    staging = folders.stage(run.edition_folder, run.branch_code, run.notebook)
    try:
        for name, content in results.items():
            here = run.template.path.name if name == failed else name.removeprefix(own)
            folders.write(staging / here, content)
        if record["status"] != "ok":
            folders.keep_failed(staging / run.template.path.name, run.folder)
            return record
        if fingerprint.outputs(staging) != record["outputs"]:
            message = "the results were damaged on their way; run again"
            return one.record(run, made_of, {"error": {"cell": None, "message": message}})
        read = [name for name in record["inputs"] if name not in made_of["inputs"]]
        times = {name: record[name] for name in ("started_at", "duration_seconds")}
        left = one.publish(run, staging, read)
        left["origin"] = origin.worst([left.get("origin", "public"), record["origin"]])
        return one.record(run, made_of, left) | times
    finally:
        folders.discard(staging)
