"""Real runs, one thing changed at a time, then all at once: the right cause, the right figures."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import edition_walk as walk
import pandas as pd
import pytest
import small_project as small

FULL = pytest.mark.skipif(not os.environ.get("OPMQ_TEST_FULL"), reason="OPMQ_TEST_FULL=1")
LIBRARY = Path(__file__).parents[1] / "opmq_lib"
BRANCHES = ("chaux", "chimie")
CELL = """
from importlib.metadata import version
from pathlib import Path
from opmq_lib.methods import draws
from opmq_lib.sources import embedded
heads = embedded.load("employees_national")["employees_headcount"]
added = horizon_years + draws.SEED + int(version("statsmodels").partition(".")[0])
rows = [f"{branch_code},{code},2018,{heads[0] + added},value,public" for code in ["E2Z70"]]
rows += [f"{branch_code},E0Z20,2018,{heads[1]},value,public"] if len(heads) > 1 else []
header = "branch_code,metier_code,year,value,status,origin"
written = Path(output_folder, "emplois.csv").write_text("\\n".join([header, *rows, ""]))
"""


def given(folder: Path, *changes: str) -> tuple[Path, dict[str, str]]:
    """Return a project whose notebook adds four things up, and what runs it; some are changed."""
    root = walk.project(folder / "project")
    for path in (root / "parameters/branches").glob("*.yml"):
        if path.stem not in BRANCHES:
            path.unlink()
    small.write_notebook(root, "01_emplois", CELL)
    official = root / "data/official"
    official.mkdir(parents=True)
    rows = (
        "metier_code,year,employees_headcount\n"
        f"E2Z70,2018,{110 if 'revised' in changes else 100}\nE0Z20,2018,50\n"
    )
    (official / "employees_national-1.csv").write_text(rows + "T4Z62,2018,7\n" * ("new" in changes))
    index = {"employees_national": {"file": "employees_national-1.csv", "loader": ""}}
    (official / "index.json").write_text(json.dumps(index))
    path = [str(LIBRARY.parent)]
    if "method" in changes:
        shutil.copytree(LIBRARY, folder / "lib/opmq_lib")
        module = folder / "lib/opmq_lib/methods/draws.py"
        before = module.read_text(encoding="utf-8")
        assert "SEED = 4000, 2018" in before
        module.write_text(before.replace("4000, 2018", "4000, 3018"), encoding="utf-8")
        path = [str(folder / "lib")]
    if "version" in changes:
        told = folder / "site-packages/statsmodels-2000.0.dist-info/METADATA"
        told.parent.mkdir(parents=True)
        told.write_text("Metadata-Version: 2.1\nName: statsmodels\nVersion: 2000.0\n")
        path.append(str(folder / "site-packages"))
    if "parameter" in changes:
        edition = root / "parameters/edition.yml"
        text = edition.read_text(encoding="utf-8")
        assert "horizon_years: 12" in text
        edition.write_text(text.replace("horizon_years: 12", "horizon_years: 13"))
    return root, os.environ | {"PYTHONPATH": os.pathsep.join(path)}


def opmq(project: tuple[Path, dict[str, str]], *words: str) -> str:
    root, environment = project
    command = [sys.executable, "-m", "opmq_lib", *words]
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def frozen(project: tuple[Path, dict[str, str]], name: str) -> Path:
    """Run and freeze a project; return its archive."""
    opmq(project, "run")
    opmq(project, "edition", "freeze", name)
    return project[0] / f"outputs/editions/{name}.zip"


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return frozen(given(tmp_path_factory.mktemp("before")), "before")


def told(project: tuple[Path, dict[str, str]]) -> pd.DataFrame:
    path = project[0] / "outputs/editions/revisions/before/after.csv"
    return pd.read_csv(path, keep_default_na=False, dtype="str")


@FULL
@pytest.mark.parametrize(
    ("change", "kind", "cause", "amount"),
    [
        ("revised", "revised_data", "opmq_lib/data/employees_national.csv (1\xa0cellule)", "10"),
        ("parameter", "parameter", "horizon_years (12 → 13)", "1"),
        ("method", "method", "opmq_lib.methods.draws", "1000"),
        ("version", "version", "→ 2000.0)", "2000"),
    ],
)
def test_one_change_is_told_with_its_cause_and_the_figures_that_it_moved(
    before: Path, tmp_path: Path, change: str, kind: str, cause: str, amount: str
) -> None:
    project = given(tmp_path, change)
    after = frozen(project, "after")
    opmq(project, "edition", "diff", str(before), str(after))
    rows = told(project)
    assert rows["branch_code"].tolist() == [*BRANCHES]
    assert set(rows["metier_code"]) == {"E2Z70"}
    assert set(rows["cause_kinds"]) == {kind}
    assert all(cause in each for each in rows["causes"])
    assert set(rows[f"{kind}_part"].str.removesuffix(".0")) == {amount}


@FULL
def test_several_changes_are_told_apart_by_running_again(before: Path, tmp_path: Path) -> None:
    project = given(tmp_path, "revised", "new", "parameter", "method")
    after = frozen(project, "after")
    opmq(project, "edition", "diff", str(before), str(after))
    rows = told(project)
    assert set(rows["cause_kinds"]) == {"new_data,revised_data,parameter,method"}
    assert not rows.filter(like="_part").to_numpy().any()
    opmq(project, "edition", "diff", str(before), str(after), "--apart")
    rows = told(project)
    parts = {"revised_data": "10", "new_data": "0", "parameter": "1", "method": "1000"}
    for kind, amount in parts.items():
        assert set(rows[f"{kind}_part"].str.removesuffix(".0")) == {amount}
