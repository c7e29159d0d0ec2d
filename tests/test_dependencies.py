"""What the real notebooks depend on, in a copy of the project, its library included."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BRANCHES = ("ceramique", "chaux", "ciments")
TEMPLATE = {
    "cells": [
        {
            "cell_type": "code",
            "id": "x-1",
            "metadata": {"tags": ["parameters"]},
            "source": 'branch_code = "chimie"\noutput_folder = "outputs/lab"',
            "outputs": [],
            "execution_count": None,
        },
        {
            "cell_type": "code",
            "id": "x-2",
            "metadata": {},
            "source": "from opmq_lib.questions.x import chain, page\n"
            "from opmq_lib.show import downloads\n\n"
            "results = chain.results(branch_code)\n"
            'downloads.write_results(results, output_folder, "07_x")',
            "outputs": [],
            "execution_count": None,
        },
        {"cell_type": "markdown", "id": "x-3", "metadata": {}, "source": "# Question nouvelle"},
        {
            "cell_type": "code",
            "id": "x-4",
            "metadata": {},
            "source": "page.findings(results)",
            "outputs": [],
            "execution_count": None,
        },
    ],
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "opmq": {"scope": "branch", "reads": []},
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}
QUESTION = {
    "__init__.py": "",
    "chain.py": '"""Chain of `07_x`."""\n\nimport pandas as pd\n\n\n'
    "def results(branch_code: str) -> dict[str, pd.DataFrame]:\n"
    '    row = {"branch_code": [branch_code], "value": [1.0], "origin": ["public"]}\n'
    '    return {"x": pd.DataFrame(row)}\n',
    "page.py": '"""Facts of `07_x`."""\n\nfrom opmq_lib.show import pieces\n'
    "from opmq_lib.show.words import words\n\nWORDS = words(__package__)\n\n\n"
    "def findings(results):\n"
    '    return pieces.findings(WORDS.findings(results["x"]["branch_code"].iloc[0]))\n',
    "page.jinja": "{% macro findings(branch) %}\nUne réponse pour {{ branch }}.\n{% endmacro %}\n",
}


def project(folder: Path, notebooks: Sequence[str], branches: Sequence[str]) -> Path:
    """Copy the project, its library included, with some of its templates and branches."""
    ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for name in ("opmq_lib", "notebooks", "parameters"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "_quarto.yml", folder)
    for path in (folder / "notebooks").glob("*.ipynb"):
        if path.stem not in notebooks:
            path.unlink()
    for path in (folder / "parameters/branches").glob("*.yml"):
        if path.stem in branches:
            asked = [name for name in notebooks if not name.startswith("1")]
            edit(path, r"(?m)^notebooks: .*", f"notebooks: {json.dumps(asked)}")
        else:
            path.unlink()
    return folder


def edit(path: Path, pattern: str, replacement: str) -> None:
    """Change a file."""
    before = path.read_text(encoding="utf-8")
    after = re.sub(pattern, replacement, before, count=1)
    assert after != before
    path.write_text(after, encoding="utf-8")


def opmq(root: Path, *arguments: str) -> str:
    """Run a command of the copied library in the copied project."""
    command = [sys.executable, "-m", "opmq_lib", *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def stale(root: Path) -> dict[str, list[str]]:
    """Return the notebooks that are not up to date, and why."""
    found = json.loads(opmq(root, "status", "--json"))
    return {each["notebook"]: each["reasons"] for each in found if each["reasons"]}


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project of one branch of which four notebooks have run."""
    notebooks = ("01_emplois", "06_demandes", "12_travaux", "13_demandes_ensemble")
    root = project(tmp_path_factory.mktemp("dependencies") / "project", notebooks, ["chaux"])
    opmq(root, "run", "--workers", "2")
    assert stale(root) == {}
    return root


EDITION, BRANCH = "parameters/edition.yml", "parameters/branches/chaux.yml"
CHANGES = [
    (
        ("opmq_lib/methods/requests/counting.py", r"\Z", "\nadded = 1\n"),
        "library opmq_lib.methods.requests.counting changed",
        ["13_demandes_ensemble"],
    ),
    (
        ("opmq_lib/methods/forecast/engine.py", r"\Z", "\nadded = 1\n"),
        "library opmq_lib.methods.forecast.engine changed",
        ["01_emplois"],
    ),
    (
        ("opmq_lib/questions/emplois/page.jinja", r"\Z", "\n"),
        "input opmq_lib/questions/emplois/page.jinja changed",
        ["01_emplois"],
    ),
    (
        ("opmq_lib/tables/columns.csv", "Emploi, borne basse", "Emploi, au moins"),
        "input opmq_lib/tables/columns.csv changed",
        ["01_emplois", "06_demandes", "12_travaux", "13_demandes_ensemble"],
    ),
    (
        (
            "opmq_lib/data/metiers.csv",
            "Techniciens et agents de maîtrise de la maintenance",
            "Techniciens de la maintenance",
        ),
        "input metiers changed",
        ["01_emplois", "12_travaux"],
    ),
    (
        (EDITION, "works: null", 'works: "data/works.csv"'),
        "parameter works_register  → data/works.csv",
        ["12_travaux"],
    ),
    (
        (EDITION, "base_year: 2018", "base_year: 2017"),
        "input parameters/edition.yml, base_year changed",
        ["01_emplois"],
    ),
    ((EDITION, "title: .*", 'title: "Autre"'), "", []),
    ((BRANCH, "perimeter_note: .*", 'perimeter_note: "Autre."'), "", []),
    ((BRANCH, "cutoff_score: 0.5", "cutoff_score: 0.6"), "", []),
]
"""File, pattern and replacement; what is said of the change; by which notebooks."""


def stale_after(root: Path, *changes: tuple[str, str, str]) -> dict[str, list[str]]:
    """Return what is not up to date once files have changed, and give them back as they were."""
    before = {file: (root / file).read_text(encoding="utf-8") for file, _, _ in changes}
    try:
        for file, pattern, replacement in changes:
            edit(root / file, pattern, replacement)
        return stale(root)
    finally:
        for file, text in before.items():
            (root / file).write_text(text, encoding="utf-8")


def test_each_change_makes_stale_what_depends_on_it_and_nothing_else(executed: Path) -> None:
    """All at once: a notebook says each change that it depends on, and no other."""
    found = stale_after(executed, *(change for change, _, _ in CHANGES))
    expected: dict[str, list[str]] = {}
    for _, reason, notebooks in CHANGES:
        for name in notebooks:
            expected.setdefault(name, []).append(reason)
    assert {name: sorted(reasons) for name, reasons in found.items()} == {
        name: sorted(reasons) for name, reasons in expected.items()
    }


def test_what_reads_a_notebook_that_is_stale_is_stale(executed: Path) -> None:
    change = (EDITION, "requests: null", 'requests: "data/requests.csv"')
    assert stale_after(executed, change) == {
        "13_demandes_ensemble": ["parameter requests_register  → data/requests.csv"],
        "06_demandes": ["commun/13_demandes_ensemble is not up to date"],
    }


def test_new_question_is_one_notebook_one_folder_and_one_line_in_each_branch(
    tmp_path: Path,
) -> None:
    notebooks = ("06_demandes", "12_travaux", "13_demandes_ensemble")
    root = project(tmp_path / "project", notebooks, BRANCHES)
    opmq(root, "run", "--workers", "2")
    (root / "notebooks/07_x.ipynb").write_text(json.dumps(TEMPLATE), encoding="utf-8")
    (root / "opmq_lib/questions/x").mkdir()
    for name, text in QUESTION.items():
        (root / "opmq_lib/questions/x" / name).write_text(text, encoding="utf-8")
    for branch in BRANCHES:
        path = root / f"parameters/branches/{branch}.yml"
        edit(path, r'"06_demandes"\]', '"06_demandes", "07_x"]')
    lines = opmq(root, "run", "--json", "--workers", "2").splitlines()
    ended = [event for line in lines if (event := json.loads(line))["status"] != "running"]
    again = {f"{event['branch_code']}/{event['notebook']}": event["status"] for event in ended}
    new = {f"{branch}/07_x": "ok" for branch in BRANCHES}
    assert again == dict.fromkeys(again, "up to date") | new
    assert len(again) == 2 * len(BRANCHES) + 2
    opmq(root, "site", "--engine", "embedded")
    for branch in BRANCHES:
        folder = root / "outputs/site/branches" / branch
        assert f"Une réponse pour {branch}." in (folder / "07_x.html").read_text(encoding="utf-8")
        assert "07_x.html" in (folder / "index.html").read_text(encoding="utf-8")
