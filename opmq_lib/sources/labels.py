"""Labels of the ROME and of ESCO, from the files of their producers: whole lists to match with."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from opmq_lib import tables
from opmq_lib.arguments import checked
from opmq_lib.errors import SchemaError
from opmq_lib.sources import embedded, grids, parameters, reading, table_files
from opmq_lib.sources.reading import Layout

_ALTERNATIVES: Final = ("altLabels", "hiddenLabels")
KNOWN_FILES: Final = (
    Layout({"code": ("code_rome",), "label": ("libelle_appellation_long",)}, verbatim=True),
    Layout({"code": ("code_ogr",), "label": ("libelle_competence",)}, verbatim=True),
    Layout({"code": ("code_ogr_savoir",), "label": ("libelle_savoir",)}, verbatim=True),
    Layout(
        {"code": ("conceptUri",), "label": ("preferredLabel",)}
        | {name: (name,) for name in _ALTERNATIVES},
        optional=_ALTERNATIVES,
        verbatim=True,
    ),
)
"""Files of producers, each known by the titles of its codes and labels."""

Kind = Literal["titles", "skills"]
_CORE: Final = {"titles": ("appellations", "rome_code"), "skills": ("skills", "skill_code")}


def core_labels(kind: Kind) -> pd.DataFrame:
    """Return the embedded labels: `titles` with their ROME, or `skills` with their code.

    Examples:
        >>> core_labels("titles").columns.tolist()
        ['code', 'label']
    """
    parameters.refuse_unknown("kind", "list", [kind], _CORE)
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
        head = path.read_bytes().partition(b"\n")[0].decode("utf-8-sig", errors="replace")
        names = {name.strip(' "\r') for name in head.split(",")}
        for layout in KNOWN_FILES:
            if names >= {*layout.columns["code"], *layout.columns["label"]}:
                return _split(reading.read(path, layout).rows, path.name)
    return table_files.read_table(path, "label_corpus")[["code", "label"]]


@checked
def chosen_labels(kind: Kind, paths: Sequence[Path] | None = None) -> pd.DataFrame:
    """Return the embedded labels of a kind, or every label of several files instead."""
    files = [read_labels(path) for path in (() if paths is None else paths)]
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


def _split(read: pd.DataFrame, where: str) -> pd.DataFrame:
    rows = [
        (row["code"], label.strip())
        for row in read.to_dict("records")
        for name, text in row.items()
        for label in re.split(r"[\n|]", text)
        if name != "code" and label.strip()
    ]
    if not rows:
        raise SchemaError.of(where, "no label", "labels and their codes", "give labels")
    labels = pd.DataFrame(rows, columns=["code", "label"]).drop_duplicates(ignore_index=True)
    return tables.check("label_corpus", labels, where)
