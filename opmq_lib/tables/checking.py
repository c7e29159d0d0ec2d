"""Tables against their contracts: every defect at once, with its row, column and what to do."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from numbers import Real
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opmq_lib.errors import (
    ConfidentialityError,
    DataError,
    Defect,
    RangeError,
    SchemaError,
    closest,
    did_you_mean,
)
from opmq_lib.tables import personal, titles
from opmq_lib.tables.columns import ANY, DAY, Column, expectation
from opmq_lib.tables.schemas import DESCRIPTIONS, KEYS, RULES, USES, Rule, Use
from opmq_lib.tables.scope import OWN_TABLES

SHOWN_PER_PROBLEM: Final = 10
"""Rows listed for one problem of one column; the others are counted."""
_EMPTY: Final = ("", None, np.nan)
_CORRECT: Final = "correct the number"
_LARGEST: Final = 1e15
"""No table holds a number above."""
_DIGITS: Final = (
    "write digits only, such as 1234 or 1234,5, with one decimal mark in the whole file"
)
_SAID: Final[tuple[tuple[Callable[[Any], bool], str, str], ...]] = (
    (
        lambda cell: isinstance(cell, str) and cell in {"s", "nd", "np", "nv"},
        "a mark of published tables, not a number",
        "write the true figure where it is secret: it is kept so when the table is published; "
        "leave the row out where nothing is known",
    ),
    (
        lambda cell: isinstance(cell, time | timedelta),
        "a time, not a number",
        "format the cell as a number in the spreadsheet, and type the number again",
    ),
)
"""What else stands in cells of numbers: how to know it, what it is, what to do."""
_Wrong = tuple[NDArray[np.bool_], str, str, type[DataError]]
"""Rows that are wrong, what they are, what to do about them, and the class of the error."""


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
        titles: What its owner calls the columns, where not by their names.
    """

    frame: pd.DataFrame
    key: Sequence[str]
    where: str
    rows: Sequence[int] | None = None
    own: bool = False
    titles: Mapping[str, str] = field(default_factory=dict)

    def number(self, position: int) -> int:
        """Return the row number that the owner sees at a position from 0."""
        return position + 2 if self.rows is None else self.rows[position]

    def in_titles(self, text: str) -> str:
        """Return a text in which columns are called as the owner calls them."""
        return re.sub(r"`(\w+)`", lambda found: f"`{self.titles.get(found[1], found[1])}`", text)


def check(table: str, frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return the table unchanged if it is what its contract says.

    Args:
        table: A name of `TABLES`.
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
            expected: the columns of table `regions`: `region_code`, `label`
            what to do: rename it to `label`
    """
    _refuse_no_table(frame, where)
    problems = find_problems(table, frame)
    if problems:
        raise as_error(problems, Sheet(frame, KEYS[table], where))
    return frame


def _refuse_no_table(given: object, where: str) -> None:
    if not isinstance(given, pd.DataFrame):
        expected, fix = "a table of pandas", "write `pd.DataFrame(…)`"
        raise SchemaError.of(where, "not a table", expected, fix, type(given).__name__)


def input_errors(
    table: str, frame: pd.DataFrame, where: str, *, own: bool = False
) -> list[DataError]:
    """Return, as one error or none, what is wrong in the columns that a function reads.

    Args:
        table: A name of `TABLES`.
        frame: The table; columns that the contract does not have are ignored.
        where: Its name, for messages.
        own: Whether every row is the user's own, so that no value may be shown.

    Examples:
        >>> regions = pd.DataFrame({"region_code": ["84"], "colour": ["blue"]})
        >>> [error.defects[0].where for error in input_errors("regions", regions, "regions")]
        ['regions, column `label`']
    """
    _refuse_no_table(frame, where)
    known = frame[[name for name in frame if name in DESCRIPTIONS[table]]]
    problems = find_problems(table, known)
    return [as_error(problems, Sheet(known, KEYS[table], where, own=own))] if problems else []


def find_problems(table: str, frame: pd.DataFrame, rules: Iterable[Rule] = ()) -> list[Problem]:
    """Return everything in which a table differs from its contract, or breaks further rules.

    Examples:
        >>> regions = pd.DataFrame({"region_code": ["1"], "label": ["Guadeloupe"]})
        >>> [(problem.row, problem.what) for problem in find_problems("regions", regions)]
        [(0, 'not a region code')]
    """
    return header_problems(table, frame.columns) + row_problems(table, frame, rules)


def row_problems(table: str, frame: pd.DataFrame, rules: Iterable[Rule] = ()) -> list[Problem]:
    """Return what is wrong in the rows of a table, in the columns that it has.

    What breaks a rule in a cell that is already wrong by itself is not repeated.

    Examples:
        >>> regions = pd.DataFrame({"region_code": ["84", "84"]})
        >>> [(problem.row, problem.what) for problem in row_problems("regions", regions)]
        [(1, 'the same key as row')]
    """
    rows = frame.loc[:, ~frame.columns.duplicated()].reset_index(drop=True)
    uses = [use for use in USES[table] if use.name in rows]
    typed = {use.name: _typed(rows[use.name], DESCRIPTIONS[table][use.name]) for use in uses}
    cells = rows.assign(**typed)
    texts = [use.name for use in uses if DESCRIPTIONS[table][use.name].is_text]
    found = {name: distinct(typed[name]) for name in texts}
    marks = typed | {name: places for name, (places, _) in found.items()}
    problems = _repeated_keys(table, rows, cells, marks)
    for use in uses:
        problems += _cell_problems(table, use, rows, typed[use.name], found.get(use.name))
    wrong = {(problem.row, problem.column) for problem in problems}
    for rule in (*RULES.get(table, ()), *rules):
        if {*rule.columns, *rule.first_of} <= set(cells):
            told = Problem(rule.columns[0], rule.what, rule.expected, rule.fix, error=rule.error)
            breaks = ~rule.holds(cells).fillna(value=True).to_numpy(bool)
            broken = _in_rows(breaks, told, cells, rule.choices, rule.first_of)
            problems += [each for each in broken if (each.row, each.column) not in wrong]
    return problems


def header_problems(table: str, names: Iterable[str]) -> list[Problem]:
    """Return the columns that are missing, unknown or given twice.

    Examples:
        >>> [problem.what for problem in header_problems("regions", ["region_code"])]
        ['column missing']
    """
    found = list(names)
    missing = [use.name for use in USES[table] if use.name not in found and not use.may_be_absent]
    expected = f"the columns of table `{table}`: {_listed(DESCRIPTIONS[table])}"
    spelt = {titles.plain(titles.title(table, name)): name for name in missing}
    problems = []
    for name in dict.fromkeys(found):
        if found.count(name) > 1:
            problems.append(Problem(name, "column given twice", expected, "keep one of them"))
        if name in DESCRIPTIONS[table]:
            continue
        near = closest(name, missing) or spelt.get(closest(titles.plain(name), spelt) or "")
        if near in missing:
            missing.remove(near)
            what = f"unknown column, and `{near}` is missing"
            problems.append(Problem(name, what, expected, f"rename it to `{near}`"))
        else:
            fix = f"rename it if it is one of {_listed(missing)}; else remove it"
            problems.append(
                Problem(name, "unknown column", expected, fix if missing else "remove it")
            )
    named = ", or name the file in parameters/branches/" if table in OWN_TABLES else ""
    fixes = {name: f"add a column `{name}`{named * (name == 'branch_code')}" for name in missing}
    return problems + [
        Problem(name, "column missing", expected, fix) for name, fix in fixes.items()
    ]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def as_error(problems: Sequence[Problem], sheet: Sheet) -> DataError:
    """Return one error for all problems of a table, of their class if they have the same.

    At most `SHOWN_PER_PROBLEM` rows are listed for one problem of one column.

    Examples:
        >>> regions = pd.DataFrame({"region_code": ["1"], "label": ["Guadeloupe"]})
        >>> print(as_error(find_problems("regions", regions), Sheet(regions, (), "regions.csv")))
        1 defect
          regions.csv, row 2, column `region_code`: `1` is not a region code
            expected: a code such as 84
            what to do: correct it
    """
    counts = Counter((problem.column, problem.what) for problem in problems)
    listed: Counter[tuple[str, str]] = Counter()
    defects = []
    for problem in sorted(problems, key=lambda each: -1 if each.row is None else each.row):
        kind = problem.column, problem.what
        listed[kind] += 1
        if listed[kind] <= SHOWN_PER_PROBLEM:
            is_last = listed[kind] == SHOWN_PER_PROBLEM
            defects.append(_defect(problem, counts[kind] - listed[kind] if is_last else 0, sheet))
    classes = {problem.error for problem in problems}
    return (classes.pop() if len(classes) == 1 else DataError)(defects)


def _defect(problem: Problem, more: int, sheet: Sheet) -> Defect:
    where, key, value = sheet.where, "", None
    if problem.row is not None:
        row = sheet.frame.iloc[problem.row]
        says = {str(row.get(name, "public")) for name in ("origin", "disclosure")}
        secret = sheet.own or says != {"public"}
        names = [name for name in sheet.key if name in row.index and name != problem.column]
        cells = [_text(row[name]) for name in names]
        key = ", ".join(cell for cell in cells if cell and (not secret or _is_key_for_sure(cell)))
        is_shown = problem.error is not ConfidentialityError
        if (is_shown and not secret) or (
            problem.column in sheet.key and _is_key_for_sure(problem.value or "")
        ):
            value = problem.value
        where += f", row {sheet.number(problem.row)}"
    where += f", column {sheet.in_titles(f'`{problem.column}`')}" if problem.column else ""
    where += f" ({key})" if key else ""
    what = sheet.in_titles(problem.what)
    if value and what.startswith("not "):
        what, value = f"`{value}` is {what}", None
    what += "" if problem.first is None else f" {sheet.number(problem.first)}"
    what += f" (and {more} more row{'s' if more > 1 else ''})" if more else ""
    expected, fix = sheet.in_titles(problem.expected), sheet.in_titles(problem.fix)
    return Defect(where, what, expected, fix, value)


def _is_key_for_sure(cell: str) -> bool:
    """Return whether a cell is a code or a year: no person, no count in a column too far left."""
    is_code = re.search("[A-Za-z]", cell) and re.fullmatch(ANY, cell)
    is_person = personal.rows(pd.Series([cell]))[0]
    return bool((is_code and not is_person) or re.fullmatch("(19|20)[0-9]{2}", cell))


def _text(cell: object) -> str:
    """Return a cell as its owner wrote it: years are whole, whatever the column's type."""
    if pd.isna(cell):  # type: ignore[call-overload]
        return ""
    return f"{cell:.0f}" if isinstance(cell, float) and cell.is_integer() else str(cell)


def _in_rows(
    wrong: NDArray[np.bool_],
    problem: Problem,
    frame: pd.DataFrame,
    choices: Collection[str] = (),
    first_of: Sequence[str] = (),
) -> list[Problem]:
    """Return a problem for each row that is wrong, with its cell.

    Args:
        wrong: One boolean per row.
        problem: What is wrong there.
        frame: The table, its index from 0.
        choices: What the cell may have meant.
        first_of: Columns whose values the row shares with an earlier one: that one is named.
    """
    rows = np.flatnonzero(wrong).tolist()
    if not rows:
        return []
    cells = [_text(cell) for cell in frame[problem.column].iloc[rows]] if problem.column else None
    near = {cell: did_you_mean(cell, choices) for cell in set(cells or ())}
    first = pd.Series(frame.index)
    if first_of:
        together = first.groupby([frame[name] for name in first_of], dropna=False)
        first = together.transform("first")
    return [
        replace(
            problem,
            row=row,
            value=cell or None,
            fix=near.get(cell) or problem.fix,
            first=int(first[row]) if first_of else None,
        )
        for row, cell in zip(rows, cells or [""] * len(rows), strict=True)
    ]


def _repeated_keys(
    table: str, frame: pd.DataFrame, typed: pd.DataFrame, marks: Mapping[str, Any]
) -> list[Problem]:
    """Return the rows of a key that another row has, unless a cell of it could not be read.

    `marks` holds a number for each cell, another for another one: where a key's only increase, as
    in most tables, no row can be repeated, and nothing slower is asked.
    """
    absent = {use.name for use in USES[table] if use.may_be_absent} - set(frame)
    key = [name for name in KEYS[table] if name not in absent]
    if not set(key) <= set(frame) or _increase([np.asarray(marks[name]) for name in key]):
        return []
    problem = Problem(
        column=key[0] if len(key) == 1 else "",
        what="the same key as row",
        expected=f"one row for each {_listed(key)}",
        fix="delete one of the two rows",
    )
    wrong = frame.duplicated(key).to_numpy(copy=True)
    if not wrong.any():
        return []
    given, read = frame[wrong], typed[wrong]
    unread = [read[name].isin(_EMPTY) & ~given[name].isin(_EMPTY) for name in key]
    wrong[wrong] = ~np.any(unread, axis=0)
    return _in_rows(wrong, problem, frame, first_of=key)


def _increase(columns: Sequence[NDArray[Any]]) -> bool:
    """Return whether each row comes after the one before, by the first column that differs."""
    count = max(len(columns[0]) - 1, 0)
    same, after = np.full(count, fill_value=True), np.full(count, fill_value=False)
    for column in columns:
        after |= same & (column[1:] > column[:-1])
        same &= column[1:] == column[:-1]
    return bool(after.all())


def _typed(cells: pd.Series, column: Column) -> pd.Series:
    """Return the texts of a column, or its numbers; `""` or `NaN` where a cell is neither."""
    if column.is_text:
        if cells.dtype == "str":
            return cells.fillna("")
        is_text = cells.map(lambda cell: isinstance(cell, str)).astype(bool)
        return cells.astype("object").where(is_text, "").astype("str")
    if cells.dtype.kind not in "iuf":
        is_number = cells.map(lambda cell: isinstance(cell, Real) and not isinstance(cell, bool))
        numbers = cells.astype("object").where(is_number.astype(bool))
        cells = pd.to_numeric(numbers, errors="coerce")
    numbers = cells.astype("float64")
    return numbers.where(np.isfinite(numbers))


def distinct(texts: pd.Series, *, sort: bool = False) -> tuple[NDArray[np.intp], pd.Index]:
    """Return the place of each text among the distinct ones, and those.

    Texts mostly come in runs of equal ones: only the first of each is looked up.

    Examples:
        >>> places, names = distinct(pd.Series(["b", "b", "a", "b"]), sort=True)
        >>> places.tolist(), names.tolist()
        ([1, 1, 0, 1], ['a', 'b'])
    """
    cells, begins = texts.array, np.full(len(texts), fill_value=True)
    begins[1:] = cells[1:] != cells[:-1]
    starts = np.flatnonzero(begins)
    places, names = pd.factorize(texts.iloc[starts], sort=sort)
    return np.repeat(places, np.diff(starts, append=len(texts))), names


def _cell_problems(
    table: str,
    use: Use,
    rows: pd.DataFrame,
    typed: pd.Series,
    found: tuple[NDArray[np.intp], pd.Index] | None,
) -> list[Problem]:
    """Return the cells that are empty, of another type, not of their form or out of range.

    `found` are the places of a text column's cells among its distinct texts, and those.
    """
    column, cells = DESCRIPTIONS[table][use.name], rows[use.name]
    empty = cells.isna().to_numpy()
    if cells.dtype.kind not in "iuf":
        empty = empty | cells.eq("").to_numpy(bool, na_value=False)
    problems: list[_Wrong] = (
        [] if use.may_be_empty else [(empty, "empty cell", "fill it in", SchemaError)]
    )
    if found is None:
        problems += _number_problems(column, empty, typed.to_numpy(), cells)
    else:
        problems += _text_problems(column, empty, *found)
    expected = expectation(column)
    return [
        each
        for wrong, what, fix, error in problems
        for each in _in_rows(
            wrong,
            Problem(use.name, what or _misfit(use.name, column), expected, fix, error=error),
            rows,
            () if what else tuple(column.choices),
        )
    ]


def _text_problems(
    column: Column, empty: NDArray[np.bool_], places: NDArray[np.intp], texts: pd.Index
) -> list[_Wrong]:
    """Return which texts are no text, and which are not of their form (no words for these)."""
    is_blank, names = np.asarray(texts == ""), texts.tolist()
    has_form = bool(column.choices or column.pattern)
    misfits = [has_form and text != "" and not _has_form(text, column) for text in names]
    lost = "a number or date where a text is meant: zeros may be lost"
    fix = (
        "write it as text, with its zeros (in a spreadsheet, format the column as Text, then "
        "type the code again)"
    )
    return [
        (~empty & is_blank[places], lost, fix, SchemaError),
        (np.array(misfits, bool)[places], "", "correct it", SchemaError),
    ]


def _number_problems(
    column: Column, empty: NDArray[np.bool_], numbers: NDArray[np.float64], cells: pd.Series
) -> list[_Wrong]:
    """Return which numbers are none, or negative, or outside the range of their column."""
    whole = column.kind == "whole"
    words = f"not a {'whole ' if whole else ''}number"
    unread = np.rint(numbers) != numbers if whole else np.isnan(numbers)
    negative = (numbers < 0) & (column.low == 0)
    outside = (numbers < column.low) | (numbers > column.high)
    is_huge = (np.abs(numbers) > _LARGEST) & ~outside
    problems: list[_Wrong] = []
    if cells.dtype.kind not in "iuf":
        for is_one, what, fix in _SAID:
            told = cells.map(is_one).to_numpy(bool)
            problems.append((told & ~empty, what, fix, SchemaError))
            unread = unread & ~told
    return [
        *problems,
        (~empty & unread, words, _DIGITS, SchemaError),
        (negative, "negative number", _CORRECT, RangeError),
        (outside & ~negative, "outside its range", _CORRECT, RangeError),
        (is_huge, "too large a number", _CORRECT, RangeError),
    ]


def _has_form(text: str, column: Column) -> bool:
    """Return whether a text is among the choices, or of the form, of its column."""
    if column.choices:
        return text in column.choices
    is_formed = re.fullmatch(column.pattern, text) is not None
    return is_formed and (column.pattern != DAY or _is_day(text))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _misfit(name: str, column: Column) -> str:
    """Return what a text is not, such as « not a region code »."""
    if column.choices:
        return "not a known value"
    if column.pattern == DAY:
        return "not a date"
    words = name.replace("_", " ").replace("metier", "métier")
    return f"not {'an' if words[0] in 'aeiou' else 'a'} {words}"
