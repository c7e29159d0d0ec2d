"""Run the notebooks of an edition, in parallel, and only what is not up to date.

    runs = plan(root, edition, branches)
    with progress(runs) as tell:
        report = execute(runs, workers=2, tell=tell)
    raise SystemExit(report.exit_status)

Nothing heavy is imported until something must run: `status` and a batch with nothing to do are
quick. What is run, and whether it must be, belong to `edition.plan` and `edition.freshness`; here
`pool` keeps the list and the order, `one` executes one run, `cluster` has others execute it, and
`progress` tells a person or a machine. How a notebook is executed is in `engine`; `docs/batch.md`
walks through all of it.
"""

from opmq_lib.runs.freshness import State, state, states
from opmq_lib.runs.plan import COMMON, Run, plan, select
from opmq_lib.runs.pool import LEDGER, execute
from opmq_lib.runs.progress import json_lines, progress
from opmq_lib.runs.report import BatchReport, Limits, Outcome, Tell

__all__ = [
    "COMMON",
    "LEDGER",
    "BatchReport",
    "Limits",
    "Outcome",
    "Run",
    "State",
    "Tell",
    "execute",
    "json_lines",
    "plan",
    "progress",
    "select",
    "state",
    "states",
]
