"""Run the notebooks of an edition, in parallel, and only what is not up to date.

    runs = plan(root, edition, branches)
    with progress(runs) as tell:
        report = execute(runs, workers=2, tell=tell)
    raise SystemExit(report.exit_status)

Nothing heavy is imported until something must run: `status` and a batch with nothing to do are
quick. `plan` lists the runs, `freshness` says which must be executed; here each is started after
those that it reads, `one` executes it, or `cluster` has others do so. `docs/batch.md` walks through
all of it.
"""

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from opmq_lib.runs import folders, freshness, one
from opmq_lib.runs.plan import Run, RunId, shown
from opmq_lib.runs.report import BatchReport, Limits, Outcome, Tell
from opmq_lib.sources import ledger

if TYPE_CHECKING:
    from opmq_lib.runs.cluster import Cluster

COMMON = ("opmq_lib.questions.country", "prepare")
"""Module and function of what is slow and the same for every branch: done where kernels fork."""

SEVERAL = 3
"""Runs from which on that is worth it."""


def execute(  # noqa: PLR0913 - each is an option of `opmq run`
    runs: Sequence[Run],
    workers: int,
    tell: Tell = lambda _: None,
    *,
    force: bool = False,
    limits: Limits | None = None,
    cold: bool = False,
    cluster: str | None = None,
) -> BatchReport:
    """Execute the runs that are not up to date; one that fails does not stop the others.

    Args:
        runs: Of one edition, from `plan` or `select`.
        workers: Notebooks executed at a time.
        tell: Called with every run that starts or ends, in the calling thread.
        force: Execute what is up to date as well.
        limits: What one run may take.
        cold: Start every kernel as a new interpreter, even where it could be forked.
        cluster: Address of a Dask scheduler whose workers execute the runs; `None` for here.

    Returns:
        What was done. Ctrl-C is reported, not raised, once no kernel is left.

    Raises:
        DataError: If another batch is at work on the edition, or the cluster cannot be used:
            nothing has been executed then. If the cluster's scheduler is lost midway: what had
            finished is kept.
    """
    if not runs:
        return BatchReport(())
    edition_folder, limits = runs[0].edition_folder, limits or Limits()
    with folders.locked(edition_folder), _joined(cluster, runs, limits) as others:
        folders.sweep(edition_folder)

        def place() -> "one.Kernels | Cluster":
            warm = None if others or cold else one.execution().new_zygotes(_imports(runs))
            return others or one.Kernels(limits, warm)

        try:
            batch = _Batch(edition_folder / ledger.LEDGER, tell, force, place)
            at_a_time = min(workers, others.threads_count) if others else workers
            return batch.execute({run.id: run for run in runs}, at_a_time)
        finally:
            folders.sweep(edition_folder)
            runs[0].files.hashes.save()


def _joined(
    address: str | None, runs: Sequence[Run], limits: Limits
) -> "closing[Cluster] | nullcontext[None]":
    """Join a cluster for the time of a batch, if there is one."""
    if address is None:
        return nullcontext()
    from opmq_lib.runs.cluster import Cluster

    return closing(Cluster(address, runs[0].files, limits, _imports(runs)))


def _imports(runs: Sequence[Run]) -> list[str]:
    """Return the modules that the runs' notebooks import, those of the library one by one.

    And `COMMON`, as `module:function`, if several runs can use it.
    """
    named = {name for run in runs for name in run.template.imports or ()}
    reached = Counter(module for run in runs if run.template.imports for module in run.library)
    others = {name for name in named if name.partition(".")[0] not in reached}
    calls = [":".join(COMMON)] if reached[COMMON[0]] >= SEVERAL else []
    return sorted(reached.keys() | others) + calls


@dataclass
class _Batch:
    """A batch at work. All but the executions happens in the caller's thread."""

    ledger_path: Path
    tell: Tell
    force: bool
    new_place: Callable[[], "one.Kernels | Cluster"]
    outcomes: dict[RunId, Outcome] = field(default_factory=dict)
    records: dict[RunId, ledger.Record] = field(default_factory=dict)
    unrecorded: list[ledger.Record] = field(default_factory=list)
    futures: dict[Future[ledger.Record], Run] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    place: "one.Kernels | Cluster | None" = None

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
        remaining = tuple(key for key in runs if key not in self.outcomes)
        return BatchReport(tuple(self.outcomes.values()), remaining, len(self.unrecorded))

    def start(self, run: Run, pool: ThreadPoolExecutor) -> bool:
        """Start a run, or settle it and return False if there is nothing to execute."""
        now = freshness.state(run, self.records)
        blocked = self.causes(run) or (now.reasons if now.status == "blocked" else ())
        if blocked:
            self.settle(Outcome(run, "blocked", blocked))
        elif now.status == "up to date" and not self.force:
            self.settle(Outcome(run, "up to date"))
        else:
            self.place = self.place or self.new_place()
            self.tell(Outcome(run, "running", now.reasons))
            made_of = freshness.made_of(run, self.records)
            known = replace(run, origin=made_of["origin"])  # what it reads may have come out own
            self.futures[pool.submit(self.place.perform, known, made_of)] = run
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
        if self.place is not None:
            self.place.kill()
            while not all(future.done() for future in self.futures):
                self.place.kill()
                time.sleep(0.05)
        for future in list(self.futures):
            is_whole = not future.cancelled() and future.exception() is None
            if is_whole and future.result()["status"] == "ok":
                self.finish(future)


@contextmanager
def _interrupt_sets(stopping: threading.Event) -> Iterator[None]:
    """Let Ctrl-C set an event instead of raising wherever the program happens to be.

    The second Ctrl-C raises as usual. Only the main thread can say so; others get no Ctrl-C.
    """
    before = signal.getsignal(signal.SIGINT)
    in_main_thread = threading.current_thread() is threading.main_thread()
    if before is not signal.default_int_handler or not in_main_thread:
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
