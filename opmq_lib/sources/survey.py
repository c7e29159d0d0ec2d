"""The workbook that a branch sends out to have skills needed and available counted."""

import pandas as pd

from opmq_lib import tables

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
