"""Steps of `04_coeurs_strategiques`: which métiers are core or strategic, why, and how surely."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from opmq_lib.methods import core, criteria
from opmq_lib.params import READY_CRITERIA, EditionParams, Question
from opmq_lib.questions import country, shared
from opmq_lib.questions.shared import Tables
from opmq_lib.tables import DESCRIPTIONS, check, indicators

TRIALS, STRATEGIC = "essais_poids", "strategic"
GRID = np.geomspace(1 / 20, 20, 241)
"""What an employment is multiplied by to find from which one its métier would be on a list."""


class Known(NamedTuple):
    """What the lists of a branch start from.

    Attributes:
        looked_at: Métiers that the lists look at, from `shared.candidates`.
        facts: What is known of each, from `criteria.gather`.
        drawn: Draws of what is known within an interval.
    """

    looked_at: pd.DataFrame
    facts: pd.DataFrame
    drawn: core.Drawn


def questions(asked: Sequence[Question]) -> pd.DataFrame:
    """Return the questions of a branch as a table: one row per question and criterion.

    A researcher may change any cell, or weights by `core.reweighted`.

    Args:
        asked: The questions in the branch's parameter file.

    Returns:
        The columns of contract `questions` but for branch and origin, and `voted_metiers`, the
        codes of the métiers that the vote put on the list, separated by spaces.

    Examples:
        >>> from opmq_lib.sources import study
        >>> asked = questions(study.criteria("chimie"))
        >>> asked.groupby("question_code")["weight"].sum().round(9).to_dict()
        {'core': 1.0, 'strategic': 1.0}
    """
    rows = []
    for question in asked:
        shared = question.model_dump(exclude={"criteria", "gates", "vote", "voted_metiers"})
        vote = question.vote
        shared |= {
            "vote_date": "" if vote is None else vote.date.isoformat(),
            "vote_body": "" if vote is None else vote.body,
            "minutes_reference": "" if vote is None else vote.minutes_reference,
            "voted_metiers": " ".join(question.voted_metiers),
        }
        rows += [shared | criterion.model_dump() for criterion in question.criteria]
    return pd.DataFrame(rows)


def gates(asked: Sequence[Question]) -> pd.DataFrame:
    """Return the gates of a branch's questions, one row per line; any cell may be changed.

    Args:
        asked: The questions in the branch's parameter file.

    Returns:
        The columns of contract `gates` but for branch and origin.
    """
    rows = []
    for question in asked:
        named = {each.criterion_code: (each.label, each.unit) for each in question.criteria}
        for line in question.gates:
            code = line.criterion_code
            label, unit = named.get(code) or READY_CRITERIA.get(code, (code, "sans unité"))
            texts = {"question_code": question.question_code, "label": label, "unit": unit}
            rows.append(texts | line.model_dump())
    return pd.DataFrame(rows, columns=_columns("gates"))


def _columns(contract: str) -> list[str]:
    """Return the columns of a result table but for branch and origin."""
    return [name for name in DESCRIPTIONS[contract] if name not in {"branch_code", "origin"}]


def known(inputs: Tables, branch_code: str, edition: EditionParams) -> Known:
    """Return what is known of the métiers of a branch that its lists look at.

    Args:
        inputs: The study's input tables.
        branch_code: Key of table `branches`.
        edition: Gives the base year.

    Returns:
        Nothing of any métier without a headcount: no list can be made then.
    """
    looked_at = shared.candidates(inputs, branch_code, edition.base_year)
    rates = country.metier_rates(inputs, edition)
    own = inputs["own_criterion_values"]
    own = own[own["branch_code"] == branch_code].assign(nature="observed")
    facts = criteria.gather(
        [
            criteria.national_facts(
                inputs, shared.metier_tensions(inputs), rates, edition.edition_date
            ),
            criteria.employment_facts(looked_at),
            own,
        ],
        looked_at["metier_code"].tolist(),
        hidden=criteria.under_threshold(own) | criteria.under_threshold(looked_at),
    )
    return Known(looked_at, facts, criteria.drawn(looked_at, rates, facts))


def labels(questions: pd.DataFrame, gates: pd.DataFrame, known: Known) -> pd.DataFrame:
    """Return the label of every métier for each question, as `core.labels`, and what would enter.

    Args:
        questions: From `questions`.
        gates: From `gates`.
        known: From `known`.

    Returns:
        `entry_headcount` beside: the least employment, all else as it is, that puts the métier on
        the list under the question's own weights; missing where none within twenty times does.
    """
    labelled = core.labels(questions, gates, known.facts, known.drawn)
    table = known.looked_at.set_index("metier_code")
    grid = criteria.at_levels(table, np.tile(GRID, (len(table), 1)))
    parts = []
    for code, question in core.split(questions, gates).items():
        rows = labelled[labelled["question_code"] == code].set_index("metier_code")
        first = core.first_accepted(question, known.facts, grid).reindex(rows.index)
        factor = first.map(dict(enumerate(GRID)))
        heads = factor * table["employment_headcount"].reindex(rows.index)
        shown = heads.where(rows["status"] == "value")
        parts.append(rows.assign(entry_headcount=shown).reset_index())
    return pd.concat(parts, ignore_index=True)


def results(
    branch_code: str,
    questions: pd.DataFrame,
    gates: pd.DataFrame,
    known: Known,
    labelled: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Return the result tables of `04_coeurs_strategiques` for one branch.

    Args:
        branch_code: Key of table `branches`.
        questions: From `questions`.
        gates: From `gates`.
        known: From `known`.
        labelled: From `labels`.

    Returns:
        `coeurs` (label of each métier for each question), `faits` (what is known of it), `criteres`
        and `conditions` (criteria, weights and vote, and gates, of each question).
    """
    votes = questions.groupby("question_code")[["vote_date", "voted_metiers"]].first()
    rows = labelled.join(votes, on="question_code")
    voted = [
        "none" if not date else "yes" if code in listed.split() else "no"
        for code, date, listed in rows[["metier_code", *votes]].itertuples(index=False)
    ]
    main = known.looked_at.set_index("metier_code")
    names = ("main_rome_codes", "main_romes", "branch_hires_count", "hires_evidence")
    romes = {name: labelled["metier_code"].map(main[name]) for name in names}
    facts = known.facts.sort_values(["metier_code", "criterion_code"], ignore_index=True)
    tables = {
        "coeurs": ("labels", labelled.assign(voted=voted, **romes)),
        "faits": ("facts", facts),
        "criteres": ("questions", questions.assign(origin="public")),
        "conditions": ("gates", gates.assign(origin="public")),
    }
    return {
        name: check(
            contract, table.assign(branch_code=branch_code)[list(DESCRIPTIONS[contract])], name
        )
        for name, (contract, table) in tables.items()
    }


def trials(
    questions: pd.DataFrame, gates: pd.DataFrame, known: Known, branch_code: str
) -> pd.DataFrame:
    """Return how often each métier is strategic as asked, and where one criterion weighs double.

    Args:
        questions: From `questions`.
        gates: From `gates`.
        known: From `known`.
        branch_code: Key of table `branches`.

    Returns:
        Indicator `acceptability_pct` of each métier, `variant` being the criterion, or nothing.
    """
    table = questions[questions["question_code"] == STRATEGIC]
    required, parts = gates[gates["question_code"] == STRATEGIC], []
    weights = dict(zip(table["criterion_code"], table["weight"], strict=True))
    for code in ["", *weights] if len(known.looked_at) and len(table) else ():
        doubled = core.reweighted(table, {code: 2 * weights[code]}) if code else table
        found = core.labels(doubled, required, known.facts, known.drawn)
        found = found[found["status"] == "value"][["metier_code", "acceptability_pct"]]
        named = {"indicator": "acceptability_pct", "unit": "pct", "variant": code}
        rows = found.rename(columns={"acceptability_pct": "value"}).assign(**named)
        parts.append(rows.assign(year=int(known.looked_at["year"].max()), nature="estimate"))
    none = pd.DataFrame(columns=["year", "indicator", "unit"])
    return indicators.stack(parts or [none], branch_code, TRIALS)


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
    required, found = gates(asked), known(inputs, branch_code, edition)
    return results(branch_code, table, required, found, labels(table, required, found))
