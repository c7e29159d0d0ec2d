"""Open JupyterLab on copies of the templates, so that no result ever lands in a tracked file."""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opmq_lib.errors import DataError, Defect, did_you_mean
from opmq_lib.runs import folders
from opmq_lib.sources import parameters, project

FOLDER = "lab"
START, FIRST = "accueil", "01_emplois"
"""What opens: all templates, or those of a branch."""
_BRANCH = re.compile(r'("branch_code = )\\"\w+\\"')
FAILED_CELL = "Cellule interrompue"  # without accents: JupyterLab finds no other anchor
CONFIG = Path(__file__).with_name("jupyter")
"""Settings of JupyterLab that count where its user has chosen nothing: no news."""


def copy_templates(root: Path, branch_code: str = "") -> list[str]:
    """Copy templates and examples to `lab/`; a copy already there is left as its author made it.

    Args:
        root: The project.
        branch_code: Copy the templates of a branch only, to a folder of its own, for this branch.

    Returns:
        The names of the copies left as they were.

    Raises:
        ScopeError: If the branch has no parameter file.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     first, again = copy_templates(Path(folder)), copy_templates(Path(folder))
        >>> first, again
        ([], ['accueil.ipynb', 'exploration.ipynb'])
    """
    folder = root / FOLDER / branch_code
    if branch_code:
        known = [path.stem for path in (root / "parameters/branches").glob("*.yml")]
        parameters.refuse_unknown("--branch", "branch", [branch_code], known)
    taken = [
        name for name, scope in project.scopes(root).items() if not branch_code or scope == "branch"
    ]
    sources = [root / "notebooks" / f"{name}.ipynb" for name in taken]
    sources += [] if branch_code else sorted((project.SHIPPED / "examples").glob("*.ipynb"))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # JupyterLab saves there what it shows
    kept = []
    for source in sources:
        copy = folder / source.name
        if copy.exists():
            kept.append(copy.name)
        else:
            text = source.read_text(encoding="utf-8")
            given = rf"\1\"{branch_code}\""
            copy.write_text(_BRANCH.sub(given, text) if branch_code else text, encoding="utf-8")
    return kept


def chosen(root: Path, notebook: str, branch_code: str = "") -> str:
    """Return the copy that opens, by its path from the root.

    Args:
        root: The project, after `copy_templates`.
        notebook: A template's name; empty for the one that each begins with.
        branch_code: As for `copy_templates`.

    Raises:
        ScopeError: If there is no such notebook.
    """
    folder = root / FOLDER / branch_code
    known = [path.stem for path in folder.glob("*.ipynb")]
    name = notebook.removesuffix(".ipynb") or (FIRST if branch_code else START)
    parameters.refuse_unknown("notebook", "notebook", [name], known)
    return (folder / f"{name}.ipynb").relative_to(root).as_posix()


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
    failed = folders.failed_notebook(edition_folder / run)
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
    folders.write(root / copy, text.encode(), private=True)
    return copy


def command(root: Path, notebook: str, options: Sequence[str] = ()) -> list[str]:
    """Return the command that opens JupyterLab on a notebook of the project, without any request.

    Args:
        root: The project.
        notebook: Path from the root.
        options: Of Jupyter, such as `--port 8899`; they come last, hence count.
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
        *options,
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
    ending = folders.failed_notebook(Path("x")).name.removeprefix("x")
    paths = sorted(edition_folder.glob(f"*/*{ending}"))
    known = [f"{path.parent.name}/{path.name.removesuffix(ending)}" for path in paths]
    expected = f"one of {', '.join(known)}" if known else "a run that failed; none has"
    what = f"the last run of `{run}` has left no failed notebook"
    return Defect("--failed", what, expected, did_you_mean(run, known) or "see `opmq status`")
