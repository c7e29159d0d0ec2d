"""Step 4, classes of jobs of each branch: the mix of wages that gives the published mean wage."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

CLASSES = ("managers", "intermediate", "others")
"""Classes whose totals are fitted; clerks and workers, who earn the same, make one."""

CLASSES_MERGED = ("clerks", "workers")
FINE_CLASSES = ("managers", "intermediate", *CLASSES_MERGED)

PCS_CLASS = {"3": "managers", "4": "intermediate", "5": "clerks", "6": "workers"}
LEVEL_CLASS = {
    "9": "managers", "0": "managers", "7": "intermediate", "8": "intermediate", "6": "clerks",
    "2": "workers", "4": "workers",
}  # fmt: skip
"""Class by the fourth character of a FAP code, its qualification; any other: clerks."""

HEADS_PER_FTE = (1.07, 1.10, 1.11)
"""Heads for one full-time equivalent; source: Dares portraits, all conventions."""

PRIOR_SD, LOW_WAGE_SD = 0.10, 0.06
"""How far the share of intermediates may be from the prior, and how far the share of low wages from
its identity; conventions (the share of managers moves by a point at most)."""

UNPUBLISHED_LOW_WAGE_PCT = 0.2


def metier_classes(metier_codes: pd.Index, metier_pcs: pd.DataFrame) -> pd.Series:
    """Return the class of each métier: that of its PCS where there is one, else by its level.

    Args:
        metier_codes: Métiers (FAP-225).
        metier_pcs: `metier_code, pcs_code`.

    Returns:
        One of `FINE_CLASSES` each.

    Examples:
        >>> pcs = pd.DataFrame({"metier_code": ["H0Z90", "H0Z90"], "pcs_code": ["387c", "387d"]})
        >>> metier_classes(pd.Index(["H0Z90", "E1Z40", "ZZZZZ"]), pcs).to_dict()
        {'H0Z90': 'managers', 'E1Z40': 'workers', 'ZZZZZ': 'clerks'}
    """
    known = metier_pcs.assign(name=metier_pcs["pcs_code"].str[0].map(PCS_CLASS)).dropna()
    alone = known.drop_duplicates(["metier_code", "name"]).drop_duplicates(
        "metier_code", keep=False
    )
    by_level = pd.Series(metier_codes.str[3], metier_codes).map(LEVEL_CLASS).fillna("clerks")
    return alone.set_index("metier_code")["name"].reindex(metier_codes).fillna(by_level)


def self_employed_crafts(metier_codes: pd.Index, metier_pcs: pd.DataFrame) -> pd.Series:
    """Return which métiers hold farmers, artisans or heads of firms (PCS 1 and 2)."""
    is_self_employed = metier_pcs["pcs_code"].str[0].isin(["1", "2"])
    codes = metier_pcs.loc[is_self_employed, "metier_code"]
    return pd.Series(metier_codes.isin(codes), metier_codes)


def class_headcounts(branch_headcount: pd.DataFrame, prior: pd.DataFrame) -> pd.DataFrame:
    """Return employees of each branch by class: the sum of its conventions.

    Args:
        branch_headcount: By convention, with wages and shares of low wages by class.
        prior: Heads by branch and fine class, adding up to 1: what hires and sectors give.

    Returns:
        By branch and class, heads; rows add up to the headcount of the branch. 0: a class that no
        convention of the branch covers.

    Source:
        Method page, B1, step 4.
    """
    rows = []
    for convention in branch_headcount.to_dict("records"):
        row = {str(name): value for name, value in convention.items()}
        shares = fte_shares(row, prior.loc[convention["branch_code"]].to_dict())
        heads = np.array(shares) * HEADS_PER_FTE
        rows.append(heads / heads.sum() * convention["employees_headcount"])
    table = pd.DataFrame(rows, branch_headcount["branch_code"], CLASSES)
    return table.groupby(level=0).sum().reindex(prior.index)


def fte_shares(
    convention: Mapping[str, float], prior: Mapping[str, float]
) -> tuple[float, float, float]:
    """Return the share of each class in the full-time equivalents of one convention.

    The mean wage is the mean of classes: W = c w_c + p w_p + x w_x. It is met exactly; which of
    the mixes that meet it is chosen by the share of low wages and by the prior. With two published
    classes the mean alone tells; with one, it is everybody.

    Args:
        convention: Mean wages (`wage_…_eur_per_month`) and shares under 1.05 minimum wage
            (`share_under_1_05_smic_…_pct`), of all and by class; `NaN` where not published.
        prior: Share of each of `FINE_CLASSES`.

    Returns:
        Shares of `CLASSES`, adding up to 1.

    Examples:
        >>> row = {"wage_all_eur_per_month": 2500.0, "wage_managers_eur_per_month": 4000.0,
        ...     "wage_intermediate_eur_per_month": np.nan, "wage_clerks_eur_per_month": np.nan,
        ...     "wage_workers_eur_per_month": 2000.0}
        >>> low = {f"share_under_1_05_smic_{name}_pct": 1.0 for name in FINE_CLASSES}
        >>> fte_shares(row | low, dict.fromkeys(FINE_CLASSES, 0.25))
        (0.25, 0.0, 0.75)
    """
    wages = {name: convention[f"wage_{name}_eur_per_month"] for name in FINE_CLASSES}
    low = {name: convention[f"share_under_1_05_smic_{name}_pct"] for name in FINE_CLASSES}
    published = {name for name in FINE_CLASSES if not np.isnan(wages[name])}
    low = {name: UNPUBLISHED_LOW_WAGE_PCT if np.isnan(low[name]) else low[name] for name in low}
    others = {name: prior[name] for name in CLASSES_MERGED if name in published}
    if others:
        total = sum(others.values())
        for values in (wages, low):
            values["others"] = sum(others[name] * values[name] for name in others) / total
    known = [name for name in CLASSES if name in published or (name == "others" and others)]
    mean = convention["wage_all_eur_per_month"]
    if len(known) == 1:
        shares = {known[0]: 1.0}
    elif len(known) == 2:
        first, second = known
        share = (mean - wages[second]) / (wages[first] - wages[second])
        share = min(max(share, 0.0), 1.0)
        shares = {first: share, second: 1 - share}
    else:
        return _three_shares(
            mean, wages, convention["share_under_1_05_smic_pct"], low, prior["intermediate"]
        )
    managers, intermediate, merged = (shares.get(name, 0.0) for name in CLASSES)
    return managers, intermediate, merged


def _three_shares(
    mean: float,
    wages: Mapping[str, float],
    low_mean: float,
    low: Mapping[str, float],
    prior: float,
) -> tuple[float, float, float]:
    """Return shares c, p, x: the mean wage exact, p weighed between low wages and the prior.

    c = a - b p by the mean wage; the identity of low wages then misses by k + m p.
    """
    above = wages["managers"] - wages["others"]
    a, b = (mean - wages["others"]) / above, (wages["intermediate"] - wages["others"]) / above
    low_above = low["managers"] - low["others"]
    k, m = (
        low["others"] - low_mean + a * low_above,
        low["intermediate"] - low["others"] - b * low_above,
    )
    by_prior, by_low_wages = PRIOR_SD**-2, LOW_WAGE_SD**-2
    best = (prior * by_prior - k * m * by_low_wages) / (by_prior + m**2 * by_low_wages)
    p = min(max(best, 0.0), a / b, (1 - a) / (1 - b))
    return a - b * p, p, 1 - a - (1 - b) * p
