"""The workbook that a branch sends out to have skills needed and available counted."""

from pathlib import Path

import pandas as pd

from opmq_lib import tables
from opmq_lib.errors import Defect, SchemaError
from opmq_lib.show import downloads

SHEETS = ("skill_needs", "skill_supply")


def template() -> dict[str, pd.DataFrame]:
    """Return the empty sheets of the survey, and the one that explains their columns in French.

    Examples:
        >>> list(template())
        ['skill_needs', 'skill_supply', 'lisez_moi']
    """
    sheets = {name: pd.DataFrame(columns=list(tables.DESCRIPTIONS[name])) for name in SHEETS}
    lines = [
        (name, column, told.label, told.unit, told.example or ", ".join(filter(None, told.choices)))
        for name in SHEETS
        for column, told in tables.DESCRIPTIONS[name].items()
    ]
    header = ["feuille", "colonne", "sens", "unité", "exemple ou valeurs"]
    return sheets | {"lisez_moi": pd.DataFrame(lines, columns=header)}


def write_template(path: Path) -> None:
    """Write the empty workbook.

    Raises:
        SchemaError: If the name does not end in `.xlsx`, or the file exists: answers are never
            overwritten.
    """
    if path.suffix.lower() != ".xlsx":
        raise SchemaError([Defect(path.name, "not a workbook", ".xlsx", "change the ending")])
    if path.exists():
        fix = "choose another name: answers are not overwritten"
        raise SchemaError([Defect(path.name, "the file exists", "a new file", fix)])
    downloads.write_sheets(template(), path)
