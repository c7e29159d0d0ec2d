"""Iterative proportional fitting (RAS): the table with given margins that is closest to a seed."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from opmq_lib.errors import CoherenceError, DataError, Defect, RangeError, SchemaError

Numbers = npt.NDArray[np.float64]

MARGIN_TOLERANCE = 1e-9
"""Relative gap between the two sums of margins beyond which they contradict each other."""


def ras(
    seed: pd.DataFrame,
    row_totals: pd.Series,
    column_totals: pd.Series,
    tolerance: float = 1e-9,
    max_steps: int = 1000,
) -> pd.DataFrame:
    """Return the table with these margins that is closest to the seed (Kullback–Leibler).

    Rows and columns are rescaled in turn, so the odds ratios of the seed are kept: who is
    over-represented where. The scale of the seed does not matter, its zeros stay zero.

    Args:
        seed: Non-negative weights, any unit.
        row_totals: Sum of each row, same labels as the rows of `seed`, any order.
        column_totals: Sum of each column, in the unit of `row_totals`.
        tolerance: Largest relative deviation of a margin that counts as reached.
        max_steps: Passes over rows and columns before giving up.

    Returns:
        Same rows and columns, in the order of `seed`, in the unit of the totals.

    Raises:
        SchemaError: If a label is repeated, or seed and totals have different labels.
        RangeError: If a weight or a total is negative, missing or infinite.
        CoherenceError: If the two sums of totals differ, a positive total stands against a row
            or column of zeros, or the zeros of the seed make the margins unreachable.

    Source:
        Deming and Stephan (1940); the closeness property, Ireland and
        Kullback (1968).

    Examples:
        Hires say which métier works where, margins say how many people there are:

        >>> branches = ["chimie", "textile", "verre"]
        >>> hires = [[4, 1, 2], [1, 3, 1], [2, 2, 6]]
        >>> seed = pd.DataFrame(hires, index=["D1Z40", "F0Z20", "H0Z90"], columns=branches)
        >>> metiers = pd.Series([120, 80, 200], index=seed.index)
        >>> ras(seed, metiers, pd.Series([150, 110, 140], index=branches)).round(6)
                  chimie    textile       verre
        D1Z40  78.143975  16.589098   25.266927
        F0Z20  19.074219  48.590937   12.334845
        H0Z90  52.781807  44.819965  102.398228
    """
    axes = (("row", seed.index, row_totals.index), ("column", seed.columns, column_totals.index))
    _refuse(SchemaError, [defect for axis in axes for defect in _label_defects(*axis)])
    rows = row_totals.reindex(seed.index).astype("float64")
    columns = column_totals.reindex(seed.columns).astype("float64")
    _refuse(RangeError, _range_defects(seed, rows, columns))
    start = seed.astype("float64").mul(rows > 0, axis=0).mul(columns > 0, axis=1)
    _refuse(CoherenceError, _margin_defects(start, rows, columns))
    fitted, deviations = _fit(start, rows, columns, tolerance, max_steps)
    if deviations.max() > tolerance:
        unreached = Defect(
            f"row {deviations.idxmax()}",
            f"its total is not reached after {max_steps} steps; it is the worst margin",
            f"a relative deviation of {tolerance:g} at most",
            "look for zeros of the seed that contradict the totals, or smooth the seed",
            f"{deviations.max():.3g}",
        )
        raise CoherenceError([unreached])
    return fitted


def _fit(
    start: pd.DataFrame, rows: pd.Series, columns: pd.Series, tolerance: float, max_steps: int
) -> tuple[pd.DataFrame, pd.Series]:
    """Return the fitted table and each row's relative deviation; columns are then exact."""
    cells, row_goal, column_goal = start.to_numpy(), rows.to_numpy(), columns.to_numpy()
    deviations = np.zeros(len(row_goal))
    for _ in range(max_steps):
        cells = cells * _ratio(row_goal, cells.sum(axis=1))[:, np.newaxis]
        cells = cells * _ratio(column_goal, cells.sum(axis=0))
        deviations = np.abs(_ratio(cells.sum(axis=1) - row_goal, row_goal))
        if deviations.max(initial=0) <= tolerance:
            break
    fitted = pd.DataFrame(cells, index=start.index, columns=start.columns)
    return fitted, pd.Series(deviations, index=start.index)


def _ratio(above: Numbers, below: Numbers) -> Numbers:
    """Return `above / below`, and 0 where `below` is 0."""
    ratio = np.zeros_like(above)
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio


def _label_defects(axis: str, labels: pd.Index, total_labels: pd.Index) -> list[Defect]:
    seed, totals = f"seed, {axis}s", f"{axis} totals"
    repeated = (f"repeated {axis}", "each label once", "merge or rename")
    unmatched = (f"{axis} without its counterpart", "the same labels", "add it")
    wrong = (
        (seed, repeated, labels[labels.duplicated()].unique()),
        (totals, repeated, total_labels[total_labels.duplicated()].unique()),
        (seed, unmatched, total_labels.difference(labels)),
        (totals, unmatched, labels.difference(total_labels)),
    )
    return [Defect(where, *what, str(label)) for where, what, index in wrong for label in index]


def _range_defects(seed: pd.DataFrame, rows: pd.Series, columns: pd.Series) -> list[Defect]:
    what = ("negative or not finite", "a number ≥ 0", "correct it")
    defects = []
    cells = seed.T.to_numpy("float64")
    for column, row in zip(*np.nonzero(~((cells >= 0) & (cells < np.inf))), strict=True):
        where = f"seed, {seed.columns[column]}, {seed.index[row]}"
        defects.append(Defect(where, *what, f"{cells[column, row]}"))
    for name, totals in (("row totals", rows), ("column totals", columns)):
        for label, number in totals[~((totals >= 0) & (totals < np.inf))].items():
            defects.append(Defect(f"{name}, {label}", *what, f"{number}"))
    return defects


def _margin_defects(start: pd.DataFrame, rows: pd.Series, columns: pd.Series) -> list[Defect]:
    sums = (("row", rows, start.sum(axis=1)), ("column", columns, start.sum(axis=0)))
    defects = [
        Defect(
            f"{axis} {label}",
            "every cell that could hold its total is zero in the seed",
            "a seed above zero, or a total of zero",
            f"give this {axis} a weight in the seed, or leave it out",
            f"total {totals[label]:g}",
        )
        for axis, totals, weights in sums
        for label in totals.index[(totals > 0) & (weights == 0)]
    ]
    if abs(rows.sum() - columns.sum()) > MARGIN_TOLERANCE * max(rows.sum(), columns.sum()):
        where, what = "row totals and column totals", "they do not add up to the same sum"
        expected = f"sums equal within {MARGIN_TOLERANCE:g}, relative"
        fix = "close the table with a residual row and a residual column"
        both = f"{rows.sum():g} and {columns.sum():g}"
        defects.append(Defect(where, what, expected, fix, both))
    return defects


def _refuse(error: type[DataError], defects: list[Defect]) -> None:
    if defects:
        raise error(defects)
