"""A producer's file as rows of texts: what is damaged is refused, and never fills the memory.

Separator, encoding and the line of titles are found in the file; which columns it must have is
declared by a `Layout`, with the names that editions have given them.
"""

import csv
import hashlib
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd
import pyarrow as pa
import python_calamine
from openpyxl.utils import column_index_from_string
from pyarrow import csv as arrow_csv

from opmq_lib.errors import Defect, SchemaError, closest

MOST_BYTES: Final = 400 << 20
"""Of a file, unpacked: ten times the largest that producers publish."""
MOST_CELLS: Final = 20_000_000
_HEAD_BYTES: Final = 1 << 16
_HEAD_LINES: Final = 60
_SHOWN_DEFECTS: Final = 20
_SEPARATORS: Final = (",", ";", "\t", "|")
_EXPECTED: Final = "a file of the producer"
_AGAIN: Final = "download it again from its producer"
_LIST: Final = "give the file that `opmq sources list` names for this loader"
_PLACE: Final = re.compile(rb'<c r="([A-Z]{2,3})\d|<row r="(\d{5,})"')
_TWICE: Final = re.compile("Ã[©¨ª]|â€™")
"""What UTF-8 becomes when it was taken for Windows-1252 and saved so."""


class Layout(NamedTuple):
    """How a file is laid out, whatever its edition.

    Attributes:
        columns: Our name → the titles that editions have given to it; `{yy}` and `{yyyy}` stand
            for a year. Case and blanks do not count.
        ignored: Titles that are known and left out.
        optional: Names of ours that some editions lack; the column is then empty.
        sheet: Title of the sheet of a workbook, likewise.
        wide: What titles that are values look like; their columns are kept as they are.
        verbatim: Whether runs of blanks within a cell are kept.
    """

    columns: Mapping[str, Sequence[str]]
    ignored: Sequence[str] = ()
    optional: Sequence[str] = ()
    sheet: str = ""
    wide: str = ""
    verbatim: bool = False


class Read(NamedTuple):
    """What a file holds.

    Attributes:
        rows: Columns of the layout, as texts with single blanks; `""` where empty or `NA`.
        file: Its name.
        sha256: Hash of its bytes.
        unknown: Its titles that the layout does not know.
        repeated: Rows that it holds twice, left out.
        titles: Our name → title.
    """

    rows: pd.DataFrame
    file: str
    sha256: str
    unknown: tuple[str, ...] = ()
    repeated: int = 0
    titles: Mapping[str, str] = {}


def read(path: Path, layout: Layout) -> Read:
    """Return the rows of a CSV or XLSX file under our names.

    Raises:
        SchemaError: If it is absent, damaged, larger than `MOST_BYTES`, or lacks a column: with
            the nearest titles it has.
    """
    content = whole(path)
    if content.startswith(b"PK"):
        return _read(_workbook(path, layout), content, path.name, layout)
    return rows(content, path.name, layout)


def rows(content: bytes, where: str, layout: Layout) -> Read:
    """Return the rows of a CSV file, as `read` does, from what it holds."""
    return _read(_text(content, where, layout), content, where, layout)


def _read(frame: pd.DataFrame, content: bytes, where: str, layout: Layout) -> Read:
    found = frame.columns.tolist()
    titles, unknown = _named(found, layout, where)
    titles |= {each: each for each in found if re.fullmatch(layout.wide, each) and layout.wide}
    frame = frame.loc[~(frame == "").all(axis=1)]
    once = frame.drop_duplicates()
    named = once[list(titles.values())].set_axis(list(titles), axis=1)
    absent = {name: "" for name in layout.columns if name not in titles}
    cleaned = named.apply(_clean_column, verbatim=layout.verbatim).assign(**absent)
    repeated, sha256 = len(frame) - len(once), hashlib.sha256(content).hexdigest()
    return Read(cleaned.reset_index(drop=True), where, sha256, unknown, repeated, titles)


def whole(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        SchemaError: If there is none, it is empty, or larger than `MOST_BYTES`.
    """
    _check_file(path)
    content = path.read_bytes()
    if not content.strip():
        raise SchemaError.of(path.name, "an empty file", _EXPECTED, _AGAIN)
    return content


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise SchemaError.of(path.name, "no such file", _EXPECTED, "correct the path")
    if path.stat().st_size > MOST_BYTES:
        raise _too_large(path.name)


def decoded(content: bytes, where: str) -> str:
    """Return a text in UTF-8, UTF-16 or Windows-1252.

    Raises:
        SchemaError: If it is a web page, is not a text, or was encoded twice.
    """
    start = content[:512].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    expected = "CSV or XLSX"
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise SchemaError.of(where, "a web page, not the file", expected, _AGAIN)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text[:_HEAD_BYTES]:
        raise SchemaError.of(where, "not a text", expected, _AGAIN)
    if _TWICE.search(text[:_HEAD_BYTES]):
        what, fix = "accents were encoded twice", "save it as it was published"
        raise SchemaError.of(where, what, "a text in UTF-8 or Windows-1252", fix)
    return text


def check_zip(path: Path) -> None:
    """Refuse a zip that is damaged, or that would fill the memory once unpacked.

    Raises:
        SchemaError: Likewise; also for a sheet that claims more than `MOST_CELLS` cells.
    """
    _check_file(path)
    left = MOST_BYTES
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                left -= _unpacked(archive, member, path.name, left)
    except (zipfile.BadZipFile, OSError, RuntimeError, EOFError, ValueError, zlib.error) as error:
        what = f"damaged or cut short ({error})"
        raise SchemaError.of(path.name, what, "a whole file", _AGAIN) from error


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str, left: int) -> int:
    """Return the size of a member, once it was unpacked piece by piece."""
    is_sheet = member.filename.startswith("xl/worksheets/")
    size, width, height, rest = 0, 26, 9_999, b""
    with archive.open(member) as file:
        while piece := file.read(1 << 20):
            size += len(piece)
            if size > left:
                raise _too_large(where)
            for found in _PLACE.finditer(rest + piece) if is_sheet else ():
                letters, row = found.groups()
                height = max(height, int(row or 0))
                width = max(width, column_index_from_string(letters.decode()) if letters else 0)
            rest = piece[-24:]
    if is_sheet and width * height > MOST_CELLS:
        what = f"a sheet of {height} rows and {width} columns"
        fix = "delete what stands far from the table, and save it again"
        raise SchemaError.of(where, what, f"at most {MOST_CELLS} cells", fix)
    return size


def _too_large(where: str) -> SchemaError:
    expected = f"at most {MOST_BYTES >> 20} MB, unpacked"
    return SchemaError.of(where, "too large", expected, "give the producer's file, not another")


def _workbook(path: Path, layout: Layout) -> pd.DataFrame:
    check_zip(path)
    try:
        with zipfile.ZipFile(path) as packed:
            if "[Content_Types].xml" not in packed.namelist():
                what, fix = "an archive, not a workbook", "unpack it and give the file within"
                raise SchemaError.of(path.name, what, "CSV or XLSX", fix)
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        wanted = [name for name in names if not layout.sheet or _matches(layout.sheet, name)]
        if len(wanted) > 1:
            alike = {name: _best(_cells(book, name, _HEAD_LINES), layout) for name in wanted}
            wanted = [name for name in wanted if alike[name] == max(alike.values())]
        if len(wanted) != 1:
            expected = f"one sheet `{layout.sheet}`" if layout.sheet else "one sheet of its columns"
            other = "keep that of the whole country alone in a copy" if wanted else _LIST
            what = "sheets " + ", ".join(wanted or names)
            fix = _nearest(layout.sheet, names) or other
            raise SchemaError.of(path.name, what, expected, fix)
        texts = _cells(book, wanted[0])
    except (python_calamine.CalamineError, OSError) as error:
        what = f"not a readable workbook ({error})"
        raise SchemaError.of(path.name, what, "XLSX", _AGAIN) from error
    at = _titles(texts[:_HEAD_LINES], layout, path.name)
    return pd.DataFrame(texts[at + 1 :], columns=texts[at], dtype="str")


def _cells(
    book: python_calamine.CalamineWorkbook, name: str, lines: int | None = None
) -> list[list[str]]:
    rows = book.get_sheet_by_name(name).to_python(nrows=lines)
    return [[_written(cell) for cell in row] for row in rows]


def _written(cell: Any) -> str:
    """Return the text of a cell of a workbook: a code that is a number has no decimals."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime) and not (cell.hour or cell.minute or cell.second):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _text(content: bytes, where: str, layout: Layout) -> pd.DataFrame:
    text = decoded(content, where)
    best = max(_SEPARATORS, key=lambda each: _best(_head(text, each)[0], layout))
    lines, ends = _head(text, best)
    at = _titles(lines, layout, where)
    width, bad = len(lines[at]), list[str]()

    def refuse(row: arrow_csv.InvalidRow) -> str:
        bad.append(f"{row.actual_columns} cells where the titles are {width}: {row.text[:80]}")
        return "skip"

    parse = arrow_csv.ParseOptions(
        delimiter=best, newlines_in_values=True, invalid_row_handler=refuse
    )
    names = [f"{place}" for place in range(width)]
    options = arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
    )
    body = text.split("\n", ends[at])[-1] if "\n" in text else ""
    if not body.strip():
        return pd.DataFrame([], columns=lines[at], dtype="str")
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(body.encode()),
            arrow_csv.ReadOptions(column_names=names, block_size=1 << 26, use_threads=False),
            parse,
            options,
        )
    except pa.ArrowInvalid as error:
        what = f"not CSV: {str(error)[:200]}"
        raise SchemaError.of(where, what, "cells, quoted in pairs", _AGAIN) from error
    fix = f"{_AGAIN}, or correct the line"
    SchemaError.refuse(
        Defect(where, what, "as many cells as titles", fix) for what in bad[:_SHOWN_DEFECTS]
    )
    frame: pd.DataFrame = table.to_pandas().astype("str")
    return frame.set_axis(lines[at], axis=1)


def _head(text: str, separator: str) -> tuple[list[list[str]], list[int]]:
    """Return the first lines as cells, and how many line ends stand before each next one."""
    reader = csv.reader(io.StringIO(text[:_HEAD_BYTES], newline=""), delimiter=separator)
    lines, ends = [], []
    with suppress(csv.Error):  # a field as long as the head
        for line in islice(reader, _HEAD_LINES):
            lines.append(line)
            ends.append(reader.line_num)
    return lines or [[]], ends or [0]


def _best(lines: Iterable[Sequence[str]], layout: Layout) -> int:
    """Return how many columns of the layout the best line of titles has."""
    names = layout.columns.values()
    return max((sum(_title(each, line) is not None for each in names) for line in lines), default=0)


def _titles(lines: Sequence[Sequence[str]], layout: Layout, where: str) -> int:
    """Return which line holds the titles: that with most columns of the layout."""
    counts = [_best([line], layout) for line in lines]
    most = max(counts, default=0)
    if not most:
        wanted = ", ".join(names[0] for names in layout.columns.values())
        what = "no line of titles that its layout knows"
        start = " ".join(lines[0])[:120] if lines else ""
        raise SchemaError.of(where, what, wanted, f"{_AGAIN}, or declare its layout", start)
    return counts.index(most)


def _named(
    found: Sequence[str], layout: Layout, where: str
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the title of each of our columns, and the titles that nothing knows."""
    titles = {name: _title(aliases, found) for name, aliases in layout.columns.items()}
    repeated = {each for each in found if each and found.count(each) > 1}
    defects = [
        Defect(where, f"no column for `{name}`", " or ".join(layout.columns[name]),
               _nearest(layout.columns[name][0], found)
               or "declare its title in the layout of the loader", ", ".join(found)[:300])
        for name, title in titles.items()
        if title is None and name not in layout.optional
    ]  # fmt: skip
    defects += [
        Defect(where, f"two columns `{title}`", "one", "leave one of them out")
        for title in titles.values()
        if title in repeated
    ]
    SchemaError.refuse(defects)
    kept = {name: title for name, title in titles.items() if title is not None}
    unknown = [
        each
        for each in found
        if clean(each)
        and each not in kept.values()
        and _title(layout.ignored, [each]) is None
        and not (layout.wide and re.fullmatch(layout.wide, each))
    ]
    return kept, tuple(map(clean, unknown))


def _title(aliases: Iterable[str], found: Sequence[str]) -> str | None:
    return next((each for alias in aliases for each in found if _matches(alias, each)), None)


def _matches(alias: str, title: str) -> bool:
    return _normal(alias) == _normal(title) or (
        "{" in alias and _pattern(alias).fullmatch(_normal(title)) is not None
    )


def _pattern(alias: str) -> re.Pattern[str]:
    text = re.escape(_normal(alias))
    return re.compile(text.replace(r"\{yyyy\}", r"\d{4}").replace(r"\{yy\}", r"\d\d"))


def _nearest(wanted: str, found: Iterable[str]) -> str:
    by_name = {_normal(each): each for each in found}
    near = closest(_normal(wanted), by_name)
    return "" if near is None else f"did you mean `{clean(by_name[near])}`?"


@lru_cache(maxsize=1 << 15)
def _normal(title: str) -> str:
    text = unicodedata.normalize("NFC", title).strip('`"\ufeff ')
    return re.sub(r"[\s_]+", "_", text.replace("’", "'")).strip("_").casefold()


def _clean_column(column: pd.Series, *, verbatim: bool) -> pd.Series:
    """Return texts with single ordinary blanks, `NA` empty."""
    places, texts = pd.factorize(column)
    written = ["" if text == "NA" else text.strip() if verbatim else clean(text) for text in texts]
    cleaned = pd.Index(written, dtype="str")
    return pd.Series(cleaned.take(places), column.index)


def clean(text: str) -> str:
    r"""Return a text with single ordinary blanks.

    Examples:
        >>> clean(" Soins \u00a0aux  personnes ")
        'Soins aux personnes'
    """
    return " ".join(text.split())
