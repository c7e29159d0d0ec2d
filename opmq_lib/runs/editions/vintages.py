"""Demonstrate revisions: two simulated vintages, the earlier one of data two years shorter.

Each is a project of its own in `outputs/demo-editions/`: the parameters and templates of this one,
with another base year, no register, no own table, and the one notebook that projects employment.
"""

import re
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Final

from opmq_lib.params import EditionParams
from opmq_lib.runs import folders

FOLDER: Final = "outputs/demo-editions"
NAMES: Final = ("demo-avant", "demo-apres")
YEARS: Final = 2
_NOTEBOOK: Final = "01_emplois"


def prepare(
    root: Path, edition: EditionParams, branch_codes: Collection[str] = ()
) -> tuple[Path, Path]:
    """Write the projects of two vintages that end in the same year; nothing has run.

    Args:
        root: The project.
        edition: Its edition: the later vintage.
        branch_codes: Branches; empty for all.

    Returns:
        The earlier one and the later one.
    """
    before, after = (root / FOLDER / name for name in NAMES)
    for folder, years in ((before, YEARS), (after, 0)):
        shutil.rmtree(folder / "parameters", ignore_errors=True)
        shutil.copytree(root / "parameters", folder / "parameters")
        shutil.rmtree(folder / "parameters/states", ignore_errors=True)
        folders.write(folder / "_quarto.yml", (root / "_quarto.yml").read_bytes())
        template = f"notebooks/{_NOTEBOOK}.ipynb"
        folders.write(folder / template, (root / template).read_bytes())
        _rewrite(
            folder / "parameters/edition.yml",
            {
                r"edition_id": f'"{folder.name}"',
                r"base_year": str(edition.base_year - years),
                r"horizon_years": str(edition.horizon_years + years),
                r"previous_edition_id": "null",
                r"  \w+(?=: [\"'])": "null",
            },
        )
        for path in (folder / "parameters/branches").glob("*.yml"):
            if branch_codes and path.stem not in branch_codes:
                path.unlink()
            else:
                own = {"notebooks": f'["{_NOTEBOOK}"]', r"  \w+(?=: [\"']?data/)": "null"}
                _rewrite(path, own)
    return before, after


def _rewrite(path: Path, values: dict[str, str]) -> None:
    """Give other values to keys of a YAML file, each on a line of its own."""
    text = path.read_text(encoding="utf-8")
    for key, value in values.items():
        text = re.sub(rf"(?m)^({key}): .*$", rf"\1: {value}", text)
    path.write_text(text, encoding="utf-8")
