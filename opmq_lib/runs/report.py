"""What a batch is told to keep to, and what it tells: an outcome for each run, and a report."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from opmq_lib.runs.plan import Run

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


@dataclass(frozen=True)
class Limits:
    """What one run may take.

    Attributes:
        time_seconds: A run that takes longer fails, at whatever cell it is.
        memory_mb: Most memory of its kernel, libraries included; 0 for no limit. Linux only.
    """

    time_seconds: float = 600
    memory_mb: int = 0
