"""The table of one branch: which métiers are its rows, their past, and what the rest is made of."""

import numpy as np
import pandas as pd

from opmq_lib.methods.employment.estimate import HEADS, Estimate
from opmq_lib.methods.employment.intervals import row_log_sd
from opmq_lib.methods.employment.levels import INTERVAL_SPAN
from opmq_lib.methods.reliability import farther
from opmq_lib.tables.fap import FAMILY_LENGTH

RESIDUAL_METIER = "autres_metiers"
SOURCE_CODE = "estimate_b1"

ROW_SHARE = 0.005
"""Least share of a branch that makes a row: of a métier, or of the small métiers of a family."""


def row_codes(heads: pd.Series) -> pd.Series:
    """Return the row of a branch's table that holds each métier.

    Args:
        heads: Employees of one branch by métier (FAP-225); missing: not known.

    Returns:
        Its own code from `ROW_SHARE` of the branch up; else the code of its family (FAP-87), where
        the small métiers of the family reach it together; else `autres_metiers`.

    Examples:
        >>> heads = pd.Series({"J1Z80": 900.0, "L2Z60": 3.0, "L2Z61": 3.0, "T4Z60": 4.0})
        >>> row_codes(heads).tolist()
        ['J1Z80', 'L2Z', 'L2Z', 'autres_metiers']
    """
    least = ROW_SHARE * heads.sum()
    family = pd.Series(heads.index.str[:FAMILY_LENGTH], heads.index)
    is_small = heads < least
    gathered = heads.where(is_small, 0.0).groupby(family).transform("sum") >= least
    codes = family.where(gathered, RESIDUAL_METIER)
    return codes.where(is_small, pd.Series(heads.index, heads.index))


def branch_table(
    estimate: Estimate,
    branch_code: str,
    rows: pd.Series,
    employment_national: pd.DataFrame,
    last_year: int,
) -> pd.DataFrame:
    """Return a branch's employment by row and year, in heads, with its 80 % interval.

    In another year than that of the estimate each métier is its value times its national series.

    Args:
        estimate: From `fit_estimate`.
        branch_code: One of its branches.
        rows: By métier, the code of its row.
        employment_national: Heads by `metier_code` and `year`, that of the estimate among them.
        last_year: Last year wanted.

    Returns:
        Rows of the `employment` contract, sorted by row and year.
    """
    heads = estimate.heads[branch_code]
    national = employment_national[employment_national["metier_code"].isin(heads.index)]
    series = national.pivot(index="metier_code", columns="year", values=HEADS)
    years = series.div(series[estimate.year], axis=0).mul(heads, axis=0)
    table = years.groupby(rows).sum()
    spread = np.exp(INTERVAL_SPAN / 2 * row_log_sd(estimate, branch_code, rows))
    long = table.rename_axis("metier_code").reset_index().melt("metier_code", value_name=HEADS)
    long = long.astype({"year": "int64"})
    long = long[long["year"] <= last_year]
    factor = long["metier_code"].map(spread)
    return long.assign(
        branch_code=branch_code,
        **{f"{HEADS}_lower": long[HEADS] / factor, f"{HEADS}_upper": long[HEADS] * factor},
        headcount_fit_ratio=farther(estimate.own_ratio, estimate.fit_ratio)[branch_code],
        nature="estimate",
        origin="public",
        units_count=pd.array([pd.NA] * len(long), dtype="Int64"),
        largest_share_pct=float("nan"),
        source_code=SOURCE_CODE,
    ).sort_values(["metier_code", "year"], ignore_index=True)


def gathered(estimate: Estimate, branch_code: str, rows: pd.Series) -> pd.DataFrame:
    """Return what the rows that gather several métiers are made of, in heads.

    Args:
        estimate: From `fit_estimate`.
        branch_code: One of its branches.
        rows: By métier, the code of its row.

    Returns:
        `metier_code`, `level` (code of the row), `value`, `lower`, `upper` (80 % interval), one row
        per métier that has no row of its own and some employment.
    """
    heads = estimate.heads[branch_code]
    own = pd.Series(heads.index, heads.index)
    spread = np.exp(INTERVAL_SPAN / 2 * row_log_sd(estimate, branch_code, own))
    table = pd.DataFrame(
        {"level": rows, "value": heads, "lower": heads / spread, "upper": heads * spread}
    )
    table = table[(rows != own) & (heads > 0)]
    return table.rename_axis("metier_code").reset_index()


def uncovered(estimate: Estimate, branch_code: str) -> list[str]:
    """Return métiers that would be rows, but whose class no convention of the branch covers.

    Managers of a branch whose conventions exclude them work under another convention: how many
    there are beside the branch is not known.
    """
    is_covered = (estimate.classes.T[branch_code] > 0).reindex(estimate.metier_class).to_numpy()
    before = estimate.before[branch_code]
    is_row = before >= ROW_SHARE * before.sum()
    return before.index[is_row & ~is_covered].tolist()
