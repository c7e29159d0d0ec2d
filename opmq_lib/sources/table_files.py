"""A table that a user supplies, read from CSV, XLSX or Parquet and checked against its contract.

Codes survive as they are written (`0016`, `1E05`, `0292`, `NA`): a cell becomes a number only where
the contract asks for one, and a number where a code is meant is refused, not converted back.
"""

import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import pandas as pd

from opmq_lib import tables
from opmq_lib.errors import DataError, Defect, SchemaError, gather
from opmq_lib.params import BranchTables
from opmq_lib.sources import embedded, forms, project
from opmq_lib.sources.parameters import known_codes
from opmq_lib.tables import Problem, Sheet, scope
from opmq_lib.tables.kinds import DAY
from opmq_lib.tables.schemas import Rule

_NUMBER: Final = re.compile(
    r"(?P<sign>[-+\N{MINUS SIGN}]?)"
    r"(?P<whole>[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+|[0-9]+)"
    r"(?:[.,](?P<decimals>[0-9]+))?(?P<power>[eE][-+]?[0-9]+)?"
)

CONVENTIONS: Final = (
    "certifying_bodies",
    "metiers_left_out",
    "metiers_outside_branches",
    "naf_branch",
    "request_topics",
    "rome_fap_split",
    "study_themes",
    "tension_profiles",
)
"""The project's own tables, in `parameters/tables`."""

Origin = Literal["own", "public"]
_PUBLIC: Final = ("tension_reference", "fap_crosswalk")
_EITHER: Final = ("branch_totals",)
"""Own tables that may hold public rows too."""
SUPPLIED: Final[dict[str, Origin]] = {
    name: "public" if name in _PUBLIC else "own"
    for name in BranchTables.model_fields
    if name != "rncp_export"
}
"""Tables that a branch may supply (`tables:` of its file), and whose they are."""


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


def read_table(
    path: Path,
    table: str,
    origin: Origin = "own",
    rules: Iterable[Rule] = (),
    words: Mapping[str, Mapping[str, str]] | None = None,
) -> pd.DataFrame:
    """Return a table that a user supplies, once everything in it is what its contract says.

    CSV is UTF-8, separated by `,`, or by `;` with a decimal comma as French spreadsheets write it;
    thousands may be grouped by spaces. XLSX is read from the sheet named like the table, or from
    the only sheet. Blanks around a cell are dropped, blank rows are skipped.

    Args:
        path: The file; its ending says what it is.
        table: A name of `tables.TABLES`.
        origin: `own` for data that only the user may see: no message shows a value, and no row may
            call itself public. `public` for the tables of the project.
        rules: What its rows must say beside their contract and the codes that are known.
        words: Column → code → French word of a template whose titles are those of the contract
            too: either may stand in the file.

    Returns:
        The columns of the contract in its order, rows in the file's order. Codes and texts are
        `str` (`""` where empty), counts `Int64`, years `int64`, other numbers `float64`.

    Raises:
        DataError: With every defect of the file: row as the file's owner sees it, column, what was
            expected and what to do.
    """
    where = shown(path)
    grid = read_grid(path, where, (table,))
    if words is not None:
        grid = grid._replace(cells=_in_codes(grid.cells, table, words))
    rules = [*rules, *scope.code_rules(table, known_codes)]
    if origin == "own" and table not in _EITHER:
        rules.append(scope.OWN)
    if origin == "own" and table == "employment":
        rules += scope.own_employment_rules(embedded.load("metiers"))
    cells = typed(grid, table)
    problems = tables.find_problems(table, cells, rules)
    sheet = Sheet(unique(cells), tables.KEYS[table], where, grid.rows, own=origin == "own")
    if errors := errors_of(grid, problems, sheet):
        raise gather(errors)
    return finished(cells, table)


def _in_codes(
    cells: pd.DataFrame, table: str, words: Mapping[str, Mapping[str, str]]
) -> pd.DataFrame:
    """Return cells under the names of the contract, French words replaced by their codes."""
    names = {column.label: name for name, column in tables.DESCRIPTIONS[table].items()}
    named = cells.rename(columns=names)
    for name in words.keys() & set(unique(named)):
        codes = {word: code for code, word in words[name].items()}
        named[name] = named[name].map(lambda cell, codes=codes: codes.get(cell, cell))
    return named


def read_supplied(
    path: Path, table: str, branch_code: str, bloc_codes: Collection[str] | None = None
) -> pd.DataFrame:
    """Return one of the tables `SUPPLIED` by a branch; raises as `read_table`.

    Args:
        path: The file.
        table: Its name.
        branch_code: The branch, the only one that the table may speak of.
        bloc_codes: The only blocs that it may speak of, if any.
    """
    rules = [scope.branch_rule(branch_code, known_codes("branches", "branch_code"))]
    if bloc_codes is not None:
        rules.append(scope.bloc_rule(bloc_codes))
    return read_table(path, table, SUPPLIED[table], rules)


def read_released(path: Path, table: str, branch_code: str) -> pd.DataFrame:
    """Return a table of a branch as it may be published; raises as `read_table`."""
    rules = [scope.branch_rule(branch_code, known_codes("branches", "branch_code"))]
    return read_table(path, table, "public", rules)


def secret_metiers(released: Path, branch_codes: Iterable[str]) -> pd.DataFrame:
    """Return the métiers of branches that a release tells together: `branch_code, metier_code`."""
    paths = [released / code / project.SECRET for code in branch_codes]
    known = [pd.read_csv(path, dtype=str) for path in paths if path.is_file()]
    return pd.concat([pd.DataFrame(columns=["branch_code", "metier_code"], dtype="str"), *known])


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
        raise SchemaError.of(where, "no such file", "a table", "correct the path")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        what = "not a kind of file that can be read"
        raise SchemaError.of(where, what, "CSV, XLSX or Parquet", "save it as CSV")
    grid = reader(path, where, names) if path.stat().st_size else None
    if grid is None or not (grid.rows or grid.defects):
        expected = "a header and at least one row"
        raise SchemaError.of(where, "the table is empty", expected, "fill it in")
    return grid


def typed(grid: Grid, table: str) -> pd.DataFrame:
    """Return a file's cells: texts that say a number, and days, as the table asks for them."""

    def as_number(cell: Any) -> Any:
        if isinstance(cell, Decimal):
            return float(cell)
        value = number(cell, grid.decimal_comma) if isinstance(cell, str) else None
        return cell if value is None else value

    def as_day(cell: Any) -> Any:
        if pd.isna(cell):
            return None
        return cell.isoformat()[:10] if isinstance(cell, date) else cell

    read = {
        name: as_day if column.pattern == DAY else as_number
        for name, column in tables.DESCRIPTIONS[table].items()
        if name in grid.cells and (column.pattern == DAY or not column.is_text)
    }
    return grid.cells.assign(**{name: grid.cells[name].map(each) for name, each in read.items()})


def unique(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the first of the columns that have the same name."""
    return cells.loc[:, ~cells.columns.duplicated()]


def errors_of(grid: Grid, problems: Sequence[Problem], sheet: Sheet) -> list[DataError]:
    """Return what is wrong with a file: its rows, and the problems of its table."""
    errors: list[DataError] = [SchemaError(grid.defects)] if grid.defects else []
    return [*errors, tables.as_error(problems, sheet)] if problems else errors


def finished(cells: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return cells that were checked in the columns of their table, each of its type."""
    types = {name: _dtype(name, table) for name in tables.DESCRIPTIONS[table] if name in cells}
    texts = {name: "" for name, dtype in types.items() if dtype == "str"}
    return cells[list(types)].astype(types).fillna(texts)


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
    fix = "save it again as “CSV UTF-8”, or as XLSX"
    text = project.decoded(path.read_bytes(), where, fix)
    separator = _separator(text.partition("\n")[0], names)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows = list(enumerate(reader, start=1))
    except csv.Error as error:
        line = f"{where}, line {reader.line_num}"
        what, expected = f"not CSV: {error}", "cells, quoted in pairs"
        raise SchemaError.of(line, what, expected, "correct it") from error
    return _grid(forms.filled(rows), where, decimal_comma=separator == ";")


def _separator(header: str, names: Sequence[str]) -> str:
    columns = {column for name in names for column in tables.DESCRIPTIONS[name]}

    def known(separator: str) -> int:
        return len({word.strip(' "\r') for word in header.split(separator)} & columns)

    return max((",", ";"), key=lambda separator: (known(separator), header.count(separator)))


def _read_xlsx(path: Path, where: str, names: Sequence[str]) -> Grid:
    book = forms.opened(path, where)
    named = [title for title in book.sheetnames if title in names]
    if len(named) != 1 and len(book.worksheets) != 1:
        what = f"several sheets: {', '.join(book.sheetnames)}"
        expected = "one sheet, or one named like its table"
        raise SchemaError.of(where, what, expected, f"rename the right sheet, such as `{names[0]}`")
    return _grid(forms.rows(book[named[0]] if len(named) == 1 else book.worksheets[0]), where)


def _read_parquet(path: Path, where: str, names: Sequence[str]) -> Grid:  # noqa: ARG001 (same signature)
    try:
        cells = pd.read_parquet(path)
    except Exception as error:  # a damaged file may break its parser anywhere
        what = "not a readable Parquet file"
        raise SchemaError.of(where, what, "Parquet", "write it again") from error
    texts = dict.fromkeys(cells.select_dtypes("category"), "object")
    return Grid(cells.astype(texts), range(1, len(cells) + 1), decimal_comma=False)


_READERS: Final[dict[str, Callable[[Path, str, Sequence[str]], Grid]]] = {
    ".csv": _read_csv,
    ".txt": _read_csv,
    ".xlsx": _read_xlsx,
    ".parquet": _read_parquet,
}


def _grid(lines: Iterable[forms.Row], where: str, *, decimal_comma: bool = True) -> Grid:
    """Return the grid of filled rows: the first names the columns."""
    (_, titles), *rows = lines or [(0, [])]
    width = len(forms.without_end(titles))
    fitting, defects = [], []
    for row, cells in rows:
        if len(forms.without_end(cells)) > width or len(cells) < width:
            what = f"{len(cells)} cells where the header has {width}"
            fix = "check separators and quotes; a number with a comma needs quotes, or `;` between"
            defects.append(Defect(f"{where}, row {row}", what, f"{width} cells", fix))
        else:
            fitting.append((row, cells[:width]))
    names = ["" if title is None else str(title) for title in titles[:width]]
    frame = pd.DataFrame([cells for _, cells in fitting], columns=names, dtype="object")
    return Grid(frame, [row for row, _ in fitting], defects, decimal_comma)


def _dtype(name: str, table: str) -> str:
    kind = tables.DESCRIPTIONS[table][name].kind
    if kind == "whole":
        return "int64" if name.endswith("year") else "Int64"
    return "float64" if kind == "number" else "str"
