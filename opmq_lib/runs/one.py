"""Execute one run in a staging folder, put its results in place and say what became of it."""

import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from opmq_lib.runs import fingerprint, folders, origin, release
from opmq_lib.runs.kernels import confine
from opmq_lib.runs.kernels.kernel import Settings, noted
from opmq_lib.runs.library import LIBRARY
from opmq_lib.runs.plan import COMMON, READ_BY_ALL, Run, RunId
from opmq_lib.runs.report import Limits
from opmq_lib.sources import ledger, official
from opmq_lib.sources.ledger import LEDGER, Record

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

    from opmq_lib.runs.kernels.execution import Failure
    from opmq_lib.runs.kernels.warm import Zygotes

ATTEMPTS = 2
"""Times that a run is tried whose kernel ends because the zygote was killed."""


@dataclass
class Kernels:
    """The kernels of a batch that are at work.

    Attributes:
        limits: Of each run.
        zygotes: Where they are forked from; `None` for cold ones.
        frozen: The library as the zygote has it: module → first letters of its sha256.
    """

    limits: Limits
    zygotes: "Zygotes | None" = None
    running: dict[RunId, "AsyncKernelManager"] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    frozen: dict[str, str] = field(default_factory=dict)

    def perform(self, run: Run, made_of: Record) -> Record:
        """Execute a run, put its results in place and return its record; never raises.

        Args:
            run: The run.
            made_of: From `freshness.made_of`: what is known of it before.
        """
        started_at, clock = datetime.now(UTC), time.monotonic()
        try:
            results = _results(run, self)
        except Exception as error:  # noqa: BLE001 - one run never stops the others
            results = {"error": {"cell": None, "message": f"{type(error).__name__}: {error}"}}
        return record(run, made_of, results) | {
            "started_at": started_at.isoformat(timespec="seconds"),
            "duration_seconds": round(time.monotonic() - clock, 3),
        }

    def kill(self) -> None:
        """End every kernel at once; none is started after that."""
        self.stopping.set()
        if self.zygotes is not None:
            self.zygotes.close()
        for kernel in list(self.running.values()):
            execution().kill(kernel)


def record(run: Run, made_of: Record, results: dict[str, Any]) -> Record:
    """Return the ledger's line of a run.

    Args:
        run: The run.
        made_of: From `freshness.made_of`.
        results: What it left: `inputs` read, `outputs`, `origin`; or its `error`.
    """
    whole = made_of | {"inputs": results.get("inputs", {}) | made_of["inputs"]}
    error = results.get("error")
    return {
        "edition_id": run.edition_folder.name,
        "branch_code": run.branch_code,
        "notebook": run.notebook,
        "status": "failed" if error else "ok",
        "key": fingerprint.key(whole),
        "seed": run.seed,
        **whole,
        "outputs": results.get("outputs", {}),
        "origin": origin.worst([made_of["origin"], results.get("origin", "public")]),
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "duration_seconds": 0.0,
        "error": error,
    }


def _results(run: Run, kernels: Kernels) -> dict[str, Any]:
    """Execute a run in a staging folder and publish it whole, or keep how far it came."""
    for attempt in range(1, ATTEMPTS + 1):
        staging = folders.stage(run.edition_folder, run.branch_code, run.notebook)
        try:
            failure, is_lost = _execute(run, staging, kernels)
            if failure is None:
                return publish(run, staging, _read(run, staging))
            if is_lost and attempt < ATTEMPTS and not kernels.stopping.is_set():
                continue
            if not kernels.stopping.is_set():
                folders.keep_failed(staging / run.template.path.name, run.folder)
            return {"error": failure}
        finally:
            folders.discard(staging)
            folders.discard(_temporary(staging))
            _notes(staging).unlink(missing_ok=True)
    raise AssertionError("the last attempt returns")


def publish(run: Run, staging: Path, read: list[str]) -> dict[str, Any]:
    """Put the results of a run in place, unless what they rest on is no longer what was planned.

    Args:
        run: The run.
        staging: Where the results are.
        read: Names of the inputs that it has read.

    Returns:
        As `record` takes them.
    """
    if changed := run.changed_files(read):
        return {"error": changed_meanwhile("an input", changed)}
    if others := folders.no_files(staging):
        what = f"results that are links or no files: {', '.join(map(ascii, others))}"
        return {"error": {"cell": None, "message": f"{what}; write files, in folders of its own"}}
    outputs, rests_on = fingerprint.outputs(staging), _origin(run, staging)
    if odd := [ascii(name) for name in (*outputs, *read) if not _is_utf8(name)]:
        what = f"names of files that are not in UTF-8: {', '.join(odd)}; rename them"
        return {"error": {"cell": None, "message": what}}
    is_private = origin.worst([run.origin, rests_on]) == "own"
    folders.publish(staging, run.folder, private=is_private)
    return {"outputs": outputs, "inputs": run.inputs(read), "origin": rests_on}


def changed_meanwhile(what: str, names: list[str]) -> "Failure":
    """Return the failure of a run during which something has changed."""
    return {
        "cell": None,
        "message": f"{what} changed while it ran: {', '.join(names)}; run again",
    }


def _is_utf8(name: str) -> bool:
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


def _execute(run: Run, staging: Path, kernels: Kernels) -> "tuple[Failure | None, bool]":
    """Execute a run; say whether it failed only because its zygote was killed."""
    _temporary(staging).mkdir(mode=0o700)
    settings = Settings(
        notes=str(_notes(staging)),
        watched=_watched(run),
        seed=run.seed,
        memory_mb=kernels.limits.memory_mb,
        output_mb=kernels.limits.output_mb,
        readable=_readable(run, staging),
        temporary=str(_temporary(staging)),
        released=release.folder(run.edition_folder) if run.is_released else "",
    )
    if kernels.zygotes is not None:
        kernels.zygotes.when_ready = lambda: kernels.frozen.update(run.files.library_now())
    kernel = execution().new_kernel(staging, settings, kernels.zygotes)
    kernels.running[run.id] = kernel
    try:
        if kernels.stopping.is_set():
            return {"cell": None, "message": "stopped before it began"}, False
        failure = execution().execute(
            run.template.path,
            run.parameters,
            staging,
            kernel,
            kernels.limits.time_seconds,
            is_private=origin.worst([run.origin, *_origins_before(run)]) == "own",
        )
        # A cold kernel may have imported modules until its end; a zygote when it was ready.
        now = kernels.frozen if kernel.provisioner.forked else run.files.library_now()
        changed = [module for module, sha256 in run.library.items() if now.get(module) != sha256]
        if failure is None and changed:
            failure = changed_meanwhile("the library", changed)
        return failure, kernel.provisioner.lost
    finally:
        del kernels.running[run.id]


def _readable(run: Run, staging: Path) -> list[str]:
    """Return what of the project a run may read: what it says that it rests on, and no data else.

    Beside its own folder: parameters, the files that it declares, results of notebooks that it says
    it reads, these and its own in the edition before, with what tells last runs.
    """
    folders_read = [run.edition_folder / "/".join(id_) for id_ in run.reads]
    if before := _edition_before(run):
        folders_read += [before / LEDGER, *(before / "/".join(id_) for id_ in _read_before(run))]
    names = (*READ_BY_ALL, *official.files(run.root), *run.declared)
    shared = (staging.with_name(f"{staging.name}.json"), staging.with_name("ipython"))
    paths = [run.root / name for name in names] + [run.edition_folder / LEDGER, staging, *shared]
    paths += run.template.path.parent.glob("*.ipynb")  # which notebooks there are, no data
    return list(map(str, [*paths, *folders_read, _temporary(staging)]))


def _watched(run: Run) -> tuple[str, ...]:
    """Return the starts of the paths that are noted: all, where the system confines nobody."""
    project = (f"{run.root}/", f"{run.files.library.folder}/data/")
    return project if confine.is_possible() else ("",)


def _origin(run: Run, staging: Path) -> origin.Origin:
    """Return what the results of a run rest on, what it may have read unheard included.

    Where the system does not confine notebooks, one that imports more than this library may have
    read anything, and what any has opened beyond what it may read is the user's own.
    """
    origins = _origins_before(run)
    if not confine.is_possible():
        imports = run.template.imports or {""}
        is_ours = all(name.partition(".")[0] == LIBRARY for name in imports)
        origins.append("public" if is_ours and not _strange(run, staging) else "own")
    return origin.worst([origin.of(staging), *origins])


def _strange(run: Run, staging: Path) -> list[str]:
    """Return the files that a run has opened and that it may not read; folders are only listed."""
    allowed = (*confine.SYSTEM, *_readable(run, staging))
    within = tuple(f"{path}{after}" for path in allowed for after in ("/", "#"))
    searched = {str(Path(entry).absolute()) for entry in sys.path}
    heard = (path for path in noted(str(_notes(staging))) if not path.startswith(within))
    return [path for path in heard if path not in {*allowed, *searched} and not Path(path).is_dir()]


def _edition_before(run: Run) -> Path | None:
    name = run.parameters.get("previous_edition_id")
    return run.edition_folder.with_name(name) if name else None


def _origins_before(run: Run) -> list[str | None]:
    """Return what results of the edition before rest on: those of the last runs that succeeded."""
    before = _edition_before(run)
    past = ledger.latest(before / LEDGER, "ok") if before else {}
    return [past[id_].get("origin") for id_ in past.keys() & _read_before(run)]


def _read_before(run: Run) -> set[RunId]:
    """Return the runs of the edition before that a run may read: what it reads, and its own."""
    own = {(code, run.notebook) for code in (run.branch_code, COMMON)}
    return (
        own
        | {(code, name) for _, name in run.reads for code in (run.branch_code, COMMON)}
        | {*run.reads}
    )


def _read(run: Run, staging: Path) -> list[str]:
    """Return the names of the inputs that a run has opened."""
    names = (run.files.name(path) for path in noted(str(_notes(staging))))
    return sorted({name for name in names if name is not None})


def _temporary(staging: Path) -> Path:
    """Return where a kernel keeps temporary files: nobody else's are there."""
    return staging.with_name(f"{staging.name}.tmp")


def _notes(staging: Path) -> Path:
    """Return where a kernel notes what it opens: beside its folder, where it gets swept."""
    return staging.with_name(f"{staging.name}.notes")


def execution() -> ModuleType:
    """Import what executes notebooks, without the slowest thing that comes with it.

    Notebook validation would build a grammar of addresses, 0.9 s each time; jsonschema does
    without it where it is missing.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type] # hides the module
    from opmq_lib.runs.kernels import execution as module

    return module
