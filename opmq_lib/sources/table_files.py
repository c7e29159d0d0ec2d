"""A table that a user supplies, read from CSV, XLSX or Parquet and checked against its contract.

Codes survive as they are written (`0016`, `1E05`, `0292`, `NA`): a cell becomes a number only where
the contract asks for one, and a number where a code is meant is refused, not converted back.
"""

import csv
import io
import re
import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, Literal

import openpyxl
import pandas as pd
import pyarrow.parquet

from opmq_lib import tables
from opmq_lib.errors import DataError, Defect, SchemaError, ScopeError, did_you_mean, gather
from opmq_lib.methods.employment import RESIDUAL_METIER
from opmq_lib.params import BranchTables
from opmq_lib.sources import embedded
from opmq_lib.sources.parameters import known_codes
from opmq_lib.tables import Column, Problem, Sheet

Cell = str | int | float | bool | date | None

DEFINED_IN: Final = {
    "branch_code": ("branches", "branch"),
    "idcc_code": ("idcc_history", "IDCC"),
    "metier_code": ("metiers", "métier"),
    "naf_code": ("naf", "NAF"),
    "region_code": ("regions", "region"),
    "rome_code": ("romes", "ROME"),
    "skill_code": ("skills", "skill"),
}
"""The embedded table that knows all the codes of a column, and what to call one in messages."""

RESIDUALS: Final = {RESIDUAL_METIER}
"""Codes that stand for the rest: an own table may close its total with them."""

OWN_NOMENCLATURE: Final = "FAP-2009"
OWN_LEVEL: Final = "fap225"
"""The métiers of an own employment table: those of the estimate that it replaces."""

_NUMBER: Final = re.compile(
    r"(?P<sign>[-+\N{MINUS SIGN}]?)"
    r"(?P<whole>[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+|[0-9]+)"
    r"(?:[.,](?P<decimals>[0-9]+))?(?P<power>[eE][-+]?[0-9]+)?"
)

CONVENTIONS: Final = (
    "certifying_bodies",
    "metiers_left_out",
    "naf_branch",
    "request_topics",
    "rome_fap_split",
    "study_themes",
    "tension_profiles",
)
"""The project's own tables, in `parameters/tables`."""

_PUBLIC: Final = ("tension_reference", "fap_crosswalk")
SUPPLIED: Final[dict[str, Literal["own", "public"]]] = {
    name: "public" if name in _PUBLIC else "own"
    for name in BranchTables.model_fields
    if name != "rncp_export"
}
"""Tables that a branch may supply (`tables:` of its file), and whose they are."""


@dataclass
class Grid:
    """A file's cells: names of the columns, rows, and the number of each row for its owner."""

    names: list[str] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)
    decimal_comma: bool = True
    as_text: str = "format the column as Text in the spreadsheet, then type the code again"


def read_table(
    path: Path,
    table: str,
    origin: Literal["own", "public"] = "own",
    branch_code: str | None = None,
    bloc_codes: Collection[str] | None = None,
) -> pd.DataFrame:
    """Return a table that a user supplies, once everything in it is what its contract says.

    CSV is UTF-8, separated by `,`, or by `;` with a decimal comma as French spreadsheets write it;
    thousands may be grouped by spaces. XLSX is read from the sheet named like the table, or from
    the only sheet. Blanks around a cell are dropped, blank rows are skipped.

    Args:
        path: The file; its ending says what it is.
        table: A name of `contracts.SCHEMAS`.
        origin: `own` for data that only the user may see: no message shows a value, and no row may
            call itself public. `public` for the tables of the project.
        branch_code: The only branch that the table may speak of, if any.
        bloc_codes: The only blocs that it may speak of, if any.

    Returns:
        The columns of the contract in its order, rows in the file's order. Codes and texts are
        `str` (`""` where empty), counts `Int64`, years `int64`, other numbers `float64`.

    Raises:
        DataError: With every defect of the file: row as the file's owner sees it, column, what was
            expected and what to do.
    """
    where = shown(path)
    grid = read_grid(path, where, (table,))
    problems = tables.header_problems(table, grid.names)
    frame, unreadable = _typed(grid, table)
    problems += unreadable
    found = tables.row_problems(table, frame)
    if origin == "own":
        found += _origin_problems(frame)
    if origin == "own" and table == "employment":
        found += _employment_problems(frame)
    found += _scope_problems(frame, table, branch_code)
    if bloc_codes is not None:
        found += _bloc_problems(frame, bloc_codes)
    problems += _without_echoes(found, unreadable)
    errors: list[DataError] = [SchemaError(grid.defects)] if grid.defects else []
    if problems:
        sheet = Sheet(frame, tables.KEYS[table], where, grid.numbers, own=origin == "own")
        errors.append(tables.as_error(problems, sheet))
    if errors:
        raise gather(errors)
    return frame.astype({str(name): _dtype(str(name), table) for name in frame})


def read_convention(table: str, root: Path) -> pd.DataFrame:
    """Return a table of the project itself, one of `CONVENTIONS`; raises as `read_table`."""
    return read_table(root / "parameters" / "tables" / f"{table}.csv", table, origin="public")


def no_rows(table: str) -> pd.DataFrame:
    """Return a table without any row."""
    return pd.DataFrame(columns=list(tables.DESCRIPTIONS[table]))


def read_grid(path: Path, where: str, names: Sequence[str]) -> Grid:
    """Return a file's cells; of several separators or sheets, what suits the tables in `names`.

    Raises:
        SchemaError: If the file is absent, empty, of an unknown kind or unreadable.
    """
    if not path.is_file():
        raise _refused(where, "no such file", "a table", "correct the path")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise _refused(
            where, "not a kind of file that can be read", "CSV, XLSX or Parquet", "save it as CSV"
        )
    if path.stat().st_size == 0:
        raise _empty(where)
    grid = reader(path, where, names)
    if not grid.rows and not grid.defects:
        raise _empty(where)
    return grid


def shown(path: Path) -> str:
    """Return a path as messages show it: from the project's root, or from its own folder.

    Examples:
        >>> shown(Path("data/jobs.csv"))
        'data/jobs.csv'
    """
    if not path.is_absolute():
        return path.as_posix()
    roots = (folder for folder in path.parents if (folder / "parameters").is_dir())
    return path.relative_to(next(roots, path.parent)).as_posix()


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


def _read_csv(path: Path, where: str, names: Sequence[str]) -> Grid:
    text = _decoded(path.read_bytes(), where)
    separator = _separator(text.partition("\n")[0], names)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows: list[tuple[int, Sequence[Cell]]] = list(enumerate(reader, start=1))
    except csv.Error as error:
        line = f"{where}, line {reader.line_num}"
        raise _refused(line, f"not CSV: {error}", "cells, quoted in pairs", "correct it") from error
    grid = _grid(rows, where)
    grid.decimal_comma = separator == ";"
    return grid


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _refused(
            f"{where}, line {line}",
            f"byte 0x{content[error.start]:02x} is not UTF-8",
            "a CSV file in UTF-8",
            "save it again as “CSV UTF-8”, or as XLSX",
        ) from error


def _separator(header: str, names: Sequence[str]) -> str:
    columns = {column for name in names for column in tables.DESCRIPTIONS[name]}

    def known(separator: str) -> int:
        return len({word.strip(' "\r') for word in header.split(separator)} & columns)

    return max((",", ";"), key=lambda separator: (known(separator), header.count(separator)))


def _read_xlsx(path: Path, where: str, names: Sequence[str]) -> Grid:
    try:
        with warnings.catch_warnings(action="ignore"):  # styles that openpyxl does not know
            book = openpyxl.load_workbook(path, data_only=True)
    except Exception as error:  # a damaged file may break its parser anywhere
        raise _refused(where, "not a readable XLSX file", "XLSX", "save it again") from error
    named = [title for title in book.sheetnames if title in names]
    if len(named) != 1 and len(book.worksheets) != 1:
        raise _refused(
            where,
            f"several sheets: {', '.join(book.sheetnames)}",
            "one sheet, or one named like its table",
            f"rename the right sheet, such as `{names[0]}`",
        )
    sheet = book[named[0]] if len(named) == 1 else book.worksheets[0]
    return _grid(enumerate(sheet.iter_rows(values_only=True), start=1), where)


def _read_parquet(path: Path, where: str, names: Sequence[str]) -> Grid:  # noqa: ARG001 (same signature)
    try:
        content = pyarrow.parquet.read_table(path)
        columns = [column.to_pylist() for column in content.columns]
    except Exception as error:  # a damaged file may break its parser anywhere
        raise _refused(where, "not a readable Parquet file", "Parquet", "write it again") from error
    rows = [list(cells) for cells in zip(*columns, strict=True)]
    return Grid(
        names=list(content.column_names),
        rows=rows,
        numbers=list(range(1, len(rows) + 1)),
        decimal_comma=False,
        as_text="write this column as text, with its zeros",
    )


_READERS: Final[dict[str, Callable[[Path, str, Sequence[str]], Grid]]] = {
    ".csv": _read_csv,
    ".txt": _read_csv,
    ".xlsx": _read_xlsx,
    ".parquet": _read_parquet,
}


def _grid(rows: Iterable[tuple[int, Sequence[Cell]]], where: str) -> Grid:
    """Return the grid of numbered rows: the first that is not blank names the columns."""
    trimmed = ((row, [_trimmed(cell) for cell in cells]) for row, cells in rows)
    filled = [(row, cells) for row, cells in trimmed if _without_end(cells)]
    grid = Grid()
    if not filled:
        return grid
    header = _without_end(filled[0][1])
    grid.names = ["" if cell is None else str(cell) for cell in header]
    width = len(header)
    for row, cells in filled[1:]:
        if len(_without_end(cells)) > width or len(cells) < width:
            what = f"{len(cells)} cells where the header has {width}"
            fix = "check separators and quotes; a number with a comma needs quotes, or `;` between"
            grid.defects.append(Defect(f"{where}, row {row}", what, f"{width} cells", fix))
        else:
            grid.rows.append(cells[:width])
            grid.numbers.append(row)
    return grid


def _trimmed(cell: Cell) -> Cell:
    return (cell.strip() or None) if isinstance(cell, str) else cell


def _without_end(cells: list[Cell]) -> list[Cell]:
    """Return cells without the empty ones at the end."""
    filled = [position for position, cell in enumerate(cells) if cell is not None]
    return cells[: filled[-1] + 1] if filled else []


def _typed(grid: Grid, table: str) -> tuple[pd.DataFrame, list[Problem]]:
    """Return the known columns as the contract types them, and the cells that refuse."""
    problems: list[Problem] = []
    columns: dict[str, pd.Series] = {}
    for name, column in tables.DESCRIPTIONS[table].items():
        if name not in grid.names:
            continue
        position = grid.names.index(name)
        cells = [row[position] for row in grid.rows]
        to_cell = _code_cell if column.kind in {"code", "text"} else _number_cell
        typed = [to_cell(cell, grid) for cell in cells]
        problems += [
            _type_problem(name, column, row, cells[row], grid)
            for row, cell in enumerate(typed)
            if cell is None
        ]
        if column.kind in {"code", "text"}:
            columns[name] = pd.Series([cell or "" for cell in typed], dtype="str")
        else:
            columns[name] = pd.Series(typed, dtype="float64")
    return pd.DataFrame(columns, index=range(len(grid.rows))), problems


def _code_cell(cell: Cell, grid: Grid) -> str | None:  # noqa: ARG001 (same signature)
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else None


def _number_cell(cell: Cell, grid: Grid) -> float | None:
    if cell is None:
        return float("nan")
    if isinstance(cell, str):
        return number(cell, grid.decimal_comma)
    return None if isinstance(cell, bool | date) else float(cell)


def _type_problem(name: str, column: Column, row: int, cell: Cell, grid: Grid) -> Problem:
    is_text = column.kind in {"code", "text"}
    return Problem(
        column=name,
        what="a number or date where a text is meant: zeros may be lost"
        if is_text
        else "not a number",
        expected=tables.expectation(column),
        fix=grid.as_text if is_text else "write digits only, such as 1234",
        row=row,
        value=str(cell),
    )


def _without_echoes(found: Sequence[Problem], unreadable: Sequence[Problem]) -> list[Problem]:
    """Return the problems that do not merely repeat that a cell could not be read."""
    cells = {(problem.row, problem.column) for problem in unreadable}
    rows = {problem.row for problem in unreadable}
    return [
        problem
        for problem in found
        if (problem.row, problem.column) not in cells
        and (problem.first is None or not {problem.row, problem.first} & rows)
    ]


def _origin_problems(frame: pd.DataFrame) -> list[Problem]:
    if "origin" not in frame:
        return []
    return [
        Problem(
            column="origin",
            what="your own table calls this row public",
            expected="own",
            fix="write own: what you supply is shown to nobody before it is checked",
            row=row,
            error=ScopeError,
        )
        for row, origin in enumerate(frame["origin"])
        if origin == "public"
    ]


def _employment_problems(frame: pd.DataFrame) -> list[Problem]:
    """Return the rows of an own employment table that no calculation could use rightly."""
    wrong = _unusable_metiers()
    problems = [
        _unusable_metier(row, code, wrong[code])
        for row, code in enumerate(frame.get("metier_code", ()))
        if code in wrong
    ]
    return problems + [
        Problem(
            column="nature",
            what="your own table holds what was not observed",
            expected="observed",
            fix="keep what was counted and leave the other rows out: estimates and projections are "
            "made by the project",
            row=row,
            error=ScopeError,
        )
        for row, nature in enumerate(frame.get("nature", ()))
        if nature in {"estimate", "official_projection"}
    ]


def _unusable_metiers() -> dict[str, str]:
    """Return why a known métier code cannot be used in an own employment table, by code."""
    metiers = embedded.load("metiers")
    is_usual = metiers["nomenclature"] == OWN_NOMENCLATURE
    usual, other = metiers[is_usual], metiers[~is_usual]
    levels = dict(zip(usual["metier_code"], usual["level"], strict=True))
    reasons = {
        code: f"a code of {nomenclature}"
        for code, nomenclature in zip(other["metier_code"], other["nomenclature"], strict=True)
    } | {
        code: "all occupations together" if level == "total" else "a family of métiers"
        for code, level in levels.items()
    }
    return {code: why for code, why in reasons.items() if levels.get(code) != OWN_LEVEL}


def _unusable_metier(row: int, code: str, why: str) -> Problem:
    return Problem(
        column="metier_code",
        what=f"{why}, not a métier of {OWN_NOMENCLATURE}",
        expected=f"a code of level {OWN_LEVEL} of {OWN_NOMENCLATURE} in table `metiers`, such as "
        f"D1Z40, or {RESIDUAL_METIER}",
        fix=f"give one row to each métier, and {RESIDUAL_METIER} for the rest",
        row=row,
        value=code,
        error=ScopeError,
    )


def _scope_problems(frame: pd.DataFrame, table: str, branch_code: str | None) -> list[Problem]:
    problems: list[Problem] = []
    for name, (defining, _) in DEFINED_IN.items():
        if name not in frame or defining == table:
            continue
        known = known_codes(defining, name)
        for row, code in enumerate(frame[name]):
            if code and code not in known and code not in RESIDUALS:
                problems.append(_unknown(name, code, row, known))
            elif name == "branch_code" and code and branch_code not in {None, code}:
                problems.append(_other_branch(code, row, str(branch_code)))
    return problems


def _bloc_problems(frame: pd.DataFrame, bloc_codes: Collection[str]) -> list[Problem]:
    return [
        Problem(
            column="bloc_code",
            what="a bloc that the export does not hold",
            expected="a bloc of the file that `rncp_export` names",
            fix="correct the code, remove the row, or name the export that holds it",
            row=row,
            value=code,
            error=ScopeError,
        )
        for row, code in enumerate(frame.get("bloc_code", ()))
        if code and code not in bloc_codes
    ]


def _unknown(name: str, code: str, row: int, known: Iterable[str]) -> Problem:
    defining, kind = DEFINED_IN[name]
    return Problem(
        column=name,
        what=f"unknown {kind}",
        expected=f"a code of table `{defining}`",
        fix=did_you_mean(code, known) or "correct the code",
        row=row,
        value=code,
        error=ScopeError,
    )


def _other_branch(code: str, row: int, branch_code: str) -> Problem:
    return Problem(
        column="branch_code",
        what="a row of another branch",
        expected=branch_code,
        fix="put each branch in its own file",
        row=row,
        value=code,
        error=ScopeError,
    )


def _dtype(name: str, table: str) -> str:
    kind = tables.DESCRIPTIONS[table][name].kind
    if kind == "whole":
        return "int64" if name.endswith("year") else "Int64"
    return "float64" if kind == "number" else "str"


def _empty(where: str) -> SchemaError:
    return _refused(where, "the table is empty", "a header and at least one row", "fill it in")


def _refused(where: str, what: str, expected: str, fix: str) -> SchemaError:
    return SchemaError([Defect(where, what, expected, fix)])
