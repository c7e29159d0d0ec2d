"""Growth and departures of each métier per year: the official projections, our own beside (P1).

The official projections are by family (FAP-87). A métier grows as its family does, and departures
of the family are shared out by what our own ages say of its métiers: the family's total is kept.
"""

import numpy as np
import pandas as pd

from opmq_lib.methods.employment.rows import RESIDUAL_METIER, ROW_SHARE
from opmq_lib.methods.needs.official import national, official_family
from opmq_lib.tables.fap import FAMILY_LENGTH
from opmq_lib.tables.indicators import ALL_METIERS

OWN_GROWTH_YEARS = 10
"""Years over which our own trend is averaged."""

MOST_APART_PCT = 1.0
"""Difference of official and own growth per year from which the two sources diverge."""

_HEADS, _FAMILY = "employment_headcount", "family_code"
_OWN = {"growth_rate_pct": "own_growth_rate_pct", "departure_rate_pct": "own_departure_rate_pct"}
RATES, LATER = (*_OWN, *_OWN.values()), ("later_departure_rate_pct",)


def metier_rates(official: pd.DataFrame, metiers: pd.DataFrame, change: pd.Series) -> pd.DataFrame:
    """Return growth and departures of every métier, in % of its jobs per year.

    Args:
        official: Table `official_projections`.
        metiers: One row per métier (FAP-225): `metier_code`, `employment_headcount` (whole country)
            and `own_departure_rate_pct`, from our own ages; missing where no age is known.
        change: By family (FAP-87), our own projected change over `OWN_GROWTH_YEARS`, as a share.

    Returns:
        One row per métier, then one for all (`ENS`): `family_code` (of the official projections),
        `growth_rate_pct` (continuous) and `departure_rate_pct`: official where there is a code,
        else our own, as `nature` says; `own_growth_rate_pct`, `own_departure_rate_pct`.

    Source:
        Method page, P1: growth ln(1 + ΔE/B)/years; departures D/(years (B + ΔE/2)), of a métier
        those of its family times its own rate over that of the family.

    Examples:
        A family that grows by a tenth in ten years, one of whose métiers is left by twice as many:

        >>> official = pd.DataFrame({"metier_code": ["E1Z"], "region_code": "84",
        ...     "base_year": 2020, "horizon_year": 2030, "employment_headcount": 1000.0,
        ...     "net_creation_headcount": 100.0, "departures_headcount": 315.0})
        >>> metiers = pd.DataFrame({"metier_code": ["E1Z40", "E1Z41"],
        ...     "employment_headcount": [500.0, 500.0], "own_departure_rate_pct": [2.0, 4.0]})
        >>> found = metier_rates(official, metiers, pd.Series({"E1Z": 0.0}))
        >>> found[["metier_code", "growth_rate_pct", "departure_rate_pct"]].round(3).values.tolist()
        [['E1Z40', 0.953, 2.0], ['E1Z41', 0.953, 4.0], ['ENS', 0.953, 3.0]]
    """
    table = metiers.assign(family_code=official_family(metiers["metier_code"]))
    heads = table[_HEADS]
    moved = 1 + table["metier_code"].str[:FAMILY_LENGTH].map(change).fillna(0.0)
    of_family = heads.groupby(table[_FAMILY]).transform("sum")
    then = (heads * moved).groupby(table[_FAMILY]).transform("sum")
    left = _weighted_mean(table["own_departure_rate_pct"], heads, table[_FAMILY])
    own = table["own_departure_rate_pct"].fillna(left)
    known = official_rates(national(official)).reindex(table[_FAMILY]).set_axis(table.index)
    is_official = known["growth_rate_pct"].notna()
    rates = table[["metier_code", _FAMILY]].assign(
        growth_rate_pct=known["growth_rate_pct"],
        own_growth_rate_pct=100 * np.log(then / of_family) / OWN_GROWTH_YEARS,
        departure_rate_pct=known["departure_rate_pct"] * (own / left).fillna(1.0),
        own_departure_rate_pct=table["own_departure_rate_pct"],
        nature=is_official.map({True: "official_projection", False: "projection"}),
    )
    rates = own_where(rates, ~is_official)
    every = pd.Series(ALL_METIERS, table.index)
    whole = official_rates(national(official).assign(metier_code=ALL_METIERS))
    whole = whole.assign(
        metier_code=ALL_METIERS,
        family_code="",
        own_growth_rate_pct=100 * np.log((heads * moved).sum() / heads.sum()) / OWN_GROWTH_YEARS,
        own_departure_rate_pct=_weighted_mean(own, heads, every).iloc[0],
        nature="official_projection",
    )
    return pd.concat([rates, whole[rates.columns]], ignore_index=True)


def own_where(rates: pd.DataFrame, is_own: pd.Series) -> pd.DataFrame:
    """Return rates, replaced by our own in some rows."""
    chosen = {name: rates[name].mask(is_own, rates[own]) for name, own in _OWN.items()}
    return rates.assign(**chosen, nature=rates["nature"].mask(is_own, "projection"))


def with_families(rates: pd.DataFrame, heads: pd.Series) -> pd.DataFrame:
    """Return rates of métiers, then those of every FAP-87 family: means of its métiers.

    Args:
        rates: From `metier_rates`.
        heads: Employment of the whole country by métier, by which means are weighted.
    """
    metiers = rates[rates["metier_code"] != ALL_METIERS]
    weights = metiers["metier_code"].map(heads)
    family = metiers["metier_code"].str[:FAMILY_LENGTH]
    means = {name: _weighted_mean(metiers[name], weights, family) for name in RATES}
    families = metiers.assign(**means, metier_code=family).drop_duplicates("metier_code")
    return pd.concat([metiers, families], ignore_index=True)


def gather_small(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of an estimated branch, those below `ROW_SHARE` of it in one row, the rest.

    The rest has the mean of their rates, weighted by heads; the errors of their levels are taken as
    independent.

    Args:
        cells: Rows of the `needs_cells` contract of one branch.

    Examples:
        >>> cells = pd.DataFrame({"branch_code": "verre", "metier_code": ["A", "B", "C"],
        ...     "employment_headcount": [996.0, 3, 1], "family_code": "", "nature": "projection",
        ...     "employment_headcount_lower": [900.0, 1.5, 0.5],
        ...     "employment_headcount_upper": [1100.0, 6, 2], "departure_rate_pct": [2.0, 2, 6]})
        >>> gather_small(cells)[["metier_code", "departure_rate_pct"]].to_numpy().tolist()
        [['A', 2.0], ['autres_metiers', 3.0]]
    """
    heads = cells[_HEADS]
    is_small = heads < ROW_SHARE * heads.sum()
    small, weights = cells[is_small], heads[is_small]
    if not weights.sum():
        return cells[~is_small]
    one = pd.Series("", small.index)
    logs = np.log(small[f"{_HEADS}_upper"] / small[f"{_HEADS}_lower"]) / 2
    spread = np.exp(np.sqrt(np.square(weights * logs).sum()) / weights.sum())
    means = {
        name: _weighted_mean(small[name], weights, one)
        for name in (*RATES, *LATER)
        if name in small
    }
    rest = small.assign(**means, metier_code=RESIDUAL_METIER, family_code="").head(1)
    rest = rest.assign(
        **{_HEADS: weights.sum(), f"{_HEADS}_lower": weights.sum() / spread},
        **{f"{_HEADS}_upper": weights.sum() * spread},
    )
    return pd.concat([cells[~is_small], rest], ignore_index=True)


def official_rates(families: pd.DataFrame) -> pd.DataFrame:
    """Return official growth and departures by code, in % per year; rows of a code are added up.

    Args:
        families: From `official.national`.

    Returns:
        `growth_rate_pct`, `departure_rate_pct`, by `metier_code`.
    """
    sums = families.drop(columns=["base_year", "horizon_year"]).groupby("metier_code").sum()
    years = int((families["horizon_year"] - families["base_year"]).iloc[0])
    base, created = sums[_HEADS], sums["net_creation_headcount"]
    return pd.DataFrame(
        {
            "growth_rate_pct": 100 * np.log1p(created / base) / years,
            "departure_rate_pct": 100 * sums["departures_headcount"] / years / (base + created / 2),
        }
    )


def _weighted_mean(values: pd.Series, weights: pd.Series, group: pd.Series) -> pd.Series:
    """Return for each row the weighted mean of its group, over the values that are known."""
    known = weights.where(values.notna(), 0.0)
    sums = [each.groupby(group).transform("sum") for each in (values.fillna(0.0) * known, known)]
    return sums[0] / sums[1].where(sums[1] > 0)
