"""Chain of `10_consolidation`."""

import pandas as pd

from opmq_lib.methods import consolidation, employment
from opmq_lib.params import EditionParams
from opmq_lib.questions.shared import ALL_BRANCHES, Tables, estimate, without_residual
from opmq_lib.tables import INDICATOR_COLUMNS, indicators


def consolidation_results(
    inputs: Tables,
    jobs: pd.DataFrame,
    edition: EditionParams,
    labels: pd.DataFrame | None = None,
) -> dict[str, pd.DataFrame]:
    """Return the result table of `10_consolidation`.

    Args:
        inputs: The study's input tables.
        jobs: The `emplois` tables of all branches, one under the other; may be empty.
        edition: Gives the base year.
        labels: The `coeurs` tables of all branches, one under the other, if there are any.

    Returns:
        `consolidation`: indicators; by branch its headcount, largest métier, share of each
        professional domain, the largest métier that it alone has among its ten first, and how often
        draws of weights put a métier at its core; by métier the number of branches where it is
        among the ten largest, its tension class and the share of its national employment outside
        the branches.
    """
    if jobs.empty:
        return {"consolidation": pd.DataFrame(columns=list(INDICATOR_COLUMNS))}
    levels = without_residual(indicators.select(jobs, "employment_headcount"))
    base = levels[levels["year"] == levels.groupby("branch_code")["year"].transform("max")]
    national = indicators.last_year(without_residual(estimate(inputs, edition.base_year)))
    shares, shared = (
        indicators.select(jobs, "employment_share_pct"),
        consolidation.shared_metiers(base),
    )
    parts = [
        indicators.select(jobs, "branch_headcount"),
        consolidation.largest_metiers(base, shares),
        consolidation.own_metiers(base, shares),
        consolidation.domain_shares(base),
        shared,
        consolidation.tension_classes(shared, inputs["tension"]),
        consolidation.outside_shares(national, employment.RESIDUAL_BRANCH),
    ]
    if labels is not None and not labels.empty:
        parts.append(consolidation.core_acceptability(labels))
    return {"consolidation": indicators.stack(parts, ALL_BRANCHES, "consolidation")}
