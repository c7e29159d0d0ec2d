"""Chain of `04_coeurs_strategiques`."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from opmq_lib.methods import core, employment, tension
from opmq_lib.methods.tension import nomenclatures
from opmq_lib.params import EditionParams, Question
from opmq_lib.questions.shared import Tables, branch_employment, in_field, without_residual
from opmq_lib.tables import DESCRIPTIONS, check, indicators

FAP225_LENGTH = 5
LEAST_SHARE_PCT = 0.1
"""Least share of the branch's employment of a métier that is labelled (convention)."""


class Assessed(NamedTuple):
    """What the labels of a branch rest on.

    Attributes:
        values: What each criterion is worth for each métier.
        metier_codes: The métiers to label.
        hidden: Those under the threshold of confidentiality.
    """

    values: pd.DataFrame
    metier_codes: list[str]
    hidden: frozenset[str]


def criterion_values(inputs: Tables, branch_code: str, edition: EditionParams) -> Assessed:
    """Return what each criterion is worth for each métier of a branch.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        edition: Gives the base year.

    Returns:
        Ready criteria from public tables and the branch's jobs, then the values that the branch
        supplies. Without a published headcount the métiers are the national ones, and what rests on
        the branch's jobs is missing.
    """
    jobs = branch_employment(inputs, branch_code, edition.base_year)
    national = indicators.last_year(inputs["employment_national"])
    own = inputs["own_criterion_values"]
    own = own[own["branch_code"] == branch_code]
    parts = [core.public_values(inputs, _hard_to_fill(inputs))]
    hidden = core.under_threshold(own)
    if jobs.empty:
        codes = national["metier_code"]
        metiers = codes[(codes.str.len() == FAP225_LENGTH)].tolist()
    else:
        latest = indicators.last_year(jobs)
        metier_jobs = without_residual(latest)
        is_whole = latest["metier_code"].isin([employment.RESIDUAL_METIER]).any()
        total = float(latest["employment_headcount"].sum()) if is_whole else None
        least = (total or 0.0) * LEAST_SHARE_PCT / 100
        metiers = metier_jobs.loc[
            metier_jobs["employment_headcount"] >= least, "metier_code"
        ].tolist()
        parts.append(core.employment_values(metier_jobs, total, national))
        hidden |= core.under_threshold(metier_jobs)
    if not own.empty:
        parts.append(_supplied(own))
    return Assessed(pd.concat(parts, ignore_index=True), metiers, frozenset(hidden))


def core_results(
    given: Assessed, branch_code: str, questions: Sequence[Question]
) -> dict[str, pd.DataFrame]:
    """Return the result tables of `04_coeurs_strategiques` for one branch.

    Args:
        given: From `criterion_values`.
        branch_code: Key of table `branches`.
        questions: The questions of the branch, with their criteria.

    Returns:
        `coeurs` (label of each métier for each question), `raisons` (what each criterion is worth
        for it) and `criteres` (criteria, goalposts, weights and vote of each question).
    """
    found = [
        core.assess(question, given.values, given.metier_codes, given.hidden)
        for question in questions
    ]
    tables = {
        "labels": pd.concat([labels for labels, _ in found], ignore_index=True),
        "reasons": pd.concat([reasons for _, reasons in found], ignore_index=True),
        "questions": pd.concat(map(_question_rows, questions), ignore_index=True),
    }
    names = {"labels": "coeurs", "reasons": "raisons", "questions": "criteres"}
    return {
        names[contract]: check(
            contract,
            table.assign(branch_code=branch_code)[list(DESCRIPTIONS[contract])],
            names[contract],
        )
        for contract, table in tables.items()
    }


def _hard_to_fill(inputs: Tables) -> pd.DataFrame:
    """Return the share of projects judged hard to fill, in the last survey in FAP-2009."""
    surveyed = in_field(inputs, inputs["recruitment_intentions"])
    surveyed = surveyed[surveyed["nomenclature"] == nomenclatures.OLD]
    bounds = tension.hard_to_fill(indicators.last_year(surveyed))
    shares: pd.DataFrame = bounds[bounds["indicator"] == "hard_to_fill_share_pct"]
    return shares


def _supplied(own: pd.DataFrame) -> pd.DataFrame:
    rows = own.assign(year=np.nan, nature="observed", status="value")
    for end in ("lower", "upper"):
        rows[end] = rows[end].astype(float).fillna(rows["value"])
    return rows.drop(columns=["branch_code", "units_count", "largest_share_pct"])


def _question_rows(question: Question) -> pd.DataFrame:
    vote = question.vote
    rows = pd.DataFrame([each.model_dump() for each in question.criteria]).assign(
        question_code=question.question_code,
        cutoff_score=question.cutoff_score,
        concentration=question.concentration,
        vote_date="" if vote is None else vote.date.isoformat(),
        vote_body="" if vote is None else vote.body,
        minutes_reference="" if vote is None else vote.minutes_reference,
        basis=question.basis,
        origin="public",
    )
    rows["threshold"] = rows["threshold"].astype(float)
    return rows
