"""A branch's own yearly totals: they carry the level of its estimate from year to year."""

import numpy as np
import pandas as pd

HEADS = "employment_headcount"


def used_totals(jobs: pd.DataFrame, totals: pd.DataFrame) -> pd.DataFrame:
    """Return the totals that the estimate of a branch can follow: those of its years.

    Args:
        jobs: Rows of the `employment` contract, of one branch, the rest of the branch included.
        totals: Rows of the `branch_totals` contract, any branches.

    Returns:
        The rows of `totals` that are used, by year; none for an observed table, which has its own
        level, nor for a branch that is not estimated.
    """
    estimated = jobs[jobs["nature"] == "estimate"]
    same = totals["branch_code"].isin(estimated["branch_code"])
    return totals[same & totals["year"].isin(estimated["year"])].sort_values("year", kind="stable")


def on_totals(jobs: pd.DataFrame, totals: pd.DataFrame) -> pd.DataFrame:
    """Return an estimate whose métiers add up, in each year supplied, to the total of that year.

    All métiers of a year are multiplied by one factor, bounds too: the composition stays that of
    the estimate. Between two totals the factor goes in a straight line; before the first and after
    the last it does not change, so that the national trend goes on from there.

    Args:
        jobs: As for `used_totals`.
        totals: As for `used_totals`.

    Returns:
        The same rows; `origin` is own as soon as a total used is, and then says how many companies
        stand behind it.

    Examples:
        >>> jobs = pd.DataFrame({"branch_code": "verre", "metier_code": "E1Z43",
        ...     "year": [2015, 2016, 2017, 2018], "nature": "estimate",
        ...     HEADS: [100.0, 100.0, 110.0, 120.0]})
        >>> totals = pd.DataFrame({"branch_code": "verre", "year": [2015, 2017],
        ...     "employees_headcount": [200.0, 110.0], "origin": "public"})
        >>> on_totals(jobs, totals)[HEADS].tolist()
        [200.0, 150.0, 110.0, 120.0]
    """
    used = used_totals(jobs, totals)
    if used.empty:
        return jobs
    estimated = jobs.groupby("year")[HEADS].sum()[used["year"]].to_numpy()
    ratios = used["employees_headcount"].to_numpy() / estimated
    factor = np.interp(jobs["year"], used["year"], ratios)
    heads = [name for name in (HEADS, f"{HEADS}_lower", f"{HEADS}_upper") if name in jobs]
    moved = jobs.assign(**{name: jobs[name] * factor for name in heads})
    own = used[used["origin"] == "own"]
    if own.empty:
        return moved
    return moved.assign(
        origin="own",
        units_count=pd.array([own["units_count"].min()] * len(jobs), dtype="Int64"),
        largest_share_pct=own["largest_share_pct"].max(),
    )
