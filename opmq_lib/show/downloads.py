"""Writes the tables that readers download."""

import io
import os
import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
import xlsxwriter
from xlsxwriter.utility import xl_cell_to_rowcol

from opmq_lib.arguments import checked
from opmq_lib.errors import SchemaError
from opmq_lib.show import pieces
from opmq_lib.show.pieces import Html
from opmq_lib.show.workbook import packed

CONFIDENTIAL: Final = (
    "<strong>Données confidentielles, ne pas transmettre.</strong> "
    "Des chiffres de cette page n’ont pas passé la règle du secret statistique."
)
_PLACE: Final = re.compile(rb'<c r="([A-Z]+\d+)"')


@checked
def write_results(
    results: Mapping[str, pd.DataFrame],
    output_folder: str,
    workbook: str,
    branch_code: str = "",
) -> Html | None:
    """Write each result table as CSV, and all of them as the sheets of one workbook.

    CSV files are UTF-8, comma, decimal point, codes as text; an absent value is an empty field and
    its reason stands in the column `status`. Numbers carry ten significant digits;
    the same tables give the same bytes. Each file appears whole or not at all.

    Args:
        results: Table name → table; the name becomes the file's and the sheet's.
        output_folder: Folder as for `results_folder`, made when missing.
        workbook: Name of the XLSX file, without its ending.
        branch_code: As for `results_folder`.

    Returns:
        A banner to show where a row is confidential (`origin` is `own`): its files are then for
        their owner alone.

    Raises:
        SchemaError: If the folder cannot be made or written to.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_results({"emplois": pd.DataFrame({"idcc_code": ["00044"]})}, folder, "01")
        ...     sorted(path.name for path in Path(folder).iterdir())
        ['01.xlsx', 'emplois.csv']
    """
    if not output_folder.strip():
        what, fix = "empty", "name one in the first cell, such as `outputs/lab`"
        raise SchemaError.of("output_folder", what, "a folder, or `.` for this one", fix)
    try:
        folder = results_folder(output_folder, branch_code)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f".{os.getpid()}").touch()
        (folder / f".{os.getpid()}").unlink()
    except (OSError, TypeError, ValueError) as error:
        expected, fix = "a folder that you may write to", "name another one in the first cell"
        what = f"cannot be written to: {getattr(error, 'strerror', None) or error}"
        raise SchemaError.of("output_folder", what, expected, fix, f"{output_folder}") from error
    written = {name: _ten_digits(table) for name, table in results.items()}
    is_own = any(map(_is_own, results.values()))
    if is_own:
        folder.chmod(0o700)
    for name, table in written.items():
        _replace(folder / f"{name}.csv", _csv(table), private=is_own)
    _replace(folder / f"{workbook}.xlsx", _workbook(written), private=is_own)
    return pieces.banner(CONFIDENTIAL) if is_own else None


def results_folder(output_folder: str, branch_code: str = "") -> Path:
    """Return the folder of a notebook's results.

    Args:
        output_folder: Path from the project's root, whichever of its folders one works in; `.`
            for the folder one works in, as the batch asks for.
        branch_code: The branch, which has a folder of its own in that one, unless it is `.`; empty
            for results of all branches.

    Examples:
        >>> results_folder("."), results_folder("/elsewhere", "chimie")
        (PosixPath('.'), PosixPath('/elsewhere/chimie'))
    """
    here = Path.cwd()
    roots = (folder for folder in (here, *here.parents) if (folder / "_quarto.yml").is_file())
    if output_folder == ".":
        return Path()
    return next(roots, here) / output_folder / branch_code


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write one table as the CSV, XLSX or Parquet file that its name asks for.

    Nobody but its owner can read one that has own rows.

    Args:
        table: The table; numbers are written as in `write_results`.
        path: File, made or replaced whole; its folder is made when missing.

    Raises:
        SchemaError: If the name ends otherwise.

    Examples:
        >>> write_table(pd.DataFrame(), Path("forecasts.ods"))
        Traceback (most recent call last):
            ...
        opmq_lib.errors.SchemaError: 1 defect
          forecasts.ods: not a kind of file that can be written
            expected: .csv, .xlsx, .parquet
            what to do: change the ending
    """
    check_ending(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = _FORMATS[path.suffix.lower()](_ten_digits(table))
    _replace(path, content, private=_is_own(table))


def write_workbook(workbook: Any, path: Path | str) -> None:
    """Write a workbook whole, without the time at which it was made.

    Raises:
        SchemaError: If the name does not end in `.xlsx`.
    """
    from openpyxl.writer.excel import ExcelWriter  # slow to load, for those who write one

    path = Path(path)
    if path.suffix.lower() != ".xlsx":
        why = ("not a workbook's name", "a name that ends in .xlsx", "change the ending")
        raise SchemaError.of(path.name, *why)
    content = io.BytesIO()
    ExcelWriter(workbook, zipfile.ZipFile(content, "w")).save()  # packed once, below
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, _undated(content.getvalue()))


def check_ending(path: Path) -> None:
    """Refuse a file that `write_table` cannot write, before anything is computed for it."""
    if path.suffix.lower() not in _FORMATS:
        what = "not a kind of file that can be written"
        raise SchemaError.of(path.name, what, ", ".join(_FORMATS), "change the ending")


def _is_own(table: pd.DataFrame) -> bool:
    return "origin" in table and bool(table["origin"].eq("own").any())


def _csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, lineterminator="\n").encode()


def _parquet(table: pd.DataFrame) -> bytes:
    content = io.BytesIO()
    table.to_parquet(content, index=False)
    return content.getvalue()


def _ten_digits(table: pd.DataFrame) -> pd.DataFrame:
    numbers = table.select_dtypes("float64").columns
    return table.assign(
        **{str(name): [float(f"{value:.10g}") for value in table[name]] for name in numbers}
    )


def _workbook(results: Mapping[str, pd.DataFrame]) -> bytes:
    """Return tables as sheets; a text that begins like a formula or an address stays a text."""
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(content, options) as book:
        book.set_properties({"created": datetime(2000, 1, 1, tzinfo=UTC)})
        bold = book.add_format({"bold": True})
        for name, table in results.items():
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            sheet.write_row(0, 0, table.columns, bold)
            for number, column in enumerate(table):
                cells = table[column].astype("object")
                sheet.write_column(1, number, cells.where(cells.notna(), None))
    return content.getvalue()


def _undated(workbook: bytes) -> bytes:
    """Return the workbook without the time at which it was written, nor places that go without."""
    parts = {}
    with zipfile.ZipFile(io.BytesIO(workbook)) as dated:
        for name in dated.namelist():
            part = dated.read(name)
            if name == "docProps/core.xml":
                part = re.sub(rb"\d{4}-\d\d-\d\dT[0-9:]+Z", b"2000-01-01T00:00:00Z", part)
            parts[name] = _placed(part) if name.startswith("xl/worksheets/") else part
    return packed(parts)


def _placed(sheet: bytes) -> bytes:
    """Return a sheet of which a cell says its place only if it does not follow the one before.

    Source:
        ECMA-376-1, 18.3.1.4: `r` is optional. A third of a workbook of formulas goes.
    """
    before = (-1, 0)

    def kept(cell: re.Match[bytes]) -> bytes:
        nonlocal before
        here = xl_cell_to_rowcol(cell[1].decode())
        follows, before = here == (before[0], before[1] + 1), here
        return b"<c" if follows else cell[0]

    return _PLACE.sub(kept, sheet)


_FORMATS: Final[dict[str, Callable[[pd.DataFrame], bytes]]] = {
    ".csv": _csv,
    ".xlsx": lambda table: _workbook({"forecasts": table}),
    ".parquet": _parquet,
}


def _replace(path: Path, content: bytes, *, private: bool = False) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.touch(0o600 if private else 0o666)
    partial.write_bytes(content)
    partial.replace(path)
