"""Workbooks that are handed out to be filled in, and read back row by row."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from xlsxwriter.utility import xl_col_to_name

from opmq_lib import tables
from opmq_lib.errors import SchemaError
from opmq_lib.show import downloads

Row = tuple[int, list[Any]]
"""A row's number for its owner, and its cells: trimmed, `None` where empty."""

LISTS: Final = "listes"
_NO_WIDTH: Final = "\u200b\u200e\u200f\u2060\ufeff"
"""Marks without width, which copies from web pages and messages bring along."""
_LISTED_ROWS: Final = 5000


class Field(NamedTuple):
    """A column to fill in.

    Attributes:
        title: Its title.
        note: What to write there, shown when the title is selected.
        choices: What may be written there; any text if there are none.
    """

    title: str
    note: str = ""
    choices: Sequence[str] = ()


def fields(table: str) -> list[Field]:
    """Return the columns of a table, as its contract describes them.

    Examples:
        >>> fields("skill_needs")[0]
        Field(title='branch_code', note='Branche.', choices=())
    """
    return [field(name, column) for name, column in tables.DESCRIPTIONS[table].items()]


def field(title: str, column: tables.Column) -> Field:
    """Return a column under a title of its own."""
    return Field(title, note(column), tuple(filter(None, column.choices)))


def note(column: tables.Column) -> str:
    """Return what a column means, in one line."""
    return f"{column.label}. {column.unit}".strip(" .") + "."


def form(sheets: Mapping[str, Sequence[Field]]) -> Any:
    """Return a workbook to fill in: one sheet a table, and one of the choices of its columns."""
    import openpyxl  # slow to load, for those who make forms

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    drop_downs = []
    for name, columns in sheets.items():
        sheet = book.create_sheet(name)
        for place, column in enumerate(columns, start=1):
            _add_column(sheet, place, column)
            if column.choices:
                drop_downs.append((sheet, xl_col_to_name(place - 1), column))
        sheet.freeze_panes = "A2"
    if drop_downs:
        listed = book.create_sheet(LISTS)
    for place, (sheet, letter, column) in enumerate(drop_downs, start=1):
        for row, choice in enumerate([column.title, *column.choices], start=1):
            listed.cell(row, place, choice)
        listed.cell(1, place).font = openpyxl.styles.Font(bold=True)
        source = xl_col_to_name(place - 1)
        rule = openpyxl.worksheet.datavalidation.DataValidation(
            type="list",
            formula1=f"{LISTS}!${source}$2:${source}${len(column.choices) + 1}",
            allow_blank=True,
        )
        rule.showErrorMessage, rule.errorTitle = True, "Valeur hors liste"
        rule.error = "Choisir une valeur de la liste (feuille « listes »)."
        rule.add(f"{letter}2:{letter}{_LISTED_ROWS}")
        sheet.add_data_validation(rule)
    return book


def _add_column(sheet: Any, place: int, column: Field) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.worksheet.datavalidation import DataValidation

    cell = sheet.cell(1, place, column.title)
    cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    if column.note:
        prompt = DataValidation(allow_blank=True, showInputMessage=True)
        prompt.promptTitle, prompt.prompt = column.title[:32], column.note[:250]
        prompt.add(cell.coordinate)
        sheet.add_data_validation(prompt)
    sheet.column_dimensions[cell.column_letter].width = max(14, len(column.title) + 2)


def add_page(book: Any, name: str, lines: Iterable[Sequence[Any]], *headings: str) -> None:
    """Add a sheet that is also printed: lines of cells, bold where they begin with a heading."""
    from openpyxl.styles import Alignment, Font

    sheet = book.create_sheet(name)
    for row, line in enumerate(lines, start=1):
        for place, value in enumerate(line, start=1):
            cell = sheet.cell(row, place, value)
            if isinstance(value, str):
                cell.data_type = "s"  # a label that starts with `=` is no formula
                cell.alignment = Alignment(vertical="top", wrap_text=place > 1)
            if line[0] in headings or row == 1:
                cell.font = Font(bold=True, size=11 if line[0] in headings else 14)
    for letter, width in zip("ABCDEFG", (32, 44, 32, 14, 14, 20, 10), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def hand_out(book: Any, path: Path) -> None:
    """Write a workbook to fill in.

    Raises:
        SchemaError: If the file exists, so that no answer is lost, or is not named `.xlsx`.
    """
    if path.exists():
        expected = "a new file: a filled form must not be lost"
        raise SchemaError.of(str(path), "the file exists", expected, "choose another name")
    downloads.write_workbook(book, path)


def filled(lines: Iterable[tuple[int, Sequence[Any]]]) -> list[Row]:
    """Return numbered lines without blanks around cells, blank lines left out.

    Examples:
        >>> filled([(1, [" a ", ""]), (2, [" ", None]), (3, [0])])
        [(1, ['a', None]), (3, [0])]
    """
    trimmed = ((number, [_trimmed(cell) for cell in cells]) for number, cells in lines)
    return [(number, cells) for number, cells in trimmed if without_end(cells)]


def without_end(cells: Sequence[Any]) -> list[Any]:
    """Return cells without the empty ones at the end.

    Examples:
        >>> without_end(["a", None, 0, None])
        ['a', None, 0]
    """
    last = max((place for place, cell in enumerate(cells) if cell is not None), default=-1)
    return list(cells[: last + 1])


def _trimmed(cell: Any) -> Any:
    return (cell.strip().strip(_NO_WIDTH).strip() or None) if isinstance(cell, str) else cell
