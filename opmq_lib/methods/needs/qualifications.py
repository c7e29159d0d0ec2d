"""Structure of qualifications (E7): shares of four classes, why they changed, where they go.

The fourth character of a FAP-2009 code of five says the class (Dares): 2 unskilled, 4 and 6
skilled, 7 and 8 technicians and supervisors, 9 managers and engineers. Other digits are shown as a
class of their own. A métier has one class and nearly every family too, so that the change is split
by professional domain, the first letter of the code: domains weigh more or less, and inside each
the classes do.
"""

import numpy as np
import pandas as pd
from scipy.special import ndtr

from opmq_lib.errors import CoherenceError
from opmq_lib.methods import draws
from opmq_lib.methods.employment.levels import HEADS, MEDIAN, level_draws
from opmq_lib.methods.needs.cohorts import Array
from opmq_lib.methods.reliability import grades
from opmq_lib.tables.fap import DOMAIN_LENGTH, FAMILY_LENGTH
from opmq_lib.tables.indicators import last_year

CLASSES = ("unskilled", "skilled", "technicians", "managers", "other")
DIGITS = {"2": "unskilled", "4": "skilled", "6": "skilled", "7": "technicians"} | {
    "8": "technicians",
    "9": "managers",
}
DRAWS, SEED, TOLERANCE = 500, 2018, 1e-9
QUANTILES = ndtr([-1.281552, 0, 1.281552])


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
        `qualification_share_pct` by year (% of the métiers studied), with its 80 % interval and
        its grade in the last year of an estimate; from the first year to the last,
        `qualification_change_points`, `…mix_points`, `…within_points`, each by `level`;
        `qualification_dissimilarity_pct`; `diploma_share_pct`, `nd`: no open source gives diplomas
        by métier and branch.
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
    known = _known_ends(jobs, shares.T[end]).assign(year=end)
    long = long.merge(known, how="left", on=["year", "level"])
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
        **{name: 100 * table[name] for name in ("value", "lower", "upper")},
        reliability_grade=table["reliability_grade"].fillna(""),
        nature="observed" if (jobs["nature"] == "observed").all() else "estimate",
        origin=_origin(jobs),
    )


def projection_rows(jobs: pd.DataFrame, projections: pd.DataFrame) -> pd.DataFrame:
    """Return projected class shares, with their 80 % interval, as indicator rows.

    Args:
        jobs: As for `structure_rows`.
        projections: Rows of the `projection` contract; those of the same métiers are read.

    Returns:
        By `level` in the last year projected: `projected_qualification_share_pct`, the share at
        the métiers' medians, and `projected_qualification_change_points` since the last year of
        `jobs`, each with the interval of draws of all métiers, of their level too; the share with
        its grade where the level is an estimate.
    """
    rows = last_year(projections[projections["metier_code"].isin(jobs["metier_code"])])
    wide = rows.pivot(index="metier_code", columns="quantile_level", values="value").dropna()
    if wide.empty:
        return pd.DataFrame(columns=["year", "indicator", "unit"])
    codes = wide.index.tolist()
    normal = draws.correlated(SEED, DRAWS, codes)
    heads = draws.along_quantiles(wide.to_numpy()[:, None, :], np.array(wide.columns), normal)
    base = last_year(jobs).set_index("metier_code").loc[codes].reset_index()
    factors, best = _factors(base)
    now, future = (
        _drawn_shares(drawn * factors, wide.index)
        for drawn in (base[[HEADS]].to_numpy(float), np.maximum(heads[:, 0], 0.0))
    )
    point = _drawn_shares(wide[[MEDIAN]].to_numpy(), wide.index)
    change = point - _drawn_shares(base[[HEADS]].to_numpy(float), wide.index)
    parts = []
    for name, unit, value, drawn in (
        ("share_pct", "pct", point, future),
        ("change_points", "points", change, future - now),
    ):
        low, middle, high = np.nanquantile(drawn, QUANTILES, axis=1)
        ends = {"value": value[:, 0], "lower": value[:, 0] + low - middle}
        table = 100 * pd.DataFrame(ends | {"upper": value[:, 0] + high - middle})
        letters = grades(table["lower"], table["upper"], best)
        is_graded = best != "" and name == "share_pct"
        parts.append(
            table.assign(
                level=_levels(wide.index),
                indicator=f"projected_qualification_{name}",
                unit=unit,
                reliability_grade=letters if is_graded else "",
            )
        )
    return pd.concat(parts, ignore_index=True).assign(
        year=int(rows["year"].iloc[0]),
        interval_level=0.8,
        nature="projection",
        origin=_origin(jobs),
    )


def _known_ends(jobs: pd.DataFrame, shares: pd.Series) -> pd.DataFrame:
    """Return the ends and the grade of class shares in the last year; none if observed."""
    base = last_year(jobs)
    factors, best = _factors(base)
    if not best:
        blank = {"lower": np.nan, "upper": np.nan, "interval_level": np.nan}
        return pd.DataFrame({"level": shares.index}).assign(**blank, reliability_grade="")
    codes = pd.Index(base["metier_code"])
    drawn = _drawn_shares(base[[HEADS]].to_numpy(float) * factors, codes)
    low, middle, high = np.nanquantile(drawn, QUANTILES, axis=1)
    value = shares.reindex(_levels(codes)).to_numpy(dtype=float)
    lower, upper = value + low - middle, value + high - middle
    return pd.DataFrame(
        {
            "level": _levels(codes),
            "lower": lower,
            "upper": upper,
            "interval_level": 0.8,
            "reliability_grade": grades(lower, upper, best),
        }
    )


def _factors(base: pd.DataFrame) -> tuple[Array, str]:
    """Return draws of the level of métiers, in their order, and the best grade; empty if known."""
    nodes, factors = level_draws(base, DRAWS, SEED)
    place = pd.Index(nodes["metier_code"]).get_indexer(base["metier_code"])
    best = str(nodes["best_grade"].max()) if nodes["level_log_sd"].gt(0).any() else ""
    return factors[place], best


def _levels(codes: pd.Index) -> list[str]:
    """Return the classes that some métier has, in order."""
    of_class = {class_of(code) for code in codes}
    return [name for name in CLASSES if name in of_class]


def _drawn_shares(heads: Array, codes: pd.Index) -> Array:
    """Return the share of each class in each draw, (classes, draws); `nan` where no job is left."""
    of_class = codes.map(class_of)
    sums = np.stack([heads[of_class == name].sum(axis=0) for name in _levels(codes)])
    total = sums.sum(axis=0)
    return np.asarray(sums / np.where(total > 0, total, np.nan))


def _origin(jobs: pd.DataFrame) -> str:
    return "own" if (jobs["origin"] == "own").any() else "public"
