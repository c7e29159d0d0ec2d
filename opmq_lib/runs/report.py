"""Report on a batch: an outcome for each run, bars, a report; and the limits that it keeps to."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TextIO

from opmq_lib.runs.plan import Run, RunId, shown

Status = Literal["running", "ok", "up to date", "failed", "blocked"]


@dataclass(frozen=True)
class Limits:
    """What one run may take.

    Attributes:
        time_seconds: A run that takes longer fails, at whatever cell it is.
        memory_mb: Most memory of its kernel, libraries included; 0 for no limit. Linux only.
        output_mb: Size of what its cells show; the rest is cut, and the notebook says so.
    """

    time_seconds: float = 600
    memory_mb: int = 0
    output_mb: int = 20


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

    def __str__(self) -> str:
        """Return the outcome as one line."""
        detail = ", ".join(self.reasons) or f"{self.duration_seconds:.1f} s"
        return f"{self.status} {shown(self.run.id)}: {detail}"


Tell = Callable[[Outcome], object]


@dataclass(frozen=True)
class BatchReport:
    """What a batch did.

    Attributes:
        outcomes: One per run that came to an end, in that order.
        remaining: Runs that Ctrl-C has left undone.
        unrecorded_count: Runs that the ledger could not take (full disk); they will run again.
    """

    outcomes: tuple[Outcome, ...]
    remaining: tuple[RunId, ...] = ()
    unrecorded_count: int = 0

    def count(self, status: Status) -> int:
        """Return how many runs ended so."""
        return sum(outcome.status == status for outcome in self.outcomes)

    @property
    def exit_status(self) -> int:
        """0 if all is up to date now, 1 if something is not, 130 after Ctrl-C.

        Examples:
            >>> left = (("chimie", "01_emplois"),)
            >>> BatchReport(()).exit_status, BatchReport((), left).exit_status
            (0, 130)
        """
        if self.remaining:
            return 130
        return int(bool(self.count("failed") or self.count("blocked") or self.unrecorded_count))


@contextmanager
def progress(runs: Sequence[Run], stream: TextIO | None = None) -> Iterator[Tell]:
    """Show a batch to a person: bars on a terminal, elsewhere a line for each run that ends.

    Args:
        runs: Of the batch.
        stream: Where to; standard error by default.

    Yields:
        What `execute` takes as `tell`.
    """
    stream = stream or sys.stderr
    if stream.isatty():
        with _bars(runs, stream) as tell:
            yield tell
    else:
        yield _lines(len(runs), stream)


def json_lines(outcome: Outcome) -> None:
    """Write an event of a batch as one line of JSON on standard output: a `tell` of `execute`.

    Its keys: `branch_code`, `notebook`, `status` (`running` when it starts), `reasons`,
    `duration_seconds`.
    """
    event = {
        "branch_code": outcome.run.branch_code,
        "notebook": outcome.run.notebook,
        "status": outcome.status,
        "reasons": list(outcome.reasons),
        "duration_seconds": outcome.duration_seconds,
    }
    sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _lines(total_count: int, stream: TextIO) -> Tell:
    ended: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        if outcome.status != "running":
            ended.append(outcome)
            if outcome.status != "up to date":
                stream.write(f"[{len(ended)}/{total_count}] {outcome}\n")
                stream.flush()

    return tell


@contextmanager
def _bars(runs: Sequence[Run], stream: TextIO) -> Iterator[Tell]:
    """Show a bar for each question, over its branches, and one for all with the time left."""
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(bar_width=20),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[failed]}", style="red"),
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
        rich.TextColumn("{task.fields[now]}"),
    )
    running: list[Run] = []
    failed: Counter[str] = Counter()
    totals = Counter(run.notebook for run in runs)
    with rich.Progress(*columns, console=Console(file=stream), transient=True) as bars:
        rows = {
            name: bars.add_task(name, total=count, failed="", now="")
            for name, count in [*sorted(totals.items()), ("all", len(runs))]
        }

        def tell(outcome: Outcome) -> None:
            run = outcome.run
            if outcome.status == "running":
                running.append(run)
            elif run in running:
                running.remove(run)
            if outcome.status in ("failed", "blocked"):
                failed.update([run.notebook, "all"])
                bars.console.print(str(outcome), markup=False, highlight=False)
            for name in (run.notebook, "all"):
                bars.advance(rows[name], outcome.status != "running")
                count = f"{failed[name]} failed" if failed[name] else ""
                bars.update(rows[name], failed=count)
            here = [each.branch_code for each in running if each.notebook == run.notebook]
            bars.update(rows[run.notebook], now=", ".join(here))

        yield tell
