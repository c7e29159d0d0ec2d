"""Labels of the ROME and of ESCO, from the files of their producers: whole lists to match with."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from opmq_lib import tables
from opmq_lib.errors import SchemaError
from opmq_lib.sources import embedded, grids, table_files

KNOWN_FILES: Final = {
    "libelle_appellation_long": ("code_rome", ("libelle_appellation_long",)),
    "libelle_competence": ("code_ogr", ("libelle_competence",)),
    "libelle_savoir": ("code_ogr_savoir", ("libelle_savoir",)),
    "preferredLabel": ("conceptUri", ("preferredLabel", "altLabels", "hiddenLabels")),
}
"""A column that only one kind of file has: the column of codes, those of labels."""

Kind = Literal["titles", "skills"]
_CORE: Final = {"titles": ("appellations", "rome_code"), "skills": ("skills", "skill_code")}


def core_labels(kind: Kind) -> pd.DataFrame:
    """Return the embedded labels: `titles` with their ROME, or `skills` with their code.

    Examples:
        >>> core_labels("titles").columns.tolist()
        ['code', 'label']
    """
    table, code = _CORE[kind]
    return embedded.load(table)[[code, "label"]].set_axis(["code", "label"], axis=1)


def read_labels(path: Path) -> pd.DataFrame:
    """Return every label of a file: a producer's (ROME, ESCO), or any `code`, `label` table.

    Args:
        path: CSV, XLSX or Parquet; a producer's CSV is recognised by its columns.

    Returns:
        `code`, `label`: alternative labels one by one, each pair once.

    Raises:
        DataError: With every defect of the labels.
    """
    if path.suffix.lower() == ".csv" and path.is_file():
        header = path.read_text(encoding="utf-8-sig").partition("\n")[0]
        names = [name.strip().strip('"') for name in header.split(",")]
        for sign, (code, columns) in KNOWN_FILES.items():
            if sign in names and code in names:
                raw = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")
                return _split(raw, code, [name for name in columns if name in names], path.name)
    return table_files.read_table(path, "label_corpus")[["code", "label"]]


def chosen_labels(kind: Kind, paths: Sequence[Path] | None = None) -> pd.DataFrame:
    """Return the embedded labels of a kind, or every label of several files instead."""
    files = [read_labels(path) for path in paths or ()]
    return pd.concat(files, ignore_index=True) if files else core_labels(kind)


def read_titles_or_bundles(path: Path) -> pd.DataFrame:
    """Return free titles (`query`), or bundles of skills (`bundle`, `skill_code`), checked.

    Raises:
        DataError: If the columns are neither's, or both's; with every defect of the rows.
    """
    kinds = ("queries", "skill_bundles")
    names = set(grids.read_grid(path, table_files.shown(path), kinds).names)
    named = [kind for kind in kinds if names & tables.DESCRIPTIONS[kind].keys()]
    if len(named) != 1:
        what = "neither titles nor bundles of skills, or both"
        expected = "a column query, or columns bundle and skill_code"
        fix = "name the columns so, in a file of their own"
        raise SchemaError.of(path.name, what, expected, fix)
    return table_files.read_table(path, named[0])


def _split(raw: pd.DataFrame, code: str, columns: list[str], where: str) -> pd.DataFrame:
    rows = [
        (row[code], label.strip())
        for row in raw.to_dict("records")
        for name in columns
        for label in re.split(r"[\n|]", row[name])
        if label.strip()
    ]
    if not rows:
        raise SchemaError.of(where, "no label", "labels and their codes", "give labels")
    labels = pd.DataFrame(rows, columns=["code", "label"]).drop_duplicates(ignore_index=True)
    return tables.check("label_corpus", labels, where)
