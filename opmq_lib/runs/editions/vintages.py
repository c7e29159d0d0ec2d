"""Demonstrate revisions: two simulated vintages, the earlier one of data two years shorter.

Each is a project of its own in `outputs/demo-editions/`: the parameters and templates of this one,
no register, no own table, and the one notebook that projects employment. The annual series of the
earlier one really end two years before; its tables of a single year are those of the later one,
in proportion to the employment of the earlier year.
"""

import json
import re
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Final

import pandas as pd

from opmq_lib.methods import revisions
from opmq_lib.params import EditionParams
from opmq_lib.runs import fingerprint, folders
from opmq_lib.sources import official

FOLDER: Final = "outputs/demo-editions"
NAMES: Final = ("demo-avant", "demo-apres")
YEARS: Final = 2
_NOTEBOOK: Final = "01_emplois"
_DATED: Final = ("employment_national", "employees_national", "metier_sectors")
"""Tables with years that this notebook reads: the annual series, and its structure in one year."""
_HEADS: Final = "employment_headcount"


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
        shutil.rmtree(folder / official.FOLDER, ignore_errors=True)
        if (root / official.FOLDER).is_dir():
            shutil.copytree(root / official.FOLDER, folder / official.FOLDER)
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
    _cut(root, before, edition.base_year - YEARS)
    return before, after


def _cut(root: Path, folder: Path, last_year: int) -> None:
    """Let the tables of a vintage end in a year."""
    tables = {name: revisions.read(official.file(name, root).read_bytes()) for name in _DATED}
    series = tables[_DATED[0]].astype({"year": "int", _HEADS: "float"})
    levels = series.pivot(index="metier_code", columns="year", values=_HEADS)
    index = dict(official.index(root))
    for table, rows in tables.items():
        if rows["year"].eq(rows["year"][0]).all():
            ratio = levels[last_year] / levels[int(rows["year"][0])]
            heads = pd.to_numeric(rows[rows.columns[-1]]) * rows["metier_code"].map(ratio)
            rows[rows.columns[-1]] = heads.round(2)
            rows["year"] = str(last_year)
        rows = rows[rows["year"].astype(int) <= last_year]
        content = rows.to_csv(index=False, lineterminator="\n").encode()
        name = f"{table}-{fingerprint.bytes_sha256(content)[:12]}.csv"
        index[table] = {"file": name, "loader": ""}
        folders.write(folder / official.FOLDER / name, content)
    folders.write(folder / official.FOLDER / official.INDEX, json.dumps(index).encode())


def _rewrite(path: Path, values: dict[str, str]) -> None:
    """Give other values to keys of a YAML file, each on a line of its own."""
    text = path.read_text(encoding="utf-8")
    for key, value in values.items():
        text = re.sub(rf"(?m)^({key}): .*$", rf"\1: {value}", text)
    path.write_text(text, encoding="utf-8")
