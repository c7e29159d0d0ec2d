"""Needed against available people, skill by skill (S1), and what open data support instead."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from opmq_lib.errors import Defect, RangeError
from opmq_lib.methods.skills.profiles import carried

LEVEL_WEIGHTS: Final = (0.25, 0.5, 0.75, 1.0)
"""Weight of one person at levels 1 to 4; source: convention (methodology, S1)."""
LEAST_RESPONDENTS: Final = 5
"""Companies that must have answered on each side; source: convention."""
KEY: Final = ["branch_code", "metier_code", "skill_code"]
DRAWS, SEED = 2_000, 0
Factors = NDArray[np.float64] | Mapping[str, NDArray[np.float64]]
"""Draws of posts to fill over their median: of all métiers, or by métier."""


def relative_gap(needed: float, available: float) -> float:
    """Return g = (D − S) / (D + S), in [−1, 1]; `nan` where nobody is needed nor available.

    Raises:
        RangeError: If a number is negative.

    Examples:
        >>> round(relative_gap(50.0, 28.75), 6)
        0.269841
    """
    if min(needed, available) < 0:
        where, fix = "needed or available people", "correct the count"
        raise RangeError([Defect(where, "a negative count", "0 or more", fix)])
    total = needed + available
    return (needed - available) / total if total > 0 else float("nan")


def weighted_people(people_by_level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return level-weighted people; the last axis is levels 1 to 4.

    Examples:
        >>> float(weighted_people(np.array([10, 20, 30, 15])))
        50.0
    """
    return np.asarray(people_by_level @ np.array(LEVEL_WEIGHTS))


def skills_gap(
    needs: pd.DataFrame,
    supply: pd.DataFrame,
    need_factors: Factors | None = None,
    interval_level: float = 0.8,
) -> pd.DataFrame:
    """Return the gap of each branch × métier × skill that was asked about, with an interval.

    Args:
        needs: Table `skill_needs`: one row per branch, métier, skill and level, with
            `needed_headcount`, `respondents_count`.
        supply: Table `skill_supply`: the same with `available_headcount`, `respondents_count` and
            `coverage_pct`, the share of the métier's people that the source has seen.
        need_factors: Draws of posts to fill over their median, from the needs question, the same
            for all or by métier; without, or for a métier without, needs are taken as they are.
        interval_level: Probability inside the interval.

    Returns:
        One row per skill of `needs`: `needed`, `available` (level-weighted), `gap`, `lower`,
        `upper`, `unweighted_gap`, `respondents_count` (of the side with fewest), `coverage_pct`,
        `status`: `value`; `nd` where supply was not observed or too few companies answered, never
        0; `np` where nobody is needed nor available.

    Raises:
        RangeError: If a count is negative or a coverage outside 0–100; says every row.

    Source:
        Methodology, S1. Sampling: people seen are Poisson counts, of variance reduced by the share
        that was seen; needs vary with the draws of posts to fill.

    Examples:
        >>> row = {"branch_code": "x", "metier_code": "A", "skill_code": "1"}
        >>> levels = range(1, 5)
        >>> needs = pd.DataFrame([
        ...     row | {"skill_level": l, "needed_headcount": n, "respondents_count": 9}
        ...     for l, n in zip(levels, (10, 20, 30, 15))])
        >>> supply = pd.DataFrame([
        ...     row | {"skill_level": l, "available_headcount": n, "respondents_count": 9,
        ...            "coverage_pct": 100} for l, n in zip(levels, (25, 20, 10, 5))])
        >>> found = skills_gap(needs, supply).iloc[0]
        >>> f"{found['gap']:.6f} {found['unweighted_gap']:.6f}"
        '0.269841 0.111111'
    """
    _check(needs, "needed_headcount")
    _check(supply, "available_headcount")
    wanted, present = _by_level(needs, "needed_headcount"), _by_level(supply, "available_headcount")
    factors = _factors_by_metier(need_factors, wanted.index.get_level_values("metier_code"))
    draw = np.random.default_rng(SEED)
    rows = []
    supplied = {tuple(key): row for key, row in zip(present.index, _rows(present), strict=True)}
    for key, people in zip(wanted.index, _rows(wanted), strict=True):
        respondents = int(people["respondents_count"])
        row = dict(zip(KEY, key, strict=True)) | {"needed": float(weighted_people(_levels(people)))}
        if tuple(key) not in supplied:
            rows.append(row | {"respondents_count": respondents, "status": "nd"})
            continue
        seen = supplied[tuple(key)]
        fewest = min(respondents, int(seen["respondents_count"]))
        row |= {
            "available": float(weighted_people(_levels(seen))),
            "respondents_count": fewest,
            "coverage_pct": float(seen["coverage_pct"]),
        }
        if fewest < LEAST_RESPONDENTS:
            rows.append(row | {"status": "nd"})
            continue
        gap = relative_gap(row["needed"], row["available"])
        if np.isnan(gap):
            rows.append(row | {"status": "np"})
            continue
        plain = relative_gap(_levels(people).sum(), _levels(seen).sum())
        low, high = _interval(people, seen, factors[key[1]], interval_level, draw)
        rows.append(
            row
            | {"gap": gap, "lower": min(low, gap), "upper": max(high, gap)}
            | {"unweighted_gap": plain, "interval_level": interval_level, "status": "value"}
        )
    columns = [
        *KEY, "needed", "available", "gap", "lower", "upper", "interval_level", "unweighted_gap",
        "respondents_count", "coverage_pct", "status",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def posts_by_rome(posts: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Return the posts to fill of métiers (FAP), shared out between their ROME.

    Args:
        posts: `metier_code`, `posts_to_fill_headcount`, `lower`, `upper`: one row per métier.
        links: `metier_code`, `rome_code`, `weight`: a métier's posts go to its ROME in proportion.

    Returns:
        `rome_code`, `posts_to_fill_headcount`, `lower`, `upper`. Posts of a métier whose weights
        are all 0 go nowhere.

    Source:
        Convention of the project: no source counts posts to fill by ROME.

    Examples:
        >>> posts = pd.DataFrame({"metier_code": ["A"], "posts_to_fill_headcount": [10.0],
        ...                       "lower": [4.0], "upper": [16.0]})
        >>> links = pd.DataFrame({"metier_code": "A", "rome_code": ["H1", "H2"], "weight": [3, 1]})
        >>> posts_by_rome(posts, links)["posts_to_fill_headcount"].tolist()
        [7.5, 2.5]
    """
    kept = links[links["weight"] > 0]
    part = kept["weight"] / kept.groupby("metier_code")["weight"].transform("sum")
    shared = kept.assign(part=part).merge(posts, on="metier_code")
    quantities = ["posts_to_fill_headcount", "lower", "upper"]
    shared[quantities] = shared[quantities].mul(shared["part"], axis=0)
    return shared.groupby("rome_code")[quantities].sum(min_count=1).reset_index()


def needs_by_skill(posts: pd.DataFrame, metier_skills: pd.DataFrame) -> pd.DataFrame:
    """Return the posts to fill in whose profile each skill stands; this is no gap.

    Args:
        posts: `rome_code`, `posts_to_fill_headcount`: projected posts, one row per ROME; `lower`
            and `upper` where there is an interval.
        metier_skills: `rome_code`, `skill_code`, `importance`.

    Returns:
        `skill_code`, `metiers_count`, `posts_to_fill_headcount`, and the bounds if given: posts of
        the ROME whose profile carries the skill as `principale` or `émergente`; posts are not
        shared out between skills, so the rows do not add up. Bounds of ROME are added, as if their
        errors went together: the interval is wider rather than narrower than it says.

    Examples:
        >>> posts = pd.DataFrame({"rome_code": ["H1", "H2"], "posts_to_fill_headcount": [10., 5.]})
        >>> links = pd.DataFrame({"rome_code": ["H1", "H2", "H2"], "skill_code": ["7", "7", "8"],
        ...                       "importance": ["principale", "émergente", "autre"]})
        >>> needs_by_skill(posts, links).to_dict("records")
        [{'skill_code': '7', 'metiers_count': 2, 'posts_to_fill_headcount': 15.0}]
    """
    kept = carried(metier_skills)
    links = kept[["rome_code", "skill_code"]].drop_duplicates().merge(posts, on="rome_code")
    quantities = [name for name in ("posts_to_fill_headcount", "lower", "upper") if name in posts]
    by_skill = links.groupby("skill_code")
    counts = by_skill["rome_code"].nunique().rename("metiers_count").to_frame()
    return counts.join(by_skill[quantities].sum(min_count=1)).reset_index()


def need_factors(
    posts: pd.DataFrame, interval_level: float = 0.8
) -> dict[str, NDArray[np.float64]]:
    """Return draws of posts to fill over their median, by métier, from their interval.

    Args:
        posts: `metier_code`, `posts_to_fill_headcount` (the median), `lower`, `upper`.
        interval_level: Probability inside the interval.

    Returns:
        Evenly spread draws of a normal variable stretched to each side of the median, cut at 0; no
        métier whose median is not above 0, or whose interval is not known.

    Examples:
        >>> posts = pd.DataFrame({"metier_code": ["A"], "posts_to_fill_headcount": [100.0],
        ...                       "lower": [80.0], "upper": [150.0]})
        >>> [round(float(each), 2) for each in np.quantile(need_factors(posts)["A"], [0.1, 0.9])]
        [0.8, 1.5]
    """
    normal = norm.ppf((np.arange(DRAWS) + 0.5) / DRAWS) / norm.ppf((1 + interval_level) / 2)
    told = posts.dropna(subset=["posts_to_fill_headcount", "lower", "upper"])
    found = {}
    for row in told[told["posts_to_fill_headcount"] > 0].to_dict("records"):
        middle = row["posts_to_fill_headcount"]
        side = np.where(normal < 0, middle - row["lower"], row["upper"] - middle)
        found[str(row["metier_code"])] = np.maximum(1 + normal * side / middle, 0)
    return found


def _factors_by_metier(
    given: Factors | None, metier_codes: pd.Index
) -> Mapping[str, NDArray[np.float64]]:
    alone = np.ones(1)
    if isinstance(given, Mapping):
        return {code: given.get(code, alone) for code in metier_codes}
    every = alone if given is None else np.asarray(given, dtype="float64")
    return dict.fromkeys(metier_codes, every)


def _interval(
    people: pd.Series,
    seen: pd.Series,
    factors: NDArray[np.float64],
    level: float,
    draw: np.random.Generator,
) -> tuple[float, float]:
    """Return the bounds of the gap: needs times their draws, supply with its sampling."""
    needed = weighted_people(_levels(people)) * draw.choice(factors, DRAWS)
    share = float(seen["coverage_pct"]) / 100
    counts = _levels(seen)
    if 0 < share < 1:
        sampled = draw.gamma(counts * share + 0.5, 1 / share, (DRAWS, len(counts)))
        spread = sampled - (counts + 0.5 / share)
        counts = np.maximum(counts + np.sqrt(1 - share) * spread, 0)
    available = weighted_people(counts)
    total = needed + available
    gaps = np.divide(needed - available, total, out=np.zeros_like(total), where=total > 0)
    low, high = np.quantile(gaps, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _by_level(table: pd.DataFrame, people: str) -> pd.DataFrame:
    """Return one row per key: people at levels 1 to 4 (0 where not told), least support."""
    wide = table.pivot(index=KEY, columns="skill_level", values=people)
    wide = wide.reindex(columns=range(1, 5)).fillna(0.0)
    support = [name for name in ("respondents_count", "coverage_pct") if name in table]
    return wide.join(table.groupby(KEY)[support].min())


def _rows(table: pd.DataFrame) -> list[pd.Series]:
    return [row for _, row in table.iterrows()]


def _levels(row: pd.Series) -> NDArray[np.float64]:
    return row[list(range(1, 5))].to_numpy(dtype="float64")


def _check(table: pd.DataFrame, people: str) -> None:
    bad = table[table[people].isna() | (table[people] < 0)]
    defects = [
        Defect(
            f"{people}, {' × '.join(str(row[name]) for name in KEY)}, level {row['skill_level']}",
            "a negative or missing count",
            "0 or more",
            "correct the cell",
        )
        for row in bad.to_dict("records")
    ]
    if "coverage_pct" in table:
        outside = table[~table["coverage_pct"].between(0, 100, inclusive="right")]
        defects += [
            Defect(
                f"coverage_pct, {' × '.join(str(row[name]) for name in KEY)}",
                "a coverage outside 0–100",
                "above 0 and up to 100",
                "correct the cell; drop the row if nobody was seen",
            )
            for row in outside.to_dict("records")
        ]
    if defects:
        raise RangeError(defects)
