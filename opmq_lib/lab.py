"""JupyterLab on copies of the templates, so that no result ever lands in a tracked file."""

import shutil
import sys
from pathlib import Path

FOLDER = "outputs/lab"
FIRST = "01_emplois.ipynb"


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
