"""Tables against their contracts: every defect at once, with its row, column and what to do."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaError as PanderaError
from pandera.errors import SchemaErrors

from opmq_lib.errors import DataError, Defect, RangeError, SchemaError, closest, did_you_mean
from opmq_lib.tables.schemas import DESCRIPTIONS, KEYS, RULES, SCHEMAS, USES, expectation

SHOWN_PER_PROBLEM: Final = 10
"""Rows listed for one problem of one column; the others are counted."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a table.

    Attributes:
        column: The column, empty where the whole row is meant.
        what: What is wrong.
        expected: What was expected there.
        fix: What to do.
        row: Position from 0, `None` where the whole table is meant.
        first: Position of the row that this one contradicts, if any.
        value: The offending cell, shown only where it is public.
        error: Class of the error.
    """

    column: str
    what: str
    expected: str
    fix: str
    row: int | None = None
    first: int | None = None
    value: str | None = None
    error: type[DataError] = SchemaError


@dataclass(frozen=True)
class Sheet:
    """A table as its owner sees it, for messages.

    Attributes:
        frame: The table.
        key: Its key columns.
        where: The file or step it comes from.
        rows: Row number of each position; by default the position plus 2 (the header is row 1).
        own: Whether every row is the user's own, so that no value may be shown.
    """

    frame: pd.DataFrame
    key: Sequence[str]
    where: str
    rows: Sequence[int] | None = None
    own: bool = False

    def number(self, position: int) -> int:
        """Return the row number that the owner sees at a position from 0."""
        return position + 2 if self.rows is None else self.rows[position]


def check(table: str, frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return the table unchanged if it is what its contract says.

    Args:
        table: A name of `SCHEMAS`.
        frame: The table; codes already text, nothing is converted.
        where: The file or the step it comes from, for messages.

    Returns:
        `frame` itself.

    Raises:
        DataError: With every defect: `SchemaError` for columns, types and keys, `RangeError` for
            numbers, `CoherenceError` for sums; plain `DataError` if several kinds are found. Rows
            are counted as a spreadsheet does (the header is row 1). Values of rows whose origin
            is not `public` are never shown, in a table that has an origin.

    Examples:
        >>> regions = pd.DataFrame({"region_code": ["01"], "label": ["Guadeloupe"]})
        >>> check("regions", regions, "regions.csv") is regions
        True
        >>> check("regions", regions.rename(columns={"label": "labels"}), "regions.csv")
        Traceback (most recent call last):
            ...
        opmq_lib.errors.SchemaError: 1 defect
          regions.csv, column `labels`: unknown column, and `label` is missing
            expected: the columns of table `regions`: region_code, label
            what to do: rename it to `label`
    """
    problems = find_problems(table, frame)
    if problems:
        raise as_error(problems, Sheet(frame, KEYS[table], where))
    return frame


def find_problems(table: str, frame: pd.DataFrame) -> list[Problem]:
    """Return everything in which a table differs from its contract.

    Examples:
        >>> regions = pd.DataFrame({"region_code": ["1"], "label": ["Guadeloupe"]})
        >>> [(problem.row, problem.expected) for problem in find_problems("regions", regions)]
        [(0, 'a code such as 84')]
    """
    return header_problems(table, frame.columns) + row_problems(table, frame)


def row_problems(table: str, frame: pd.DataFrame) -> list[Problem]:
    """Return what is wrong in the rows of a table, in the columns that it has.

    Examples:
        >>> regions = pd.DataFrame({"region_code": ["84", "84"]})
        >>> [(problem.row, problem.what) for problem in row_problems("regions", regions)]
        [(1, 'the same key as row')]
    """
    known = frame[[name for name in DESCRIPTIONS[table] if name in frame]].reset_index(drop=True)
    absent = {use.name for use in USES[table] if use.may_be_absent} - set(known)
    problems = _duplicate_problems(known, [name for name in KEYS[table] if name not in absent])
    try:
        SCHEMAS[table].validate(known, lazy=True)
    except SchemaErrors as errors:
        for error in errors.schema_errors:
            problems += _check_problems(table, error, known)
    return problems


def header_problems(table: str, names: Iterable[str]) -> list[Problem]:
    """Return the columns that are missing, unknown or given twice.

    Examples:
        >>> [problem.what for problem in header_problems("regions", ["region_code"])]
        ['column missing']
    """
    found = list(names)
    missing = [use.name for use in USES[table] if use.name not in found and not use.may_be_absent]
    expected = f"the columns of table `{table}`: {', '.join(DESCRIPTIONS[table])}"
    problems = []
    for name in dict.fromkeys(found):
        if found.count(name) > 1:
            problems.append(Problem(name, "column given twice", expected, "keep one of them"))
        if name in DESCRIPTIONS[table]:
            continue
        near = closest(name, missing)
        if near is not None:
            missing.remove(near)
            what = f"unknown column, and `{near}` is missing"
            problems.append(Problem(name, what, expected, f"rename it to `{near}`"))
        else:
            problems.append(Problem(name, "unknown column", expected, "remove it"))
    return problems + [
        Problem(name, "column missing", expected, f"add a column `{name}`") for name in missing
    ]


def as_error(problems: Sequence[Problem], sheet: Sheet) -> DataError:
    """Return one error for all problems of a table, of their class if they have the same.

    At most `SHOWN_PER_PROBLEM` rows are listed for one problem of one column.

    Examples:
        >>> regions = pd.DataFrame({"region_code": ["1"], "label": ["Guadeloupe"]})
        >>> print(as_error(find_problems("regions", regions), Sheet(regions, (), "regions.csv")))
        1 defect
          regions.csv, row 2, column `region_code`: not what is expected here (found: 1)
            expected: a code such as 84
            what to do: correct it
    """
    kept: list[tuple[Problem, int]] = []
    ordered = sorted(problems, key=lambda problem: (problem.column, problem.what))
    for _, group in groupby(ordered, key=lambda problem: (problem.column, problem.what)):
        same = list(group)
        kept += [(problem, 0) for problem in same[:SHOWN_PER_PROBLEM]]
        if len(same) > SHOWN_PER_PROBLEM:
            kept[-1] = (kept[-1][0], len(same) - SHOWN_PER_PROBLEM)
    kept.sort(key=lambda pair: -1 if pair[0].row is None else pair[0].row)
    classes = {problem.error for problem in problems}
    of_class = classes.pop() if len(classes) == 1 else DataError
    return of_class(_defect(problem, more, sheet) for problem, more in kept)


def _defect(problem: Problem, more: int, sheet: Sheet) -> Defect:
    first = "" if problem.first is None else f" {sheet.number(problem.first)}"
    others = f" (and {more} more row{'s' if more > 1 else ''})" if more else ""
    what = problem.what + first + others
    if problem.row is None:
        place = f"{sheet.where}, column `{problem.column}`"
        return Defect(place, what, problem.expected, problem.fix)
    row = sheet.frame.iloc[problem.row]
    names = [name for name in sheet.key if name in row.index and name != problem.column]
    secret = sheet.own or str(row.get("origin", "public")) != "public"
    cells = [_text(row[name]) for name in names]
    key = ", ".join(cell for cell in cells if cell and (not secret or _is_key_for_sure(cell)))
    shows = not secret or (problem.column in sheet.key and _is_key_for_sure(problem.value or ""))
    return Defect(
        where=f"{sheet.where}, row {sheet.number(problem.row)}"
        + (f", column `{problem.column}`" if problem.column else "")
        + (f" ({key})" if key else ""),
        what=what,
        expected=problem.expected,
        fix=problem.fix,
        value=problem.value if shows else None,
    )


def _is_key_for_sure(cell: str) -> bool:
    """Return whether a cell is a code or a year, and not a count in a column too far left."""
    return (
        re.search("[A-Za-z]", cell) is not None or re.fullmatch("(19|20)[0-9]{2}", cell) is not None
    )


def _text(cell: object) -> str:
    """Return a cell as its owner wrote it: years are whole, whatever the column's type."""
    if pd.isna(cell):  # type: ignore[call-overload]
        return ""
    return f"{cell:.0f}" if isinstance(cell, float) and cell.is_integer() else str(cell)


def _duplicate_problems(frame: pd.DataFrame, key: list[str]) -> list[Problem]:
    if not set(key) <= set(frame.columns) or not frame.duplicated(key).any():
        return []
    first: dict[tuple[Any, ...], int] = {}
    problems = []
    for row, cells in enumerate(frame[key].itertuples(index=False, name=None)):
        if first.setdefault(cells, row) != row:
            problems.append(
                Problem(
                    column="",
                    what="the same key as row",
                    expected=f"one row for each {', '.join(key)}",
                    fix="delete one of the two rows",
                    row=row,
                    first=first[cells],
                )
            )
    return problems


def _check_problems(table: str, error: PanderaError, frame: pd.DataFrame) -> list[Problem]:
    """Return one problem per row that a pandera check refused."""
    if not isinstance(error.check, pa.Check) or not isinstance(error.failure_cases, pd.DataFrame):
        return []  # a missing column: `header_problems` says it better
    rows = sorted({int(row) for row in error.failure_cases["index"]})
    kind = str(error.check.name)
    if kind.isdecimal():
        rule = RULES[table][int(kind)]
        return [
            Problem(rule.columns[0], rule.what, rule.expected, rule.fix, row, error=rule.error)
            for row in rows
        ]
    return [_cell_problem(table, str(error.schema.name), kind, row, frame) for row in rows]


def _cell_problem(table: str, name: str, kind: str, row: int, frame: pd.DataFrame) -> Problem:
    column = DESCRIPTIONS[table][name]
    cell = frame[name].iloc[row]
    what, fix = {
        "empty": ("empty cell", "fill it in"),
        "type": _wrong_type(column.kind),
        "range": ("outside its range", "correct the number"),
        "form": ("not what is expected here", "correct it"),
    }[kind]
    if kind == "range" and column.low == 0 and cell < 0:
        what = "negative number"
    return Problem(
        column=name,
        what=what,
        expected=expectation(column),
        fix=did_you_mean(str(cell), column.choices) or fix,
        row=row,
        value=None if kind == "empty" else _text(cell),
        error=RangeError if kind == "range" else SchemaError,
    )


def _wrong_type(kind: str) -> tuple[str, str]:
    if kind in {"text", "code"}:
        return "a number where a text is meant", "read or write this column as text"
    return f"not a {'whole ' if kind == 'whole' else ''}number", "write digits only, such as 1234"
