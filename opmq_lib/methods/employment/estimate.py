"""Step 5, the table of métiers by branch (B1): employees of métiers, of branches and of classes."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from opmq_lib.errors import RangeError
from opmq_lib.methods.draws import Array
from opmq_lib.methods.employment.branches import (
    NO_CELL,
    RESIDUAL_BRANCH,
    fit_sectors,
    spread_sectors,
)
from opmq_lib.methods.employment.classes import (
    CLASSES,
    FINE_CLASSES,
    class_headcounts,
    metier_classes,
    self_employed_crafts,
)
from opmq_lib.methods.employment.hires import hires_by_activity, lifts, rome_shares
from opmq_lib.methods.employment.ras import ras
from opmq_lib.methods.employment.sectors import (
    hire_shares,
    read_lists,
    sector_of,
    sector_shares,
    sector_table,
)
from opmq_lib.tables.fap import FAMILY_LENGTH, METIER_LENGTH

INDUSTRY = ("B", "C", "D", "E")
"""First letters of the sectors where all who work are employees, but in self-employed crafts."""

LEAST_OUTSIDE = 0.02
"""Least share of a métier's employees outside all branches, before fitting; a convention."""

HEADS = "employment_headcount"


class EstimateTables(NamedTuple):
    """What the estimate is made of; columns as in the contracts of these names."""

    rome_naf_hires: pd.DataFrame
    fap_rome: pd.DataFrame
    rome_fap_split: pd.DataFrame
    naf_branch: pd.DataFrame
    metiers_outside_branches: pd.DataFrame
    employment_national: pd.DataFrame
    employees_national: pd.DataFrame
    metier_sectors: pd.DataFrame
    metier_pcs: pd.DataFrame
    branch_headcount: pd.DataFrame


class Estimate(NamedTuple):
    """The fitted table and what its interval rests on. f: métiers, s: sectors, b: branches.

    Attributes:
        year: Of the métiers.
        heads: (f, b + 1) employees by métier and branch, `hors_champ` last.
        sectors: (f, s) employment.
        is_listed: (codes, s) whether the survey lists a sector for a métier or a family.
        employees: (f, s) employees among that employment.
        split: (s, f, b) employees before the last fit.
        before: (f, b) the table fitted without the classes.
        classes: (b, classes) employees by class; 0: the branch's conventions do not cover it.
        metier_class: (f,) class of each métier.
        fit_ratio: (b,) published headcount over the employees that its sectors give it once they
            are fitted, λ: much the same for all branches of one sector.
        own_ratio: (b,) published headcount over the employees of its activities, before that fit.
    """

    year: int
    heads: pd.DataFrame
    sectors: pd.DataFrame
    is_listed: pd.DataFrame
    employees: pd.DataFrame
    split: Array
    before: pd.DataFrame
    classes: pd.DataFrame
    metier_class: pd.Series
    fit_ratio: pd.Series
    own_ratio: pd.Series


def fit_estimate(tables: EstimateTables) -> Estimate:
    """Return employees by métier and branch, with what is needed to say how well they are known.

    Args:
        tables: Official figures and conventions. The year is that of the lists of sectors.

    Returns:
        All métiers (FAP-225) and all branches with a headcount. Rows add up to the employees of the
        métier, branches to their headcount, and each branch to its classes.

    Raises:
        RangeError: If national employment is not published in that year.
        CoherenceError: If lists, shares or margins contradict each other.

    Source:
        Method page, B1.
    """
    year = int(tables.metier_sectors["year"].max())
    national = heads_by_metier(
        tables.employment_national,
        year,
        "metier_sectors, year",
        "take lists of sectors of a year that `employment_national` has",
    )
    metiers = national.index
    sectors, lists, hires = _sectors(tables, national)
    rows = employees_by_metier(tables.employees_national, tables.employment_national, national)
    employees = _employees(sectors, rows / national, tables.metier_pcs)
    heads = tables.branch_headcount.groupby("branch_code")["employees_headcount"].sum()
    in_branches = ~metiers.isin(tables.metiers_outside_branches["metier_code"])[:, None]
    spread = spread_sectors(employees, hires, tables.naf_branch, heads.index) * in_branches
    own_ratio = heads / spread.sum(axis=(0, 1))
    split = fit_sectors(spread, employees, own_ratio.to_numpy()) * in_branches
    seed = pd.DataFrame(split.sum(axis=0), metiers, heads.index)
    fine = metier_classes(metiers, tables.metier_pcs)
    metier_class = fine.where(fine.isin(CLASSES), CLASSES[-1])
    before = fit_classes(seed, rows, heads.to_frame("all"), pd.Series("all", metiers))
    before = before.drop(columns=RESIDUAL_BRANCH)
    prior = before.groupby(fine).sum().reindex(FINE_CLASSES, fill_value=0.0).div(heads)
    classes = class_headcounts(tables.branch_headcount, prior.T)
    return Estimate(
        year=year,
        heads=fit_classes(seed, rows, classes, metier_class),
        sectors=sectors,
        is_listed=lists.notna(),
        employees=employees,
        split=split,
        before=before,
        classes=classes,
        metier_class=metier_class,
        fit_ratio=heads / seed.sum(),
        own_ratio=own_ratio,
    )


def heads_by_metier(
    employment_national: pd.DataFrame,
    year: int,
    where: str = "base_year",
    fix: str = "change `base_year` in the parameters of the edition",
) -> pd.Series:
    """Return national employment of each métier (FAP-225) in a year, in heads.

    Args:
        employment_national: Heads by `metier_code` and `year`.
        year: Year wanted.
        where: Where the year comes from, for the message.
        fix: What to do there when it is not published.

    Raises:
        RangeError: If the year is not published.

    Examples:
        >>> rows = [("ENS", 2018, 100.0), ("F0Z", 2018, 30.0), ("F0Z20", 2018, 30.0)]
        >>> columns = ["metier_code", "year", "employment_headcount"]
        >>> heads_by_metier(pd.DataFrame(rows, columns=columns), 2018).to_dict()
        {'F0Z20': 30.0}
    """
    metiers = employment_national[employment_national["metier_code"].str.len() == METIER_LENGTH]
    chosen = metiers[metiers["year"] == year].set_index("metier_code")[HEADS].sort_index()
    if chosen.empty:
        expected = f"a year from {metiers['year'].min()} to {metiers['year'].max()}"
        what = "no national employment by FAP-225"
        raise RangeError.of(where, what, expected, fix, str(year))
    return chosen


def employees_by_metier(
    employees_national: pd.DataFrame, employment_national: pd.DataFrame, national: pd.Series
) -> pd.Series:
    """Return employees of each métier, at most its employment.

    Where they are not published, the rest of the family is shared by employment, and the rest of
    the domain where those of the family are not published either.

    Args:
        employees_national: By code of any level; `employees_headcount`.
        employment_national: By code of métier and of family; gives the families' sizes.
        national: Employment by métier, in heads.

    Examples:
        Of 100 employees of the family, 60 are known; 30 and 10 work in the two other métiers:

        >>> published = pd.DataFrame({"metier_code": ["M2Z", "M2Z90"],
        ...     "employees_headcount": [100.0, 60.0]})
        >>> national = pd.Series({"M2Z90": 70.0, "M2Z91": 45.0, "M2Z92": 15.0})
        >>> families = pd.DataFrame({"metier_code": ["M2Z"], "employment_headcount": [130.0],
        ...     "year": 2018})
        >>> employees_by_metier(published, families, national).to_dict()
        {'M2Z90': 60.0, 'M2Z91': 30.0, 'M2Z92': 10.0}
    """
    published = employees_national.set_index("metier_code")["employees_headcount"]
    last = employment_national[employment_national["year"] == employment_national["year"].max()]
    sizes = last.set_index("metier_code")[HEADS]
    for level, wider in (
        (sizes[sizes.index.str.len() == FAMILY_LENGTH], 1),
        (national, FAMILY_LENGTH),
    ):
        known = published.reindex(level.index)
        group = level.index.str[:wider]
        rest = published.reindex(group).to_numpy() - known.groupby(group).transform("sum")
        unknown = level.where(known.isna())
        shared = (rest * unknown / unknown.groupby(group).transform("sum")).dropna()
        published = shared.combine_first(published)
    return published.reindex(national.index).fillna(0.0).clip(0, national)


def _sectors(
    tables: EstimateTables, national: pd.Series
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return employment by métier and sector, the lists, and hires by métier and activity."""
    lists = read_lists(tables.metier_sectors, national)
    links = rome_shares(tables.fap_rome, tables.rome_fap_split)
    hires = hires_by_activity(tables.rome_naf_hires, links, national.index)
    by_sector = hires.T.groupby(sector_of(hires.columns)).sum().T
    by_sector = by_sector.reindex(columns=lists.columns, fill_value=0.0)
    lifted = lifts(by_sector, hire_shares(by_sector))
    shares = sector_shares(national, lists, by_sector, lifted)
    return sector_table(national, lists, shares), lists, hires


def _employees(sectors: pd.DataFrame, ratio: pd.Series, metier_pcs: pd.DataFrame) -> pd.DataFrame:
    """Return employees by métier and sector: in industry only crafts count self-employed."""
    is_craft = self_employed_crafts(sectors.index, metier_pcs)
    inside = ratio.where(is_craft, 1.0)
    is_industry = sectors.columns.str[0].isin(INDUSTRY)
    shares = np.where(is_industry, inside.to_numpy()[:, None], ratio.to_numpy()[:, None])
    return sectors * shares


def fit_classes(
    seed: pd.DataFrame, rows: pd.Series, goals: pd.DataFrame, metier_class: pd.Series
) -> pd.DataFrame:
    """Return the seed fitted to employees of métiers and of branches, one class after another."""
    outside = np.maximum(rows - seed.sum(axis=1), LEAST_OUTSIDE * rows)
    cells = seed.add(NO_CELL * (seed.sum(axis=1) > 0), axis=0).assign(**{RESIDUAL_BRANCH: outside})
    parts = []
    for name in goals:
        codes = metier_class.index[metier_class == name]
        totals = goals[name]
        rest = rows[codes].sum() - totals.sum()
        columns = pd.concat([totals, pd.Series({RESIDUAL_BRANCH: rest})])
        parts.append(ras(cells.loc[codes], rows[codes], columns))
    return pd.concat(parts).reindex(seed.index)
