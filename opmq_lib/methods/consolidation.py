"""What branches have in common and what differs, from the employment of each."""

import numpy as np
import pandas as pd

from opmq_lib.methods.draws import DRAWS_COUNT, SEED
from opmq_lib.methods.employment.branches import RESIDUAL_BRANCH
from opmq_lib.methods.employment.levels import HEADS, INTERVAL_LEVEL, LOWER, UPPER, level_draws
from opmq_lib.methods.reliability import grades
from opmq_lib.tables.indicators import ALL_METIERS, largest_first

TOP = 10


def largest_metiers(jobs: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Return the largest métier of each branch with its share of the branch, in %.

    Args:
        jobs: Employment by branch and métier in one year: `branch_code, metier_code, value`.
        shares: Indicator rows `employment_share_pct` of the same branches.

    Returns:
        `largest_metier_share_pct`, one row per branch.
    """
    return _first_of_each(jobs, shares).assign(indicator="largest_metier_share_pct")


def domain_shares(jobs: pd.DataFrame) -> pd.DataFrame:
    """Return the share of each professional domain in a branch's métiers, in %.

    Args:
        jobs: `branch_code, metier_code, year, nature, origin, value, lower, upper` in one year,
            and `headcount_fit_ratio` of the branch; the first letter of a FAP code is its domain.

    Returns:
        `domain_share_pct`, one row per branch and domain; shares add up to 100 per branch. Those
        of an estimate have the 80 % interval of draws of all métiers, and a grade.

    Examples:
        >>> jobs = pd.DataFrame({"branch_code": "verre", "metier_code": ["E1Z43", "E2Z80", "G1Z70"],
        ...     "year": 2018, "nature": "estimate", "origin": "public", "value": [50.0, 10, 40],
        ...     "lower": [40.0, 5, 30], "upper": [62.5, 20, 53.3], "headcount_fit_ratio": 1.1})
        >>> shares = domain_shares(jobs)
        >>> shares[["metier_code", "value", "reliability_grade"]].to_numpy().tolist()
        [['E', 60.0, 'A'], ['G', 40.0, 'A']]
    """
    keys = ["branch_code", "metier_code", "year", "nature", "origin"]
    cells = jobs.rename(columns={"value": HEADS, "lower": LOWER, "upper": UPPER}).dropna(
        subset=HEADS
    )
    nodes, factors = level_draws(cells, DRAWS_COUNT, SEED)
    cells = nodes.merge(cells, on=["branch_code", "metier_code"])
    drawn = cells[[HEADS]].to_numpy() * factors
    parts = []
    for places in cells.groupby("branch_code").indices.values():
        domains = cells.iloc[places].assign(metier_code=lambda rows: rows["metier_code"].str[0])
        sums = domains.groupby(keys, as_index=False)[HEADS].sum()
        members = domains["metier_code"].to_numpy() == sums[["metier_code"]].to_numpy()
        shares = members @ drawn[places] / drawn[places].sum(axis=0)
        low, middle, high = 100 * np.quantile(shares, [0.1, 0.5, 0.9], axis=1)
        value = 100 * sums[HEADS] / sums[HEADS].sum()
        is_known = not domains["level_log_sd"].gt(0).any()
        ends = {"lower": value + low - middle, "upper": value + high - middle}
        letters = grades(ends["lower"], ends["upper"], str(domains["best_grade"].iloc[0]))
        parts.append(sums[keys].assign(value=value, reliability_grade="" if is_known else letters))
        if not is_known:
            parts[-1] = parts[-1].assign(**ends, interval_level=INTERVAL_LEVEL)
    table: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return table.assign(indicator="domain_share_pct", unit="pct")


def shared_metiers(jobs: pd.DataFrame) -> pd.DataFrame:
    """Return in how many branches each métier is among the ten largest.

    Args:
        jobs: `branch_code, metier_code, year, origin, value` in one year.

    Returns:
        `branches_in_top_ten_count`, one row per métier that is among them anywhere.
    """
    counts = (
        _ten_largest(jobs)
        .groupby("metier_code", as_index=False)
        .agg(value=("branch_code", "size"), year=("year", "max"))
    )
    return counts.assign(
        indicator="branches_in_top_ten_count",
        unit="branches",
        nature="estimate",
        origin="own" if (jobs["origin"] == "own").any() else "public",
    )


def core_acceptability(labels: pd.DataFrame) -> pd.DataFrame:
    """Return how often draws put each métier at the core of each branch, in %, and its label.

    Args:
        labels: Rows of the `labels` contract of all branches, one under the other.

    Returns:
        `core_acceptability_pct`, one row per branch and métier that was labelled; `level` is its
        label.

    Examples:
        >>> labels = pd.DataFrame({"branch_code": "verre", "question_code": ["core", "strategic"],
        ...     "metier_code": "E1Z43", "year": 2019, "acceptability_pct": [62.0, 5.0],
        ...     "label": "out", "status": "value", "nature": "estimate", "origin": "public"})
        >>> core_acceptability(labels)["value"].tolist()
        [62.0]
    """
    rows = labels[(labels["question_code"] == "core") & (labels["status"] == "value")]
    return rows[["branch_code", "metier_code", "year", "nature", "origin"]].assign(
        indicator="core_acceptability_pct",
        level=rows["label"],
        value=rows["acceptability_pct"],
        unit="pct",
    )


def recurring(listed: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return in how many branches each métier is on a list, and how surely.

    Args:
        listed: `branch_code`, `metier_code`, `presence_pct` (share of draws that put it on the
            branch's list), `year`, `origin`, of the métiers on the list of some branch.
        name: Of the list.

    Returns:
        `<name>_branches_count` and `<name>_presence_count` (sum over branches of the share of
        draws), one row each per métier; the first also for all métiers: branches with a list.

    Examples:
        >>> lists = pd.DataFrame({"branch_code": ["verre", "chimie", "chimie"], "year": 2018,
        ...     "metier_code": ["G1Z70", "G1Z70", "E1Z41"], "presence_pct": [90.0, 60, 100],
        ...     "origin": "public"})
        >>> recurring(lists, "core")[["metier_code", "indicator", "value"]].values.tolist()[:2]
        [['G1Z70', 'core_branches_count', 2.0], ['E1Z41', 'core_branches_count', 1.0]]
    """
    found = listed.groupby("metier_code").agg(
        branches=("branch_code", "nunique"), surely=("presence_pct", "sum")
    )
    found = found.sort_values(["branches", "surely"], ascending=False).astype("float64")
    lists = pd.Series({ALL_METIERS: float(listed["branch_code"].nunique())})
    counts = pd.concat([found["branches"], lists])
    parts = {"branches": counts, "presence": found["surely"] / 100}
    rows = [
        values.rename_axis("metier_code")
        .reset_index(name="value")
        .assign(indicator=f"{name}_{what}_count")
        for what, values in parts.items()
    ]
    table: pd.DataFrame = pd.concat(rows, ignore_index=True)
    return table.assign(
        year=listed["year"].max(),
        unit="branches",
        nature="estimate",
        origin="own" if (listed["origin"] == "own").any() else "public",
    )


def own_metiers(jobs: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Return the métiers that are among the ten largest of one branch only, with their share of it.

    What a small branch has of its own would disappear in any average; here each branch counts once.

    Args:
        jobs: `branch_code, metier_code, value` in one year.
        shares: Indicator rows `employment_share_pct` of the same branches.

    Returns:
        `own_metier_share_pct`, in %: one row per branch that has such a métier, its largest.
    """
    top = _ten_largest(jobs)
    alone = top[~top["metier_code"].duplicated(keep=False)]
    return _first_of_each(alone, shares).assign(indicator="own_metier_share_pct")


def tension_classes(shared: pd.DataFrame, tension: pd.DataFrame) -> pd.DataFrame:
    """Return the national tension class of the métiers that branches share.

    Args:
        shared: From `shared_metiers`.
        tension: Published index: `metier_code, year, tension_class`; its last year with classes.

    Returns:
        `tension_class`, one row per shared métier; none where nothing is published.
    """
    known = tension[tension["tension_class"].notna()]
    latest = known[known["year"] == known["year"].max()]
    found = shared[["metier_code"]].merge(latest[["metier_code", "year", "tension_class"]])
    return found.assign(
        indicator="tension_class",
        value=found["tension_class"].astype("float64"),
        unit="class_1_to_5",
        nature="observed",
        source_code="dares_tension",
    ).drop(columns="tension_class")


def outside_shares(heads: pd.DataFrame, year: int) -> pd.DataFrame:
    """Return the share of each métier's employees that no branch holds, in %.

    Args:
        heads: Estimated employees by métier (rows) and branch, what is outside all of them too.
        year: Of the estimate.

    Returns:
        `outside_branches_share_pct`, one row per métier that has employees.

    Examples:
        >>> heads = pd.DataFrame({"verre": [30.0], "hors_champ": [90.0]}, index=["H0Z90"])
        >>> outside_shares(heads, 2018)["value"].tolist()
        [75.0]
    """
    shares = 100 * heads[RESIDUAL_BRANCH] / heads.sum(axis=1)
    return (
        shares.dropna()
        .rename_axis("metier_code")
        .reset_index(name="value")
        .assign(indicator="outside_branches_share_pct", year=year, unit="pct", nature="estimate")
    )


def _ten_largest(jobs: pd.DataFrame) -> pd.DataFrame:
    ranked = largest_first(jobs)
    return ranked[ranked.groupby("branch_code").cumcount() < TOP]


def _first_of_each(jobs: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Return the share of each branch's largest métier."""
    first = largest_first(jobs).drop_duplicates("branch_code")[["branch_code", "metier_code"]]
    return first.merge(shares, on=["branch_code", "metier_code"])
