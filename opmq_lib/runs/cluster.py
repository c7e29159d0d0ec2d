"""Has the workers of a Dask cluster execute runs: `opmq run --cluster tcp://HOST:8786`.

A worker gets the files that a run may read as bytes, executes it in a project of its own, in a
temporary folder, exactly as `one` does here, and sends the results back as bytes: no folder has to
be shared. Dask gives the runs of a worker that is lost to another one. A worker keeps its zygote
from one run to the next, and must have the very library and packages that the runner has.
"""

import re
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from distributed import Client, KilledWorker

from opmq_lib.errors import DataError, Defect
from opmq_lib.runs import fingerprint, folders, library, one
from opmq_lib.runs.hashes import Hashes
from opmq_lib.runs.origin import Origin
from opmq_lib.runs.plan import Known, Run, RunId
from opmq_lib.runs.report import Limits
from opmq_lib.runs.templates import Template
from opmq_lib.sources import ledger

Files = Mapping[str, bytes]
SECONDS_TO_ANSWER = 20


@dataclass(frozen=True)
class Order:
    """One run, as it travels to a worker.

    Attributes:
        files: What the run may read beside what all may: path from the project's root → content.
        imports: Modules to have ready in the zygote.
        limits: Of the run. The other attributes are those of `Run` and `Planned`.
    """

    branch_code: str
    template: Template
    parameters: Mapping[str, Any]
    reads: tuple[RunId, ...]
    library: Mapping[str, str]
    declared: tuple[str, ...]
    versions: Mapping[str, str]
    origin: Origin
    edition_id: str
    fingerprint: Mapping[str, Any]
    files: Files
    imports: tuple[str, ...]
    limits: Limits


class Elsewhere:
    """Executes runs on the workers of a cluster; takes the place of `one.Kernels`.

    Args:
        address: Of the scheduler.
        runs: All that may be executed.
        limits: Of each run.
        imports: Modules to have ready in the workers' zygotes.

    Raises:
        DataError: If there is no scheduler or no worker, or a worker has another library or other
            packages than this machine.
    """

    def __init__(
        self, address: str, runs: Sequence[Run], limits: Limits, imports: Sequence[str]
    ) -> None:
        self._address, self._limits, self._imports = address, limits, tuple(imports)
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._waiting: set[Any] = set()
        if not re.fullmatch(r"(tcp|tls)://\S+:[0-9]+", address):
            raise DataError([_no_scheduler(address, "not an address")])
        try:
            self._client = _connect(address)
        except (OSError, ValueError, TimeoutError) as error:
            raise DataError([_no_scheduler(address, type(error).__name__)]) from error
        try:
            self._identity = _identity()
            _refuse(_strangers(address, self._client, self._identity))
            self.worker_count = sum(self._client.nthreads().values())
            self._common = self._client.scatter(_common_files(runs[0].root), hash=False)
        except BaseException:
            self._client.close()
            raise

    def perform(self, planned: one.Planned) -> ledger.Record:
        """Have a run executed, put its results in place and return its record; never raises."""
        run = planned.run
        error: str
        try:
            order = _order(planned, self._imports, self._limits)
            with self._lock:
                if self._stopping.is_set():
                    raise CancelledError
                task = self._client.submit(
                    work, order, self._common, self._identity, pure=False, key=_key(run)
                )
                self._waiting.add(task)
            try:
                record, results = task.result()
            finally:
                self._waiting.discard(task)
            return _received(planned, record, results)
        except CancelledError:
            error = "stopped"
        except KilledWorker:
            error = "every worker that took it was lost: it may ask for more memory than they have"
        except Exception as unforeseen:  # noqa: BLE001 - one run never stops the others
            error = f"{type(unforeseen).__name__}: {unforeseen}"
        return one.failed(planned, error)

    def kill(self) -> None:
        """Take back what waits, and end what is being executed."""
        with self._lock:
            if self._stopping.is_set():
                return
            self._stopping.set()
        with suppress(Exception):
            self._client.cancel(list(self._waiting), force=True)
            if self._waiting:
                self._client.run(end_kernels)

    def close(self) -> None:
        """Leave the cluster."""
        with suppress(Exception):
            self._client.close()


def work(
    order: Order, common: Files, identity: Mapping[str, str]
) -> tuple[ledger.Record, dict[str, bytes]]:
    """Execute one run on a worker.

    Returns:
        Its record, and its files: path in the edition's folder → content.

    Raises:
        RuntimeError: If the worker is not like the runner.
    """
    if differences := _differences(identity, _identity()):
        raise RuntimeError(f"this worker has another {', '.join(differences)} than the runner")
    with tempfile.TemporaryDirectory(prefix="opmq-") as folder:
        root = Path(folder).resolve()
        for name, content in {**common, **order.files}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        edition_folder = root / "outputs" / order.edition_id
        run = Run(
            branch_code=order.branch_code,
            template=replace(order.template, path=root / "notebooks" / order.template.path.name),
            parameters=order.parameters,
            reads=order.reads,
            library=order.library,
            declared=order.declared,
            known=Known(root, library.read(HASHES), Hashes()),
            versions=order.versions,
            origin=order.origin,
            edition_folder=edition_folder,
        )
        planned = one.Planned(run, order.fingerprint, order.origin)
        record = one.perform(planned, _kernels(order, identity))
        failed = folders.failed_notebook(run.folder)
        paths = [path for path in (failed, *run.folder.rglob("*")) if path.is_file()]
        names = (path.relative_to(edition_folder).as_posix() for path in paths)
        return record, {name: path.read_bytes() for name, path in zip(names, paths, strict=True)}


def end_kernels() -> None:
    """End every kernel of this worker."""
    with _LOCK:
        while _KERNELS:
            _KERNELS.popitem()[1].kill()


HASHES = Hashes()
_LOCK = threading.Lock()
_KERNELS: dict[str, one.Kernels] = {}


def _kernels(order: Order, identity: Mapping[str, str]) -> one.Kernels:
    """Return this worker's kernels: one zygote for as long as the library is the same."""
    name = fingerprint.json_sha256([dict(identity), order.imports, str(order.limits)])
    with _LOCK:
        if name not in _KERNELS:
            while _KERNELS:
                _KERNELS.popitem()[1].kill()
            zygotes = one.execution().new_zygotes(order.imports)
            _KERNELS[name] = one.Kernels(order.limits, zygotes)
        return _KERNELS[name]


def _identity() -> dict[str, str]:
    """Return what a worker must have in common with the runner."""
    modules = library.read(HASHES)
    data = {path.name: HASHES.sha256(path) for path in (modules.folder / "data").glob("*.csv")}
    ours = {"opmq_lib": fingerprint.json_sha256([dict(modules.sha256), data])[:12]}
    return fingerprint.versions() | ours


def _differences(expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Say in what a worker differs.

    Examples:
        >>> _differences({"pandas": "3.0", "numpy": "2.1"}, {"pandas": "3.1", "numpy": "2.1"})
        ['pandas (3.1 there, 3.0 here)']
    """
    return [
        f"{name} ({found.get(name, 'none')} there, {version} here)"
        for name, version in expected.items()
        if found.get(name) != version
    ]


def _connect(address: str) -> Any:
    """Return a client of the scheduler; `Any`, as its methods have no types."""
    return Client(address, timeout=SECONDS_TO_ANSWER, set_as_default=False)  # type: ignore[no-untyped-call]


def _strangers(address: str, client: Any, identity: Mapping[str, str]) -> list[Defect]:
    answers: Mapping[str, Any] = client.run(_identity, on_error="return")
    if not answers:
        return [_defect(address, "the scheduler has no worker", "at least one", "start workers")]
    defects = []
    for worker, found in sorted(answers.items()):
        if isinstance(found, Exception):
            what = f"the worker cannot use the library: {type(found).__name__}: {found}"
            fix = "install this very version of the project there, and start it again"
            defects.append(_defect(worker, what, "the library of this machine", fix))
        elif differences := _differences(identity, found):
            what = f"the worker has another {', '.join(differences)}"
            fix = "install the same there (requirements.lock), and start it again"
            defects.append(_defect(worker, what, "what this machine has", fix))
    return defects


def _refuse(defects: Sequence[Defect]) -> None:
    if defects:
        raise DataError(defects)


def _no_scheduler(address: str, why: str) -> Defect:
    what = f"no Dask scheduler answers: {why}"
    fix = "start one with `dask scheduler`, and correct --cluster"
    return _defect(address, what, "an address such as tcp://HOST:8786", fix)


def _defect(where: str, what: str, expected: str, fix: str) -> Defect:
    return Defect(where=where, what=what, expected=expected, fix=fix)


def _common_files(root: Path) -> dict[str, bytes]:
    """Return what every run may read: parameters, and what says that it is a project."""
    paths = [path for path in sorted((root / "parameters").rglob("*")) if path.is_file()]
    marker = root / "_quarto.yml"
    paths += [marker] if marker.is_file() else []
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def _order(planned: one.Planned, imports: tuple[str, ...], limits: Limits) -> Order:
    run = planned.run
    files = {f"notebooks/{run.template.path.name}": run.template.path.read_bytes()}
    for name in run.declared:
        files[name] = (run.root / name).read_bytes()
    files |= _results(run)
    return Order(
        branch_code=run.branch_code,
        template=run.template,
        parameters=dict(run.parameters),
        reads=run.reads,
        library=dict(run.library),
        declared=run.declared,
        versions=dict(run.versions),
        origin=planned.origin,
        edition_id=run.edition_folder.name,
        fingerprint=dict(planned.fingerprint),
        files=files,
        imports=imports,
        limits=limits,
    )


def _results(run: Run) -> dict[str, bytes]:
    """Return the result tables that a run reads, and the lines of the ledger that name them."""
    if not run.reads:
        return {}
    records = ledger.latest(run.edition_folder / ledger.LEDGER)
    start = f"outputs/{run.edition_folder.name}"
    files = {
        f"{start}/{code}/{notebook}/{name}": (run.edition_folder / code / notebook / name)
        for code, notebook in run.reads
        for name in records[code, notebook]["outputs"]
        if not name.endswith(".ipynb")
    }
    lines = "".join(ledger.as_line(records[id_]) for id_ in run.reads)
    return {name: path.read_bytes() for name, path in files.items()} | {
        f"{start}/{ledger.LEDGER}": lines.encode()
    }


def _received(planned: one.Planned, record: ledger.Record, results: Files) -> ledger.Record:
    """Put the results of a worker in place, if they rest on the very files that are here."""
    run = planned.run
    failed = folders.failed_notebook(run.folder).relative_to(run.edition_folder).as_posix()
    own = f"{run.branch_code}/{run.notebook}/"
    staging = folders.stage(run.edition_folder, run.branch_code, run.notebook)
    try:
        for name, content in results.items():
            path = staging / (run.template.path.name if name == failed else name.removeprefix(own))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if record["status"] != "ok":
            folders.keep_failed(staging / run.template.path.name, run.folder)
            return record
        if fingerprint.outputs(staging) != record["outputs"]:
            return one.failed(planned, "the results were damaged on their way; run again")
        read = [name for name in record["inputs"] if name not in planned.fingerprint["inputs"]]
        others = [name for name, sha in run.inputs(read).items() if sha != record["inputs"][name]]
        if changed := sorted({*others, *run.changed_files(read)}):
            what = f"an input changed while it ran: {', '.join(changed)}; run again"
            return one.failed(planned, what)
        folders.publish(staging, run.folder)
        return record
    finally:
        folders.discard(staging)


def _key(run: Run) -> str:
    """Return a name for the run that people recognise on the scheduler's pages."""
    return f"{run.branch_code}-{run.notebook}-{uuid4().hex}"
