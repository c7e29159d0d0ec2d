"""Which métiers are core or strategic under a question's criteria, why, and how surely."""

from collections.abc import Sequence, Set

import numpy as np
import pandas as pd

from opmq_lib.methods.core import scores
from opmq_lib.methods.core.scores import PUBLICATION_DRAWS, SEED, Floats
from opmq_lib.methods.core.values import EMPLOYMENT, complete
from opmq_lib.params import Criterion, Question

ROBUST, WEIGHT_DEPENDENT, OUT = "robust", "weight_dependent", "out"
NOT_ASSESSABLE, NOT_LABELLED = "not_assessable", "not_labelled"
LABELS = (ROBUST, WEIGHT_DEPENDENT, OUT, NOT_ASSESSABLE, NOT_LABELLED)


def assess(  # noqa: PLR0913 (one call answers one question)
    question: Question,
    values: pd.DataFrame,
    metier_codes: list[str],
    hidden: Set[str] = frozenset(),
    draws: int = PUBLICATION_DRAWS,
    seed: int = SEED,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the label of every métier for one question, and the reasons behind it.

    Weights are drawn around those of the question, inputs uniformly between the ends of their
    intervals. A métier that lacks a criterion is not assessable; one under the threshold of
    confidentiality is not labelled, and its own values are secret. An estimated input caps the
    label at weight-dependent.

    Args:
        question: Criteria, goalposts, weights, thresholds, cut-off and concentration.
        values: `metier_code`, `criterion_code`, `value`, `lower`, `upper`, `year`, `nature`,
            `origin`, `status`, `source_code`; other criteria are ignored.
        metier_codes: Métiers of the branch.
        hidden: Those under the threshold of confidentiality.
        draws: Sets of weights drawn.
        seed: Seed of the draws.

    Returns:
        Labels (columns of contract `labels` but for the branch), by métier code, and reasons (those
        of `reasons`), by métier and in the question's order of criteria.

    Source:
        Methodology, C2 and C3.
    """
    codes = sorted(metier_codes)
    criteria = sorted(question.criteria, key=lambda criterion: criterion.criterion_code)
    names = [criterion.criterion_code for criterion in criteria]
    whole = complete(values, codes, names)
    whole.loc[whole["metier_code"].isin(hidden) & (whole["origin"] == "own"), "status"] = "s!"
    secret = whole["status"] == "s!"
    whole.loc[secret, ["value", "lower", "upper"]] = np.nan
    whole.loc[secret, "status"] = "s"
    wide = {
        name: whole.pivot(index="metier_code", columns="criterion_code", values=name)
        .reindex(index=codes, columns=names)
        .to_numpy(float)
        for name in ("value", "lower", "upper")
    }
    ends = score_ends(criteria, wide["lower"], wide["upper"])
    central = central_scores(criteria, wide["value"], ends)
    share = accepted_share(question, criteria, codes, ends, wide, draws, seed)
    even = question.model_copy(
        update={
            "concentration": float(len(criteria)),
            "criteria": tuple(
                criterion.model_copy(update={"weight": 1 / len(criteria)}) for criterion in criteria
            ),
        }
    )
    uniform = accepted_share(even, list(even.criteria), codes, ends, wide, draws, seed)
    labels = _labels(question, criteria, whole, codes, hidden, (share, uniform), draws)
    labels = _with_scores(labels, question, criteria, central, ends)
    return labels, _reasons(question, criteria, whole, central, wide)


def score_ends(
    criteria: Sequence[Criterion], lower: Floats, upper: Floats
) -> tuple[Floats, Floats]:
    """Return the scores of métiers × criteria at both ends of each input's interval."""
    columns = [
        [
            scores.score(end[:, number], criterion.low, criterion.high, criterion.direction)[0]
            for end in (lower, upper)
        ]
        for number, criterion in enumerate(criteria)
    ]
    at_lower, at_upper = (np.column_stack([pair[end] for pair in columns]) for end in (0, 1))
    return at_lower, at_upper


def central_scores(
    criteria: Sequence[Criterion], value: Floats, ends: tuple[Floats, Floats]
) -> Floats:
    """Return the scores of the values; the middle of the ends where only an interval is known."""
    central = np.column_stack(
        [
            scores.score(value[:, number], criterion.low, criterion.high, criterion.direction)[0]
            for number, criterion in enumerate(criteria)
        ]
    )
    middle: Floats = np.where(np.isnan(central), (ends[0] + ends[1]) / 2, central)
    return middle


def accepted_share(  # noqa: PLR0913 (what one draw of a question depends on)
    question: Question,
    criteria: Sequence[Criterion],
    codes: list[str],
    ends: tuple[Floats, Floats],
    wide: dict[str, Floats],
    draws: int,
    seed: int,
) -> Floats:
    """Return the acceptability of each métier; missing where a criterion is.

    Args:
        question: Its cut-off and concentration count.
        criteria: Its criteria, in the order of the columns.
        codes: Métiers, in the order of the rows.
        ends: From `score_ends`.
        wide: Inputs `lower` and `upper`, métiers × criteria.
        draws: Sets of weights drawn.
        seed: Seed of the draws.
    """
    names = [criterion.criterion_code for criterion in criteria]
    drivers = ["employment" if name in EMPLOYMENT else name for name in names]
    weights = scores.draw_weights(
        names, [criterion.weight for criterion in criteria], question.concentration, draws, seed
    )
    whole = ~np.isnan(ends[0] + ends[1]).any(axis=1)
    known = np.flatnonzero(whole)
    at_lower, at_upper = ends[0][known], ends[1][known]
    uncertain = {
        driver
        for number, driver in enumerate(drivers)
        if (wide["lower"][known, number] != wide["upper"][known, number]).any()
    }
    kept = [codes[row] for row in known]
    positions = {
        driver: scores.draw_positions(kept, driver, draws, seed) for driver in sorted(uncertain)
    }
    inputs = scores.Inputs(at_lower, at_upper, drivers, positions)
    reached = scores.reaches(inputs, weights, question.cutoff_score)
    for number, criterion in enumerate(criteria):
        if criterion.threshold is not None:
            low, high = (wide[end][known, number][:, None] for end in ("lower", "upper"))
            drawn = low + (high - low) * positions.get(drivers[number], 0.0)
            over = drawn >= criterion.threshold
            reached &= over if criterion.direction == "higher" else drawn <= criterion.threshold
    share = np.full(len(codes), np.nan)
    share[known] = reached.mean(axis=1)
    return share


def _labels(  # noqa: PLR0913 (the columns of one table)
    question: Question,
    criteria: Sequence[Criterion],
    whole: pd.DataFrame,
    codes: list[str],
    hidden: Set[str],
    shares: tuple[Floats, Floats],
    draws: int,
) -> pd.DataFrame:
    weighed = [criterion.criterion_code for criterion in criteria if criterion.weight > 0]
    counted = whole[whole["criterion_code"].isin(weighed)].groupby("metier_code")
    estimated = counted["nature"].agg(lambda natures: bool((natures == "estimate").any()))
    own = counted["origin"].agg(lambda origins: bool((origins == "own").any()))
    years = counted["year"].max()
    share, uniform = shares
    found = []
    for code, accepted in zip(codes, share.tolist(), strict=True):
        if code in hidden and bool(own[code]):
            found.append(NOT_LABELLED)
        elif np.isnan(accepted):
            found.append(NOT_ASSESSABLE)
        else:
            found.append(scores.label(accepted, draws, capped=bool(estimated[code])))
    status = {NOT_LABELLED: "s", NOT_ASSESSABLE: "nd"}
    voted = [("yes" if code in question.voted_metiers else "no") for code in codes]
    return pd.DataFrame(
        {
            "question_code": question.question_code,
            "metier_code": codes,
            "year": years.reindex(codes).to_numpy(),
            "label": found,
            "acceptability_pct": 100 * share,
            "standard_error_pct": 100 * scores.standard_error(share, draws),
            "uniform_acceptability_pct": 100 * uniform,
            "voted": "none" if question.vote is None else voted,
            "status": [status.get(each, "value") for each in found],
            "nature": ["estimate" if estimated[code] else "observed" for code in codes],
            "origin": ["own" if own[code] else "public" for code in codes],
        }
    )


def _with_scores(
    labels: pd.DataFrame,
    question: Question,
    criteria: Sequence[Criterion],
    central: Floats,
    ends: tuple[Floats, Floats],
) -> pd.DataFrame:
    weights = np.array([criterion.weight for criterion in criteria])
    flips = [
        None
        if label != WEIGHT_DEPENDENT
        else scores.flip(row, weights.tolist(), question.cutoff_score)
        for label, row in zip(labels["label"], central, strict=True)
    ]
    shown = (labels["status"] == "value").to_numpy()
    numbers = {
        "score": central @ weights,
        "score_lower": np.minimum(*ends) @ weights,
        "score_upper": np.maximum(*ends) @ weights,
    }
    names = [criterion.criterion_code for criterion in criteria]
    return labels.assign(
        **{name: np.where(shown, column, np.nan) for name, column in numbers.items()},
        flip_criterion_code=["" if each is None else names[each[0]] for each in flips],
        flip_weight=[np.nan if each is None else each[1] for each in flips],
    )


def _reasons(
    question: Question,
    criteria: Sequence[Criterion],
    whole: pd.DataFrame,
    central: Floats,
    wide: dict[str, Floats],
) -> pd.DataFrame:
    place = {each.criterion_code: number for number, each in enumerate(question.criteria)}
    met = np.full(central.shape, "", dtype=object)
    for number, criterion in enumerate(criteria):
        if criterion.threshold is not None:
            low, high = wide["lower"][:, number], wide["upper"][:, number]
            best, worst = (high, low) if criterion.direction == "higher" else (-low, -high)
            bar = criterion.threshold if criterion.direction == "higher" else -criterion.threshold
            met[:, number] = np.where(worst >= bar, "yes", np.where(best < bar, "no", "uncertain"))
            met[np.isnan(low), number] = ""
    rows = whole.assign(
        question_code=question.question_code,
        score=central.ravel(),
        threshold_met=met.ravel(),
        unit=whole["criterion_code"].map({each.criterion_code: each.unit for each in criteria}),
        place=whole["criterion_code"].map(place),
    )
    ordered: pd.DataFrame = rows.sort_values(["metier_code", "place"]).drop(columns="place")
    return ordered.reset_index(drop=True)
