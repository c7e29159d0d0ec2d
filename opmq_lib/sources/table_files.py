"""A table that a user supplies, read from its file and checked against its contract.

Codes survive as they are written (`0016`, `1E05`, `0292`, `NA`): a cell becomes a number only where
the contract asks for one, and a number where a code is meant is refused, not converted back.
"""

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal, NamedTuple

import pandas as pd

from opmq_lib import tables
from opmq_lib.errors import DataError, SchemaError, refuse
from opmq_lib.sources import embedded, project
from opmq_lib.sources.grids import Grid, read_grid, typed
from opmq_lib.sources.parameters import known_codes, metiers
from opmq_lib.tables import Problem, Sheet, scope, titles
from opmq_lib.tables.schemas import Rule

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
EITHER: Final = ("branch_totals",)
"""Own tables that may hold public rows too."""
SUPPLIED: Final[dict[str, Origin]] = {
    name: "public" if name in _PUBLIC else "own" for name in scope.OWN_TABLES
}
"""Tables that a branch may supply (`tables:` of its file), and whose they are."""
IMPLIED: Final[Mapping[str, str]] = {
    "nature": "observed",
    "origin": "own",
    "source_code": "donnees_branche",
}
"""What an own table of a branch need not say: it counted its jobs."""


class Source(NamedTuple):
    """The cells of a file under the names of a table's contract.

    Attributes:
        grid: The file.
        cells: Its cells, numbers and days read; columns for readers left out.
        sheet: The table as its owner sees it, for messages.
    """

    grid: Grid
    cells: pd.DataFrame
    sheet: Sheet


def read_table(
    path: Path,
    table: str,
    origin: Origin = "own",
    rules: Iterable[Rule] = (),
    words: Mapping[str, Mapping[str, str]] | None = None,
) -> pd.DataFrame:
    """Return a table that a user supplies, once everything in it is what its contract says.

    Columns bear their names or French titles (`titles.column`), under other rows if need be. CSV is
    UTF-8 or Windows-1252, separated by `,`, or by `;` or tabs with a decimal comma as French
    spreadsheets write it; thousands may be grouped by spaces. XLSX is read from the sheet named
    like the table, or from the one whose header is most like it. Blanks around a cell are dropped,
    blank rows are skipped.

    Args:
        path: The file; its ending says what it is.
        table: A name of `tables.TABLES`.
        origin: `own` for data that only the user may see: no message shows a value, and no row may
            call itself public. `public` for the tables of the project.
        rules: What its rows must say beside their contract and the codes that are known.
        words: Column → code → French word of a template: either may stand in the file.

    Returns:
        The columns of the contract in its order, rows in the file's order. Codes and texts are
        `str` (`""` where empty), counts `Int64`, years `int64`, other numbers `float64`.

    Raises:
        DataError: With every defect of the file: row as the file's owner sees it, column, what was
            expected and what to do.
    """
    source = read_source(path, table, own=origin == "own")
    for name, codes in (words or {}).items():
        if name in source.cells:
            coded = {word: code for code, word in codes.items()}
            source.cells[name] = source.cells[name].map(lambda cell, of=coded: of.get(cell, cell))
    return _checked(source, table, origin, rules)


def read_supplied(
    path: Path, table: str, branch_code: str | None, bloc_codes: Collection[str] | None = None
) -> pd.DataFrame:
    """Return one of the tables `SUPPLIED` by a branch; raises as `read_table`.

    What every row would say need not be there (`IMPLIED`, the branch); rows in which no number was
    filled in are left out, with a notice.

    Args:
        path: The file.
        table: Its name.
        branch_code: The branch, the only one that the table may speak of; `None` if no branch
            names the table yet: its rows must then say it.
        bloc_codes: The only blocs that it may speak of, if any.
    """
    source = _filled_in(read_source(path, table, own=SUPPLIED[table] == "own"), table)
    implied = dict(IMPLIED) if SUPPLIED[table] == "own" else {}
    implied |= {} if branch_code is None else {"branch_code": branch_code}
    absent = [name for name in tables.DESCRIPTIONS[table] if name not in source.cells]
    told = {name: implied[name] for name in absent if name in implied}
    source = source._replace(cells=_coded(source.cells, table).assign(**told))
    rules = [] if branch_code is None else [_branch_rule(branch_code)]
    if bloc_codes is not None:
        rules.append(scope.bloc_rule(bloc_codes))
    return _checked(source, table, SUPPLIED[table], rules)


def read_released(path: Path, table: str, branch_code: str) -> pd.DataFrame:
    """Return a table of a branch as it may be published; raises as `read_table`."""
    return read_table(path, table, "public", [_branch_rule(branch_code)])


def read_source(path: Path, table: str, *, own: bool) -> Source:
    """Return a file's cells under the names of a table's contract; raises as `read_grid`."""
    where = shown(path)
    grid = read_grid(path, where, (table,))
    names = titles.columns(table, grid.names)
    said: dict[str, str] = {}
    for name, title in zip(names, grid.names, strict=True):
        if name != title:
            said[name] = f"{said[name]}` / `{title}" if name in said else title
    if said:
        said = {name: titles.title(table, name) for name in tables.DESCRIPTIONS[table]} | said
    cells = typed(grid._replace(cells=grid.cells.set_axis(names, axis=1)), table)
    helps = [name for name in titles.FOR_READERS if name not in tables.DESCRIPTIONS[table]]
    cells = cells.drop(columns=helps, errors="ignore")
    sheet = Sheet(cells, tables.KEYS[table], where, grid.rows, own=own, titles=said)
    return Source(grid, cells, sheet)


def _filled_in(source: Source, table: str) -> Source:
    """Return a file without the rows of its template whose numbers nobody filled in."""
    numbers = [
        use.name
        for use in tables.USES[table]
        if not (use.in_key or tables.DESCRIPTIONS[table][use.name].is_text)
        and use.name in source.cells
    ]
    if not any(not use.may_be_empty for use in tables.USES[table] if use.name in numbers):
        return source
    is_blank = source.cells[numbers].isna().all(axis=1).to_numpy()
    if not is_blank.any():
        return source
    if is_blank.all():
        what, expected = "no row has a number", "a number in one row at least"
        raise SchemaError.of(source.sheet.where, what, expected, "fill it in")
    rows = pd.Series(source.sheet.rows)
    left = rows[is_blank].astype("str").tolist()
    told = f"{len(left)} row{'s' if len(left) > 1 else ''} without any number left out: "
    few = ", ".join(left[:5]) + (", …" if len(left) > 5 else "")
    warnings.warn(f"{source.sheet.where}: {told}{few}", stacklevel=2)
    cells = source.cells[~is_blank].reset_index(drop=True)
    return Source(source.grid, cells, replace(source.sheet, rows=rows[~is_blank].tolist()))


def _coded(cells: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return cells in which a métier that is told by its label has its code."""
    if list(cells).count("metier_code") != 1 or "branch_code" not in tables.DESCRIPTIONS[table]:
        return cells
    codes = {titles.plain(label): code for code, label in metiers().items()}
    codes["autres metiers"] = scope.REST

    def code(cell: object) -> object:
        return codes.get(titles.plain(cell), cell) if isinstance(cell, str) else cell

    return cells.assign(metier_code=cells["metier_code"].map(code))


def _checked(source: Source, table: str, origin: Origin, rules: Iterable[Rule]) -> pd.DataFrame:
    cells = source.cells
    rules = [*rules, *scope.code_rules(table, known_codes)]
    if origin == "own":
        rules += scope.metier_rules(table, embedded.load("metiers"))
        rules += [scope.OWN] if table not in EITHER else []
    problems = tables.find_problems(table, cells, rules)
    problems = [
        replace(each, expected=f"{each.expected}, or a label as `opmq data template` writes it")
        if origin == "own" and (each.column, each.what) == ("metier_code", "not a métier code")
        else each
        for each in problems
    ]
    refuse(errors_of(source.grid, problems, replace(source.sheet, frame=cells)))
    return finished(cells, table)


def _branch_rule(branch_code: str) -> Rule:
    return scope.branch_rule(branch_code, known_codes("branches", "branch_code"))


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


def unique(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the first of the columns that have the same name."""
    return cells.loc[:, ~cells.columns.duplicated()]


def errors_of(grid: Grid, problems: Sequence[Problem], sheet: Sheet) -> list[DataError]:
    """Return what is wrong with a file: its rows, and the problems of its table."""
    errors: list[DataError] = [SchemaError(grid.defects)] if grid.defects else []
    whole = replace(sheet, frame=unique(sheet.frame))
    return [*errors, tables.as_error(problems, whole)] if problems else errors


def finished(cells: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return cells that were checked in the columns of their table, each of its type."""
    types = {
        name: embedded.dtype(table, name) for name in tables.DESCRIPTIONS[table] if name in cells
    }
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
