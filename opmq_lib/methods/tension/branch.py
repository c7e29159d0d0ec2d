"""Tension of a branch: composed of those of its métiers."""

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.floating]

LEAST_COVERAGE = 0.80
"""Share of a branch's employment whose métiers must have an index; source: convention, T3."""


def branch_index(employment: pd.DataFrame, tension_index: pd.Series) -> dict[str, float]:
    """Return the composition of national tensions by a branch's métiers (T3).

    It is no tension measured in the branch. Métiers without index are left out; where the others
    hold less than `LEAST_COVERAGE` of the employment there is no index.

    Args:
        employment: `metier_code`, `value` (heads in the branch), and `lower`, `upper`, missing on
            observed tables.
        tension_index: National index by `metier_code`.

    Returns:
        `value`, `lower`, `upper` (index without unit) and `coverage` (0 to 1). The range holds all
        compositions whose employment keeps within its own ranges, and always holds `value`.

    Examples:
        >>> jobs = pd.DataFrame({"metier_code": ["A", "B", "C"], "value": [35, 45, 20],
        ...     "lower": None, "upper": None})
        >>> index = branch_index(jobs, pd.Series({"A": 1.033571428571, "B": -0.10, "C": 0.30}))
        >>> round(index["value"], 6), index["coverage"], index["lower"] == index["value"]
        (0.37675, 1.0, True)
    """
    heads = employment["value"].astype(float)
    index = employment["metier_code"].map(tension_index).astype(float)
    known = index.notna()
    coverage = float(heads[known].sum() / heads.sum())
    if coverage < LEAST_COVERAGE:
        return {"value": np.nan, "lower": np.nan, "upper": np.nan, "coverage": coverage}
    levels = index[known].to_numpy()
    value = float(np.average(levels, weights=heads[known]))
    least, most = (
        employment[end].astype(float).fillna(heads)[known].to_numpy() for end in ("lower", "upper")
    )
    lower, upper = _lowest_mean(levels, least, most), -_lowest_mean(-levels, least, most)
    bounds = {"lower": min(lower, value), "upper": max(upper, value)}
    return {"value": value, **bounds, "coverage": coverage}


def _lowest_mean(levels: Floats, least: Floats, most: Floats) -> float:
    """Return the smallest mean of `levels` whose unscaled weights lie between their bounds.

    At the optimum the weights of the lowest levels are at their most and the others at their
    least, so trying every such split finds it.
    """
    order = np.argsort(levels, kind="stable")
    level, low, high = levels[order], np.minimum(least, most)[order], most[order]

    def split_sums(at_least: Floats, at_most: Floats) -> Floats:
        before = np.append(0.0, np.cumsum(at_most))
        after: Floats = np.append(np.cumsum(at_least[::-1])[::-1], 0.0)
        return before + after

    tops, weights = split_sums(low * level, high * level), split_sums(low, high)
    means = np.divide(tops, weights, out=np.full_like(weights, np.inf), where=weights > 0)
    return float(means.min())
