"""Find in `outputs/` what nothing needs any longer, and remove it when somebody says so."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from opmq_lib.params import DEMO, EditionParams
from opmq_lib.runs import folders
from opmq_lib.runs.plan import Run
from opmq_lib.sources.ledger import LEDGER


class Removable(NamedTuple):
    """A file or a folder, and why nothing needs it; `edition_folder` is locked to remove it."""

    path: Path
    why: str
    edition_folder: Path


def removable(root: Path, edition: EditionParams, runs: Sequence[Run]) -> list[Removable]:
    """Return what nothing needs: editions that nothing names, results that no run is planned for.

    Folders that no batch has made (`lab`, `site`, your own) are not looked at.

    Args:
        root: The project.
        edition: Its parameters: it and the one before are kept, and a demonstration.
        runs: From `plan`, all of them.
    """
    outputs = root / "outputs"
    here = outputs / edition.edition_id
    kept = {edition.edition_id, edition.previous_edition_id, DEMO}
    planned = {path for run in runs for path in (run.folder, folders.failed_notebook(run.folder))}
    others = [path.parent for path in sorted(outputs.glob(f"*/{LEDGER}"))]
    results = [path.parent for path in sorted(here.glob("*/*/*.ipynb")) if _is_result(path)]
    results += sorted(here.glob("*/*.failed.ipynb"))
    why = "an edition that parameters/edition.yml does not name"
    found = [Removable(path, why, path) for path in others if path.name not in kept]
    why = "left by a batch that was killed"
    found += [Removable(path, why, here) for path in here.glob(folders.WORK)]
    why = "of a branch or a notebook that is no longer run"
    return found + [Removable(path, why, here) for path in results if path not in planned]


def remove(found: Iterable[Removable]) -> None:
    """Remove files and folders.

    Raises:
        DataError: If a batch is at work on one of their editions.
    """
    for path, _, edition_folder in found:
        with folders.locked(edition_folder):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _is_result(notebook: Path) -> bool:
    return notebook.stem == notebook.parent.name
