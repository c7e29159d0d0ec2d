"""Structure of qualifications (E7): shares of four classes, why they changed, where they go.

The fourth character of a FAP-2009 code of five says the class (Dares): 2 unskilled, 4 and 6
skilled, 7 and 8 technicians and supervisors, 9 managers and engineers. Other digits are shown as a
class of their own. A métier has one class and nearly every family too, so that the change is split
by professional domain, the first letter of the code: domains weigh more or less, and inside each
the classes do.
"""

import numpy as np
import pandas as pd
from scipy.stats import norm

from opmq_lib.errors import CoherenceError
from opmq_lib.methods import draws
from opmq_lib.methods.needs.cohorts import Array
from opmq_lib.methods.needs.rates import FAMILY_LENGTH
from opmq_lib.tables.indicators import last_year

CLASSES = ("unskilled", "skilled", "technicians", "managers", "other")
DIGITS = {"2": "unskilled", "4": "skilled", "6": "skilled", "7": "technicians"} | {
    "8": "technicians",
    "9": "managers",
}
DOMAIN_LENGTH, DRAWS, SEED, TOLERANCE = 1, 500, 2018, 1e-9


def class_of(metier_code: str) -> str:
    """Return the class that a FAP-2009 code of five characters carries.

    Examples:
        >>> [class_of(code) for code in ("E0Z20", "E1Z41", "E2Z80", "H0Z90", "A0Z00")]
        ['unskilled', 'skilled', 'technicians', 'managers', 'other']
    """
    return DIGITS.get(metier_code[FAMILY_LENGTH : FAMILY_LENGTH + 1], "other")


def decompose(before: Array, after: Array, first: Array, last: Array) -> tuple[Array, Array]:
    """Return the change of class shares due to the mix of groups of métiers, and within groups.

    Mix is Σ_m Δs_m p̄_m and within Σ_m s̄_m Δp_m, with weights half-way: exact. A group that is empty
    at one date takes its structure from the other.

    Args:
        before: (groups,) shares s of the groups at the first date; they sum to 1.
        after: (groups,) the same at the last date.
        first: (groups, classes) shares p of classes in each group at the first date; NaN where the
            group is empty.
        last: (groups, classes) the same at the last date.

    Returns:
        Mix and within, (classes,) each, as shares.

    Raises:
        CoherenceError: If shares do not sum to 1.

    Source:
        Method page, E7.

    Examples:
        Worked example W2: one class shown, and its complement.

        >>> first, last = np.array([[0.2, 0.8], [0.5, 0.5]]), np.array([[0.25, 0.75], [0.55, 0.45]])
        >>> mix, within = decompose(np.array([0.6, 0.4]), np.array([0.5, 0.5]), first, last)
        >>> round(float(mix[0]), 6), round(float(within[0]), 6)
        (0.03, 0.05)
    """
    first, last = np.where(np.isnan(first), last, first), np.where(np.isnan(last), first, last)
    sums = [before.sum(), after.sum(), *first.sum(axis=1), *last.sum(axis=1)]
    if not (np.abs(np.array(sums) - 1) <= TOLERANCE).all():
        why = ("shares do not sum to 1", "shares that sum to 1", "correct the shares")
        raise CoherenceError.of("qualification shares", *why)
    mix = (after - before) @ ((first + last) / 2)
    within = ((before + after) / 2) @ (last - first)
    return mix, within


def structure_rows(jobs: pd.DataFrame) -> pd.DataFrame:
    """Return class shares by year, their change and its two parts, as indicator rows.

    Args:
        jobs: Rows of the `employment` contract of one branch, without its residual.

    Returns:
        `qualification_share_pct` by year (% of the métiers studied) and, from the first year to
        the last, `qualification_change_points`, `…mix_points`, `…within_points`, each by `level`;
        `qualification_dissimilarity_pct`; `diploma_share_pct`, `nd`: no open
        source gives diplomas by métier and branch.
    """
    heads = jobs.assign(
        domain=jobs["metier_code"].str[:DOMAIN_LENGTH], level=jobs["metier_code"].map(class_of)
    ).pivot_table("employment_headcount", ["year", "domain"], "level", "sum", fill_value=0.0)
    heads = heads[[name for name in CLASSES if name in heads]]
    by_year = heads.groupby("year").sum()
    shares = by_year.div(by_year.sum(axis=1), axis=0)
    start, end = int(shares.index.min()), int(shares.index.max())
    domains = heads.index.unique("domain").sort_values()
    before, after = (
        heads.loc[[year]].droplevel("year").reindex(domains, fill_value=0.0)
        for year in (start, end)
    )
    sizes = [each.sum(axis=1) for each in (before, after)]
    ever = sizes[0] + sizes[1] > 0
    weights = [size[ever].to_numpy() / size.sum() for size in sizes]
    inside = [
        each[ever].div(size[ever].where(size > 0), axis=0).to_numpy()
        for each, size in zip((before, after), sizes, strict=True)
    ]
    mix, within = decompose(*weights, *inside)
    change = shares.loc[end] - shares.loc[start]
    long = shares.melt(ignore_index=False).reset_index()
    rows = [long.assign(indicator="qualification_share_pct", unit="pct")]
    for name, values in (("change", change.to_numpy()), ("mix", mix), ("within", within)):
        part = pd.DataFrame({"level": shares.columns, "value": values, "year": end})
        rows.append(part.assign(indicator=f"qualification_{name}_points", unit="points"))
    whole = {
        "qualification_dissimilarity_pct": change.abs().sum() / 2,
        "diploma_share_pct": np.nan,
    }
    parts = pd.DataFrame({"indicator": list(whole), "value": list(whole.values())})
    rows.append(parts.assign(year=end, unit="pct", level=""))
    table = pd.concat(rows, ignore_index=True)
    return table.assign(
        value=100 * table["value"],
        nature="observed" if (jobs["nature"] == "observed").all() else "estimate",
        origin=_origin(jobs),
    )


def projection_rows(jobs: pd.DataFrame, projections: pd.DataFrame) -> pd.DataFrame:
    """Return projected class shares, with their 80 % interval, as indicator rows.

    Args:
        jobs: As for `structure_rows`.
        projections: Rows of the `projection` contract for the same métiers.

    Returns:
        `projected_qualification_share_pct` by `level` in the last year projected: the share at the
        métiers' medians, and the interval of draws of all of them.
    """
    rows = last_year(projections)
    wide = rows.pivot(index="metier_code", columns="quantile_level", values="value").dropna()
    if wide.empty:
        return pd.DataFrame(columns=["year", "indicator", "unit"])
    codes = wide.index.tolist()
    normal = draws.correlated(SEED, DRAWS, codes)
    heads = draws.along_quantiles(wide.to_numpy()[:, None, :], np.array(wide.columns), normal)
    drawn = np.maximum(heads[:, 0], 0.0)
    of_class = wide.index.map(class_of)
    levels = [name for name in CLASSES if name in of_class]
    drawn_shares = np.stack([drawn[of_class == name].sum(axis=0) for name in levels])
    low, middle, high = np.quantile(
        drawn_shares / drawn.sum(axis=0), norm.cdf([-1.281552, 0, 1.281552]), axis=1
    )
    point = wide[0.5].groupby(of_class).sum()[levels].to_numpy() / wide[0.5].sum()
    ends = {"value": point, "lower": point + low - middle, "upper": point + high - middle}
    return (100 * pd.DataFrame(ends)).assign(
        level=levels,
        indicator="projected_qualification_share_pct",
        year=int(rows["year"].iloc[0]),
        unit="pct",
        interval_level=0.8,
        nature="projection",
        origin=_origin(jobs),
    )


def _origin(jobs: pd.DataFrame) -> str:
    return "own" if (jobs["origin"] == "own").any() else "public"
