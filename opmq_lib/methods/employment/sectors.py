"""Step 2, the table of métiers by sector: what the survey publishes, and hires for what is left.

The survey lists, for each métier, family and domain, the sectors that employ most of them: at most
three, of at least 3 % each. A likelihood completes the lists; a fitting then honours them all.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from opmq_lib.errors import CoherenceError, Defect
from opmq_lib.methods.draws import Array
from opmq_lib.tables.indicators import ALL_METIERS

Index: TypeAlias = npt.NDArray[np.intp]
Mask: TypeAlias = npt.NDArray[np.bool_]

DIVISIONS = {
    "AZ": (1, 3), "BZ": (5, 9), "CA": (10, 12), "CB": (13, 15), "CC": (16, 18), "CD": (19, 19),
    "CE": (20, 20), "CF": (21, 21), "CG": (22, 23), "CH": (24, 25), "CI": (26, 26), "CJ": (27, 27),
    "CK": (28, 28), "CL": (29, 30), "CM": (31, 33), "DZ": (35, 35), "EZ": (36, 39), "FZ": (41, 43),
    "GZ": (45, 47), "HZ": (49, 53), "IZ": (55, 56), "JA": (58, 60), "JB": (61, 61), "JC": (62, 63),
    "KZ": (64, 66), "LZ": (68, 68), "MA": (69, 71), "MB": (72, 72), "MC": (73, 75), "NZ": (77, 82),
    "OZ": (84, 84), "PZ": (85, 85), "QA": (86, 86), "QB": (87, 88), "RZ": (90, 93), "SZ": (94, 96),
    "TZ": (97, 98), "ZZ": (99, 99),
}  # fmt: skip
"""Sectors (NAF in 38 posts) and their divisions of the NAF, first and last; source: Insee."""

MOST_LISTED, LEAST_SHARE = 3, 0.03
"""A list holds at most three sectors, each with at least 3 % of the métier (all 341 lists do)."""

SECTOR_HIRES = 50.0
"""Hires added to each sector before its share in all hires is taken; a convention."""

RIDGE, FIRST_TREND, MOST_STEPS = 0.15, 0.5, 300
ROUNDS = 100
LIST_TOLERANCE = 1e-6
"""Relative excess of a list over its total that is rounding."""

TINY = 1e-6
"""Least goal of a sector, in heads, where listed cells already hold it all."""


def sector_of(naf_codes: pd.Index) -> pd.Index:
    """Return the sector of each activity.

    Examples:
        >>> sector_of(pd.Index(["2059Z", "9900Z"])).tolist()
        ['CE', 'ZZ']
    """
    sectors = {
        number: sector
        for sector, (first, last) in DIVISIONS.items()
        for number in range(first, last + 1)
    }
    return naf_codes.str[:2].astype("int64").map(sectors)


def sector_shares(
    heads: pd.Series, lists: pd.DataFrame, hires: pd.DataFrame, lifted: pd.DataFrame
) -> pd.DataFrame:
    """Return the shares of sectors in each métier that make the published lists most likely.

    ln p = ln(share in all hires) + an effect of the sector + one exponent × the lift of the métier
    in it. A list is seen as counts: its sectors one by one, all others as one class. A métier
    weighs √heads; one that is never hired teaches nothing.

    Args:
        heads: Employment of each métier.
        lists: Listed employment by code and sector, `NaN` where not listed.
        hires: By métier and sector.
        lifted: Lifts of these hires.

    Returns:
        By métier and sector; a row adds up to 1.

    Source:
        Method page, B1, step 2a.
    """
    start = np.log(hire_shares(hires))
    from scipy.optimize import minimize  # slow to load, for those who estimate

    given = lists.reindex(heads.index).fillna(0.0).div(heads, axis=0).to_numpy()
    is_listed, rest = given > 0, np.clip(1 - given.sum(axis=1), 0, 1)
    teaches = (hires.sum(axis=1) > 0).to_numpy() & is_listed.any(axis=1)
    weights = (np.sqrt(heads) / np.sqrt(heads).mean()).to_numpy() * teaches
    lift = lifted.to_numpy()

    def shares(effects: Array) -> Array:
        logs = start.to_numpy() + effects[:-1] + effects[-1] * lift
        odds = np.exp(logs - logs.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def loss(effects: Array) -> tuple[float, Array]:
        p = shares(effects)
        unlisted = (p * ~is_listed).sum(axis=1) + 1e-12
        seen = np.where(is_listed, given, (rest / unlisted)[:, None] * p)
        gap = weights[:, None] * (seen - p)
        likelihood = (given * np.log(p + 1e-12)).sum(axis=1) + rest * np.log(unlisted)
        value = weights @ likelihood - RIDGE * (effects[:-1] ** 2).sum()
        slope = np.append(gap.sum(axis=0) - 2 * RIDGE * effects[:-1], (gap * lift).sum())
        return -value, -slope

    first = np.append(np.zeros(hires.shape[1]), FIRST_TREND)
    options = {"maxiter": MOST_STEPS}
    best = minimize(loss, first, jac=True, method="L-BFGS-B", options=options).x
    return pd.DataFrame(shares(best), heads.index, start.index)


def read_lists(metier_sectors: pd.DataFrame, heads: pd.Series) -> pd.DataFrame:
    """Return the lists as one row per code and one column per sector, `NaN` where not listed.

    Args:
        metier_sectors: Heads by `metier_code` (métiers, families, domains, `ENS`) and
            `sector_code`.
        heads: Employment of each métier.

    Raises:
        CoherenceError: With every unknown sector, every cell listed twice, every list above the
            employment of its code.

    Examples:
        >>> table = pd.DataFrame({"metier_code": "E1Z41", "sector_code": ["CE", "20"],
        ...                       "employment_headcount": [90.0, 30.0]})
        >>> read_lists(table, pd.Series({"E1Z41": 100.0}))
        Traceback (most recent call last):
            ...
        opmq_lib.errors.CoherenceError: 2 defects
          metier_sectors, E1Z41 20: unknown sector
            expected: a code of the NAF in 38 posts
            what to do: correct it
          metier_sectors, E1Z41: lists more than its employment (found: 120)
            expected: at most its employment, 100
            what to do: correct the list
    """
    CoherenceError.refuse(_list_defects(metier_sectors, heads))
    wide = metier_sectors.pivot(
        index="metier_code", columns="sector_code", values="employment_headcount"
    )
    return wide.reindex(columns=list(DIVISIONS))


def members(metier_codes: pd.Index, code: str) -> Mask:
    """Return which métiers belong to a code: themselves, a family, a domain, all occupations."""
    return np.asarray(metier_codes.str.startswith(code) | (code == ALL_METIERS))


def hire_shares(hires: pd.DataFrame) -> pd.Series:
    """Return the share of each sector in all hires, each with some hires more."""
    more = hires.sum(axis=0) + SECTOR_HIRES
    return more / more.sum()


def sector_table(heads: pd.Series, lists: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Return employment by métier and sector that honours every list.

    Listed cells of métiers are exact. The other cells of families, domains and all occupations, in
    alphabetical order of their codes, are scaled in each listed sector to its figure, and in any
    other down to what its not being listed allows; then each métier is filled to its employment,
    no cell above what its own list allows. A hundred rounds.

    Args:
        heads: Employment of each métier.
        lists: Listed employment by code (métiers, families, domains, `ENS`) and sector.
        shares: From `sector_shares`.

    Returns:
        By métier and sector, heads; rows add up to `heads`.

    Source:
        Method page, B1, step 2b.
    """
    own = lists.reindex(heads.index)
    listed = own.fillna(0.0).to_numpy()
    free = shares.mul(heads, axis=0).where(own.isna(), 0.0).to_numpy(copy=True)
    rest = np.maximum(heads.to_numpy() - listed.sum(axis=1), 0)
    most = most_unlisted(own, heads).to_numpy()[:, None]
    groups = _groups(lists, heads, listed)
    for _ in range(ROUNDS):
        for rows, goals, is_exact in groups:
            now = free[rows].sum(axis=0)
            is_moved = (now > 0) & (is_exact | (now > goals))
            free[rows] *= np.divide(goals, now, out=np.ones_like(now), where=is_moved)
        free = fill(free, rest, most)
    return pd.DataFrame(free + listed, heads.index, lists.columns)


def most_unlisted(lists: pd.DataFrame, totals: pd.Series) -> pd.Series:
    """Return the most that an unlisted sector may hold, in heads; infinite without a list.

    Examples:
        >>> lists = pd.DataFrame({"CE": [50.0, 50, None], "CF": [30.0, 30, None],
        ...                       "GZ": [10.0, None, None]}, index=["E1Z41", "E1Z42", "E1Z43"])
        >>> most_unlisted(lists, pd.Series(100.0, lists.index)).tolist()
        [10.0, 3.0, inf]
    """
    count = lists.notna().sum(axis=1)
    most = lists.min(axis=1).where(count == MOST_LISTED, LEAST_SHARE * totals)
    return most.where(count > 0, np.inf)


def fill(cells: Array, totals: Array, most: Array) -> Array:
    """Return rows scaled to their totals, no cell above a limit: what overflows goes to the others.

    Args:
        cells: (rows, columns) seeds; a zero stays zero.
        totals: (rows,).
        most: (rows, 1) limit of a cell.

    Examples:
        >>> fill(np.array([[6.0, 2.0, 2.0, 0.0]]), np.array([20.0]), np.array([[8.0]])).tolist()
        [[8.0, 6.0, 6.0, 0.0]]
    """
    limits = np.where(cells > 0, most, 0.0)
    is_full = np.zeros(cells.shape, dtype=bool)
    while True:
        loose = np.where(is_full, 0.0, cells).sum(axis=1)
        room = np.maximum(totals - np.where(is_full, limits, 0.0).sum(axis=1), 0.0)
        factors = np.divide(room, loose, out=np.ones_like(room), where=loose > 0)
        cells = np.where(is_full, limits, cells * factors[:, None])
        is_over = ~is_full & (cells > limits * (1 + 1e-12))
        if not is_over.any():
            return cells
        is_full |= is_over


def _groups(
    lists: pd.DataFrame, heads: pd.Series, listed: Array
) -> list[tuple[Index, Array, Mask]]:
    """Return families, domains and all occupations: their métiers, goals, which goals are exact.

    Goals are by sector, those of the free cells: less what métiers list themselves.
    """
    codes = sorted(set(lists.index) - set(heads.index))
    rows = [np.flatnonzero(members(heads.index, code)) for code in codes]
    own = lists.loc[codes]
    totals = pd.Series([heads.iloc[each].sum() for each in rows], codes)
    most = most_unlisted(own, totals).to_numpy()[:, None]
    exact = own.notna().to_numpy()
    groups = []
    for row, members_, is_exact in zip(np.where(exact, own, most), rows, exact, strict=True):
        goals = np.maximum(row - listed[members_].sum(axis=0), TINY)
        groups.append((members_, goals, is_exact))
    return groups


def _list_defects(table: pd.DataFrame, heads: pd.Series) -> Iterator[Defect]:
    """Return what is wrong in the lists."""
    where = "metier_sectors, " + table["metier_code"] + " " + table["sector_code"]
    for row in where[~table["sector_code"].isin(DIVISIONS)]:
        yield Defect(row, "unknown sector", "a code of the NAF in 38 posts", "correct it")
    for row in where[table.duplicated(["metier_code", "sector_code"])]:
        yield Defect(row, "listed twice", "one row a métier and sector", "keep one")
    for code, listed in table.groupby("metier_code")["employment_headcount"].sum().items():
        total = heads[members(heads.index, str(code))].sum()
        if listed > total * (1 + LIST_TOLERANCE):
            expected, fix = f"at most its employment, {total:.0f}", "correct the list"
            where_ = f"metier_sectors, {code}"
            yield Defect(where_, "lists more than its employment", expected, fix, f"{listed:.0f}")
