"""From a tidy table of annual series to the engine's panel: every defect at once, gaps filled."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from opmq_lib.errors import DataError, Defect, RangeError, SchemaError
from opmq_lib.forecast.blocks import Index, Panel
from opmq_lib.forecast.grid import Array

COLUMNS = ("series_code", "year", "value")
_OUT_OF_RANGE = ("out of range", "not a finite number", "negative")


class FilledGapsWarning(UserWarning):
    """Years missing inside a series were filled by a straight line."""


@dataclass(frozen=True)
class TidyPanel:
    """A panel and the names of its series, sorted by code.

    Attributes:
        panel: One value per year, gaps filled.
        codes: Code of each series, increasing.
        last_year: Last year of each series.
        filled_years_count: Years filled inside each series.
    """

    panel: Panel
    codes: pd.Index
    last_year: Index
    filled_years_count: Index


def tidy_panel(
    series: pd.DataFrame, others: Sequence[Defect] = (), *, non_negative: bool = False
) -> TidyPanel:
    """Return the panel of a tidy table, in an order that does not depend on that of the rows.

    Args:
        series: One row per `series_code` and `year`, with a `value`; other columns are ignored.
        others: Defects of the question asked, told with those of the table.
        non_negative: Whether a negative value is a defect (heads, jobs).

    Returns:
        The panel, sorted by code and year.

    Raises:
        SchemaError: If a column is missing or of the wrong type, or a year is given twice.
        RangeError: If a value is missing, infinite, or negative where that is a defect.
        DataError: If both kinds occur. Every defect is listed.

    Warns:
        FilledGapsWarning: If years are missing inside a series.

    Examples:
        >>> rows = pd.DataFrame({"series_code": ["b", "a", "a"], "year": [2020, 2021, 2020],
        ...                      "value": [5.0, 7.0, 6.0]})
        >>> found = tidy_panel(rows)
        >>> found.codes.tolist(), found.panel.flat.tolist(), found.last_year.tolist()
        (['a', 'b'], [6.0, 7.0, 5.0], [2021, 2020])
    """
    if unread := _column_defects(series):
        _raise([*others, *unread])
    code, codes = pd.factorize(series["series_code"], sort=True)
    year = series["year"].to_numpy(dtype=np.int64)
    value = series["value"].to_numpy(dtype=float, na_value=np.nan)
    first = year.min() if len(year) else 0
    place = code * (np.ptp(year) + 1 if len(year) else 1) + (year - first)
    if not np.all(place[1:] > place[:-1]):
        order = np.argsort(place, kind="stable")
        code, year, value, place = code[order], year[order], value[order], place[order]
    _raise([*others, *_row_defects(codes[code], year, value, non_negative=non_negative)])
    return _filled(codes, code, year, value)


def _filled(codes: pd.Index, code: Index, year: Index, value: Array) -> TidyPanel:
    """Draw a straight line through each gap."""
    seen = np.bincount(code, minlength=len(codes))
    ends = np.cumsum(seen)
    first, last = year[ends - seen], year[ends - 1]
    lengths = last - first + 1
    missing = lengths - seen
    if missing.any():
        names = ", ".join(map(str, codes[missing > 0][:5]))
        warnings.warn(
            f"{np.count_nonzero(missing)} series with missing years, filled by a straight line: "
            f"{names}{' …' if np.count_nonzero(missing) > 5 else ''}",
            FilledGapsWarning,
            stacklevel=4,
        )
        starts = np.cumsum(lengths) - lengths
        value = np.interp(np.arange(lengths.sum()), starts[code] + year - first[code], value)
    return TidyPanel(Panel(value, lengths), codes, last, missing)


def _column_defects(series: pd.DataFrame) -> list[Defect]:
    defects = [
        Defect(f"column {name}", "missing", "series_code, year, value", "add or rename the column")
        for name in COLUMNS
        if name not in series
    ]
    if defects:
        return defects
    if not pd.api.types.is_integer_dtype(series["year"]):
        kind = str(series["year"].dtype)
        defects.append(Defect("column year", "not whole years", "integers", "convert it", kind))
    if not pd.api.types.is_numeric_dtype(series["value"]):
        kind = str(series["value"].dtype)
        defects.append(Defect("column value", "not numbers", "numbers", "convert it", kind))
    return defects + [
        Defect(f"row {row + 1}", f"no {name}", f"a {name}", "complete or remove the row")
        for name in ("series_code", "year")
        for row in np.flatnonzero(series[name].isna()).tolist()
    ]


def _row_defects(code: pd.Index, year: Index, value: Array, *, non_negative: bool) -> list[Defect]:
    """Return the defects of rows sorted by code and year, one per series and kind."""
    twice = np.zeros(len(value), dtype=bool)
    twice[1:] = (np.diff(year) == 0) & np.asarray(code[1:] == code[:-1])
    number, row = "a finite number", "correct or remove the row"
    checks = [
        (~np.isfinite(value), "not a finite number", number, row),
        (twice, "year given twice", "one row per year", "keep one row"),
    ]
    if non_negative:
        checks.append((value < 0, "negative", "a number ≥ 0", "correct the value"))
    return [
        Defect(f"series {name}, year {', '.join(map(str, np.unique(years)))}", what, expected, fix)
        for bad, what, expected, fix in checks
        if bad.any()
        for name, years in pd.Series(year[bad]).groupby(np.asarray(code[bad]))
    ]


def question_defects(horizon_years: int, quantile_levels: Sequence[float]) -> list[Defect]:
    """Return what is wrong with a horizon and levels: below 1, or not strictly between 0 and 1.

    Examples:
        >>> [defect.where for defect in question_defects(0, [0.5, 1.0])]
        ['quantile_levels', 'horizon_years']
    """
    level_fix, horizon_fix = "give a number such as 0.9", "give a whole number of years"
    defects = [
        Defect("quantile_levels", "out of range", "0 < level < 1", level_fix, str(level))
        for level in quantile_levels
        if not 0 < level < 1
    ]
    if horizon_years < 1:
        found = str(horizon_years)
        defects.append(Defect("horizon_years", "out of range", "≥ 1", horizon_fix, found))
    return defects


def _raise(defects: Sequence[Defect]) -> None:
    """Raise the defects as one error: of schema, of range, or of both kinds."""
    if not defects:
        return
    ranges = [defect.what in _OUT_OF_RANGE for defect in defects]
    kind = RangeError if all(ranges) else DataError if any(ranges) else SchemaError
    raise kind(defects)
