"""A branch's employment as indicator rows: levels, shares, change, projection."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from opmq_lib.tables.indicators import last_year, with_interval


def levels(jobs: pd.DataFrame) -> pd.DataFrame:
    """Return employment by métier and year as indicator rows, in heads, with the variants' range.

    Args:
        jobs: Rows of the `employment` contract for one branch.

    Returns:
        `employment_headcount`, one row per row of `jobs`; bounds are missing on observed tables.
    """
    columns = ["metier_code", "year", "nature", "origin", "units_count", "source_code"]
    return jobs[columns].assign(
        indicator="employment_headcount",
        value=jobs["employment_headcount"],
        lower=jobs.get("employment_headcount_lower", np.nan),
        upper=jobs.get("employment_headcount_upper", np.nan),
        unit="headcount",
    )


def shares(jobs: pd.DataFrame) -> pd.DataFrame:
    """Return each métier's share of the branch in its last year, in %, with the variants' range.

    Args:
        jobs: Rows of the `employment` contract for one branch, all its métiers.

    Returns:
        `employment_share_pct`, one row per métier; shares add up to 100. Bounds are missing on
        observed tables.

    Examples:
        >>> jobs = pd.DataFrame({"metier_code": ["A", "B"], "year": 2018, "nature": "observed",
        ...     "origin": "own", "units_count": 9, "source_code": "enquete",
        ...     "employment_headcount": [30.0, 10.0]})
        >>> shares(jobs)["value"].tolist()
        [75.0, 25.0]
    """
    base = levels(last_year(jobs))
    to_pct = 100 / base["value"].sum()
    return base.drop(columns="units_count").assign(
        indicator="employment_share_pct",
        value=base["value"] * to_pct,
        lower=base["lower"] * to_pct,
        upper=base["upper"] * to_pct,
        unit="pct",
    )


def changes(jobs: pd.DataFrame) -> pd.DataFrame:
    """Return each métier's relative change from the first year to the last, in %.

    Args:
        jobs: Rows of the `employment` contract for one branch.

    Returns:
        `employment_change_pct`, one row per métier of the last year; missing where the métier
        was absent or empty in the first year.

    Source:
        Method page, E1: g = 100 ΔE / E₀.

    Examples:
        >>> jobs = pd.DataFrame({"metier_code": "A", "year": [2004, 2018], "nature": "observed",
        ...     "origin": "own", "employment_headcount": [8000.0, 7700.0]})
        >>> changes(jobs)["value"].round(6).tolist()
        [-3.75]
    """
    base = last_year(jobs).set_index("metier_code")
    first = jobs[jobs["year"] == jobs["year"].min()].set_index("metier_code")
    start = first["employment_headcount"].reindex(base.index)
    return (
        base[["year", "nature", "origin"]]
        .assign(
            indicator="employment_change_pct",
            value=100 * (base["employment_headcount"] / start.where(start > 0) - 1),
            unit="pct",
        )
        .reset_index()
    )


def intervals(projections: pd.DataFrame, steps_years: Sequence[int]) -> pd.DataFrame:
    """Return the median and the 80 % interval some years after the last observed one.

    Args:
        projections: The long projection table; levels 0.1, 0.5 and 0.9 are read.
        steps_years: Years after the cut-off; those beyond the horizon give no row.

    Returns:
        `projected_employment_headcount`, one row per métier and step: `value`, `lower`, `upper` in
        heads, missing where the projection is.

    Examples:
        >>> rows = {"metier_code": "E2Z80", "cutoff_year": 2018, "year": 2023, "origin": "public",
        ...     "quantile_level": [0.1, 0.5, 0.9], "value": [90.0, 100.0, 115.0]}
        >>> intervals(pd.DataFrame(rows), [5])[["value", "lower", "upper"]].values.tolist()
        [[100.0, 90.0, 115.0]]
    """
    steps = projections["year"] - projections["cutoff_year"]
    chosen = projections[steps.isin(steps_years)]
    rows = with_interval(chosen, ["metier_code", "year", "origin"])
    return rows.assign(indicator="projected_employment_headcount")
