"""Core and strategic métiers of a branch: what the criteria say, and how much weights decide it.

“Core” is the French *cœur de métier*. The package measures; the CPNEFP decides.

A question is a table, one row per criterion: `question_code, criterion_code, unit, low, high,
direction, weight, threshold, cutoff_score, concentration` and its vote. `reasons` scores what each
criterion is worth for each métier between the criterion's goalposts (C2). `labels` draws weights
around those of the question, and uncertain inputs between the ends of their intervals; how many
draws put a métier on the list gives its label (C3). Each criterion and each métier has its own
random stream: the order of the rows, or another métier beside them, changes nothing.
"""

from collections.abc import Mapping, Sequence
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pandas as pd

from opmq_lib.errors import Defect, ScopeError, did_you_mean
from opmq_lib.params import NOT_VOTED

Floats = npt.NDArray[np.float64]

ROBUST, WEIGHT_DEPENDENT, OUT = "robust", "weight_dependent", "out"
NOT_ASSESSABLE, NOT_LABELLED = "not_assessable", "not_labelled"
LABELS = (ROBUST, WEIGHT_DEPENDENT, OUT, NOT_ASSESSABLE, NOT_LABELLED)
SEED = 20_260_131
PUBLICATION_DRAWS, SLIDER_DRAWS = 20_000, 5_000
ROBUST_FROM, OUT_TO = 0.90, 0.10
"""Acceptability from which a métier is robustly on the list, and up to which it is off it.

Source: convention, C3.
"""
STANDARD_ERRORS = 2
"""How far from these bounds the share of draws must lie."""
TIE = 1e-9
EMPLOYMENT = ("employment_share", "location_quotient")
"""Criteria that rest on the branch's jobs, and move together when these are uncertain."""


# --- the question --------------------------------------------------------------------------------


def reweighted(questions: pd.DataFrame, weights: Mapping[str, float]) -> pd.DataFrame:
    """Return questions under other weights, which nobody has voted.

    Args:
        questions: One row per question and criterion.
        weights: New weights by code of criterion, from 0; other criteria keep theirs. The weights
            of each question are then scaled to sum to 1.

    Raises:
        ScopeError: If no question has a criterion of that name.

    Examples:
        >>> asked = pd.DataFrame({"question_code": "core", "criterion_code": ["a", "b"],
        ...     "weight": 0.5})
        >>> reweighted(asked, {"a": 1.5})["weight"].tolist()
        [0.75, 0.25]
    """
    known = list(questions["criterion_code"])
    ScopeError.refuse(
        Defect(
            where=f"weights, {code}",
            what="no question has this criterion",
            expected=f"one of: {', '.join(sorted(set(known)))}",
            fix=did_you_mean(code, known) or "correct the name",
        )
        for code in weights
        if code not in known
    )
    weight = questions["criterion_code"].map(weights).fillna(questions["weight"])
    total = weight.groupby(questions["question_code"]).transform("sum")
    no_vote = dict.fromkeys(("vote_date", "vote_body", "minutes_reference", "voted_metiers"), "")
    return questions.assign(weight=weight / total, **no_vote, basis=NOT_VOTED)


# --- scores (C2) ---------------------------------------------------------------------------------


def reasons(questions: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    """Return what each criterion of each question is worth for each métier, and its score.

    Args:
        questions: One row per question and criterion.
        values: `metier_code`, `criterion_code`, `value`, `lower`, `upper`, `year`, `nature`,
            `origin`, `status`, `source_code`; other criteria are ignored.

    Returns:
        One row per question and métier, by code, and criterion, in the question's order: the
        columns of `questions` and `values`, `score` (0 to 1; the middle of both ends where only an
        interval is known), `score_at_lower`, `score_at_upper`, and `threshold_met` (`yes`, `no`,
        `uncertain`, or empty without threshold). What `values` does not give is `nd`.

    Source:
        Methodology, C2.

    Examples:
        >>> asked = pd.DataFrame({"question_code": "core", "criterion_code": ["a"], "low": 15.0,
        ...     "high": 45.0, "direction": "higher", "threshold": 40.0})
        >>> values = pd.DataFrame({"metier_code": ["A"], "criterion_code": "a", "value": 31.0,
        ...     "lower": 30.0, "upper": 42.0, "nature": "observed", "origin": "public",
        ...     "status": "value", "source_code": "x"})
        >>> reasons(asked, values)[["score", "threshold_met"]].round(6).to_numpy().tolist()
        [[0.533333, 'uncertain']]
    """
    metiers = pd.Series(sorted(set(values["metier_code"])), name="metier_code")
    pairs = metiers.to_frame().merge(questions, how="cross")
    pairs = pairs.sort_values("question_code", kind="stable")
    rows = pairs.merge(values, on=["metier_code", "criterion_code"], how="left")
    rows = rows.fillna(
        {"nature": "observed", "origin": "public", "status": "nd", "source_code": ""}
    )
    at_lower, at_upper = _score(rows["lower"], rows), _score(rows["upper"], rows)
    is_higher = rows["direction"] == "higher"
    worst = rows["lower"].where(is_higher, -rows["upper"])
    best = rows["upper"].where(is_higher, -rows["lower"])
    bar = rows["threshold"].where(is_higher, -rows["threshold"])
    return rows.assign(
        score=_score(rows["value"], rows).fillna((at_lower + at_upper) / 2),
        score_at_lower=at_lower,
        score_at_upper=at_upper,
        threshold_met=np.select(
            [bar.isna() | worst.isna(), worst >= bar, best < bar], ["", "yes", "no"], "uncertain"
        ),
    )


def _score(value: pd.Series, rows: pd.DataFrame) -> pd.Series:
    """Return scores between goalposts; `low` scores 0, or 1 where `direction` is `lower`."""
    score = ((value - rows["low"]) / (rows["high"] - rows["low"])).clip(0, 1)
    return score.where(rows["direction"] == "higher", 1 - score)


# --- labels (C3) ---------------------------------------------------------------------------------


def labels(
    questions: pd.DataFrame, scored: pd.DataFrame, draws: int = PUBLICATION_DRAWS, seed: int = SEED
) -> pd.DataFrame:
    """Return the label of every métier for each question, and how surely.

    A métier that lacks a criterion is not assessable; one whose own values are secret in a
    criterion that weighs is not labelled. An estimated input caps the label at weight-dependent.

    Args:
        questions: One row per question and criterion.
        scored: From `reasons`.
        draws: Sets of weights drawn.
        seed: Seed of the draws.

    Returns:
        Columns of contract `labels` but for branch and vote, by question and code of métier. Scores
        and the weight that flips the label rest on the question's own weights.

    Source:
        Methodology, C3 (stochastic multicriteria acceptability analysis).
    """
    parts = [
        _labels_of_one(question, scored[scored["question_code"] == code], draws, seed)
        for code, question in questions.groupby("question_code")
    ]
    return pd.concat(parts, ignore_index=True)


def _labels_of_one(
    question: pd.DataFrame, scored: pd.DataFrame, draws: int, seed: int
) -> pd.DataFrame:
    asked = question.sort_values("criterion_code")
    facts = _facts(scored[scored["weight"] > 0])
    numbers = ["lower", "upper", "score", "score_at_lower", "score_at_upper"]
    wide = {
        name: scored.pivot(index="metier_code", columns="criterion_code", values=name).astype(float)
        for name in numbers
    }
    is_known = pd.concat(wide.values(), axis="columns").notna().all(axis="columns")
    known = {name: table[is_known] for name, table in wide.items()}
    positions = draw_positions(known["lower"], known["upper"], draws, seed)
    even = asked.assign(weight=1 / len(asked), concentration=float(len(asked)))
    share, uniform = (
        acceptability(each, known, draw_weights(each, draws, seed), positions).reindex(facts.index)
        for each in (asked, even)
    )
    error = np.sqrt(share * (1 - share) / draws)
    label = _label(share, STANDARD_ERRORS * error, facts)
    weights = asked.set_index("criterion_code")["weight"]
    low, high = wide["score_at_lower"], wide["score_at_upper"]
    turns = flips(
        wide["score"][label == WEIGHT_DEPENDENT], weights, float(asked["cutoff_score"].iloc[0])
    ).reindex(facts.index)
    table = pd.DataFrame(
        {
            "question_code": asked["question_code"].iloc[0],
            "year": facts["year"],
            "label": label,
            "acceptability_pct": 100 * share,
            "standard_error_pct": 100 * error,
            "uniform_acceptability_pct": 100 * uniform,
            "score": wide["score"] @ weights,
            "score_lower": np.minimum(low, high) @ weights,
            "score_upper": np.maximum(low, high) @ weights,
            "flip_criterion_code": turns["flip_criterion_code"].fillna(""),
            "flip_weight": turns["flip_weight"],
            "status": label.map({NOT_LABELLED: "s", NOT_ASSESSABLE: "nd"}).fillna("value"),
            "nature": facts["is_estimated"].map({True: "estimate", False: "observed"}),
            "origin": facts["is_own"].map({True: "own", False: "public"}),
        }
    )
    return table.reset_index()


def _facts(weighed: pd.DataFrame) -> pd.DataFrame:
    """Return the last year of each métier's inputs, and what is true of one of them at least."""
    is_own = weighed["origin"] == "own"
    facts = weighed[["metier_code", "year"]].assign(
        is_estimated=weighed["nature"] == "estimate",
        is_own=is_own,
        is_secret=is_own & (weighed["status"] == "s"),
    )
    return facts.groupby("metier_code").max()


def _label(share: pd.Series, margin: pd.Series, facts: pd.DataFrame) -> pd.Series:
    """Return the label that a share of draws supports, the cautious one near a bound."""
    labels_by_rule = {
        NOT_LABELLED: facts["is_secret"],
        NOT_ASSESSABLE: share.isna(),
        OUT: share + margin <= OUT_TO,
        ROBUST: (share - margin >= ROBUST_FROM) & ~facts["is_estimated"],
    }
    chosen = np.select(list(labels_by_rule.values()), list(labels_by_rule), WEIGHT_DEPENDENT)
    return pd.Series(chosen, index=share.index)


def acceptability(
    question: pd.DataFrame,
    known: Mapping[str, pd.DataFrame],
    weights: Floats,
    positions: Mapping[str, Floats],
) -> pd.Series:
    """Return the share of draws that put each métier on the list, from 0 to 1.

    A draw does where the weighted score reaches the cut-off and every threshold is met.

    Args:
        question: One row per criterion, by code.
        known: Inputs `lower`, `upper`, `score_at_lower`, `score_at_upper`, each métiers × criteria.
        weights: From `draw_weights`.
        positions: From `draw_positions`.
    """
    drivers = [_driver(code) for code in question["criterion_code"]]
    at_lower, at_upper = (known[f"score_at_{end}"].to_numpy() for end in ("lower", "upper"))
    scores = drawn_scores(at_lower, at_upper, weights, drivers, positions)
    accepted = scores >= float(question["cutoff_score"].iloc[0]) - TIE
    barred = question[question["threshold"].notna()]
    for code, threshold, direction in zip(
        barred["criterion_code"], barred["threshold"], barred["direction"], strict=True
    ):
        low, high = (known[end][[code]].to_numpy() for end in ("lower", "upper"))
        drawn = low + (high - low) * positions.get(_driver(code), 0.0)
        accepted &= drawn >= threshold if direction == "higher" else drawn <= threshold
    return pd.Series(accepted.mean(axis=1), index=known["lower"].index)


def drawn_scores(
    at_lower: Floats,
    at_upper: Floats,
    weights: Floats,
    drivers: Sequence[str],
    positions: Mapping[str, Floats],
) -> Floats:
    """Return the weighted score of each métier in each draw: métiers × draws.

    Args:
        at_lower: Scores at the lower end of each input's interval, métiers × criteria.
        at_upper: Scores at the upper end.
        weights: Draws × criteria.
        drivers: What each criterion's input depends on; those of one driver move together.
        positions: By driver, where uncertain inputs lie in their intervals, métiers × draws.
    """
    scores: Floats = np.ascontiguousarray(at_lower) @ weights.T
    for driver, position in positions.items():
        columns = [number for number, each in enumerate(drivers) if each == driver]
        spread = at_upper[:, columns] - at_lower[:, columns]
        scores += (spread @ weights[:, columns].T) * position
    return scores


def draw_weights(question: pd.DataFrame, draws: int, seed: int) -> Floats:
    """Return weights drawn around those of a question: Dirichlet(concentration × weights).

    With equal weights and the number of criteria as concentration, every set of weights is equally
    likely. Splitting a criterion into two halves of its weight changes no distribution of scores.

    Args:
        question: `criterion_code`, `weight` (summing to 1) and `concentration` (above 0; the
            larger, the closer to the weights).
        draws: How many sets of weights.
        seed: Seed of the streams.

    Returns:
        Array (draws, criteria); each row sums to 1.

    Examples:
        >>> question = pd.DataFrame({"criterion_code": ["a", "b"], "weight": 0.5,
        ...     "concentration": 2.0})
        >>> drawn = draw_weights(question, 1000, 1)
        >>> drawn.shape, bool(abs(drawn.sum(axis=1) - 1).max() < 1e-12)
        ((1000, 2), True)
    """
    shapes = question["concentration"] * question["weight"]
    gammas = [
        _stream(seed, code).standard_gamma(shape, draws)
        for code, shape in zip(question["criterion_code"], shapes, strict=True)
    ]
    drawn = np.column_stack(gammas)
    weights: Floats = drawn / drawn.sum(axis=1, keepdims=True)
    return weights


def draw_positions(
    lower: pd.DataFrame, upper: pd.DataFrame, draws: int, seed: int
) -> dict[str, Floats]:
    """Return where uncertain inputs lie in their intervals, from 0 to 1.

    Args:
        lower: Lower ends, métiers × criteria.
        upper: Upper ends.
        draws: How many positions per métier.
        seed: Seed of the streams.

    Returns:
        By driver (what an input depends on) of which an input is uncertain: métiers × draws.
    """
    moves = (lower != upper).any()
    return {
        driver: np.array([_stream(seed, f"{driver}/{code}").random(draws) for code in lower.index])
        for driver in sorted({_driver(code) for code in moves.index[moves]})
    }


def flips(scores: pd.DataFrame, weights: pd.Series, cutoff: float) -> pd.DataFrame:
    """Return the weight whose smallest change takes each métier across the cut-off.

    The other weights keep their proportions: a métier crosses where the criterion's weight w
    solves w·u + (1 - w)·s = cutoff, u being its score and s that without the criterion.

    Args:
        scores: Métiers × criteria.
        weights: By criterion, summing to 1.
        cutoff: Score from which a métier is on the list.

    Returns:
        `flip_criterion_code` and `flip_weight` by métier; empty where no single weight does.

    Examples:
        >>> scores = pd.DataFrame({"a": [0.9, 0.2], "b": [0.3, 0.3]})
        >>> flips(scores, pd.Series({"a": 0.5, "b": 0.5}), 0.5).round(6).to_numpy().tolist()
        [['a', 0.333333], ['', nan]]
    """
    rest = scores.mul(weights).rsub(scores @ weights, axis="index") / (1 - weights)
    at = (cutoff - rest) / (scores - rest)
    at = at.where(((scores - rest).abs() > TIE) & (at >= 0) & (at <= 1))
    nearest = (at - weights).abs().fillna(np.inf).to_numpy().argmin(axis=1)
    weight = at.to_numpy()[np.arange(len(at)), nearest]
    code = np.where(np.isnan(weight), "", at.columns[nearest])
    table = pd.DataFrame({"flip_criterion_code": code, "flip_weight": weight}, index=scores.index)
    return table.astype({"flip_criterion_code": "str"})


def _driver(criterion_code: str) -> str:
    return "employment" if criterion_code in EMPLOYMENT else criterion_code


def _stream(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([seed, crc32(name.encode())]))
