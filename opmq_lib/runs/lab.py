"""Open JupyterLab on copies of the templates, so that no result ever lands in a tracked file."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from opmq_lib.errors import DataError, Defect, did_you_mean
from opmq_lib.runs.folders import failed_notebook

FOLDER = "outputs/lab"
FIRST = "01_emplois.ipynb"
FAILED_CELL = "Cellule interrompue"  # without accents: JupyterLab finds no other anchor


def copy_templates(root: Path) -> list[str]:
    """Copy the templates to `outputs/lab/`; a copy already there is left as its author made it.

    Returns:
        The names of the copies left as they were.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     (Path(folder) / "notebooks").mkdir()
        ...     _ = (Path(folder) / "notebooks/01_emplois.ipynb").write_text("{}")
        ...     copy_templates(Path(folder)), copy_templates(Path(folder))
        ([], ['01_emplois.ipynb'])
    """
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    kept = []
    for template in sorted((root / "notebooks").glob("*.ipynb")):
        copy = folder / template.name
        if copy.exists():
            kept.append(copy.name)
        else:
            shutil.copyfile(template, copy)
    return kept


def take_up(root: Path, edition_id: str, run: str) -> str:
    """Copy the notebook of a failed run to where it can be worked on, with its parameters.

    JupyterLab opens a notebook at its top; there, a link leads to the cell that failed.

    Args:
        root: The project.
        edition_id: Name of the edition's folder in `outputs/`.
        run: Branch and notebook, such as `chimie/01_emplois`.

    Returns:
        The copy, by its path from the root, for `command` to open.

    Raises:
        DataError: If no such run has failed; names those that have.
    """
    edition_folder = root / "outputs" / edition_id
    failed = failed_notebook(edition_folder / run)
    if not failed.is_file():
        raise DataError([_not_failed(edition_folder, run)])
    notebook = json.loads(failed.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if not _is_banner(cell)]
    if started := [place for place, cell in enumerate(cells) if _has_started(cell)]:
        cells.insert(started[-1], _note("failed-cell", f"### {FAILED_CELL}"))
        link = f"#{FAILED_CELL.replace(' ', '-')}"
        text = (
            f"Cette exécution n’est pas allée au bout : [aller à la cellule interrompue]({link})."
        )
        cells.insert(0, _note("failed-run", text))
    copy = f"{FOLDER}/failed/{run}.ipynb"
    text = json.dumps(notebook | {"cells": cells}, ensure_ascii=False, indent=1)
    (root / copy).parent.mkdir(parents=True, exist_ok=True)
    (root / copy).write_text(text, encoding="utf-8")
    return copy


def command(root: Path, notebook: str = f"{FOLDER}/{FIRST}") -> list[str]:
    """Return the command that opens JupyterLab on a notebook of the project, without any request.

    Args:
        root: The project.
        notebook: Path from the root.
    """
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab/tree/{notebook}",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabServerApp.extension_manager=readonly",
    ]


def _note(name: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


def _is_banner(cell: dict[str, Any]) -> bool:
    """Return whether Papermill added a cell to point at the failure."""
    return "papermill-error-cell-tag" in cell["metadata"].get("tags", ())


def _has_started(cell: dict[str, Any]) -> bool:
    is_code = cell["cell_type"] == "code" and bool(cell["source"])
    return is_code and bool(cell["metadata"].get("papermill", {}).get("start_time"))


def _not_failed(edition_folder: Path, run: str) -> Defect:
    ending = failed_notebook(Path("x")).name.removeprefix("x")
    paths = sorted(edition_folder.glob(f"*/*{ending}"))
    known = [f"{path.parent.name}/{path.name.removesuffix(ending)}" for path in paths]
    expected = f"one of {', '.join(known)}" if known else "a run that failed; none has"
    what = f"the last run of `{run}` has left no failed notebook"
    return Defect("--failed", what, expected, did_you_mean(run, known) or "see `opmq status`")
