"""Run the notebooks of an edition, in parallel, and only what is not up to date.

    runs = plan(root, edition, branches)
    with progress(len(runs)) as tell:
        report = execute(runs, workers=2, tell=tell)
    raise SystemExit(report.exit_status)

Nothing heavy is imported until something must run: `status` and a batch with nothing to do are
quick. What is run, and whether it must be, belong to `edition.plan` and `edition.freshness`; how
one notebook is executed to `edition.execution`; what is on disk to `edition.folders` and `ledger`.
"""

import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, TextIO

from opmq_lib.edition import fingerprint, folders, freshness, ledger, origin
from opmq_lib.edition.freshness import State, state, states
from opmq_lib.edition.origin import Origin
from opmq_lib.edition.plan import COMMON, Run, RunId, plan, select, shown, undeclared_parameters
from opmq_lib.errors import DataError

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

    from opmq_lib.edition.execution import Failure

__all__ = [
    "COMMON",
    "BatchReport",
    "Outcome",
    "Run",
    "State",
    "execute",
    "plan",
    "progress",
    "select",
    "state",
    "states",
]

LEDGER = ledger.LEDGER
Status = Literal["running", "ok", "up to date", "failed", "blocked"]


@dataclass(frozen=True)
class Outcome:
    """What became of one run.

    Attributes:
        run: The run.
        status: `ok` if it was executed; `blocked` if something that it reads has no result.
        reasons: Why it failed, is blocked or (while `running`) must run.
        duration_seconds: Time of its execution.
    """

    run: Run
    status: Status
    reasons: tuple[str, ...] = ()
    duration_seconds: float = 0.0


Tell = Callable[[Outcome], None]


@dataclass(frozen=True)
class BatchReport:
    """What a batch did.

    Attributes:
        outcomes: One per run that came to an end, in that order.
        interrupted: Whether Ctrl-C ended the batch before its time.
        unrecorded_count: Runs that the ledger could not take (full disk); they will run again.
    """

    outcomes: tuple[Outcome, ...]
    interrupted: bool = False
    unrecorded_count: int = 0

    def count(self, status: Status) -> int:
        """Return how many runs ended so."""
        return sum(outcome.status == status for outcome in self.outcomes)

    @property
    def exit_status(self) -> int:
        """0 if all is up to date now, 1 if something is not, 130 after Ctrl-C.

        Examples:
            >>> BatchReport(()).exit_status, BatchReport((), interrupted=True).exit_status
            (0, 130)
        """
        if self.interrupted:
            return 130
        return int(bool(self.count("failed") or self.count("blocked") or self.unrecorded_count))


def quiet(_: Outcome) -> None:
    """Tell nothing."""


def execute(
    runs: Sequence[Run],
    workers: int,
    tell: Tell = quiet,
    *,
    force: bool = False,
    cell_timeout_seconds: int = 600,
) -> BatchReport:
    """Execute the runs that are not up to date; one that fails does not stop the others.

    Args:
        runs: Of one edition, from `plan` or `select`.
        workers: Notebooks executed at a time.
        tell: Called with every run that starts or ends, in the calling thread.
        force: Execute what is up to date as well.
        cell_timeout_seconds: A cell that takes longer fails its run.

    Returns:
        What was done. Ctrl-C is reported, not raised, once no kernel is left.

    Raises:
        DataError: If a notebook does not declare a parameter that it would get, or another batch
            is at work on the edition. Nothing has been executed then.
    """
    if defects := tuple(undeclared_parameters(runs)):
        raise DataError(defects)
    if not runs:
        return BatchReport(())
    edition_folder = runs[0].edition_folder
    with folders.locked(edition_folder):
        folders.sweep(edition_folder)
        try:
            batch = _Batch(edition_folder / LEDGER, tell, force, cell_timeout_seconds)
            return batch.execute({run.id: run for run in runs}, workers)
        finally:
            folders.sweep(edition_folder)


@contextmanager
def progress(total_count: int, stream: TextIO | None = None) -> Iterator[Tell]:
    """Show a batch to a person: a bar on a terminal, elsewhere a line for each run that ends.

    Args:
        total_count: Runs of the batch.
        stream: Where to; standard error by default.

    Yields:
        What `execute` takes as `tell`.
    """
    stream = stream or sys.stderr
    if stream.isatty():
        with _bar(total_count, stream) as tell:
            yield tell
    else:
        yield _lines(total_count, stream)


def _lines(total_count: int, stream: TextIO) -> Tell:
    ended_count = 0

    def tell(outcome: Outcome) -> None:
        nonlocal ended_count
        ended_count += outcome.status != "running"
        if outcome.status not in ("running", "up to date"):
            stream.write(f"[{ended_count}/{total_count}] {_line(outcome)}\n")
            stream.flush()

    return tell


@contextmanager
def _bar(total_count: int, stream: TextIO) -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    now = TextColumn("{task.fields[now]}")
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), now)
    running: dict[RunId, None] = {}
    with Progress(*columns, console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("", total=total_count, now="")

        def tell(outcome: Outcome) -> None:
            if outcome.status == "running":
                running[outcome.run.id] = None
            else:
                running.pop(outcome.run.id, None)
                bar.advance(task)
            if outcome.status in ("failed", "blocked"):
                bar.console.print(_line(outcome), markup=False, highlight=False)
            bar.update(task, now=", ".join(map(shown, running)))

        yield tell


def _line(outcome: Outcome) -> str:
    """Return an outcome as one line."""
    detail = ", ".join(outcome.reasons) or f"{outcome.duration_seconds:.1f} s"
    return f"{outcome.status} {shown(outcome.run.id)}: {detail}"


@dataclass(frozen=True)
class _Results:
    """What an execution left: files by name, what they rest on, or why there are none."""

    outputs: Mapping[str, str] = field(default_factory=dict)
    origin: Origin = "public"
    failure: "Failure | None" = None


@dataclass
class _Batch:
    """A batch at work. All but `run` and what it calls happens in the caller's thread."""

    ledger_path: Path
    tell: Tell
    force: bool
    cell_timeout_seconds: int
    outcomes: dict[RunId, Outcome] = field(default_factory=dict)
    records: dict[RunId, ledger.Record] = field(default_factory=dict)
    unrecorded: list[ledger.Record] = field(default_factory=list)
    futures: dict[Future[ledger.Record], Run] = field(default_factory=dict)
    kernels: dict[RunId, "AsyncKernelManager"] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def execute(self, runs: Mapping[RunId, Run], workers: int) -> BatchReport:
        self.records = ledger.latest(self.ledger_path)
        order = TopologicalSorter({key: runs.keys() & run.reads for key, run in runs.items()})
        order.prepare()
        with ThreadPoolExecutor(workers) as pool, _interrupt_sets(self.stopping):
            try:
                while order.is_active() and not self.stopping.is_set():
                    ready = [runs[run_id] for run_id in order.get_ready()]
                    settled = [run.id for run in ready if not self.start(run, pool)]
                    order.done(*(settled or self.finish_some()))
            finally:
                self.stop()
        self.write_records()
        interrupted = order.is_active()
        return BatchReport(tuple(self.outcomes.values()), interrupted, len(self.unrecorded))

    def start(self, run: Run, pool: ThreadPoolExecutor) -> bool:
        """Start a run, or settle it and return False if there is nothing to execute."""
        now = state(run, self.records)
        if causes := self.causes(run):
            self.settle(Outcome(run, "blocked", causes))
        elif now.status == "blocked":
            self.settle(Outcome(run, "blocked", now.reasons))
        elif now.status == "up to date" and not self.force:
            self.settle(Outcome(run, "up to date"))
        else:
            _execution()
            self.tell(Outcome(run, "running", now.reasons))
            made_of = freshness.of(run, self.records)
            foreseen = freshness.origin(run, self.records)
            self.futures[pool.submit(self.run, run, made_of, foreseen)] = run
            return True
        return False

    def causes(self, run: Run) -> tuple[str, ...]:
        """Say which of the runs that it reads went wrong in this batch, or cannot be found yet."""
        ended = [(read, self.outcomes[read].status) for read in run.reads if read in self.outcomes]
        wrong = [f"{shown(id_)} {how}" for id_, how in ended if how in ("failed", "blocked")]
        waiting = {(record["branch_code"], record["notebook"]) for record in self.unrecorded}
        unseen = [read for read in run.reads if read in waiting]
        return (*wrong, *(f"{shown(read)} is not in the ledger" for read in unseen))

    def finish_some(self) -> list[RunId]:
        """Wait until a run ends, or Ctrl-C; return those that have ended."""
        done: set[Future[ledger.Record]] = set()
        while not done and not self.stopping.is_set():
            done, _ = wait(self.futures, timeout=0.2, return_when=FIRST_COMPLETED)
        return [self.finish(future) for future in done]

    def finish(self, future: Future[ledger.Record]) -> RunId:
        run, record = self.futures.pop(future), future.result()
        self.records[run.id] = record
        self.unrecorded.append(record)
        self.write_records()
        reasons = (freshness.in_words(record["error"]),) if record["error"] else ()
        self.settle(Outcome(run, record["status"], reasons, record["duration_seconds"]))
        return run.id

    def settle(self, outcome: Outcome) -> None:
        self.outcomes[outcome.run.id] = outcome
        self.tell(outcome)

    def write_records(self) -> None:
        """Write what the ledger does not have yet; on a full disk it waits for a better moment."""
        while self.unrecorded:
            try:
                ledger.append(self.ledger_path, self.unrecorded[0])
            except OSError:
                return
            self.unrecorded.pop(0)

    def stop(self) -> None:
        """End what still runs, wait for its threads, and keep what had finished."""
        self.stopping.set()
        for future in self.futures:
            future.cancel()
        while not all(future.done() for future in self.futures):
            for kernel in list(self.kernels.values()):
                _execution().kill(kernel)
            time.sleep(0.05)
        for future in list(self.futures):
            if not future.cancelled() and future.result()["status"] == "ok":
                self.finish(future)

    def run(self, run: Run, made_of: fingerprint.Fingerprint, foreseen: Origin) -> ledger.Record:
        """Execute a run, put its results in place and return its record; never raises.

        Args:
            run: The run.
            made_of: Its fingerprint.
            foreseen: Its origin, as far as its inputs tell; its results may still prove it `own`.
        """
        started_at, clock = datetime.now(UTC), time.monotonic()
        results = _Results()
        error: dict[str, Any] | None = None
        try:
            results = self.results(run)
            if failure := results.failure:
                error = {"cell": failure.cell, "message": failure.message}
        except Exception as unforeseen:  # noqa: BLE001 - one run never stops the others
            error = {"cell": None, "message": f"{type(unforeseen).__name__}: {unforeseen}"}
        return {
            "edition_id": run.edition_folder.name,
            "branch_code": run.branch_code,
            "notebook": run.notebook,
            "status": "failed" if error else "ok",
            "key": fingerprint.key(made_of),
            **made_of,
            "outputs": results.outputs,
            "origin": origin.worst([foreseen, results.origin]),
            "started_at": started_at.isoformat(timespec="seconds"),
            "duration_seconds": round(time.monotonic() - clock, 3),
            "error": error,
        }

    def results(self, run: Run) -> _Results:
        """Execute a run in a staging folder and publish it whole, or keep how far it came."""
        staging = folders.stage(run.edition_folder, run.branch_code, run.notebook)
        try:
            kernel = self.kernels[run.id] = _execution().new_kernel(staging)
            failure = _execution().execute(
                run.template.path, run.parameters, staging, kernel, self.cell_timeout_seconds
            )
            if failure is None and (changed := run.changed_files()):
                what = f"an input changed while it ran: {', '.join(changed)}; run again"
                return _Results(failure=_execution().Failure(None, what))
            if failure is None:
                results = _Results(fingerprint.outputs(staging), origin.of(staging))
                folders.publish(staging, run.folder)
                return results
            if not self.stopping.is_set():
                folders.keep_failed(staging / run.template.path.name, run.folder)
            return _Results(failure=failure)
        finally:
            self.kernels.pop(run.id, None)
            shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _interrupt_sets(stopping: threading.Event) -> Iterator[None]:
    """Let Ctrl-C set an event instead of raising wherever the program happens to be.

    The second Ctrl-C raises as usual. Only the main thread can say so; others get no Ctrl-C.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler or not _in_main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        stopping.set()

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _execution() -> ModuleType:
    """Import what executes notebooks, without the slowest thing that comes with it.

    Notebook validation would build a grammar of addresses, 0.9 s each time; jsonschema does
    without it where it is missing.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type] # hides the module
    from opmq_lib.edition import execution

    return execution
