"""A branch's employment as indicator rows: levels, shares, change, projection."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from opmq_lib.methods.draws import DRAWS_COUNT, SEED
from opmq_lib.methods.employment.levels import (
    HEADS,
    INTERVAL_LEVEL,
    fit_ratios,
    level_draws,
    on_total,
)
from opmq_lib.methods.reliability import best_grades, grades
from opmq_lib.tables.indicators import ALL_METIERS, last_year, with_interval


def levels(jobs: pd.DataFrame) -> pd.DataFrame:
    """Return employment by métier and year as indicator rows, in heads, with its 80 % interval.

    Args:
        jobs: Rows of the `employment` contract for one branch.

    Returns:
        `employment_headcount`, one row per row of `jobs`; an observed table has no bounds and no
        grade.
    """
    columns = ["metier_code", "year", "nature", "origin", "units_count", "source_code"]
    missing = pd.Series(np.nan, jobs.index)
    lower, upper = (jobs.get(f"employment_headcount_{end}", missing) for end in ("lower", "upper"))
    return jobs[columns].assign(
        indicator="employment_headcount",
        value=jobs["employment_headcount"],
        lower=lower,
        upper=upper,
        interval_level=np.where(lower.isna(), np.nan, INTERVAL_LEVEL),
        reliability_grade=grades(lower, upper, best_grades(fit_ratios(jobs))),
        unit="headcount",
    )


def shares(jobs: pd.DataFrame) -> pd.DataFrame:
    """Return each métier's share of the branch in its last year, in %, with its 80 % interval.

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


def total_row(branch: pd.DataFrame, is_studied: pd.Series) -> pd.DataFrame:
    """Return employment of all métiers studied, with its 80 % interval where it is estimated.

    Bounds are not summed: métiers share the headcount of the branch, so that they are drawn
    together and scaled to it (`levels.on_total`).

    Args:
        branch: Rows of the `employment` contract of one branch in one year, the residual included.
        is_studied: Which of them are summed.

    Returns:
        `studied_employment_headcount`, one row; no interval nor grade where every level is known.

    Examples:
        >>> branch = pd.DataFrame({"branch_code": "verre", "metier_code": ["E1Z43", "H0Z90", "X"],
        ...     "year": 2018, "employment_headcount": [60.0, 30, 10], "nature": "estimate",
        ...     "employment_headcount_lower": [30.0, 20, 5], "origin": "public",
        ...     "employment_headcount_upper": [120.0, 45, 20]})
        >>> row = total_row(branch, branch["metier_code"] != "X").iloc[0]
        >>> row[["value", "lower", "upper"]].astype(float).round().tolist()
        [90.0, 80.0, 95.0]
        >>> row["reliability_grade"]
        'A'
    """
    nodes, factors = level_draws(branch, DRAWS_COUNT, SEED)
    studied, by_metier = branch[is_studied], branch.set_index("metier_code")[HEADS]
    heads = by_metier.reindex(nodes["metier_code"]).to_numpy(dtype=float)
    summed = nodes["metier_code"].isin(studied["metier_code"]).to_numpy()
    sums = heads[summed] @ on_total(heads, factors)[summed]
    low, middle, high = np.quantile(sums, [0.1, 0.5, 0.9])
    value, is_known = studied[HEADS].sum(skipna=False), not nodes["level_log_sd"].gt(0).any()
    moved = np.nan if is_known else value - middle
    row = {
        "metier_code": ALL_METIERS,
        "year": studied["year"].max(),
        "indicator": "studied_employment_headcount",
        "value": value,
        "lower": low + moved,
        "upper": high + moved,
        "interval_level": np.nan if is_known else INTERVAL_LEVEL,
        "reliability_grade": str(grades(low + moved, high + moved, nodes["best_grade"].max())),
        "unit": "headcount",
        "nature": "observed" if studied["nature"].eq("observed").all() else "estimate",
        "origin": "own" if studied["origin"].eq("own").any() else "public",
    }
    return pd.DataFrame([row])


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


def intervals(
    projections: pd.DataFrame, jobs: pd.DataFrame, steps_years: Sequence[int]
) -> pd.DataFrame:
    """Return the median and the 80 % interval some years after the last observed one.

    Args:
        projections: The long projection table; levels 0.1, 0.5 and 0.9 are read.
        jobs: Rows of the `employment` contract that they start from.
        steps_years: Years after the cut-off; those beyond the horizon give no row.

    Returns:
        `projected_employment_headcount`, one row per métier and step: `value`, `lower`, `upper` in
        heads, missing where the projection is, and the grade of what rests on an estimate.

    Examples:
        >>> rows = {"metier_code": "E2Z80", "cutoff_year": 2018, "year": 2023, "origin": "public",
        ...     "quantile_level": [0.1, 0.5, 0.9], "value": [60.0, 100.0, 150.0]}
        >>> jobs = pd.DataFrame({"metier_code": ["E2Z80"], "nature": "estimate"})
        >>> found = intervals(pd.DataFrame(rows), jobs, [5])
        >>> found[["value", "lower", "upper", "reliability_grade"]].values.tolist()
        [[100.0, 60.0, 150.0, 'B']]
    """
    rows = _at_steps(projections, steps_years)
    best = pd.Series(best_grades(fit_ratios(jobs)).to_numpy(), jobs["metier_code"])
    of_metier = rows["metier_code"].map(best[~best.index.duplicated()])
    letters = grades(rows["lower"], rows["upper"], of_metier)
    is_estimate = rows["metier_code"].isin(jobs.loc[jobs["nature"] == "estimate", "metier_code"])
    return rows.assign(
        indicator="projected_employment_headcount",
        reliability_grade=np.where(is_estimate, letters, ""),
    )


def graded(projections: pd.DataFrame, jobs: pd.DataFrame) -> pd.DataFrame:
    """Return projections with the grade of each métier and year, that of its 80 % interval.

    Args:
        projections: The long projection table, with the level; as for `intervals`.
        jobs: Rows of the `employment` contract that they start from.

    Returns:
        The same rows with `reliability_grade`, the same at all quantile levels.

    Examples:
        >>> rows = {"metier_code": "E2Z80", "cutoff_year": 2018, "year": 2023, "origin": "public",
        ...     "quantile_level": [0.1, 0.5, 0.9], "value": [60.0, 100.0, 150.0]}
        >>> jobs = pd.DataFrame({"metier_code": ["E2Z80"], "nature": "estimate"})
        >>> graded(pd.DataFrame(rows), jobs)["reliability_grade"].tolist()
        ['B', 'B', 'B']
    """
    if projections.empty:
        return projections
    steps = (projections["year"] - projections["cutoff_year"]).unique().tolist()
    key = ["metier_code", "year"]
    letters = intervals(projections, jobs, steps)[[*key, "reliability_grade"]]
    return projections.merge(letters, on=key, how="left", validate="many_to_one")


def future_changes(
    projections: pd.DataFrame, jobs: pd.DataFrame, steps_years: Sequence[int]
) -> pd.DataFrame:
    """Return projected change since the last observed year, in %: what the level is, cancels.

    Args:
        projections: Projections of growth alone; as for `intervals`.
        jobs: Rows of the `employment` contract that they start from.
        steps_years: As for `intervals`.

    Returns:
        `projected_change_pct`, with the 80 % interval of the growth; missing from no employment.

    Examples:
        >>> rows = {"metier_code": "E2Z80", "cutoff_year": 2018, "year": 2023, "origin": "public",
        ...     "quantile_level": [0.1, 0.5, 0.9], "value": [180.0, 200.0, 230.0]}
        >>> jobs = pd.DataFrame({"metier_code": ["E2Z80"], "year": 2018,
        ...     "employment_headcount": [200.0]})
        >>> found = future_changes(pd.DataFrame(rows), jobs, [5])
        >>> found[["value", "lower", "upper"]].round(9).values.tolist()
        [[0.0, -10.0, 15.0]]
    """
    rows = _at_steps(projections, steps_years)
    base = last_year(jobs).set_index("metier_code")["employment_headcount"]
    start = rows["metier_code"].map(base.where(base > 0))
    changes = {name: 100 * (rows[name] / start - 1) for name in ("value", "lower", "upper")}
    return rows.assign(**changes, indicator="projected_change_pct", unit="pct")


def _at_steps(projections: pd.DataFrame, steps_years: Sequence[int]) -> pd.DataFrame:
    steps = projections["year"] - projections["cutoff_year"]
    chosen = projections[steps.isin(steps_years)]
    return with_interval(chosen, ["metier_code", "year", "origin"])
