"""What métiers ask for, read in the profiles of their ROME, and the posts that ask for it."""

import numpy as np
import pandas as pd

QUANTITIES = ["posts_to_fill_headcount", "lower", "upper"]
SHARES = {
    f"employment_share_pct{end}": end.strip("_") or "value" for end in ("", "_lower", "_upper")
}
MAIN_PART = 0.10
"""Least part of a métier that a ROME holds to be looked at; source: convention."""
LEAST_HIRES, MOST_HIRES_SHARE, MOST_ROMES = 30.0, 0.60, 3
"""Hires from which the main ROME of a métier are named, what they make of them, how many at most;
conventions."""
NO_HIRES, FEW_HIRES = "none", "few"
NO_HIRES_SHARE, FEW_HIRES_SHARE = 0.1, 0.5
"""Share of the hires that its jobs suppose under which a métier is hardly hired in a branch, or
little; conventions."""


def main_and_emerging(metier_skills: pd.DataFrame) -> pd.DataFrame:
    """Return the skills that a ROME carries as `principale` or `émergente`: its profile.

    Args:
        metier_skills: `rome_code`, `skill_code`, `importance`.

    Returns:
        `rome_code`, `skill_code`, each pair once.

    Examples:
        >>> links = pd.DataFrame({"rome_code": "H1", "skill_code": list("789"),
        ...                       "importance": ["principale", "émergente", "autre"]})
        >>> main_and_emerging(links)["skill_code"].tolist()
        ['7', '8']
    """
    kept = metier_skills[metier_skills["importance"] != "autre"]
    return kept[["rome_code", "skill_code"]].drop_duplicates()


def metiers_by_skill(links: pd.DataFrame) -> pd.DataFrame:
    """Return how many métiers (ROME) have each skill: `skill_code`, `metiers_count`."""
    counts = links.groupby("skill_code")["rome_code"].nunique()
    return counts.rename("metiers_count").reset_index()


def main_skills(links: pd.DataFrame, metier_skills: pd.DataFrame, top: int = 3) -> pd.DataFrame:
    """Return the main skills of each métier, from the profiles of its ROME.

    Args:
        links: `metier_code`, `rome_code`, `weight`: which ROME a métier has, and how much of it.
        metier_skills: `rome_code`, `skill_code`, `importance`.
        top: Skills kept per métier.

    Returns:
        `metier_code`, `skill_rank` (1, 2, …), `skill_code`: skills that are `principale` in most of
        the métier; at equal weight the one that fewest profiles have, then by code. No row for a
        métier whose ROME have no profile.

    Examples:
        >>> links = pd.DataFrame({"metier_code": "A", "rome_code": ["H1", "H2"], "weight": [3, 1]})
        >>> skills = pd.DataFrame({"rome_code": ["H1", "H2", "H2"], "skill_code": ["7", "8", "7"],
        ...                        "importance": "principale"})
        >>> main_skills(links, skills)["skill_code"].tolist()
        ['7', '8']
    """
    is_main = metier_skills["importance"] == "principale"
    main = metier_skills.loc[is_main, ["rome_code", "skill_code"]].drop_duplicates()
    weights = links.merge(main, on="rome_code").groupby(["metier_code", "skill_code"])["weight"]
    ranked = weights.sum().reset_index().merge(metiers_by_skill(main), on="skill_code")
    order = ["metier_code", "weight", "metiers_count", "skill_code"]
    ranked = ranked.sort_values(order, ascending=[True, False, True, True], ignore_index=True)
    ranked["skill_rank"] = ranked.groupby("metier_code").cumcount() + 1
    columns = ["metier_code", "skill_rank", "skill_code"]
    return ranked.loc[ranked["skill_rank"] <= top, columns].reset_index(drop=True)


def branch_hires(
    rome_naf_hires: pd.DataFrame, naf_branch: pd.DataFrame, branch_code: str
) -> pd.Series:
    """Return the hires of a branch's activities, by `rome_code`.

    Args:
        rome_naf_hires: `rome_code`, `naf_code`, `hires_count`.
        naf_branch: `naf_code`, `branch_code`, `share`: how activities are shared between branches.
        branch_code: The branch.
    """
    own = naf_branch[naf_branch["branch_code"] == branch_code]
    hires = rome_naf_hires.merge(own, on="naf_code")
    counted = hires["hires_count"].astype("float64") * hires["share"]
    return counted.groupby(hires["rome_code"]).sum()


def main_romes(shares: pd.DataFrame, in_branch: pd.Series) -> pd.Series:
    """Return the ROME that make most of what a branch hires in each métier.

    A métier of FAP-2009 is wider than its name, and what it mostly is differs between branches.

    Args:
        shares: `metier_code`, `rome_code`, `share` of the ROME that is of the métier.
        in_branch: Hires of the branch's activities, by `rome_code`.

    Returns:
        By `metier_code`, up to `MOST_ROMES` codes separated by a space, largest first: as many as
        make `MOST_HIRES_SHARE` of the hires. No métier under `LEAST_HIRES`, nor one whose hires are
        more scattered.

    Source:
        Method page, C1. ROME of a hire: the métier that the person was looking for.

    Examples:
        Moulders of boats, in a métier named after metal removal:

        >>> shares = pd.DataFrame({"metier_code": ["D1Z41", "D1Z41", "E0Z20"], "share": 0.5,
        ...                        "rome_code": ["H2903", "H3203", "H3301"]})
        >>> main_romes(shares, pd.Series({"H2903": 100.0, "H3203": 400.0, "H3301": 50.0})).to_dict()
        {'D1Z41': 'H3203'}
    """
    hires = shares["share"] * shares["rome_code"].map(in_branch).fillna(0.0)
    rows = shares.assign(hires=hires).sort_values(["hires", "rome_code"], ascending=[False, True])
    by_metier = rows.groupby("metier_code")["hires"]
    total, before = by_metier.transform("sum"), by_metier.cumsum() - rows["hires"]
    main = rows[(total >= LEAST_HIRES) & (before < MOST_HIRES_SHARE * total)]
    count = main.groupby("metier_code")["rome_code"].transform("size")
    return main[count <= MOST_ROMES].groupby("metier_code")["rome_code"].agg(" ".join)


def metier_hires(shares: pd.DataFrame, in_branch: pd.Series) -> pd.Series:
    """Return what a branch hires in each métier, in declarations, by `metier_code`.

    Args:
        shares: As for `main_romes`.
        in_branch: Likewise.
    """
    hires = shares["share"] * shares["rome_code"].map(in_branch).fillna(0.0)
    return hires.groupby(shares["metier_code"]).sum()


def hires_evidence(metiers: pd.DataFrame) -> pd.Series:
    """Return what hires say of the jobs that an estimate gives each métier of a branch.

    Args:
        metiers: `employment_headcount`, `branch_hires_count` (missing where employment is
            observed), `national_headcount`, `national_hires_count`.

    Returns:
        `none` under one hire, or under `NO_HIRES_SHARE` of those that the jobs suppose: as many for
        each job as in the country, scaled to all hires of the branch. `few` under
        `FEW_HIRES_SHARE` of them, `seen` above; missing where employment is observed.

    Source:
        Convention of the project, after readings of the lists by people who know the trades.

    Examples:
        >>> table = pd.DataFrame({"employment_headcount": 100.0, "national_headcount": 1000.0,
        ...     "branch_hires_count": [90.0, 36, 3, None], "national_hires_count": 500.0})
        >>> hires_evidence(table).fillna("").tolist()
        ['seen', 'seen', 'none', '']
    """
    heads = metiers["employment_headcount"].astype("float64")
    hires = metiers["branch_hires_count"].astype("float64")
    supposed = heads * metiers["national_hires_count"] / metiers["national_headcount"]
    supposed = supposed.where(hires.notna()).astype("float64")
    supposed = supposed / supposed.sum() * hires.sum()
    is_none = hires < (NO_HIRES_SHARE * supposed).clip(lower=1)
    is_few = hires < FEW_HIRES_SHARE * supposed
    found = pd.Series(np.select([is_none, is_few], [NO_HIRES, FEW_HIRES], "seen"), metiers.index)
    return found.where(hires.notna(), None)


def metier_romes(shares: pd.DataFrame, in_branch: pd.Series, everywhere: pd.Series) -> pd.DataFrame:
    """Return how much of each métier (FAP) its ROME are, by hires under each.

    Args:
        shares: `metier_code`, `rome_code`, `share` of the ROME that is of the métier.
        in_branch: Hires of the branch's activities, by `rome_code`.
        everywhere: Hires of all activities, for métiers of which the branch hires nobody.

    Returns:
        `metier_code`, `rome_code`, `weight`.

    Examples:
        >>> shares = pd.DataFrame({"metier_code": ["A", "A", "B"], "rome_code": ["1", "2", "3"],
        ...                        "share": [1.0, 0.5, 1.0]})
        >>> everywhere = pd.Series({"1": 50.0, "2": 50.0, "3": 7.0})
        >>> metier_romes(shares, pd.Series({"1": 2.0, "2": 4.0}), everywhere)["weight"].tolist()
        [2.0, 2.0, 7.0]
    """
    own, every = (
        shares["share"] * shares["rome_code"].map(hires).fillna(0.0)
        for hires in (in_branch, everywhere)
    )
    is_hired = own.groupby(shares["metier_code"]).transform("sum") > 0
    return shares[["metier_code", "rome_code"]].assign(weight=own.where(is_hired, every))


def jobs_by_rome(metiers: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Return the share of a branch's jobs that each ROME of some métiers holds, in %.

    Args:
        metiers: `metier_code`, `employment_share_pct` (of the branch) with `_lower` and `_upper`.
        links: `metier_code`, `rome_code`, `weight`: a métier's jobs go to its ROME in proportion,
            those that hold less than `MAIN_PART` of it left out.

    Returns:
        `rome_code`, `value`, `lower`, `upper`, largest first. Bounds of métiers are added.

    Source:
        Convention of the project: no source counts the jobs of a branch by ROME.

    Examples:
        >>> metiers = pd.DataFrame({"metier_code": ["A", "B"], "employment_share_pct": [10.0, 4],
        ...     "employment_share_pct_lower": [6.0, 2], "employment_share_pct_upper": [18.0, 6]})
        >>> links = pd.DataFrame({"metier_code": ["A", "A", "B"], "rome_code": ["H1", "H2", "H1"],
        ...                       "weight": [19, 1, 3]})
        >>> jobs_by_rome(metiers, links).round(6).to_dict("list")
        {'rome_code': ['H1'], 'value': [13.5], 'lower': [7.7], 'upper': [23.1]}
    """
    held = main_parts(links).merge(metiers, on="metier_code")
    shares = held[[*SHARES]].mul(held["part"], axis=0).groupby(held["rome_code"]).sum()
    table = shares.rename(columns=SHARES).reset_index()
    return table.sort_values(["value", "rome_code"], ascending=[False, True], ignore_index=True)


def jobs_by_skill(links: pd.DataFrame, jobs: pd.DataFrame) -> pd.DataFrame:
    """Return the share of a branch's jobs whose ROME carries each skill.

    Args:
        links: `rome_code`, `skill_code`, each pair once.
        jobs: From `jobs_by_rome`; a ROME that is not there counts for nothing.

    Returns:
        `skill_code`, `metiers_count` (ROME that carry it), `value`, `lower`, `upper` (%).

    Examples:
        >>> links = pd.DataFrame({"rome_code": ["H1", "H2", "H3"], "skill_code": ["7", "7", "8"]})
        >>> jobs = pd.DataFrame({"rome_code": ["H1", "H2"], "value": [13.5, 2.0], "lower": 1.0,
        ...                      "upper": 30.0})
        >>> jobs_by_skill(links, jobs).to_numpy().tolist()
        [['7', 2, 15.5, 2.0, 60.0]]
    """
    carried = links.merge(jobs, on="rome_code")
    sums = carried.groupby("skill_code")[[*SHARES.values()]].sum()
    return metiers_by_skill(carried).merge(sums, on="skill_code")


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
    shared = _parts(links).merge(posts, on="metier_code")
    shared[QUANTITIES] = shared[QUANTITIES].mul(shared["part"], axis=0)
    return shared.groupby("rome_code")[QUANTITIES].sum(min_count=1).reset_index()


def profile_share_pct(
    posts: pd.DataFrame, by_rome: pd.DataFrame, metier_skills: pd.DataFrame
) -> float:
    """Return the share of posts to fill (above 0) that go to a ROME with a profile, in %.

    Args:
        posts: Posts of métiers, as for `posts_by_rome`.
        by_rome: What it returns.
        metier_skills: `rome_code`: profiles that are known.

    Returns:
        A percentage; `nan` where there is no post to fill.
    """
    name = QUANTITIES[0]
    total = posts.loc[posts[name] > 0, name].sum()
    is_known = (by_rome[name] > 0) & by_rome["rome_code"].isin(metier_skills["rome_code"])
    return float(100 * by_rome.loc[is_known, name].sum() / total) if total > 0 else float("nan")


def posts_by_skill(posts: pd.DataFrame, metier_skills: pd.DataFrame) -> pd.DataFrame:
    """Return the posts to fill in whose profile each skill stands; this is no gap.

    Args:
        posts: `rome_code`, `posts_to_fill_headcount`, `lower`, `upper`: one row per ROME.
        metier_skills: `rome_code`, `skill_code`, `importance`.

    Returns:
        `skill_code`, `metiers_count`, `posts_to_fill_headcount`, `lower`, `upper`: posts of the
        ROME whose profile carries the skill; posts are not shared out between skills, so the rows
        do not add up. Bounds of ROME are added, as if their errors went together: the interval is
        wider rather than narrower than it says.

    Examples:
        >>> posts = pd.DataFrame({"rome_code": ["H1", "H2"], "posts_to_fill_headcount": [10., 5.],
        ...                       "lower": [8., 4.], "upper": [12., 7.]})
        >>> links = pd.DataFrame({"rome_code": ["H1", "H2", "H2"], "skill_code": ["7", "7", "8"],
        ...                       "importance": ["principale", "émergente", "autre"]})
        >>> posts_by_skill(posts, links).to_dict("split")["data"]
        [['7', 2, 15.0, 12.0, 19.0]]
    """
    links = main_and_emerging(metier_skills).merge(posts, on="rome_code")
    sums = links.groupby("skill_code")[QUANTITIES].sum(min_count=1)
    return metiers_by_skill(links).merge(sums, on="skill_code")


def main_parts(links: pd.DataFrame) -> pd.DataFrame:
    """Return the ROME that hold `MAIN_PART` or more of a métier, and the `part` that each holds."""
    parts = _parts(links)
    main: pd.DataFrame = parts[parts["part"] >= MAIN_PART]
    return main


def _parts(links: pd.DataFrame) -> pd.DataFrame:
    """Return the ROME of métiers with the part of its métier that each holds, above 0."""
    kept = links[links["weight"] > 0]
    whole = kept.groupby("metier_code")["weight"].transform("sum")
    return kept.assign(part=kept["weight"] / whole)
