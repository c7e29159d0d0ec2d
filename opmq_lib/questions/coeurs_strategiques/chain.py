"""Steps of `04_coeurs_strategiques`: which métiers are core or strategic, why, and how surely."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from opmq_lib.methods import core, criteria
from opmq_lib.methods.tension import survey
from opmq_lib.params import EditionParams, Question
from opmq_lib.questions.shared import Tables, field_employment, in_field, studied
from opmq_lib.tables import DESCRIPTIONS, check, indicators
from opmq_lib.tables.fap import METIER_LENGTH

LEAST_SHARE_PCT = 0.1
"""Least share of the branch's employment of a métier that is labelled (convention)."""


def questions(asked: Sequence[Question]) -> pd.DataFrame:
    """Return the questions of a branch as a table: one row per question and criterion.

    A researcher may change any cell, or weights by `core.reweighted`.

    Args:
        asked: The questions in the branch's parameter file.

    Returns:
        The columns of contract `questions` but for branch and origin, and `voted_metiers`, the
        codes of the métiers that the vote put on the list, separated by spaces.
    """
    rows = []
    for question in asked:
        shared = question.model_dump(exclude={"criteria", "vote", "voted_metiers"})
        vote = question.vote
        shared |= {
            "vote_date": "" if vote is None else vote.date.isoformat(),
            "vote_body": "" if vote is None else vote.body,
            "minutes_reference": "" if vote is None else vote.minutes_reference,
            "voted_metiers": " ".join(question.voted_metiers),
        }
        rows += [shared | criterion.model_dump() for criterion in question.criteria]
    return pd.DataFrame(rows).astype({"threshold": float})


def jobs(inputs: Tables, branch_code: str, edition: EditionParams) -> pd.DataFrame:
    """Return the branch's employment by métier in its last year, in heads.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        edition: Gives the base year.

    Returns:
        Rows of the `employment` contract, with the residual where it is known. Without a published
        headcount the métiers are the national ones, and their jobs are missing.
    """
    known = field_employment(inputs, branch_code, edition.base_year)
    if not known.empty:
        return indicators.last_year(known)
    national = indicators.last_year(studied(inputs, "employment_national"))
    metiers = national[national["metier_code"].str.len() == METIER_LENGTH]
    unknown = ("year", "employment_headcount", "units_count", "largest_share_pct")
    facts = {"nature": "observed", "origin": "public", "source_code": ""}
    return metiers.assign(branch_code=branch_code, **dict.fromkeys(unknown, np.nan), **facts)


def values(inputs: Tables, branch_code: str, employed: pd.DataFrame) -> pd.DataFrame:
    """Return what each criterion is worth for each métier of a branch.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        employed: From `jobs`; métiers under `LEAST_SHARE_PCT` of them are left out.

    Returns:
        One row per métier and criterion: ready criteria from public tables and the branch's jobs,
        and those that the branch supplies.
    """
    own = inputs["own_criterion_values"]
    own = own[own["branch_code"] == branch_code].assign(nature="observed")
    surveyed = in_field(inputs, inputs["recruitment_intentions"])
    surveyed = indicators.last_year(surveyed[surveyed["nomenclature"] == survey.OLD])
    hard_to_fill = indicators.select(survey.hard_to_fill(surveyed), "hard_to_fill_share_pct")
    hired = criteria.employment_values(
        employed, indicators.last_year(inputs["employment_national"])
    )
    shares = hired[hired["criterion_code"] == "employment_share"]
    return criteria.gather(
        [criteria.public_values(inputs, hard_to_fill), hired, own],
        shares.loc[~(shares["value"] < LEAST_SHARE_PCT), "metier_code"].tolist(),
        hidden=criteria.under_threshold(own) | criteria.under_threshold(employed),
    )


def results(
    branch_code: str, asked: pd.DataFrame, scored: pd.DataFrame, labelled: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return the result tables of `04_coeurs_strategiques` for one branch.

    Args:
        branch_code: Key of table `branches`.
        asked: From `questions`.
        scored: From `core.reasons`.
        labelled: From `core.labels`.

    Returns:
        `coeurs` (label of each métier for each question), `raisons` (what each criterion is worth
        for it) and `criteres` (criteria, goalposts, weights and vote of each question).
    """
    votes = asked.groupby("question_code")[["vote_date", "voted_metiers"]].first()
    rows = labelled.join(votes, on="question_code")
    voted = [
        "none" if not date else "yes" if code in listed.split() else "no"
        for code, date, listed in rows[["metier_code", *votes]].itertuples(index=False)
    ]
    tables = {
        "coeurs": ("labels", labelled.assign(voted=voted)),
        "raisons": ("reasons", scored),
        "criteres": ("questions", asked.assign(origin="public")),
    }
    return {
        name: check(
            contract, table.assign(branch_code=branch_code)[list(DESCRIPTIONS[contract])], name
        )
        for name, (contract, table) in tables.items()
    }


def run(
    inputs: Tables,
    branch_code: str,
    edition: EditionParams,
    asked: Sequence[Question],
    weights: Mapping[str, float] | None = None,
) -> dict[str, pd.DataFrame]:
    """Return the result tables of `04_coeurs_strategiques` in one call.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        edition: Gives the base year.
        asked: The questions in the branch's parameter file.
        weights: Other weights by code of criterion, as in `core.reweighted`.
    """
    table = core.reweighted(questions(asked), weights) if weights else questions(asked)
    valued = values(inputs, branch_code, jobs(inputs, branch_code, edition))
    scored = core.reasons(table, valued)
    return results(branch_code, table, scored, core.labels(table, scored))
