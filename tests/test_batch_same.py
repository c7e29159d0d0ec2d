"""Every template gives the same from a warm kernel and a cold one, side by side or one by one."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from opmq_lib.runs import batch
from opmq_lib.runs.kernels import warm
from opmq_lib.runs.plan import Run, plan, select
from opmq_lib.sources import parameters

FULL = bool(os.environ.get("OPMQ_TEST_FULL"))
BRANCHES = ["ceramique", "chaux"] if FULL else ["ceramique"]
NOTEBOOKS = [] if FULL else ["01_emplois", "05_competences", "06_demandes", "13_demandes_ensemble"]

pytestmark = pytest.mark.skipif(not warm.POSSIBLE, reason="kernels are forked on Linux only")


def planned(root: Path) -> list[Run]:
    edition, branches = parameters.load_edition(root), parameters.load_branches(root)
    return select(plan(root, edition, branches), (), NOTEBOOKS)


def shown(edition: Path) -> dict[str, Any]:
    """Return the data of every output item and the content of every table."""
    found: dict[str, Any] = {}
    for path in sorted(edition.glob("*/*/*")):
        name = path.relative_to(edition).as_posix()
        if path.suffix == ".ipynb":
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            outputs = [output for cell in cells for output in cell.get("outputs", ())]
            for number, output in enumerate(outputs):
                found[f"{name}, output {number}"] = output.get("data") or output.get("text")
        else:
            found[name] = path.read_bytes()
    return found


def test_every_template_gives_the_same_data_warm_and_cold(project_copy: Path) -> None:
    for path in (project_copy / "parameters/branches").glob("*.yml"):
        if path.stem not in BRANCHES:
            path.unlink()
    runs = planned(project_copy)
    edition = project_copy / "outputs/2026"
    assert batch.execute(runs, 3).exit_status == 0
    warm_ones, warm_keys = shown(edition), keys(edition)
    assert len(warm_ones) > (50 if FULL else 25)
    shutil.rmtree(edition)
    assert batch.execute(planned(project_copy), 1, cold=True).exit_status == 0
    assert shown(edition) == warm_ones
    assert keys(edition) == warm_keys


def keys(edition: Path) -> dict[str, str]:
    lines = (edition / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return {f"{each['branch_code']}/{each['notebook']}": each["key"] for each in records}
