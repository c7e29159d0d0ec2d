"""Step 3, from sectors to branches: inside a sector, hires say who works for which branch."""

import numpy as np
import pandas as pd

from opmq_lib.errors import CoherenceError
from opmq_lib.methods.draws import Array
from opmq_lib.methods.employment.hires import lifts, uneven
from opmq_lib.methods.employment.ras import ras
from opmq_lib.methods.employment.sectors import sector_of

RESIDUAL_BRANCH = "hors_champ"

SPECIFICITY = 0.85
"""Exponent of what hires say of a branch inside a sector; 0.7 to 1 are as good (measured)."""

NO_CELL = 1e-9
"""Heads in every cell of a sector, so that its margins can be reached."""


def spread_sectors(
    employees: pd.DataFrame, hires: pd.DataFrame, naf_branch: pd.DataFrame, branch_codes: pd.Index
) -> Array:
    """Return employees by sector, métier and branch: those of a sector are spread by hires.

    Args:
        employees: Employees by métier and sector.
        hires: By métier and activity.
        naf_branch: Convention; share of each activity in each branch. An absent one is outside.
        branch_codes: Branches, in order.

    Returns:
        (sectors, métiers, branches) heads, in the orders of `employees` and `branch_codes`; what
        is outside all branches is not there.

    Raises:
        CoherenceError: If the shares of an activity do not add up to 1.

    Source:
        Method page, B1, step 3.
    """
    CoherenceError.refuse(uneven("naf_branch", naf_branch, "naf_code"))
    shares = naf_branch.pivot(index="naf_code", columns="branch_code", values="share")
    shares = shares.reindex(index=hires.columns, columns=branch_codes).fillna(0.0)
    sectors = sector_of(hires.columns)
    seeds = np.zeros((employees.shape[1], employees.shape[0], len(branch_codes)))
    for number, sector in enumerate(employees.columns):
        inside = hires.columns[sectors == sector]
        known = shares.loc[inside, shares.loc[inside].gt(0).any()]
        if not known.empty:
            spread = branch_shares(hires[inside], known).mul(employees[sector], axis=0)
            seeds[number] = spread.reindex(columns=branch_codes, fill_value=0.0)
    return seeds


def fit_sectors(spread: Array, employees: pd.DataFrame, sizes: Array) -> Array:
    """Return each sector fitted: métiers keep their employees, branches take relative sizes.

    Args:
        spread: From `spread_sectors`.
        employees: Employees by métier and sector.
        sizes: By branch, published headcount over the employees of `spread`.

    Returns:
        As `spread`.

    Source:
        Method page, B1, step 3.
    """
    seeds = spread.copy()
    for number, sector in enumerate(employees.columns):
        if seeds[number].any():
            seeds[number] = _fit(seeds[number], employees[sector], sizes)
    return seeds


def branch_shares(hires: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Return how the employees of each métier in one sector are spread over branches.

    Args:
        hires: By métier and activity of the sector.
        shares: Share of each activity in each branch; the rest is outside.

    Returns:
        By métier and branch, then `hors_champ`; rows add up to 1.

    Source:
        Method page, B1, step 3.

    Examples:
        >>> hires = pd.DataFrame({"2011Z": [900.0, 99.0], "2120Z": [0.0, 99]}, ["E1Z41", "J1Z40"])
        >>> shares = pd.DataFrame({"chimie": [1.0, 0.0]}, ["2011Z", "2120Z"])
        >>> branch_shares(hires, shares).round(3).to_numpy().tolist()
        [[0.995, 0.005], [0.669, 0.331]]
    """
    every = shares.assign(**{RESIDUAL_BRANCH: 1 - shares.sum(axis=1)})
    more = (hires.sum(axis=0) + 1) @ every
    start = more[more > 0] / more.sum()
    lifted = lifts((hires @ every)[start.index], start)
    weights = lifted.mul(SPECIFICITY).apply(np.exp).mul(start, axis=1)
    return weights.div(weights.sum(axis=1), axis=0).reindex(columns=every.columns, fill_value=0.0)


def _fit(seed: Array, employees: pd.Series, sizes: Array) -> Array:
    """Return one sector fitted to its métiers and to the relative sizes of its branches."""
    outside = np.maximum(employees.to_numpy() - seed.sum(axis=1), 0)
    goals = np.append(seed.sum(axis=0) * sizes, outside.sum())
    cells = pd.DataFrame(np.column_stack([seed, outside]) + NO_CELL, employees.index)
    columns = pd.Series(goals * employees.sum() / goals.sum(), cells.columns)
    return ras(cells, employees, columns).to_numpy()[:, :-1]
