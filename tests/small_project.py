"""A project of trivially cheap notebooks, and a way to run its batch in a process of its own.

python small_project.py ROOT WORKERS [cold] [CLUSTER]
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from opmq_lib.params import BranchParams, BranchTables, EditionParams
from opmq_lib.runs import batch
from opmq_lib.runs.plan import Run, plan
from opmq_lib.runs.report import BatchReport, progress
from opmq_lib.sources import ledger

SIGNATURE = {
    "branch": 'branch_code = "chimie"  # code\nhorizon_years = 10\noutput_folder = "."',
    "common": 'edition_id = "2026"\noutput_folder = "."',
}
HEADER = "branch_code,horizon_years,origin\n"
TABLE = f"""
from pathlib import Path
row = f"{{branch_code}},{{horizon_years}},public\\n"
Path(output_folder, "table.csv").write_text({HEADER!r} + row)
"""


GATE = """
import time
from pathlib import Path
Path("here").touch()
while not Path("../../open").exists():
    time.sleep(0.05)
Path("here").unlink()
"""
"""A cell that says where it is, in its own folder, and waits until the test lets it go on."""


def write_notebook(
    root: Path,
    name: str,
    *cells: str,
    scope: str = "branch",
    reads: Sequence[str] = (),
    files: Sequence[str] = (),
    signature: str | None = None,
) -> Path:
    sources = [SIGNATURE[scope] if signature is None else signature, *cells]
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {"tags": ["parameters"]} if number == 0 else {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, source in enumerate(sources)
        ],
        "metadata": {
            "opmq": {
                "scope": scope,
                "reads": list(reads),
                **({"files": list(files)} if files else {}),
            }
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = root / "notebooks" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def write_branch(root: Path, code: str, notebooks: Sequence[str], table: str | None = None) -> Path:
    branch = BranchParams(
        branch_code=code,
        label=code,
        idcc_codes=("00044",),
        perimeter_note="-",
        notebooks=tuple(notebooks),
        tables=BranchTables(employment=table),
        questions=(),
    )
    path = root / "parameters" / "branches" / f"{code}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(branch.model_dump_json(), encoding="utf-8")
    return path


def write_edition(root: Path, horizon_years: int = 10) -> Path:
    edition = EditionParams(
        edition_id="2026",
        title="-",
        edition_date=date(2026, 1, 31),
        base_year=2018,
        horizon_years=horizon_years,
        scenario_codes=("reference",),
        quantile_levels=(0.1, 0.5, 0.9),
    )
    path = root / "parameters" / "edition.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = edition.model_dump_json().replace('"2026-01-31"', "2026-01-31")  # a date in YAML
    path.write_text(text, encoding="utf-8")
    scenario = root / "parameters/scenarios/reference.yml"
    scenario.parent.mkdir(exist_ok=True)
    scenario.touch()
    return path


def write_project(
    root: Path, branches: Sequence[str] = ("chimie", "ciments"), cell: str = TABLE
) -> Path:
    """Write a project where each branch runs `01_emplois`."""
    write_edition(root)
    write_notebook(root, "01_emplois", cell)
    for code in branches:
        write_branch(root, code, ["01_emplois"])
    return root


def runs(root: Path) -> list[Run]:
    """Plan the project as it is on disk; its branches need not exist."""
    branches = [
        BranchParams.model_validate_json(path.read_text())
        for path in sorted((root / "parameters" / "branches").glob("*.yml"))
    ]
    edition = yaml.safe_load((root / "parameters" / "edition.yml").read_text())
    return plan(
        root,
        EditionParams.model_validate(edition),
        {branch.branch_code: branch for branch in branches},
    )


def records(root: Path) -> dict[tuple[str, str], ledger.Record]:
    return ledger.latest(root / "outputs" / "2026" / "runs.jsonl")


def statuses(report: BatchReport) -> Mapping[str, str]:
    return {"/".join(outcome.run.id): outcome.status for outcome in report.outcomes}


def files(root: Path) -> list[str]:
    """Return what the edition holds, but for its lock and its cache of hashes."""
    edition = root / "outputs" / "2026"
    paths = sorted(path.relative_to(edition).as_posix() for path in edition.rglob("*")
                   if path.is_file())  # fmt: skip
    return [path for path in paths if path not in {".lock", ".hashes.json"}]


def family(mark: str) -> list[int]:
    """Return the live processes that carry a mark."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            marked = f"OPMQ_TEST_MARK={mark}".encode() in (process / "environ").read_bytes()
        except OSError:
            continue
        if marked:
            found.append(int(process.name))
    return found


@contextmanager
def running(
    root: Path, *arguments: str, mark: str = "", log: Path = Path(os.devnull)
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a batch in a process whose environment, like that of its kernels, carries a mark.

    However the test ends, the process has ended when this has.
    """
    with (
        log.open("wb") as stream,
        subprocess.Popen(
            [sys.executable, __file__, str(root), *(arguments or ("2",))],
            env=os.environ | {"OPMQ_TEST_MARK": mark},
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


if __name__ == "__main__":
    planned = runs(Path(sys.argv[1]))
    with progress(planned) as tell:
        how: dict[str, Any] = {"cold": True} if "cold" in sys.argv else {}
        if sys.argv[-1].startswith("tcp:"):
            how["cluster"] = sys.argv[-1]
        report = batch.execute(planned, int(sys.argv[2]), tell, **how)
    sys.stdout.write(" ".join(sorted({"pandas", "papermill", "matplotlib"} & sys.modules.keys())))
    sys.exit(report.exit_status)
