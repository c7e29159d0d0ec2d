"""Iterative proportional fitting (RAS): the table with given margins that is closest to a seed."""

import numpy as np
import pandas as pd

from opmq_lib.errors import CoherenceError, Defect, RangeError, SchemaError
from opmq_lib.methods.draws import Array

MARGIN_TOLERANCE = 1e-9
"""Relative gap between the two sums of margins beyond which they contradict each other."""
TOLERANCE, MOST_STEPS = 1e-9, 1000
"""Relative deviation of a margin that counts as reached; passes over rows and columns, at most."""


def ras(seed: pd.DataFrame, row_totals: pd.Series, column_totals: pd.Series) -> pd.DataFrame:
    """Return the table with these margins that is closest to the seed (Kullback–Leibler).

    Rows and columns are rescaled in turn, so the odds ratios of the seed are kept: who is
    over-represented where. The scale of the seed does not matter, its zeros stay zero.

    Args:
        seed: Non-negative weights, any unit.
        row_totals: Sum of each row, same labels as the rows of `seed`, any order.
        column_totals: Sum of each column, in the unit of `row_totals`.

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
    SchemaError.refuse(defect for axis in axes for defect in _label_defects(*axis))
    rows = row_totals.reindex(seed.index).astype("float64")
    columns = column_totals.reindex(seed.columns).astype("float64")
    RangeError.refuse(_range_defects(seed, rows, columns))
    start = seed.astype("float64").mul(rows > 0, axis=0).mul(columns > 0, axis=1)
    CoherenceError.refuse(_margin_defects(start, rows, columns))
    fitted, deviations = _fit(start, rows, columns)
    if deviations.max() > TOLERANCE:
        raise CoherenceError.of(
            f"row {deviations.idxmax()}",
            f"its total is not reached after {MOST_STEPS} steps; it is the worst margin",
            f"a relative deviation of {TOLERANCE:g} at most",
            "look for zeros of the seed that contradict the totals, or smooth the seed",
            f"{deviations.max():.3g}",
        )
    return fitted


def _fit(
    start: pd.DataFrame, rows: pd.Series, columns: pd.Series
) -> tuple[pd.DataFrame, pd.Series]:
    """Return the fitted table and each row's relative deviation; columns are then exact."""
    cells, row_goal, column_goal = start.to_numpy(), rows.to_numpy(), columns.to_numpy()
    deviations = np.zeros(len(row_goal))
    for _ in range(MOST_STEPS):
        cells = cells * ratio(row_goal, cells.sum(axis=1))[:, np.newaxis]
        cells = cells * ratio(column_goal, cells.sum(axis=0))
        deviations = np.abs(ratio(cells.sum(axis=1) - row_goal, row_goal))
        if deviations.max(initial=0) <= TOLERANCE:
            break
    fitted = pd.DataFrame(cells, index=start.index, columns=start.columns)
    return fitted, pd.Series(deviations, index=start.index)


def ratio(above: Array, below: Array) -> Array:
    """Return `above / below`, and 0 where `below` is 0."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


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
