"""Chains of `13_demandes_ensemble` and `06_demandes`."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from opmq_lib.methods.requests import denominators, measures, recommendations
from opmq_lib.questions.shared import ALL_BRANCHES, Tables
from opmq_lib.tables import DESCRIPTIONS, check

REVIEW, FOLLOW_UP = "demandes", "demandes_suites"


def review_results(
    inputs: Tables, registers: Tables, branch_codes: Sequence[str], last_day: date
) -> dict[str, pd.DataFrame]:
    """Return the review of requests of every branch: what only this chain computes.

    It is the only one that sees a register; others read what it was allowed to tell.

    Args:
        inputs: The study's input tables.
        registers: `requests`, `recommendations`, `company_counts`; tables without row where there
            is no register.
        branch_codes: Branches of the study.
        last_day: Last day of the twelve months reviewed.

    Returns:
        `demandes` (table `request_review`) and `demandes_suites` (table `request_follow_up`); no
        row without a register.
    """
    register = registers["requests"]
    if register.empty:
        return _nothing()
    firms = denominators.firms(inputs["branch_headcount"], registers["company_counts"])
    review = measures.review(register, firms, branch_codes, last_day)
    follow = recommendations.follow_up(registers["recommendations"], review)
    counted = recommendations.counted(follow, review)
    whole = pd.concat([review, counted], ignore_index=True) if len(counted) else review
    return {REVIEW: check(measures.TABLE, whole, REVIEW), FOLLOW_UP: follow}


def request_results(common: Tables, branch_code: str) -> dict[str, pd.DataFrame]:
    """Return a branch's part of the review, with all branches together beside it.

    Args:
        common: Tables of `review_results`; none when that chain has not run.
        branch_code: Key of table `branches`.

    Returns:
        `demandes` and `demandes_suites`, rows renumbered.
    """
    if not common:
        return _nothing()
    review, follow = common[REVIEW], common[FOLLOW_UP]
    wanted = review["branch_code"].isin([branch_code, ALL_BRANCHES])
    wanted &= (review["branch_code"] == branch_code) | (review["topic_code"] == "all")
    return {
        REVIEW: review[wanted].reset_index(drop=True),
        FOLLOW_UP: follow[follow["branch_code"] == branch_code].reset_index(drop=True),
    }


def _nothing() -> dict[str, pd.DataFrame]:
    return {
        REVIEW: pd.DataFrame(columns=list(DESCRIPTIONS[measures.TABLE])),
        FOLLOW_UP: pd.DataFrame(columns=list(DESCRIPTIONS["request_follow_up"])),
    }
