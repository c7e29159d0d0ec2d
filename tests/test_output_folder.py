"""Where a notebook writes, whatever runs it and whatever folder of the project one works in."""

import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
import small_project as small

SIGNATURE = 'branch_code = "chimie"\noutput_folder = "outputs/lab"'
CELL = """
import pandas as pd

from opmq_lib.show import downloads

results = {"emplois": pd.DataFrame({"branch_code": [branch_code]})}
downloads.write_results(results, output_folder, "01_emplois")
"""
TOOLS = {
    "papermill": ["papermill", "{notebook}", "out.ipynb", "-p", "branch_code", "chaux"],
    "nbconvert": ["jupyter", "nbconvert", "--to", "notebook", "--execute", "{notebook}",
                  "--output-dir", ".", "--output", "out.ipynb"],
}  # fmt: skip
FULL = os.environ.get("OPMQ_TEST_FULL") == "1"
WAYS = list(product(TOOLS, [".", "notebooks", "docs"]))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project of one notebook, in a folder of its own."""
    root = tmp_path / "above" / "project"
    notebook = small.write_notebook(root, "01_emplois", CELL, signature=SIGNATURE)
    written = json.loads(notebook.read_text())
    written["metadata"]["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    notebook.write_text(json.dumps(written))
    for folder in ("docs", "parameters"):
        (root / folder).mkdir()
    (root / "_quarto.yml").touch()
    return root


def run(folder: Path, tool: str, *options: str) -> set[Path]:
    """Run the notebook from a folder, as on the command line; return what that has written."""
    above = folder.parent.parent if folder.name in {"docs", "notebooks"} else folder.parent
    before = set(above.rglob("*"))
    notebook = next((above / "project/notebooks").glob("*.ipynb"))
    path = os.path.relpath(notebook, folder)
    command = [part.format(notebook=path) for part in TOOLS[tool]]
    scripts = Path(sys.executable).parent
    subprocess.run(
        [scripts / command[0], *command[1:], *options], cwd=folder, check=True, capture_output=True
    )
    return {path for path in set(above.rglob("*")) - before if path.is_file()}


@pytest.mark.parametrize(("tool", "folder"), WAYS if FULL else WAYS[::2])
def test_results_lie_in_the_project_from_any_of_its_folders(
    root: Path, tool: str, folder: str
) -> None:
    place = root / folder
    lab = root / "outputs/lab"
    assert run(place, tool) == {place / "out.ipynb", lab / "emplois.csv", lab / "01_emplois.xlsx"}
    branch_code = "chaux" if tool == "papermill" else "chimie"
    assert (lab / "emplois.csv").read_text() == f"branch_code\n{branch_code}\n"


def test_a_point_is_the_folder_in_which_one_works(root: Path) -> None:
    names = {"out.ipynb", "emplois.csv", "01_emplois.xlsx"}
    written = run(root / "docs", "papermill", "-p", "output_folder", ".")
    assert written == {root / "docs" / name for name in names}
