"""Steps of `06_demandes`: a branch's part of the review of requests."""

from typing import Final

import pandas as pd

from opmq_lib.questions.shared import ALL_BRANCHES, Tables
from opmq_lib.tables import DESCRIPTIONS

REVIEW, FOLLOW_UP = "demandes", "demandes_suites"
CONTRACTS: Final = {REVIEW: "request_review", FOLLOW_UP: "request_follow_up"}


def no_rows(name: str) -> pd.DataFrame:
    """Return a result table without row."""
    return pd.DataFrame(columns=list(DESCRIPTIONS[CONTRACTS[name]]))


def review(common: Tables, branch_code: str) -> pd.DataFrame:
    """Return a branch's part of the review, with all branches and topics together beside it.

    Args:
        common: Results of `13_demandes_ensemble`; none when it has not run.
        branch_code: Key of table `branches`.

    Returns:
        Rows of table `request_review`, renumbered.

    Examples:
        >>> rows = pd.DataFrame({"branch_code": ["chimie", "textile", "ensemble"]})
        >>> review({REVIEW: rows.assign(topic_code="all")}, "chimie")["branch_code"].tolist()
        ['chimie', 'ensemble']
    """
    if not common:
        return no_rows(REVIEW)
    table = common[REVIEW]
    together = table["branch_code"].eq(ALL_BRANCHES) & table["topic_code"].eq("all")
    return table[table["branch_code"].eq(branch_code) | together].reset_index(drop=True)


def follow_up(common: Tables, branch_code: str) -> pd.DataFrame:
    """Return what became of the branch's recommendations: rows of table `request_follow_up`."""
    if not common:
        return no_rows(FOLLOW_UP)
    table = common[FOLLOW_UP]
    return table[table["branch_code"] == branch_code].reset_index(drop=True)


def results(review: pd.DataFrame, follow_up: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the result tables of a branch: `demandes` and `demandes_suites`."""
    return {REVIEW: review, FOLLOW_UP: follow_up}
