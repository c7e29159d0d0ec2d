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

from opmq_lib.errors import CoherenceError, Defect
from opmq_lib.methods.needs import draws
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
        told = ("shares do not sum to 1", "shares that sum to 1", "correct the shares")
        raise CoherenceError([Defect("qualification shares", *told)])
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
    table = jobs.assign(
        domain=jobs["metier_code"].str[:DOMAIN_LENGTH], level=jobs["metier_code"].map(class_of)
    )
    by_year = table.pivot_table(
        index="year", columns="level", values="employment_headcount", aggfunc="sum", fill_value=0.0
    )
    classes = [name for name in CLASSES if name in by_year]
    shares = by_year[classes].div(by_year.sum(axis=1), axis=0)
    long = shares.melt(ignore_index=False, value_name="value").reset_index()
    rows = [long.assign(indicator="qualification_share_pct", unit="pct")]
    ends = [int(shares.index.min()), int(shares.index.max())]
    wide = table[table["year"].isin(ends)].pivot_table(
        index=["year", "domain"],
        columns="level",
        values="employment_headcount",
        aggfunc="sum",
        fill_value=0.0,
    )
    domains = sorted(set(table["domain"]))
    cells = pd.MultiIndex.from_product([ends, domains])
    flat = wide.reindex(index=cells, columns=classes, fill_value=0.0).to_numpy()
    heads = flat.reshape(len(ends), len(domains), len(classes))
    totals = [each.sum(axis=1) for each in heads]
    inside = [
        np.divide(each, size[:, None], out=np.full(each.shape, np.nan), where=size[:, None] > 0)
        for each, size in zip(heads, totals, strict=True)
    ]
    ever = ~(np.isnan(inside[0]) & np.isnan(inside[1])).any(axis=1)
    weights = [size[ever] / size.sum() for size in totals]
    mix, within = decompose(weights[0], weights[1], inside[0][ever], inside[1][ever])
    change = (shares.loc[ends[1]] - shares.loc[ends[0]]).to_numpy()
    for name, values in (("change", change), ("mix", mix), ("within", within)):
        part = pd.DataFrame({"level": classes, "value": values, "year": ends[1]})
        rows.append(part.assign(indicator=f"qualification_{name}_points", unit="points"))
    moved = pd.DataFrame({"value": [np.abs(change).sum() / 2], "year": ends[1]})
    rows.append(moved.assign(indicator="qualification_dissimilarity_pct", unit="pct"))
    found = pd.concat(rows, ignore_index=True)
    nothing = pd.DataFrame({"year": [ends[1]], "indicator": "diploma_share_pct", "unit": "pct"})
    both = pd.concat([found.assign(value=100 * found["value"]), nothing], ignore_index=True)
    observed = (jobs["nature"] == "observed").all()
    return both.assign(
        level=both["level"].fillna(""),
        nature="observed" if observed else "estimate",
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
    wide = last_year(projections).pivot(
        index="metier_code", columns="quantile_level", values="value"
    )
    wide = wide.dropna()
    if wide.empty:
        return pd.DataFrame(columns=["year", "indicator", "unit"])
    year = int(projections["year"].max())
    codes = [str(code) for code in wide.index]
    normal = draws.correlated(SEED, DRAWS, codes)
    heads = draws.along_quantiles(wide.to_numpy()[:, None, :], np.array(wide.columns), normal)
    drawn = np.maximum(heads[:, 0], 0.0)
    of_class = np.array([class_of(code) for code in codes])
    rows = []
    point = wide[0.5].to_numpy()
    for name in (each for each in CLASSES if (of_class == each).any()):
        chosen = of_class == name
        shares = drawn[chosen].sum(axis=0) / drawn.sum(axis=0)
        low, middle, high = np.quantile(shares, norm.cdf([-1.281552, 0, 1.281552]))
        value = point[chosen].sum() / point.sum()
        rows.append(
            {
                "level": name,
                "value": 100 * value,
                "lower": 100 * (value + low - middle),
                "upper": 100 * (value + high - middle),
            }
        )
    table = pd.DataFrame(rows).assign(
        indicator="projected_qualification_share_pct", year=year, unit="pct", interval_level=0.8
    )
    return table.assign(nature="projection", origin=_origin(jobs))


def _origin(jobs: pd.DataFrame) -> str:
    return "own" if (jobs["origin"] == "own").any() else "public"
