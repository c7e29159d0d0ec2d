"""A project whose one cheap notebook reads a table, and its archive.

It has three branches; the thirty-four of the study in the full run.
"""

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import site_edition as given
import small_project as small

from opmq_lib.runs import batch, fingerprint
from opmq_lib.runs.editions import archive, crate
from opmq_lib.runs.plan import plan, select
from opmq_lib.runs.report import BatchReport
from opmq_lib.sources import parameters

BRANCHES = ("chimie", "chaux", "ciments")
INPUT = "parameters/tables/jobs.csv"
JOBS = "metier_code,year,value\nE2Z70,2018,120\nE0Z20,2018,80\n"
CELL = f"""
import os
from pathlib import Path
lines = Path(os.environ["OPMQ_ROOT"], {INPUT!r}).read_text().splitlines()[1:]
rows = [f"{{branch_code}},{{line}},{{horizon_years}},value,public" for line in lines]
header = "branch_code,metier_code,year,value,horizon_years,status,origin"
written = Path(output_folder, "emplois.csv").write_text("\\n".join([header, *rows, ""]))
"""
FIGURE = """
from IPython.display import display
svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'
about = {"image/svg+xml": {"alt": f"Emplois : {rows}"}, "opmq": {"caption": "Emplois."}}
display({"image/svg+xml": svg}, metadata=about, raw=True)
"""


def project(root: Path) -> Path:
    """Write the project; nothing has run."""
    given.project(root)
    (root / "notebooks/10_consolidation.ipynb").unlink()
    for path in (root / "parameters/branches").glob("*.yml"):
        if path.stem not in BRANCHES and not os.environ.get("OPMQ_TEST_FULL"):
            path.unlink()
    small.write_notebook(root, "01_emplois", CELL, FIGURE)
    (root / INPUT).write_text(JOBS, encoding="utf-8")
    return root


def run(root: Path, *branches: str, workers: int = 2) -> BatchReport:
    """Run the notebook of some branches."""
    runs = plan(root, parameters.load_edition(root), parameters.load_branches(root))
    return batch.execute(select(runs, branches), workers)


def rewritten(path: Path, target: Path, changes: Mapping[str, bytes | None], sums: bool) -> Path:
    """Write a copy of an archive with some members changed or, if `None`, taken out.

    Args:
        path: The archive.
        target: The copy; it has no sum beside it.
        changes: Name → content.
        sums: Whether its manifest is corrected as well, as somebody careful would.
    """
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    members = {name: each for name, each in (members | changes).items() if each is not None}
    if sums:
        about = archive.manifest(path)
        names = members.keys() - {archive.MANIFEST}
        about["files"] = {name: fingerprint.bytes_sha256(members[name]) for name in names}
        members[archive.MANIFEST] = crate.as_json(about)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as new:
        for name, each in members.items():
            new.writestr(name, each)
    target.write_bytes(content.getvalue())
    return target
