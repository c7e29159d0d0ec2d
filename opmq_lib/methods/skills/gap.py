"""Needed against available people, skill by skill (S1), from a branch's own survey."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from opmq_lib import tables

LEVELS: Final = [1, 2, 3, 4]
LEVEL_WEIGHTS: Final = (0.25, 0.5, 0.75, 1.0)
"""Weight of one person at levels 1 to 4; source: convention (methodology, S1)."""
LEAST_RESPONDENTS: Final = 5
"""Companies that must have answered on each side; source: convention."""
INTERVAL_LEVEL: Final = 0.8
"""Probability inside an interval."""
KEY: Final = ["branch_code", "metier_code", "skill_code"]
DRAWS, SEED = 2_000, 0

Array = NDArray[np.float64]


def relative_gap(needed: Array, available: Array) -> Array:
    """Return g = (D − S) / (D + S), in [−1, 1]; `nan` where nobody is needed nor available.

    Examples:
        >>> relative_gap(np.array([50.0, 0.0]), np.array([28.75, 0.0])).round(6).tolist()
        [0.269841, nan]
    """
    total = np.asarray(needed + available, dtype="float64")
    ratio = np.full_like(total, np.nan)
    np.divide(needed - available, total, out=ratio, where=total > 0)
    return ratio


def weighted_people(people_by_level: Array) -> Array:
    """Return level-weighted people; the last axis is levels 1 to 4.

    Examples:
        >>> float(weighted_people(np.array([10, 20, 30, 15])))
        50.0
    """
    return np.asarray(people_by_level @ np.array(LEVEL_WEIGHTS))


def skills_gap(
    needs: pd.DataFrame, supply: pd.DataFrame, need_factors: Mapping[str, Array]
) -> pd.DataFrame:
    """Return the gap of each branch × métier × skill that was asked about, with an interval.

    Args:
        needs: Table `skill_needs`: one row per branch, métier, skill and level, with
            `needed_headcount`, `respondents_count`.
        supply: Table `skill_supply`: the same with `available_headcount`, `respondents_count` and
            `coverage_pct`, the share of the métier's people that the source has seen.
        need_factors: Draws of posts to fill over their median, by métier (`need_factors`); needs of
            a métier without are taken as they are.

    Returns:
        One row per skill of `needs`: `needed`, `available` (level-weighted), `gap`, `lower`,
        `upper`, `interval_level`, `unweighted_gap`, `respondents_count` (of the side with fewest),
        `coverage_pct`, `status`: `value`; `nd` where supply was not observed or too few companies
        answered, never 0; `np` where nobody is needed nor available.

    Raises:
        DataError: With every cell that breaks the contract of a table, such as a negative count.

    Source:
        Methodology, S1. Sampling: people seen are Poisson counts, of variance reduced by the share
        that was seen; needs vary with the draws of posts to fill.

    Examples:
        >>> row = {"branch_code": "x", "metier_code": "A", "skill_code": "1", "origin": "own"}
        >>> levels = range(1, 5)
        >>> needs = pd.DataFrame([
        ...     row | {"skill_level": l, "needed_headcount": n, "respondents_count": 9}
        ...     for l, n in zip(levels, (10, 20, 30, 15))])
        >>> supply = pd.DataFrame([
        ...     row | {"skill_level": l, "available_headcount": n, "respondents_count": 9,
        ...            "coverage_pct": 100} for l, n in zip(levels, (25, 20, 10, 5))])
        >>> found = skills_gap(needs, supply, {}).iloc[0]
        >>> f"{found['gap']:.6f} {found['unweighted_gap']:.6f}"
        '0.269841 0.111111'
    """
    wanted = _by_level(needs, "skill_needs", "needed_headcount")
    seen = _by_level(supply, "skill_supply", "available_headcount").reindex(wanted.index)
    people, observed = (side[LEVELS].to_numpy() for side in (wanted, seen))
    fewest = np.fmin(wanted["respondents_count"], seen["respondents_count"]).astype("int64")
    table = pd.DataFrame(
        {
            "needed": weighted_people(people),
            "available": weighted_people(observed),
            "gap": relative_gap(weighted_people(people), weighted_people(observed)),
            "lower": np.nan,
            "upper": np.nan,
            "interval_level": INTERVAL_LEVEL,
            "unweighted_gap": relative_gap(people.sum(axis=1), observed.sum(axis=1)),
            "respondents_count": fewest,
            "coverage_pct": seen["coverage_pct"],
        },
        index=wanted.index,
    )
    is_supported = table["available"].notna() & (fewest >= LEAST_RESPONDENTS)
    table["status"] = np.select([~is_supported, table["gap"].isna()], ["nd", "np"], "value")
    draw = np.random.default_rng(SEED)
    is_measured = table["status"] == "value"
    shares, ones = seen["coverage_pct"].to_numpy() / 100, np.ones(1)
    bounds = [
        _interval(people[row], observed[row], shares[row], need_factors.get(metier, ones), draw)
        for row, (_, metier, _) in enumerate(table.index)
        if is_measured.iloc[row]
    ]
    low, high = np.reshape(bounds, (-1, 2)).T
    gaps = table.loc[is_measured, "gap"]
    table.loc[is_measured, "lower"] = np.minimum(low, gaps)
    table.loc[is_measured, "upper"] = np.maximum(high, gaps)
    measures = ["gap", "interval_level", "unweighted_gap"]
    table[measures] = table[measures].where(is_measured)
    return table.reset_index()


def need_factors(posts: pd.DataFrame) -> dict[str, Array]:
    """Return draws of posts to fill over their median, by métier, from their interval.

    Args:
        posts: `metier_code`, `posts_to_fill_headcount` (the median), `lower`, `upper`.

    Returns:
        Evenly spread draws of a normal variable stretched to each side of the median, cut at 0; no
        métier whose median is not above 0, or whose interval is not known.

    Examples:
        >>> posts = pd.DataFrame({"metier_code": ["A"], "posts_to_fill_headcount": [100.0],
        ...                       "lower": [80.0], "upper": [150.0]})
        >>> [round(float(each), 2) for each in np.quantile(need_factors(posts)["A"], [0.1, 0.9])]
        [0.8, 1.5]
    """
    normal = ndtri((np.arange(DRAWS) + 0.5) / DRAWS) / ndtri((1 + INTERVAL_LEVEL) / 2)
    known = posts.dropna(subset=["posts_to_fill_headcount", "lower", "upper"])
    factors = {}
    for row in known[known["posts_to_fill_headcount"] > 0].to_dict("records"):
        middle = row["posts_to_fill_headcount"]
        side = np.where(normal < 0, middle - row["lower"], row["upper"] - middle)
        factors[str(row["metier_code"])] = np.maximum(1 + normal * side / middle, 0)
    return factors


def _interval(
    people: Array, observed: Array, share: float, factors: Array, draw: np.random.Generator
) -> tuple[float, float]:
    """Return the bounds of the gap: needs times their draws, supply with its sampling."""
    needed = weighted_people(people) * draw.choice(factors, DRAWS)
    if 0 < share < 1:
        sampled = draw.gamma(observed * share + 0.5, 1 / share, (DRAWS, len(observed)))
        spread = sampled - (observed + 0.5 / share)
        observed = np.maximum(observed + np.sqrt(1 - share) * spread, 0)
    gaps = np.nan_to_num(relative_gap(needed, weighted_people(observed)))
    low, high = np.quantile(gaps, [(1 - INTERVAL_LEVEL) / 2, (1 + INTERVAL_LEVEL) / 2])
    return float(low), float(high)


def _by_level(survey: pd.DataFrame, name: str, people: str) -> pd.DataFrame:
    """Return one row per key: people at levels 1 to 4 (0 where none are given), least support."""
    tables.check(name, survey, name)
    wide = survey.pivot(index=KEY, columns="skill_level", values=people).reindex(columns=LEVELS)
    support = [column for column in ("respondents_count", "coverage_pct") if column in survey]
    return wide.fillna(0.0).join(survey.groupby(KEY)[support].min()).astype("float64")
