"""The cells of a table as its file writes them: CSV, XLSX or Parquet, as people save them.

What can be read in one way only is: titles above the header, French titles, blanks that group
thousands, decimal commas, Windows-1252. Nothing else is guessed: one error says what to change.
"""

import csv
import io
import math
import re
import warnings
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd
from openpyxl.utils import get_column_letter

from opmq_lib import tables
from opmq_lib.errors import Defect, SchemaError
from opmq_lib.sources import forms, project
from opmq_lib.tables import scope, titles
from opmq_lib.tables.columns import DAY

_NUMBER: Final = re.compile(
    r"(?P<sign>[-+\N{MINUS SIGN}]?)"
    r"(?P<whole>[0-9]{1,3}(?:[ \u00a0\u202f\u2009][0-9]{3})+|[0-9]+)"
    r"(?:[.,](?P<decimals>[0-9]+))?(?P<power>[eE][-+]?[0-9]+)?"
)
_FRENCH_DAY: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_FRENCH: Final = frozenset("àâäæçéèêëîïôöœùûüÿñÀÂÄÆÇÉÈÊËÎÏÔÖŒÙÛÜŸÑ’“”«»–—…€°²³ºª·×\u00a0")
"""Letters and marks beside ASCII that show a French text, read as Windows-1252, to be one."""
_LARGEST: Final = 10**300
_FIRST_ROWS: Final = 40
"""Rows among which the header stands."""
_LONGEST_LINE: Final = 1_000_000
_SAVE: Final = "save it again as “CSV UTF-8”, or as XLSX"
_DISGUISED: Final = {
    b"PK\x03\x04": ("a workbook (XLSX), or an archive", ".xlsx", "give it the ending .xlsx"),
    b"PAR1": ("a Parquet file", ".parquet", "give it the ending .parquet"),
    b"\xd0\xcf\x11\xe0": (
        "an old workbook (XLS), or one with a password",
        "",
        "open it in a spreadsheet and save it as XLSX, without password",
    ),
}
"""First bytes of a file → what it is, its ending, what to do if it has another one."""


class Grid(NamedTuple):
    """A file as it is written.

    Attributes:
        cells: One column for each title; texts, numbers, dates, or nothing.
        rows: The number of each row for its owner.
        defects: Rows that are too long or too short, left out of the cells.
        decimal_comma: Whether a comma may stand before decimals.
    """

    cells: pd.DataFrame
    rows: Sequence[int]
    defects: Sequence[Defect] = ()
    decimal_comma: bool = True

    @property
    def names(self) -> list[str]:
        """The titles, in order."""
        return self.cells.columns.tolist()


def read_grid(path: Path, where: str, names: Sequence[str]) -> Grid:
    """Return a file's cells; of several separators or sheets, what suits the tables in `names`.

    Raises:
        SchemaError: If the file is absent, empty, too large, of an unknown kind or unreadable.
    """
    if not path.is_file():
        raise SchemaError.of(where, "no such file", "a table", "correct the path")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        what, expected = "not a kind of file that can be read", "CSV, XLSX or Parquet"
        raise SchemaError.of(where, what, expected, "save it as “CSV UTF-8”, or as XLSX")
    size = path.stat().st_size
    if size > forms.LARGEST_MB * 1e6:
        what, expected = f"{size / 1e6:,.0f} MB", f"at most {forms.LARGEST_MB} MB"
        raise SchemaError.of(where, what, expected, "keep the rows and columns of the table alone")
    _refuse_disguise(path, where)
    grid = reader(path, where, names) if size else None
    if grid is None or not (grid.rows or grid.defects):
        expected = "a header and at least one row"
        raise SchemaError.of(where, "the table is empty", expected, "fill it in")
    return grid


def typed(grid: Grid, table: str) -> pd.DataFrame:
    """Return a file's cells: texts that say a number, and days, as the table asks for them.

    Where one number of the file has a decimal comma, a point cannot be another's decimal mark.
    """
    columns = tables.DESCRIPTIONS[table]
    kinds = [columns.get(name) for name in grid.names]
    cells = [grid.cells.iloc[:, place] for place in range(len(kinds))]
    has_comma = any(
        isinstance(cell, str) and "," in cell and number(cell, grid.decimal_comma) is not None
        for kind, column in zip(kinds, cells, strict=True)
        if kind is not None and not kind.is_text
        for cell in column
    )

    def as_number(cell: Any) -> Any:
        if isinstance(cell, Decimal):
            return float(cell)
        if isinstance(cell, int) and abs(cell) > _LARGEST:
            return math.inf
        if not isinstance(cell, str) or (has_comma and "." in cell):
            return cell
        value = number(cell, grid.decimal_comma)
        return cell if value is None else value

    for place, kind in enumerate(kinds):
        if kind is not None and kind.pattern == DAY:
            cells[place] = cells[place].map(day)
        elif kind is not None and not kind.is_text:
            cells[place] = cells[place].map(as_number)
    return pd.concat(cells, axis=1) if cells else grid.cells


def number(text: str, decimal_comma: bool) -> float | None:
    r"""Return the number that a cell's text says, or `None` if it says none.

    Args:
        text: The cell, without blanks around.
        decimal_comma: Whether a comma may stand before the decimals.

    Examples:
        >>> number("1 234,5", True), number("1\u202f234", True), number("−4", True)
        (1234.5, 1234.0, -4.0)
        >>> number("1234,5", False), number("12 %", True), number("1.234,5", True)
        (None, None, None)
    """
    match = _NUMBER.fullmatch(text)
    if match is None or ("," in text and not decimal_comma):
        return None
    whole = re.sub(r"\D", "", match["whole"])
    sign = "-" if match["sign"] in {"-", "\N{MINUS SIGN}"} else ""
    return float(f"{sign}{whole}.{match['decimals'] or 0}{match['power'] or ''}")


def day(cell: Any) -> Any:
    """Return the day that a cell says, as `2025-03-31`; what says none is left as it is.

    Examples:
        >>> day(date(2025, 3, 31)), day("31/3/2025"), day("mars")
        ('2025-03-31', '2025-03-31', 'mars')
    """
    if pd.isna(cell):
        return None
    if isinstance(cell, date):
        return cell.isoformat()[:10]
    if isinstance(cell, str) and (match := _FRENCH_DAY.fullmatch(cell)):
        return f"{match[3]}-{match[2]:0>2}-{match[1]:0>2}"
    return cell


def _refuse_disguise(path: Path, where: str) -> None:
    with path.open("rb") as content:
        first = content.read(4)
    what, ending, fix = _DISGUISED.get(first, ("", path.suffix.lower(), ""))
    if ending != path.suffix.lower() and (ending, path.suffix.lower()) != (".xlsx", ".xlsm"):
        expected = f"what its ending says, {path.suffix}"
        raise SchemaError.of(where, f"not what its ending says: {what}", expected, fix)


def _read_csv(path: Path, where: str, names: Sequence[str]) -> Grid:
    text = _decoded(path.read_bytes(), where)
    if text.lstrip()[:1] == "<":
        fix = "open it in a spreadsheet and save it as “CSV UTF-8”, or as XLSX"
        raise SchemaError.of(where, "a page (HTML or XML), not CSV", "rows of cells", fix)
    for row, line in enumerate(text.splitlines(), start=1):
        if len(line) > _LONGEST_LINE:
            what = f"more than {_LONGEST_LINE:,} characters in one line"
            raise SchemaError.of(f"{where}, line {row}", what, "one row in a line", _SAVE)
    separator = _separator(text, names)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows = list(enumerate(reader, start=1))
    except csv.Error as error:
        place = f"{where}, line {reader.line_num}"
        what, expected = f"not CSV: {error}", "cells, quoted in pairs"
        raise SchemaError.of(place, what, expected, "correct it") from error
    return _grid(forms.filled(rows), where, names, decimal_comma=separator != ",")


def _decoded(content: bytes, where: str) -> str:
    """Return the text of a CSV: UTF-8, UTF-16 that says so, or Windows-1252, with a notice."""
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if not {each for each in set(text) if not each.isascii()} <= _FRENCH:
        return project.decoded(content, where, _SAVE)
    notice = f"{where}: read as Windows-1252, as it is not UTF-8; if accents look wrong, {_SAVE}"
    warnings.warn(notice, stacklevel=2)
    return text


def _separator(text: str, names: Sequence[str]) -> str:
    lines = text.split("\n", _FIRST_ROWS)[:_FIRST_ROWS]
    split = {
        mark: [[cell.strip(' "\r') for cell in line.split(mark)] for line in lines]
        for mark in (",", ";", "\t")
    }
    for mark, rows in split.items():
        if _is_contract(rows[0], names):
            return mark
    likeness = {mark: max(_likeness(row, names) for row in rows) for mark, rows in split.items()}
    return max(split, key=lambda mark: (likeness[mark], lines[0].count(mark)))


def _is_contract(cells: Sequence[Any], names: Sequence[str]) -> bool:
    """Return whether cells are nothing but the columns of a table, under their own names."""
    return len(cells) > 1 and any(tables.DESCRIPTIONS[name].keys() >= {*cells} for name in names)


def _likeness(cells: Sequence[Any], names: Sequence[str]) -> int:
    """Return how many titles of one of the tables some cells are."""
    texts = [cell for cell in cells if isinstance(cell, str) and cell]
    return max(
        len(tables.DESCRIPTIONS[name].keys() & titles.columns(name, texts)) for name in names
    )


def _read_xlsx(path: Path, where: str, names: Sequence[str]) -> Grid:
    known = {*names, *(scope.OWN_TABLES[name] for name in names if name in scope.OWN_TABLES)}
    sheets = forms.read(path, where, [*known])
    filled = {name: rows for name, rows in sheets.items() if rows}
    if len(filled) > 1:
        alike = {
            name: max(_likeness(row, names) for _, row in rows[:_FIRST_ROWS])
            for name, rows in filled.items()
        }
        best = max(alike.values())
        filled = {name: filled[name] for name, each in alike.items() if each == best}
    if len(filled) > 1:
        what = f"several sheets that may be the table: {', '.join(filled)}"
        expected = "one sheet, or one named like its table"
        fix = f"rename the right sheet, such as `{names[0]}`"
        if len(names) > 1:
            fix = "name it in parameters/branches/, where each table finds its sheet"
        raise SchemaError.of(where, what, expected, fix)
    return _grid(next(iter(filled.values()), []), where, names)


def _read_parquet(path: Path, where: str, names: Sequence[str]) -> Grid:  # noqa: ARG001 (same signature)
    from pyarrow import parquet, types

    try:
        described = parquet.read_metadata(path)
        schema = described.schema.to_arrow_schema()
        cells = described.num_rows * described.num_columns
        nested = [each.name for each in schema if types.is_nested(each.type)]
        groups = (described.row_group(at) for at in range(described.num_row_groups))
        megabytes = sum(group.total_byte_size for group in groups) / 1e6
        is_large = cells > _MOST_CELLS or megabytes > forms.LARGEST_MB
        texts = [each.name for each in schema if types.is_string(each.type)]
        if not nested and not is_large:
            frame = parquet.read_table(path, read_dictionary=texts).to_pandas()
    except Exception as error:  # a damaged file may break its parser anywhere
        what = "not a readable Parquet file"
        raise SchemaError.of(where, what, "Parquet", "write it again") from error
    if nested:
        place = f"{where}, column {', '.join(f'`{name}`' for name in nested)}"
        fix = "write one value in a cell, one row for each item of the list"
        raise SchemaError.of(place, "lists or records in cells", "texts or numbers", fix)
    if is_large:
        what = f"{cells:,} cells, {megabytes:,.0f} MB"
        expected = f"at most {_MOST_CELLS:,} cells and {forms.LARGEST_MB} MB"
        raise SchemaError.of(where, what, expected, "keep the rows and columns of the table alone")
    coded = dict.fromkeys(frame.select_dtypes("category"), "object")
    frame = frame.astype(coded).rename(columns=str)
    return Grid(frame, range(1, len(frame) + 1), decimal_comma=False)


_MOST_CELLS: Final = 10_000_000
_READERS: Final[dict[str, Callable[[Path, str, Sequence[str]], Grid]]] = {
    ".csv": _read_csv,
    ".txt": _read_csv,
    ".tsv": _read_csv,
    ".xlsx": _read_xlsx,
    ".xlsm": _read_xlsx,
    ".parquet": _read_parquet,
}


def _grid(
    lines: Sequence[forms.Row], where: str, names: Sequence[str], *, decimal_comma: bool = True
) -> Grid:
    """Return the grid of filled rows; the header is the first of those most like a table's."""
    (_, header), *rows = lines[_header(lines[:_FIRST_ROWS], names) :] or [(0, [])]
    width = len(forms.without_end(header))
    fitting, defects = [], []
    for row, cells in rows:
        if len(forms.without_end(cells)) > width or len(cells) < width:
            what = f"{len(cells)} cells where the header has {width}"
            fix = "put each cell under a title; in CSV, a comma in a number needs `;` around"
            defects.append(Defect(f"{where}, row {row}", what, f"{width} cells", fix))
        else:
            fitting.append((row, cells[:width]))
    named = [
        f"{get_column_letter(place)}, without title" if cell is None else str(cell)
        for place, cell in enumerate(header[:width], start=1)
    ]
    frame = pd.DataFrame([cells for _, cells in fitting], columns=named, dtype="object")
    has_cells = frame.notna().any().to_numpy()
    kept = [cell is not None or has_cells[at] for at, cell in enumerate(header[:width])]
    return Grid(frame.loc[:, kept], [row for row, _ in fitting], defects, decimal_comma)


def _header(lines: Sequence[forms.Row], names: Sequence[str]) -> int:
    """Return the place of the header: the first of those most like one, else the first row."""
    if not lines or _is_contract(lines[0][1], names):
        return 0
    alike = [_likeness(cells, names) for _, cells in lines]
    return alike.index(max(alike)) if max(alike) > 1 else 0
