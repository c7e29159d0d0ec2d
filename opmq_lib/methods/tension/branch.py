"""What national tensions say of a branch: how many of its jobs are in the most tense métiers."""

import pandas as pd

from opmq_lib.methods.employment.measures import total_row
from opmq_lib.tables.indicators import ALL_METIERS

TOP_SHARE = 0.75
"""Rank share from which a métier is in the most tense quarter of all; source: method page, L5."""


def tense_share(jobs: pd.DataFrame, standing: pd.DataFrame) -> pd.DataFrame:
    """Return the share of all jobs of a branch in the most tense quarter of all métiers, in %.

    It is no tension measured in the branch. A mean index would hardly tell branches apart.

    Args:
        jobs: Rows of the `employment` contract of one branch in one year, one per métier, the rest
            of the branch included.
        standing: From `published.standing`. A métier without index is not in the quarter.

    Returns:
        `tense_jobs_share_pct`, with the 80 % interval and the grade of an estimate;
        `unranked_jobs_share_pct` (jobs of métiers without index); `national_tense_jobs_share_pct`
        (of all jobs of métiers with an index): three indicator rows.

    Source:
        Method page, L5.

    Examples:
        >>> jobs = pd.DataFrame({"branch_code": "verre", "metier_code": ["E1Z43", "D6Z70", "X"],
        ...     "year": 2018, "employment_headcount": [60.0, 30, 10], "nature": "observed",
        ...     "origin": "own"})
        >>> ranks = pd.DataFrame({"year": 2019, "rank_share": {"E1Z43": 0.2, "D6Z70": 0.9},
        ...     "employment_headcount": 50.0})
        >>> tense_share(jobs, ranks)["value"].tolist()
        [30.0, 10.0, 50.0]
    """
    rank_share = jobs["metier_code"].map(standing["rank_share"])
    heads = jobs["employment_headcount"]
    tense = total_row(jobs, rank_share >= TOP_SHARE)
    scaled = {end: 100 * tense[end] / heads.sum() for end in ("value", "lower", "upper")}
    unranked = 100 * heads[rank_share.isna()].sum() / heads.sum()
    everybody = standing["employment_headcount"]
    in_country = 100 * everybody[standing["rank_share"] >= TOP_SHARE].sum() / everybody.sum()
    others = pd.DataFrame(
        {
            "indicator": ["unranked_jobs_share_pct", "national_tense_jobs_share_pct"],
            "value": [unranked, in_country],
        }
    ).assign(metier_code=ALL_METIERS, nature=[tense["nature"].iloc[0], "observed"])
    rows = pd.concat([tense.assign(indicator="tense_jobs_share_pct", **scaled), others])
    return rows.assign(
        year=int(standing["year"].max()),
        unit="pct",
        origin="own" if jobs["origin"].eq("own").any() else "public",
        source_code="dares_tensions",
    )
