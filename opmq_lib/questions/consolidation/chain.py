"""Steps of `10_consolidation`: what branches have in common and what differs."""

import pandas as pd

from opmq_lib.methods import consolidation, core
from opmq_lib.questions.shared import ALL_BRANCHES, Tables, estimate, studied, without_residual
from opmq_lib.tables import INDICATOR_COLUMNS, indicators

NAME = "consolidation"


def metiers(jobs: pd.DataFrame) -> pd.DataFrame:
    """Return employment of each branch by métier in its last year.

    Args:
        jobs: The `emplois` tables of all branches, one under the other; may be empty.

    Examples:
        >>> jobs = pd.DataFrame({"year": [2017, 2018], "value": [90.0, 100.0]})
        >>> jobs = jobs.assign(branch_code="chimie", metier_code="E1Z43")
        >>> jobs["indicator"] = "employment_headcount"
        >>> metiers(jobs)[["year", "value"]].to_dict("list")
        {'year': [2018], 'value': [100.0]}
    """
    if jobs.empty:
        return pd.DataFrame(columns=list(INDICATOR_COLUMNS))
    levels = without_residual(indicators.select(jobs, "employment_headcount"))
    return levels[levels["year"] == levels.groupby("branch_code")["year"].transform("max")]


def differences(jobs: pd.DataFrame, metiers: pd.DataFrame) -> pd.DataFrame:
    """Return, as indicators, what distinguishes each branch.

    Args:
        jobs: As for `metiers`.
        metiers: From `metiers`.

    Returns:
        By branch: headcount, largest métier, the largest métier that it alone has among its ten
        first, share of each professional domain.
    """
    if metiers.empty:
        return metiers
    shares = indicators.select(jobs, "employment_share_pct")
    ratios = indicators.select(jobs, "headcount_fit_ratio").set_index("branch_code")["value"]
    fit = metiers["branch_code"].map(ratios)
    parts = [
        indicators.select(jobs, "branch_headcount"),
        consolidation.largest_metiers(metiers, shares),
        consolidation.own_metiers(metiers, shares),
        consolidation.domain_shares(metiers.assign(headcount_fit_ratio=fit)),
    ]
    return indicators.stack(parts, ALL_BRANCHES, NAME)


def common(inputs: Tables, metiers: pd.DataFrame) -> pd.DataFrame:
    """Return, as indicators, what branches share and what they leave out.

    Returns:
        By métier: the number of branches where it is among the ten largest, its tension class, the
        share of its employees outside the branches.
    """
    if metiers.empty:
        return metiers
    estimated = estimate(inputs)
    heads = estimated.heads
    studied_heads = heads[heads.index.isin(studied(inputs, "metiers")["metier_code"])]
    shared = consolidation.shared_metiers(metiers)
    parts = [
        shared,
        consolidation.tension_classes(shared, inputs["tension"]),
        consolidation.outside_shares(studied_heads, estimated.year),
    ]
    return indicators.stack(parts, ALL_BRANCHES, NAME)


def recurring(shortlists: pd.DataFrame, cores: pd.DataFrame) -> pd.DataFrame:
    """Return, as indicators, the métiers that recur in the lists of branches.

    Args:
        shortlists: The `shortlist` tables of all branches, one under the other; may be empty.
        cores: Their `coeurs` tables; may be empty.

    Returns:
        Of what to look at first (`shortlist_…`) and of the core (`core_…`): rows of
        `consolidation.recurring`, none where no branch has a métier on its list.
    """
    lists = {}
    if not shortlists.empty:
        lists["shortlist"] = shortlists[shortlists["is_shown"] == "yes"]
    if not cores.empty:
        listed = core.attested(cores[cores["question_code"] == "core"])
        lists["core"] = listed.rename(columns={"acceptability_pct": "presence_pct"})
    parts = [consolidation.recurring(rows, name) for name, rows in lists.items() if len(rows)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def results(
    differences: pd.DataFrame,
    common: pd.DataFrame,
    cores: pd.DataFrame,
    recurring: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Return the result table, from those of the steps above.

    Args:
        differences: From `differences`.
        common: From `common`.
        cores: The `coeurs` tables of all branches, one under the other; may be empty.
        recurring: From `recurring`.

    Returns:
        `consolidation`: all three, and how often draws put a métier at the core of a branch.
    """
    parts = [differences, common, recurring]
    if not (differences.empty or cores.empty):
        parts.append(consolidation.core_acceptability(cores))
    known = [part for part in parts if not part.empty]
    return {NAME: indicators.stack(known, ALL_BRANCHES, NAME) if known else differences}
