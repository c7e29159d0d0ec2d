"""The workbook that a branch sends out to have skills needed and available counted."""

from openpyxl.workbook import Workbook

from opmq_lib import tables
from opmq_lib.sources import forms

SHEETS = ("skill_needs", "skill_supply")


def template() -> Workbook:
    """Return the sheets of the survey to fill in, and the one that explains their columns.

    Examples:
        >>> template().sheetnames
        ['skill_needs', 'skill_supply', 'listes', 'lisez_moi']
    """
    book = forms.form({name: forms.fields(name) for name in SHEETS})
    header = ("feuille", "colonne", "sens", "unité", "exemple ou valeurs")
    lines = [
        (name, title, column.label, column.unit, column.example or ", ".join(column.choices))
        for name in SHEETS
        for title, column in tables.DESCRIPTIONS[name].items()
    ]
    forms.add_page(book, "lisez_moi", [header, *lines], "feuille")
    return book
