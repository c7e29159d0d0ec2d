"""Steps of `13_demandes_ensemble`: the review of requests of every branch.

It is the only chain that sees a register; others read what it was allowed to publish.
"""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from opmq_lib.methods.requests import denominators, measures, recommendations
from opmq_lib.questions.demandes.chain import CONTRACTS, FOLLOW_UP, REVIEW, no_rows
from opmq_lib.questions.shared import Tables
from opmq_lib.tables import check


def firms(inputs: Tables, registers: Tables) -> pd.DataFrame:
    """Return the companies of each branch and size band: published portraits, or own counts.

    Args:
        inputs: The study's input tables.
        registers: `requests`, `recommendations`, `company_counts`; tables without row where there
            is no register.

    Examples:
        >>> from opmq_lib.sources import study
        >>> counts = firms(study.load_inputs(), study.load_registers("", "", ""))
        >>> all_sizes = counts.query("branch_code == 'chimie' and size_band == 'all'")
        >>> all_sizes["firms_count"].round().tolist()
        [4380.0]
    """
    return denominators.firms(inputs["branch_headcount"], registers["company_counts"])


def review(
    registers: Tables, firms: pd.DataFrame, branch_codes: Sequence[str], last_day: date
) -> pd.DataFrame:
    """Return the review of the twelve months that end on a day; no row without a register.

    Args:
        registers: As for `firms`.
        firms: From `firms`.
        branch_codes: Branches of the study.
        last_day: Last day of the twelve months reviewed.

    Returns:
        Table `request_review`.
    """
    register = registers["requests"]
    if register.empty:
        return no_rows(REVIEW)
    return measures.review(register, firms, branch_codes, last_day)


def follow_up(registers: Tables, review: pd.DataFrame) -> pd.DataFrame:
    """Return what became of each recommendation of an earlier review: table `request_follow_up`."""
    requests = registers["requests"]
    return recommendations.follow_up(registers["recommendations"], review, requests)


def results(review: pd.DataFrame, follow_up: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return `demandes`, with the number of recommendations by state, and `demandes_suites`."""
    counted = recommendations.counted(follow_up, review)
    whole = pd.concat([review, counted], ignore_index=True) if len(counted) else review
    return {REVIEW: check(CONTRACTS[REVIEW], whole, REVIEW), FOLLOW_UP: follow_up}
