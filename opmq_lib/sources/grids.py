"""The cells of a table as its file writes them: CSV, XLSX, ODS or Parquet, a producer's or own.

Separator, encoding, sheet and header are found in the file: the header is the line most like the
titles of the table. What is damaged is refused, and never fills the memory. What can be read in one
way only is; nothing else is guessed: one error says what to change.
"""

import csv
import io
import math
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd
import python_calamine
from xlsxwriter.utility import xl_cell_to_rowcol, xl_col_to_name

from opmq_lib import tables
from opmq_lib.errors import Defect, SchemaError
from opmq_lib.sources import project
from opmq_lib.sources.forms import Row, filled, without_end
from opmq_lib.tables import scope, titles
from opmq_lib.tables.columns import DAY


class Terms(NamedTuple):
    """What is asked of a file, by whose it is.

    Attributes:
        most_mb: Its size at most, unpacked.
        again: What to do where it is damaged.
        is_own: Whether a person wrote it: cells are trimmed, letters that are not French refused.
    """

    most_mb: int
    again: str
    is_own: bool


OWN: Final = Terms(50, "save it again as “CSV UTF-8”, or as XLSX", is_own=True)
PRODUCER: Final = Terms(400, "download it again from its producer", is_own=False)
"""Ten times the largest file that producers publish."""
MOST_CELLS: Final = 20_000_000
_FIRST_ROWS: Final = 60
"""Rows among which the header stands."""
_HEAD: Final = 1 << 16
_LONGEST_LINE: Final = 1_000_000
_SEPARATORS: Final = (",", ";", "\t", "|")
_NUMBER: Final = re.compile(
    r"(?P<sign>[-+\N{MINUS SIGN}]?)"
    r"(?P<whole>[0-9]{1,3}(?:[ \u00a0\u202f\u2009][0-9]{3})+|[0-9]+)"
    r"(?:[.,](?P<decimals>[0-9]+))?(?P<power>[eE][-+]?[0-9]+)?"
)
_FRENCH_DAY: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_FRENCH: Final = frozenset("àâäæçéèêëîïôöœùûüÿñÀÂÄÆÇÉÈÊËÎÏÔÖŒÙÛÜŸÑ’“”«»–—…€°²³ºª·×\u00a0")
"""Letters and marks beside ASCII that show a French text, read as Windows-1252, to be one."""
_TWICE: Final = re.compile("Ã[©¨ª]|â€™")
"""What UTF-8 becomes when it was taken for Windows-1252 and saved so."""
_LOST: Final = "\ufffd".encode()
_LARGEST: Final = 10**300
_WHOLE: Final = 2**53
"""Below, a workbook keeps every whole number."""
_PLACE: Final = re.compile(
    rb'<c r="([A-Z]{2,3})\d+"[^>]*(?<!/)>|<row r="(\d{5,})"[^>]*>(?=(?:<c [^>]*/>)*<c [^>]*(?<!/)>)'
)
"""A cell that holds something far to the right, a row that does far below."""
_REPEATED: Final = re.compile(
    rb'<table:table-cell [^>]*columns-repeated="\d{4,}"[^>]*(?<!/)>|<table:table-row [^>]*'
    rb'rows-repeated="\d{4,}"[^>]*>(?!<table:table-cell[^>]*/></table:table-row>)'
)
"""In ODS, what holds something and counts a thousand times or more."""
_ERROR_CELL: Final = b' t="e"'
Likeness = Callable[[Sequence[Any]], int]
"""How many titles of a table some cells are."""
Chosen = Callable[[Sequence[str]], Sequence[str]]
"""Of the sheets of a workbook, those that may be the table."""


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
    known = {*names, *(scope.OWN_TABLES[name] for name in names if name in scope.OWN_TABLES)}
    of_names = partial(_likeness, names=names)
    grid = read(path, where, of_names, OWN, lambda found: [x for x in found if x in known] or found)
    if not (grid.rows or grid.defects):
        raise _empty(where, OWN)
    return grid


def read(
    path: Path, where: str, likeness: Likeness, terms: Terms, chosen: Chosen = lambda names: names
) -> Grid:
    """Return a file's cells, its kind known by its first bytes.

    Raises:
        SchemaError: If it is absent, empty, too large, damaged, or of an unknown kind.
    """
    content = whole(path, where, terms)
    if content.startswith(b"PAR1"):
        return _read_parquet(path, where, terms)
    if not content.startswith(b"PK"):
        return read_csv(content, where, likeness, terms)
    sheets = {name: rows for name, rows in workbook(path, where, terms, chosen).items() if rows}
    alike = {name: _best(rows, likeness) for name, rows in sheets.items()}
    wanted = [name for name in sheets if alike[name] == max(alike.values())]
    if len(wanted) > 1:
        what = f"several sheets that may be the table: {', '.join(wanted)}"
        expected = "one sheet, or one named like its table"
        fix = "keep the right one alone in a copy"
        raise SchemaError.of(where, what, expected, fix)
    return _grid(sheets[wanted[0]] if wanted else [], where, likeness, terms)


def whole(path: Path, where: str, terms: Terms) -> bytes:
    """Return the bytes of a file.

    Raises:
        SchemaError: If there is none, it is empty, or too large.
    """
    _check(path, where, terms)
    content = path.read_bytes()
    if not content.strip():
        raise _empty(where, terms)
    return content


def _check(path: Path, where: str, terms: Terms) -> None:
    if not path.is_file():
        raise SchemaError.of(where, "no such file", "a table", "correct the path")
    if path.stat().st_size > terms.most_mb << 20:
        raise _too_large(where, terms)


def _empty(where: str, terms: Terms) -> SchemaError:
    fix = "fill it in" if terms.is_own else terms.again
    return SchemaError.of(where, "the table is empty", "a header and at least one row", fix)


def _too_large(where: str, terms: Terms) -> SchemaError:
    expected = f"at most {terms.most_mb} MB, unpacked"
    return SchemaError.of(
        where, "too large", expected, "keep the rows and columns of the table alone"
    )


def read_csv(content: bytes, where: str, likeness: Likeness, terms: Terms) -> Grid:
    """Return the cells of a CSV file, from what it holds; raises as `read`."""
    text = decoded(content, where, terms)
    _refuse_long_lines(text, where, terms)
    first = text.partition("\n")[0]
    heads = {mark: _best(_head(text, mark), likeness) for mark in _SEPARATORS}
    separator = max(heads, key=lambda mark: (heads[mark], first.count(mark)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows = list(enumerate(reader, start=1))
    except csv.Error as error:
        place = f"{where}, line {reader.line_num}"
        what, expected = f"not CSV: {error}", "cells, quoted in pairs"
        raise SchemaError.of(place, what, expected, "correct it") from error
    return _grid(rows, where, likeness, terms, separator)


def _refuse_long_lines(text: str, where: str, terms: Terms) -> None:
    start = 0
    while len(text) - start > _LONGEST_LINE:
        end = text.rfind("\n", start, start + _LONGEST_LINE + 1)
        if end < 0:
            place = f"{where}, line {text.count(chr(10), 0, start) + 1}"
            what = f"more than {_LONGEST_LINE:,} characters in one line"
            raise SchemaError.of(place, what, "one row in a line", terms.again)
        start = end + 1


def decoded(content: bytes, where: str, terms: Terms) -> str:
    """Return a text in UTF-8, UTF-16 that says so, or Windows-1252, for one's own with a notice.

    Raises:
        SchemaError: If it is a web page, is not a text, or was encoded twice.
    """
    expected = "CSV, XLSX, ODS or Parquet"
    if content.startswith(b"%PDF"):
        raise SchemaError.of(where, "a PDF, not a table", expected, terms.again)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        what = "an old workbook (XLS), or one with a password"
        fix = "open it in a spreadsheet and save it as XLSX, without password"
        raise SchemaError.of(where, what, expected, fix)
    if content[:512].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise SchemaError.of(where, "a page (HTML or XML), not CSV", expected, terms.again)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
            if terms.is_own:
                _notice(text, content, where)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text[:_HEAD]:
        raise SchemaError.of(where, "not a text", expected, terms.again)
    fix, encodings = "begin again from the file as it was before", "UTF-8 or Windows-1252"
    if _TWICE.search(text[:_HEAD]):
        raise SchemaError.of(where, "accents were encoded twice", encodings, fix)
    if terms.is_own and _LOST in content:  # producers' files have some
        raise SchemaError.of(where, "letters were lost when it was saved (\ufffd)", encodings, fix)
    return text


def _notice(text: str, content: bytes, where: str) -> None:
    """Say that a text was read as Windows-1252; refuse one that is not French."""
    if not {each for each in set(text) if not each.isascii()} <= _FRENCH:
        project.decoded(content, where, OWN.again)
    again = f"if accents look wrong, {OWN.again}"
    warnings.warn(f"{where}: read as Windows-1252, as it is not UTF-8; {again}", stacklevel=2)


def _head(text: str, separator: str) -> list[Row]:
    """Return the first lines as cells."""
    reader = csv.reader(io.StringIO(text[:_HEAD], newline=""), delimiter=separator)
    lines: list[Row] = []
    with suppress(csv.Error):  # a field as long as the head
        lines.extend((0, cells) for cells in islice(reader, _FIRST_ROWS))
    return lines


def check_zip(path: Path, where: str, terms: Terms) -> bool:
    """Refuse a zip that is damaged, or that would fill the memory once unpacked.

    Returns:
        Whether a sheet holds errors, such as `#N/A`.

    Raises:
        SchemaError: Likewise; also for a sheet that claims more than `MOST_CELLS` cells.
    """
    _check(path, where, terms)
    left, has_errors = terms.most_mb << 20, False
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                size, finds = _unpacked(archive, member, where, left, terms)
                left, has_errors = left - size, has_errors or finds
    except (zipfile.BadZipFile, OSError, RuntimeError, EOFError, ValueError, zlib.error) as error:
        what = f"damaged or cut short ({error})"
        raise SchemaError.of(where, what, "a whole file", terms.again) from error
    return has_errors


def _unpacked(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str, left: int, terms: Terms
) -> tuple[int, bool]:
    """Return the size of a member, unpacked piece by piece, and whether a cell is in error."""
    is_sheet = member.filename.startswith("xl/worksheets/")
    is_ods = member.filename == "content.xml"
    size, width, height, rest, has_errors = 0, 26, 9_999, b"", False
    with archive.open(member) as file:
        while piece := file.read(1 << 20):
            size += len(piece)
            if size > left:
                raise _too_large(where, terms)
            has_errors = has_errors or (is_sheet and _ERROR_CELL in rest + piece)
            for found in _PLACE.finditer(rest + piece) if is_sheet else ():
                letters, row = found.groups()
                height = max(height, int(row or 0))
                width = max(width, xl_cell_to_rowcol(f"{(letters or b'A').decode()}1")[1] + 1)
            if is_ods and _REPEATED.search(rest + piece):
                width, height = 16_384, 1_048_576
            rest = piece[-400:]
    if width * height > MOST_CELLS:
        what = f"a sheet of {height} rows and {width} columns"
        fix = "delete what stands far from the table, and save it again"
        raise SchemaError.of(where, what, f"at most {MOST_CELLS} cells", fix)
    return size, has_errors


def workbook(
    path: Path, where: str, terms: Terms = OWN, chosen: Chosen = lambda names: names
) -> dict[str, list[Row]]:
    """Return the rows of each chosen sheet that hold anything, as wide as the widest, numbered.

    Raises:
        SchemaError: If it is absent, damaged, no XLSX, or too large once unpacked.
    """
    has_errors = check_zip(path, where, terms)
    with zipfile.ZipFile(path) as packed:
        if not {"[Content_Types].xml", "content.xml"} & {*packed.namelist()}:
            what, fix = "an archive, not a workbook", "unpack it, or save it as XLSX"
            raise SchemaError.of(where, what, "CSV, XLSX, ODS or Parquet", fix)
        content = _with_errors_told(packed) if has_errors else io.BytesIO(path.read_bytes())
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(content)
        return {name: _rows(book, name) for name in chosen(book.sheet_names)}
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        what, fix = f"not a readable workbook ({error})", terms.again
        expected = "XLSX or ODS, whole and without password"
        raise SchemaError.of(where, what, expected, fix) from error


def _with_errors_told(packed: zipfile.ZipFile) -> io.BytesIO:
    """Return a workbook whose cells in error (`#N/A`) are texts: they are no empty cells."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as copy:
        for name in packed.namelist():
            copy.writestr(name, packed.read(name).replace(_ERROR_CELL, b' t="str"'))
    content.seek(0)
    return content


def _rows(book: python_calamine.CalamineWorkbook, name: str) -> list[Row]:
    lines = enumerate(book.get_sheet_by_name(name).to_python(skip_empty_area=False), start=1)
    return [(row, [*map(_plain, cells)]) for row, cells in lines if any(x != "" for x in cells)]


def _plain(cell: Any) -> Any:
    is_whole = isinstance(cell, float) and cell.is_integer() and abs(cell) < _WHOLE
    return int(cell) if is_whole else cell


def _read_parquet(path: Path, where: str, terms: Terms) -> Grid:
    from pyarrow import parquet, types

    try:
        described = parquet.read_metadata(path)
        schema = described.schema.to_arrow_schema()
        cells = described.num_rows * described.num_columns
        nested = [each.name for each in schema if types.is_nested(each.type)]
        groups = (described.row_group(at) for at in range(described.num_row_groups))
        megabytes = sum(group.total_byte_size for group in groups) / 1e6
        is_large = cells > MOST_CELLS / 2 or megabytes > terms.most_mb
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
        raise _too_large(where, terms)
    coded = dict.fromkeys(frame.select_dtypes("category"), "object")
    frame = frame.astype(coded).rename(columns=str)
    return Grid(frame, range(1, len(frame) + 1), decimal_comma=False)


def _grid(
    lines: Sequence[Row], where: str, likeness: Likeness, terms: Terms, separator: str = ""
) -> Grid:
    """Return the grid of rows; the header is the first of those most like a table's."""
    if terms.is_own:
        lines = filled(lines)
    elif separator:
        lines = [line for line in lines if any(line[1])]
    alike = [likeness(cells) for _, cells in lines[:_FIRST_ROWS]]
    most = max(alike, default=0)
    if not most and not terms.is_own:
        start = " ".join(map(str, lines[0][1]))[:120] if lines else ""
        expected, fix = "the titles of its layout", f"{terms.again}, or declare its layout"
        raise SchemaError.of(where, "no line of titles that its layout knows", expected, fix, start)
    (_, header), *rows = lines[alike.index(most) if lines else 0 :] or [(0, [])]
    width = len(without_end(header))

    uneven = [line for line in rows if len(line[1]) != width]
    fix = "put each cell under a title; in CSV, a comma in a number needs `;` around"
    wrong = {
        row: Defect(f"{where}, row {row}", f"{len(cells)} cells where the header has {width}",
                    f"{width} cells", fix)
        for row, cells in uneven
        if not len(cells) > width >= len(without_end(cells))
    }  # fmt: skip
    fitting = [(row, cells[:width]) for row, cells in rows if row not in wrong] if uneven else rows
    dtype = "str" if separator and not terms.is_own else "object"
    frame = pd.DataFrame([cells for _, cells in fitting], columns=range(width), dtype=dtype)
    has_title = [cell not in {None, ""} for cell in header[:width]]
    kept = [at for at in range(width) if has_title[at] or _holds(frame[at])]
    named = [
        str(header[at]) if has_title[at] else f"{xl_col_to_name(at)}, without title" for at in kept
    ]
    cells = frame[kept].set_axis(named, axis=1)
    return Grid(cells, [row for row, _ in fitting], [*wrong.values()], separator != ",")


def _holds(column: pd.Series) -> bool:
    return any(cell not in {None, ""} for cell in column)


def _best(lines: Iterable[Row], likeness: Likeness) -> int:
    """Return how many titles the line most like a header has."""
    return max((likeness(cells) for _, cells in islice(lines, _FIRST_ROWS)), default=0)


def _likeness(cells: Sequence[Any], names: Sequence[str]) -> int:
    """Return how many titles of one of the tables some cells are."""
    texts = [cell.strip() for cell in cells if isinstance(cell, str) and cell.strip()]
    return max(
        len(tables.DESCRIPTIONS[name].keys() & titles.columns(name, texts)) for name in names
    )


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
