"""Growth and departures of each métier per year: the official projections, our own beside (P1).

The official projections are by family (FAP-87). A métier grows as its family does, and departures
of the family are shared out by what our own ages say of its métiers: the family's total is kept.
"""

import numpy as np
import pandas as pd

from opmq_lib.methods.needs.official import national, official_family
from opmq_lib.tables.fap import FAMILY_LENGTH
from opmq_lib.tables.indicators import ALL_METIERS

OWN_GROWTH_YEARS = 10
"""Years over which our own trend is averaged."""

_HEADS, _FAMILY = "employment_headcount", "family_code"
_OWN = {"growth_rate_pct": "own_growth_rate_pct", "departure_rate_pct": "own_departure_rate_pct"}


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
    known = _official_rates(national(official)).reindex(table[_FAMILY]).set_axis(table.index)
    is_official = known["growth_rate_pct"].notna()
    rates = table[["metier_code", _FAMILY]].assign(
        growth_rate_pct=known["growth_rate_pct"],
        own_growth_rate_pct=100 * np.log(then / of_family) / OWN_GROWTH_YEARS,
        departure_rate_pct=known["departure_rate_pct"] * (own / left).fillna(1.0),
        own_departure_rate_pct=table["own_departure_rate_pct"],
        nature=is_official.map({True: "official_projection", False: "projection"}),
    )
    for name, own_name in _OWN.items():
        rates[name] = rates[name].where(is_official, rates[own_name])
    every = pd.Series(ALL_METIERS, table.index)
    whole = _official_rates(national(official).assign(metier_code=ALL_METIERS))
    whole = whole.assign(
        metier_code=ALL_METIERS,
        family_code="",
        own_growth_rate_pct=100 * np.log((heads * moved).sum() / heads.sum()) / OWN_GROWTH_YEARS,
        own_departure_rate_pct=_weighted_mean(own, heads, every).iloc[0],
        nature="official_projection",
    )
    return pd.concat([rates, whole[rates.columns]], ignore_index=True)


def _official_rates(families: pd.DataFrame) -> pd.DataFrame:
    """Return growth and departures by code, in % per year; rows of one code are added up."""
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
