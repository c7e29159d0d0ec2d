"""One grade of reliability for every quantity that rests on an estimate of employment."""

import numpy as np
import numpy.typing as npt
import pandas as pd

GRADES = ("A", "B", "C", "D")
LARGEST_RATIOS = {"A": 2.0, "B": 4.0, "C": 6.0}
"""Upper bound over lower bound of the 80 % interval, at most; beyond: D; a convention."""

POOR_FIT_LOG = 0.4
"""|log ratio| beyond which activities explain the headcount of a branch badly: never A there."""


def grades(
    low: npt.ArrayLike, high: npt.ArrayLike, best: npt.ArrayLike = "A"
) -> npt.NDArray[np.str_]:
    """Return the grade of each quantity, from the ends of its 80 % interval.

    A: the upper end is at most twice the lower one; B: four times; C: six times; D: beyond, or
    the lower end is not above zero. Of D the interval alone is shown.

    Args:
        low: Lower ends, any unit.
        high: Upper ends, in the unit of `low`.
        best: Best grade allowed, one for all or one each; see `best_grades`.

    Returns:
        A letter each, empty where an end is missing.

    Source:
        Method page, B1.

    Examples:
        >>> grades([10.0, 10, 10, 10, 0, np.nan], [20.0, 40, 60, 61, 5, 5]).tolist()
        ['A', 'B', 'C', 'D', 'D', '']
        >>> grades([10.0, 10], [15.0, 50], best="B").tolist()
        ['B', 'C']
    """
    lower, upper = np.asarray(low, dtype="float64"), np.asarray(high, dtype="float64")
    ratio = np.full(lower.shape, np.inf)
    np.divide(upper, lower, out=ratio, where=lower > 0)
    earned = np.searchsorted([*LARGEST_RATIOS.values()], ratio)
    capped = np.maximum(earned, np.searchsorted(GRADES, best))
    return np.where(np.isnan(lower) | np.isnan(upper), "", np.asarray(GRADES)[capped])


def best_grades(fit_ratio: pd.Series) -> pd.Series:
    """Return the best grade of each branch, from how its activities explain its headcount.

    Args:
        fit_ratio: Published headcount over the employees of its activities (no unit), from
            `farther`.

    Examples:
        >>> best_grades(pd.Series({"textile": 1.3, "chimie": 1.52})).to_dict()
        {'textile': 'A', 'chimie': 'B'}
    """
    is_poor = np.abs(np.log(fit_ratio.to_numpy("float64"))) > POOR_FIT_LOG
    return pd.Series(np.where(is_poor, "B", "A"), fit_ratio.index)


def farther(first: pd.Series, second: pd.Series) -> pd.Series:
    """Return, of two ratios of each branch, the one that is farther from 1, as a factor.

    Examples:
        >>> farther(pd.Series([0.8, 1.5]), pd.Series([2.0, 1.0])).tolist()
        [2.0, 1.5]
    """
    distances = (np.abs(np.log(ratio.to_numpy("float64"))) for ratio in (first, second))
    return first.where(np.greater_equal(*distances), second)
