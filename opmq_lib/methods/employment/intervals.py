"""How well each cell of the estimate is known: the standard deviation of its log."""

import numpy as np
import pandas as pd

from opmq_lib.methods.employment.estimate import Estimate
from opmq_lib.methods.employment.levels import INTERVAL_SPAN
from opmq_lib.methods.employment.ras import ratio
from opmq_lib.tables.fap import FAMILY_LENGTH

SAMPLING, LEAST_HEADS = 377.0, 50.0
"""Variance of the log of a survey figure of n heads: 377 / n, n at least 50 (measured)."""

UNLISTED_SD = 0.389
"""Standard deviation of the log of a cell of the sector table that no list gives (measured)."""

SPLIT_SD, FAMILY_SPLIT_SD = 0.445, 0.42
"""Standard deviation of the log of the split of a sector into branches, by métier and by family
(measured on sectors that play the branches)."""

CLASS_WEIGHT = FIT_WEIGHT = 0.5
"""Part of a change made by the classes, and of ln λ, that counts as error; conventions."""


def row_log_sd(estimate: Estimate, branch_code: str, row_codes: pd.Series) -> pd.Series:
    """Return the standard deviation of the log of each row of a branch's table.

    A row holds métiers. Those of one family err together, as one métier of their size; families err
    apart: the rest of a branch is better known than each of its parts.

    Args:
        estimate: From `fit_estimate`.
        branch_code: One of its branches.
        row_codes: By métier, the row that holds it.

    Returns:
        By row, no unit; `NaN` where the row has no employment.

    Source:
        Method page, B1.
    """
    family = row_codes.index.str[:FAMILY_LENGTH]
    units = pd.Series(row_codes + "/" + family, row_codes.index)
    alone = ~units.duplicated(keep=False)
    codes = pd.Series(np.where(alone, row_codes.index, family), row_codes.index)
    sums = estimate.heads[branch_code].groupby(units).sum()
    sd = _unit_log_sd(estimate, branch_code, units, codes).reindex(sums.index)
    rows = sums.index.str.partition("/").get_level_values(0)
    return _row_sd(sums, sd, rows)


def _row_sd(heads: pd.Series, sd: pd.Series, rows: pd.Index) -> pd.Series:
    """Return the standard deviation of the log of rows, from those of units that err apart.

    The distances of the ends of their 80 % intervals add up as squares.
    """
    spread = np.exp(INTERVAL_SPAN / 2 * sd)
    totals = heads.groupby(rows).sum()
    up = np.sqrt(((heads * (spread - 1)) ** 2).groupby(rows).sum(min_count=1))
    down = np.sqrt(((heads * (1 - 1 / spread)) ** 2).groupby(rows).sum(min_count=1))
    row_sd: pd.Series = np.log((totals + up) / (totals - down)) / INTERVAL_SPAN
    return row_sd


def _unit_log_sd(
    estimate: Estimate, branch_code: str, units: pd.Series, codes: pd.Series
) -> pd.Series:
    """Return the standard deviation of the log of units: a métier, or some of one family.

    Args:
        estimate: From `fit_estimate`.
        branch_code: One of its branches.
        units: By métier, the unit that it belongs to.
        codes: By métier, that whose list tells which sectors of the unit are listed.
    """
    place = estimate.before.columns.get_loc(branch_code)
    split = pd.DataFrame(estimate.split[:, :, place].T, units.index).groupby(units).sum()
    sectors, employees = (
        table.groupby(units).sum().to_numpy() for table in (estimate.sectors, estimate.employees)
    )
    code = codes.groupby(units).first()
    is_listed = estimate.is_listed.reindex(code, fill_value=False).to_numpy()
    cells, whole = split.to_numpy(), split.sum(axis=1).to_numpy()[:, None]
    by_sector, kept = ratio(cells, whole), ratio(cells, employees)
    survey = SAMPLING / np.maximum(sectors, LEAST_HEADS) + np.where(is_listed, 0, UNLISTED_SD**2)
    split_sd = np.where(code.str.len() == FAMILY_LENGTH, FAMILY_SPLIT_SD, SPLIT_SD)
    gap = _class_gaps(estimate).loc[branch_code]
    gaps = estimate.metier_class.map(gap.to_dict()).groupby(units).mean()
    variance: pd.Series = (
        (by_sector**2 * survey).sum(axis=1)
        + (split_sd * (1 - (by_sector * kept).sum(axis=1))) ** 2
        + (CLASS_WEIGHT * gaps) ** 2
        + (FIT_WEIGHT * np.log(estimate.fit_ratio[branch_code])) ** 2
    )
    return variance**0.5


def _class_gaps(estimate: Estimate) -> pd.DataFrame:
    """Return by how much each class of each branch was moved, beyond the median branch (|log|)."""
    before = estimate.before.groupby(estimate.metier_class).sum().T
    ratio = estimate.classes.clip(lower=1e-3) / before[estimate.classes.columns]
    moves = pd.DataFrame(np.log(ratio), ratio.index, ratio.columns)
    return (moves - moves.median()).abs().where(estimate.classes > 0, 0.0)
