"""Tells how a batch goes: to a person at a terminal, as lines to a log, as JSON to a machine."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from opmq_lib.runs.plan import Run, RunId, shown
from opmq_lib.runs.report import Outcome, Tell


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


def json_lines(stream: TextIO | None = None) -> Tell:
    r"""Return a `tell` that writes each event of a batch as one line of JSON.

    Args:
        stream: Where to; standard output by default.

    Returns:
        What `execute` takes as `tell`. Keys of a line: `branch_code`, `notebook`, `status`
        (`running` when it starts), `reasons`, `duration_seconds`.
    """
    to = stream or sys.stdout

    def tell(outcome: Outcome) -> None:
        event = {
            "branch_code": outcome.run.branch_code,
            "notebook": outcome.run.notebook,
            "status": outcome.status,
            "reasons": list(outcome.reasons),
            "duration_seconds": outcome.duration_seconds,
        }
        to.write(json.dumps(event, ensure_ascii=False) + "\n")
        to.flush()

    return tell


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
def _bars(runs: Sequence[Run], stream: TextIO) -> Iterator[Tell]:
    """Show a bar for each question, over its branches, and one for all with the time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns: tuple[Any, ...] = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]}", style="red"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[now]}"),
    )
    running: dict[RunId, None] = {}
    failed_counts: Counter[str] = Counter()
    counts = Counter(run.notebook for run in runs)
    with Progress(*columns, console=Console(file=stream), transient=True) as bars:
        rows = {
            name: bars.add_task(name, total=count, failed="", now="")
            for name, count in sorted(counts.items())
        }
        whole = bars.add_task("all", total=len(runs), failed="", now="")

        def tell(outcome: Outcome) -> None:
            notebook = outcome.run.notebook
            row = rows[notebook]
            if outcome.status == "running":
                running[outcome.run.id] = None
            else:
                running.pop(outcome.run.id, None)
                bars.advance(row)
                bars.advance(whole)
            if outcome.status in ("failed", "blocked"):
                failed_counts.update([notebook])
                bars.update(row, failed=f"{failed_counts[notebook]} failed")
                bars.update(whole, failed=f"{failed_counts.total()} failed")
                bars.console.print(_line(outcome), markup=False, highlight=False)
            here = [branch_code for branch_code, name in running if name == notebook]
            bars.update(row, now=", ".join(here))

        yield tell


def _line(outcome: Outcome) -> str:
    """Return an outcome as one line."""
    detail = ", ".join(outcome.reasons) or f"{outcome.duration_seconds:.1f} s"
    return f"{outcome.status} {shown(outcome.run.id)}: {detail}"
