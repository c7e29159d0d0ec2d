"""Annual series: from a tidy table to a panel of arrays, and from quantiles back to a table."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opmq_lib import tables
from opmq_lib.errors import DataError, Defect, RangeError, refuse
from opmq_lib.methods.forecast.settings import SMALL_COUNT_MEAN

Array = NDArray[np.float64]
Index = NDArray[np.intp]

MOST_YEARS: Final = 30
"""Horizon of an edition at most; nothing longer was ever scored."""
_PARTS = 232_792_560
"""The least common multiple of 1 … 20."""


class FilledGapsWarning(UserWarning):
    """Years missing inside a series were filled by a straight line."""


@dataclass(frozen=True)
class Panel:
    """Annual series of unequal lengths, end to end.

    Attributes:
        flat: All values, series after series, oldest year first.
        lengths: Number of years of each series.
        kinds: Kind of each series, where told.
    """

    flat: Array
    lengths: Index
    kinds: NDArray[np.object_] | None = None

    @cached_property
    def starts(self) -> Index:
        """Where each series begins in `flat`."""
        return np.cumsum(self.lengths) - self.lengths

    @cached_property
    def lowest(self) -> Array:
        """Lowest value of each series."""
        return self.each(np.minimum, self.flat)

    @cached_property
    def varies(self) -> NDArray[np.bool_]:
        """Whether a model can be fitted to each series: three years or more, not all equal."""
        return (self.lengths >= 3) & (self.lowest < self.each(np.maximum, self.flat))

    @cached_property
    def units(self) -> Array:
        """Unit of each small count, 0 for every other series.

        A small count is made of whole multiples of one unit and averages under `SMALL_COUNT_MEAN`
        units. The unit is the greatest common divisor of the first value and the moves, at least a
        twentieth of the smallest: a count in thousands is known for what it is.

        Examples:
            >>> Panel(np.array([2.0, 3, 5, 0.5, 1.5, 3.5, 1.03, 2.77, 9.1]), np.full(3, 3)).units
            array([1. , 0.5, 0. ])
        """
        moves = np.abs(np.diff(self.flat, prepend=0.0))
        moves[self.starts] = np.abs(self.flat[self.starts])
        least = self.each(np.minimum, np.where(moves > 0, moves, np.inf))
        mean = self.each(np.add, self.flat) / self.lengths
        units = np.zeros(len(mean))
        small = np.flatnonzero((self.lowest >= 0) & (mean > 0) & (mean < SMALL_COUNT_MEAN * least))
        chosen = Panel(moves, self.lengths).take(small)
        parts = chosen.flat / np.repeat(least[small], chosen.lengths) * _PARTS
        whole = np.rint(parts).astype(np.int64)
        divisor = chosen.each(np.gcd, whole) / _PARTS
        is_exact = chosen.each(np.maximum, np.abs(parts - whole)) < 0.01
        units[small] = np.where(is_exact, divisor, 0.0) * least[small]
        return np.where(mean < SMALL_COUNT_MEAN * units, units, 0.0)

    def each(self, by: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
        """Return one number per series: `by` (such as `np.minimum`) over its values."""
        return np.asarray(by.reduceat(values, self.starts)) if len(self.lengths) else np.zeros(0)

    def take(self, chosen: Index, dropped_years: int = 0) -> "Panel":
        """Return the chosen series without their last years.

        Args:
            chosen: Positions of series longer than `dropped_years`.
            dropped_years: Years cut from the end of each.

        Returns:
            A panel in the order of `chosen`.

        Examples:
            >>> panel = Panel(np.array([1.0, 2, 3, 7, 8]), np.array([3, 2]))
            >>> panel.take(np.array([1, 0]), dropped_years=1).flat.tolist()
            [7.0, 1.0, 2.0]
        """
        lengths = self.lengths[chosen] - dropped_years
        ends = np.cumsum(lengths)
        offset = np.repeat(self.starts[chosen] - ends + lengths, lengths)
        kinds = None if self.kinds is None else self.kinds[chosen]
        return Panel(self.flat[np.arange(ends[-1] if len(ends) else 0) + offset], lengths, kinds)


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

    def rows(self) -> pd.DataFrame:
        """Return the panel as a tidy table again, gaps filled."""
        code = np.repeat(np.arange(len(self.codes)), self.panel.lengths)
        first = self.last_year - self.panel.lengths + 1 - self.panel.starts
        columns = {"series_code": self.codes.take(code), "year": first[code] + np.arange(len(code))}
        return pd.DataFrame(columns | {"value": self.panel.flat})


def tidy_panel(
    series: pd.DataFrame, question: Sequence[Defect] = (), contract: str = "series"
) -> TidyPanel:
    """Return the panel of a tidy table, in an order that does not depend on that of the rows.

    Args:
        series: One row per `series_code` and `year`, with a `value`, and where told a `kind_code`,
            that of a series' last year; other columns are ignored.
        question: Defects of the question asked, listed with those of the table.
        contract: `series`, or `headcount_series`, where a negative value is a defect.

    Returns:
        The panel, sorted by code and year.

    Raises:
        SchemaError: If a column is missing or of the wrong type, a cell is empty, or a year is
            given twice.
        RangeError: If a value is negative where that is a defect, or the question out of range.
        DataError: If both kinds occur. Every defect is listed; no value is shown.

    Warns:
        FilledGapsWarning: If years are missing inside a series.

    Examples:
        >>> rows = pd.DataFrame({"series_code": ["b", "a", "a"], "year": [2020, 2021, 2020],
        ...                      "value": [5.0, 7.0, 6.0]})
        >>> tidy = tidy_panel(rows)
        >>> tidy.codes.tolist(), tidy.panel.flat.tolist(), tidy.last_year.tolist()
        (['a', 'b'], [6.0, 7.0, 5.0], [2021, 2020])
    """
    errors: list[DataError] = [RangeError(question)] if question else []
    errors += tables.input_errors(contract, series, "series", own=True)
    refuse(errors)
    code, codes = tables.distinct(series["series_code"], sort=True)
    year, value = (series[column].to_numpy(dtype=float) for column in ("year", "value"))
    steps = np.diff(code), np.diff(year)
    is_sorted = np.all((steps[0] > 0) | (steps[0] == 0) & (steps[1] > 0))
    order = slice(None) if is_sorted else np.lexsort((year, code))
    tidy = _filled(codes, code[order], year[order].astype(np.int64), value[order])
    if "kind_code" not in series:
        return tidy
    last = np.flatnonzero(np.diff(code[order], append=-1))
    kinds = series["kind_code"].to_numpy(dtype=object)[order][last]
    return replace(tidy, panel=replace(tidy.panel, kinds=kinds))


def _filled(codes: pd.Index, code: Index, year: Index, value: Array) -> TidyPanel:
    """Draw a straight line through each gap of rows sorted by code and year."""
    counts = np.bincount(code, minlength=len(codes))
    ends = np.cumsum(counts)
    first, last = year[ends - counts], year[ends - 1]
    lengths = last - first + 1
    missing = lengths - counts
    if missing.any():
        names = codes[missing > 0]
        shown = ", ".join(names[:5]) + " …" * (len(names) > 5)
        message = f"{len(names)} series with missing years, filled by a straight line: {shown}"
        warnings.warn(message, FilledGapsWarning, stacklevel=4)
        starts = np.cumsum(lengths) - lengths
        value = np.interp(np.arange(lengths.sum()), starts[code] + year - first[code], value)
    return TidyPanel(Panel(value, lengths), codes, last, missing)


def question_defects(horizon_years: int, quantile_levels: Sequence[float]) -> list[Defect]:
    """Return what is wrong with a horizon and levels: not 1 to 30 years, not between 0 and 1.

    Examples:
        >>> [defect.where for defect in question_defects(0, [0.5, 1.0])]
        ['quantile_levels', 'horizon_years']
    """
    wrong = [
        ("quantile_levels", "0 < level < 1", p) for p in np.ravel(quantile_levels) if not 0 < p < 1
    ]
    if isinstance(horizon_years, bool) or horizon_years not in range(1, MOST_YEARS + 1):
        wrong.append(("horizon_years", f"a whole number from 1 to {MOST_YEARS}", horizon_years))
    return [
        Defect(where, "out of range", expected, "correct it", str(value))
        for where, expected, value in wrong
    ]


def with_median(quantile_levels: Sequence[float]) -> Array:
    """Return quantile levels increasing, distinct, 0.5 among them.

    Examples:
        >>> with_median([0.9, 0.1]).tolist()
        [0.1, 0.5, 0.9]
    """
    return np.unique(np.append(quantile_levels, 0.5).astype(float))


def long_table(codes: pd.Index, last_year: Index, levels: Array, quantiles: Array) -> pd.DataFrame:
    """Return one row per series, year and level, from (series, steps, levels) quantiles."""
    count, steps, width = quantiles.shape
    years = last_year[:, None] + np.arange(1, steps + 1)
    columns = {
        "series_code": codes.take(np.repeat(np.arange(count), steps * width)),
        "year": np.repeat(years.ravel(), width),
        "quantile_level": np.tile(levels, count * steps),
    }
    return pd.DataFrame(columns | {"value": quantiles.ravel()}, copy=False)
