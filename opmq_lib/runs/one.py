"""Executes one run in a staging folder, puts its results in place and says what became of it."""

import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from opmq_lib.runs import fingerprint, folders, freshness
from opmq_lib.runs import origin as origins
from opmq_lib.runs.freshness import Records
from opmq_lib.runs.kernels.kernel import Settings, noted
from opmq_lib.runs.plan import Run, RunId
from opmq_lib.runs.report import Limits
from opmq_lib.sources import ledger

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

    def freeze(self, library: dict[str, str]) -> None:
        """Note the library as the zygote has it."""
        self.frozen = library

    def perform(self, planned: "Planned") -> ledger.Record:
        """Execute a run here."""
        return perform(planned, self)

    def kill(self) -> None:
        """End every kernel at once; none is started after that."""
        self.stopping.set()
        if self.zygotes is not None:
            self.zygotes.close()
        for kernel in list(self.running.values()):
            execution().kill(kernel)


@dataclass(frozen=True)
class Planned:
    """What is known of a run before it is executed.

    Attributes:
        run: The run.
        fingerprint: What it is made of, as far as known before.
        origin: As far as its inputs tell; its results may still prove it `own`.
    """

    run: Run
    fingerprint: fingerprint.Fingerprint
    origin: origins.Origin

    @classmethod
    def of(cls, run: Run, records: Records) -> "Planned":
        """Return what the records of the runs that it reads tell of a run."""
        return cls(run, freshness.of(run, records), freshness.origin(run, records))


@dataclass(frozen=True)
class _Results:
    """What an execution left: files by name, what they rest on, or why there are none."""

    outputs: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    origin: origins.Origin = "public"
    failure: "Failure | None" = None


def perform(planned: Planned, kernels: Kernels) -> ledger.Record:
    """Execute a run, put its results in place and return its record; never raises."""
    started_at, clock = datetime.now(UTC), time.monotonic()
    results = _Results()
    error: dict[str, Any] | None = None
    try:
        results = _results(planned.run, kernels)
        if failure := results.failure:
            error = {"cell": failure.cell, "message": failure.message}
    except Exception as unforeseen:  # noqa: BLE001 - one run never stops the others
        error = {"cell": None, "message": f"{type(unforeseen).__name__}: {unforeseen}"}
    return _record(planned, results, error) | {
        "started_at": started_at.isoformat(timespec="seconds"),
        "duration_seconds": round(time.monotonic() - clock, 3),
    }


def failed(planned: Planned, message: str) -> ledger.Record:
    """Return the record of a run that could not be executed at all."""
    return _record(planned, _Results(), {"cell": None, "message": message})


def _record(planned: Planned, results: "_Results", error: dict[str, Any] | None) -> ledger.Record:
    inputs = {**results.inputs, **planned.fingerprint["inputs"]}
    made_of = {**planned.fingerprint, "inputs": inputs}
    return {
        "edition_id": planned.run.edition_folder.name,
        "branch_code": planned.run.branch_code,
        "notebook": planned.run.notebook,
        "status": "failed" if error else "ok",
        "key": fingerprint.key(made_of),
        **made_of,
        "outputs": results.outputs,
        "origin": origins.worst([planned.origin, results.origin]),
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "duration_seconds": 0.0,
        "error": error,
    }


def _results(run: Run, kernels: Kernels) -> _Results:
    """Execute a run in a staging folder and publish it whole, or keep how far it came."""
    for attempt in range(1, ATTEMPTS + 1):
        staging = folders.stage(run.edition_folder, run.branch_code, run.notebook)
        try:
            failure, was_lost = _execute(run, staging, kernels)
            if failure is None:
                read = _read(run, staging)
                if changed := run.changed_files(read):
                    what = f"an input changed while it ran: {', '.join(changed)}; run again"
                    return _Results(failure=execution().Failure(None, what))
                outputs, rests_on = fingerprint.outputs(staging), origins.of(staging)
                folders.publish(staging, run.folder)
                return _Results(outputs, run.inputs(read), rests_on)
            if was_lost and attempt < ATTEMPTS and not kernels.stopping.is_set():
                continue
            if not kernels.stopping.is_set():
                folders.keep_failed(staging / run.template.path.name, run.folder)
            return _Results(failure=failure)
        finally:
            folders.discard(staging)
            _notes(staging).unlink(missing_ok=True)
    raise AssertionError("the last attempt returns")


def _execute(run: Run, staging: Path, kernels: Kernels) -> "tuple[Failure | None, bool]":
    """Execute a run; say whether it failed only because its zygote was killed."""
    settings = Settings(
        notes=str(_notes(staging)),
        watched=(f"{run.root}/", f"{run.known.package}/data/"),
        seed=run.seed,
        memory_mb=kernels.limits.memory_mb,
    )
    if kernels.zygotes is not None:
        kernels.zygotes.when_ready = lambda: kernels.freeze(run.known.library_now())
    kernel = execution().new_kernel(staging, settings, kernels.zygotes)
    kernels.running[run.id] = kernel
    try:
        if kernels.stopping.is_set():
            return execution().Failure(None, "stopped before it began"), False
        failure = execution().execute(
            run.template.path, run.parameters, staging, kernel, kernels.limits.time_seconds
        )
        if failure is None and (
            changed := _changed_modules(run, kernels, kernel.provisioner.forked is not None)
        ):
            what = f"the library changed while it ran: {', '.join(changed)}; run again"
            failure = execution().Failure(None, what)
        return failure, kernel.provisioner.lost
    finally:
        del kernels.running[run.id]


def _changed_modules(run: Run, kernels: Kernels, is_warm: bool) -> list[str]:
    """Return the modules that the run had otherwise than planned.

    A cold kernel may have imported them until its end; a zygote has had them since it was ready.
    """
    now = kernels.frozen if is_warm else run.known.library_now()
    return [module for module, sha256 in run.library.items() if now.get(module) != sha256]


def _read(run: Run, staging: Path) -> list[str]:
    """Return the names of the inputs that a run has opened."""
    names = (run.known.name(path) for path in noted(str(_notes(staging))))
    return sorted({name for name in names if name is not None})


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
