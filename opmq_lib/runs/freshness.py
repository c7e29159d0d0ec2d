"""Decide whether a run must be executed, and say why: by content, never by dates."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from opmq_lib.errors import Defect, few
from opmq_lib.params import BranchParams, EditionParams
from opmq_lib.runs import fingerprint
from opmq_lib.runs.origin import ORIGINS, worst
from opmq_lib.runs.plan import Run, RunId, plan, shown
from opmq_lib.sources import ledger
from opmq_lib.sources.ledger import Record

Records = Mapping[RunId, Record]


@dataclass(frozen=True)
class State:
    """Where a run stands, and why.

    Attributes:
        status: `failed` is about its last execution; `blocked` wants a result that is not there.
        reasons: In words; none when up to date.
    """

    status: Literal["up to date", "stale", "failed", "blocked"]
    reasons: tuple[str, ...] = ()


def state(run: Run, records: Records) -> State:
    """Say where one run stands, the results that it reads taken as they are.

    Args:
        run: From `plan`.
        records: From `ledger.latest`.
    """
    if missing := [read for read in run.reads if records.get(read, {}).get("status") != "ok"]:
        return State("blocked", tuple(f"no result of {shown(read)}" for read in missing))
    record = records.get(run.id)
    if record is None:
        return State("stale", ("never run",))
    if record["status"] != "ok":
        error = record.get("error")
        why = f": {in_words(error)}" if error else ""
        return State("failed", (f"failed last time{why}",))
    if not record.keys() >= {*fingerprint.PARTS} - {"library"}:
        return State("stale", ("its line of the ledger does not say what it was made of",))
    now = made_of(run, records, record["inputs"])
    reasons = (
        *fingerprint.differences(record, now),
        *fingerprint.damages(record["outputs"], run.folder, run.files.hashes.sha256),
    )
    # It may have turned out to rest on own data, though nothing in the plan does now.
    if now["origin"] not in (ORIGINS[-1], record.get("origin")):
        reasons += (f"its result does not say that it is {now['origin']}",)
    return State("stale", reasons) if reasons else State("up to date")


def states(runs: Iterable[Run], records: Records) -> dict[RunId, State]:
    """Say where every run stands; none is up to date that reads one which is not.

    Args:
        runs: From `plan`, in its order.
        records: From `ledger.latest`.
    """
    settled: dict[RunId, State] = {}
    for run in runs:
        alone = state(run, records)
        late = [read for read in run.reads if read in settled and settled[read].reasons]
        if alone.status == "up to date" and late:
            alone = State("stale", tuple(f"{shown(read)} is not up to date" for read in late))
        settled[run.id] = alone
    return settled


def late(
    root: Path, edition: EditionParams, branches: Mapping[str, BranchParams]
) -> dict[RunId, Defect]:
    """Return what is wrong with each run of an edition that is not up to date.

    Raises:
        DataError: If nothing can be planned: parameters or templates are wrong.
    """
    records = ledger.latest(root / "outputs" / edition.edition_id / ledger.LEDGER)
    settled = states(plan(root, edition, branches), records)
    fix = "run it: opmq run --branch {} --notebook {}"
    return {
        id_: Defect(
            shown(id_),
            f"{each.status} ({few(each.reasons)})",
            "a result that is up to date",
            fix.format(*id_),
        )
        for id_, each in settled.items()
        if each.reasons
    }


def made_of(run: Run, records: Records, read: Iterable[str] = ()) -> Record:
    """Return what a run is made of, the results that it reads included, as its line begins.

    Args:
        run: The run.
        records: Of the runs that it reads, at least.
        read: Names of the inputs that it has read when it was executed.

    Returns:
        Its fingerprint, and `origin`: the worst of what it is planned as and of what it reads.
    """
    results = {
        f"{shown(id_)}/{name}": sha256
        for id_ in run.reads
        for name, sha256 in records[id_]["outputs"].items()
        if not name.endswith(".ipynb")
    }
    return {
        "template_sha256": run.template.sha256,
        "parameters": dict(run.parameters),
        "library": dict(run.library),
        "inputs": run.inputs(name for name in read if name not in results) | results,
        "versions": dict(fingerprint.versions()),
        "origin": worst([run.origin, *(records[id_].get("origin") for id_ in run.reads)]),
    }


def in_words(error: Mapping[str, Any]) -> str:
    """Return the first line of a recorded error, or its count of defects with the first of them.

    Examples:
        >>> in_words({"cell": 3, "message": "DataError: 1 defect" + chr(10) + "  jobs.csv: …"})
        'In [3] DataError: 1 defect: jobs.csv: …'
        >>> in_words({"cell": None, "message": "OSError: disk full" + chr(10) + "more"})
        'OSError: disk full'
    """
    first_line, _, others = str(error["message"]).partition("\n")
    if others and re.search(r"\b\d+ defects?$", first_line):
        first_line += f": {others.partition(chr(10))[0].strip()}"
    return first_line if error["cell"] is None else f"In [{error['cell']}] {first_line}"
