"""Core and strategic métiers of a branch: who is on a list, how surely, and what the doubt is.

“Core” is the French *cœur de métier*. The package measures; the CPNEFP decides.

A question is a table of criteria, one row each (`question_code, criterion_code, low, high, scale,
direction, weight, cutoff_score, concentration` and its vote), and one of the lines of its gates
(`question_code, gate, way, criterion_code, least`). A métier is on the list where it passes every
gate and its weighted score reaches the cut-off. What is known of it within an interval is drawn,
and so are weights around those of the question: how many draws accept, and whether data or weights
make them differ, gives its label. Adding a métier, or another order, changes no label.
"""

from collections.abc import Mapping
from numbers import Real
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betaincinv

from opmq_lib.errors import Defect, RangeError, ScopeError, did_you_mean
from opmq_lib.methods import draws
from opmq_lib.methods.skills.profiles import NO_HIRES
from opmq_lib.params import NOT_VOTED

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
Drawn = Mapping[str, pd.DataFrame]
"""By criterion that is not known exactly: what it is worth, métiers × draws."""

IN, ON_WEIGHTS, ON_ESTIMATE, OUT = "in_list", "depends_on_weights", "depends_on_estimate", "out"
NOT_ASSESSABLE, NOT_LABELLED = "not_assessable", "not_labelled"
LABELS = (IN, ON_ESTIMATE, ON_WEIGHTS, OUT, NOT_ASSESSABLE, NOT_LABELLED)
DRAWS, WEIGHT_DRAWS = 400, 200
IN_FROM, OUT_TO = 0.90, 0.10
"""Share of draws from which a métier is on the list, and up to which it is off it; convention."""
LARGEST_RATIO = 6.0
"""Upper over lower end (80 %) beyond which an estimate puts no métier on a list; convention."""
TIE = 1e-9


# --- the question --------------------------------------------------------------------------------


def reweighted(questions: pd.DataFrame, weights: Mapping[str, float]) -> pd.DataFrame:
    """Return questions under other weights, which nobody has voted.

    Args:
        questions: One row per question and criterion.
        weights: New weights by code of criterion, from 0; other criteria keep theirs. The weights
            of each question are then scaled to sum to 1.

    Raises:
        ScopeError: If no question has a criterion of that name.
        RangeError: If a weight is negative, or no number.

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
    RangeError.refuse(
        Defect(
            f"weights, {code}",
            wrong,
            "a number ≥ 0",
            "correct the number",
            f"{new}",
        )
        for code, new in weights.items()
        if (wrong := _wrong_weight(new))
    )
    weight = questions["criterion_code"].map(weights).fillna(questions["weight"])
    total = weight.groupby(questions["question_code"]).transform("sum")
    no_vote = dict.fromkeys(("vote_date", "vote_body", "minutes_reference", "voted_metiers"), "")
    return questions.assign(weight=weight / total, **no_vote, basis=NOT_VOTED)


def _wrong_weight(new: object) -> str:
    if not isinstance(new, Real) or not np.isfinite(float(new)):
        return "not a number"
    return "" if float(new) >= 0 else "negative number"


def draw_weights(shapes: Floats, draws_count: int) -> Floats:
    """Return sets of weights that follow a Dirichlet distribution, spread evenly: without chance.

    One weight after another takes a Beta part of what is left.

    Args:
        shapes: Of the distribution, above 0: weights times their concentration.
        draws_count: How many sets.

    Returns:
        Array (draws, criteria); each row sums to 1.

    Examples:
        >>> draw_weights(np.array([1.0, 1.0]), 4).round(3).tolist()
        [[0.125, 0.875], [0.375, 0.625], [0.625, 0.375], [0.875, 0.125]]
    """
    points = draws.spread_points(draws_count, max(len(shapes) - 1, 1))
    left, columns = np.ones(draws_count), []
    for place, shape in enumerate(shapes[:-1]):
        part = left * betaincinv(shape, shapes[place + 1 :].sum(), points[:, place])
        columns.append(part)
        left = left - part
    return np.column_stack([*columns, left])


# --- who is accepted -----------------------------------------------------------------------------


class Question(NamedTuple):
    """One question: its criteria by code, those without weight left out, and lines of its gates."""

    criteria: pd.DataFrame
    gates: pd.DataFrame

    def codes(self) -> list[str]:
        """Return what must be known of a métier to answer it."""
        return sorted({*self.criteria["criterion_code"], *self.gates["criterion_code"]})


def split(questions: pd.DataFrame, gates: pd.DataFrame) -> dict[str, Question]:
    """Return the questions by code."""
    weighed = questions[questions["weight"] > 0].sort_values("criterion_code")
    return {
        str(code): Question(rows, gates[gates["question_code"] == code])
        for code, rows in weighed.groupby("question_code")
    }


def passes(question: Question, values: Mapping[str, Floats]) -> dict[int, Booleans]:
    """Return where each gate is passed: by all the lines of one of its ways.

    Args:
        question: A question.
        values: By criterion, what it is worth: arrays of one shape.
    """
    found = {}
    for gate, lines in question.gates.groupby("gate"):
        ways = [
            np.all(
                [
                    values[code] >= least - TIE
                    for code, least in zip(way["criterion_code"], way["least"], strict=True)
                ],
                axis=0,
            )
            for _, way in lines.groupby("way")
        ]
        found[int(str(gate))] = np.any(ways, axis=0)
    return found


def scores(question: Question, values: Mapping[str, Floats]) -> Floats:
    """Return what each criterion scores, from 0 to 1, on a last axis in the order of criteria.

    Args:
        question: A question.
        values: By criterion, what it is worth: arrays of one shape.

    Source:
        Methodology, C2.

    Examples:
        >>> asked = pd.DataFrame({"criterion_code": ["a", "b"], "low": [0.0, 1], "high": [5.0, 8],
        ...     "scale": ["linear", "log"], "direction": "higher"})
        >>> known = {"a": np.array([2.0, 9]), "b": np.array([8**0.5, 0])}
        >>> scores(Question(asked, pd.DataFrame()), known).round(6).tolist()
        [[0.4, 0.5], [1.0, 0.0]]
    """
    columns = []
    for each in question.criteria.itertuples():
        value, ends = values[str(each.criterion_code)], np.array([each.low, each.high], dtype=float)
        if each.scale == "log":
            value, ends = np.log(np.maximum(value, ends[0])), np.log(ends)
        score = np.clip((value - ends[0]) / (ends[1] - ends[0]), 0, 1)
        columns.append(score if each.direction == "higher" else 1 - score)
    return np.stack(columns, axis=-1)


def accepted(question: Question, values: Mapping[str, Floats], weights: Floats) -> Booleans:
    """Return whether each set of weights puts what is known on the list: values × sets.

    Args:
        question: A question.
        values: By criterion, what it is worth: arrays of one shape.
        weights: Sets × criteria.
    """
    totals = scores(question, values) @ weights.T
    is_in: Booleans = totals >= float(question.criteria["cutoff_score"].iloc[0]) - TIE
    for is_passed in passes(question, values).values():
        is_in &= is_passed[..., None]
    return is_in


def attested(labels: pd.DataFrame) -> pd.DataFrame:
    """Return the rows on a list whose presence in the branch rests on more than the estimate.

    Args:
        labels: From `04_coeurs_strategiques`: `label`, `hires_evidence` and `voted`, among others.
    """
    is_in, is_seen = labels["label"] == IN, labels["hires_evidence"] != NO_HIRES
    rows: pd.DataFrame = labels[is_in & (is_seen | (labels["voted"] == "yes"))]
    return rows


# --- labels --------------------------------------------------------------------------------------


def labels(
    questions: pd.DataFrame, gates: pd.DataFrame, facts: pd.DataFrame, drawn: Drawn
) -> pd.DataFrame:
    """Return the label of every métier for each question, how surely, and what the doubt is.

    A métier that lacks what is asked is not assessable; one whose own values are secret in it is
    not labelled. An estimate whose interval is too wide puts no métier on a list.

    Args:
        questions: One row per question and criterion.
        gates: One row per line of a gate.
        facts: What is known of each métier: `metier_code, criterion_code, value, lower, upper,
            year, nature, origin, status, reliability_grade`.
        drawn: Draws of what is known within an interval.

    Returns:
        Columns of contract `labels` but for branch and vote, by question and code of métier. Score,
        its interval and the weight that flips the label rest on the question's own weights.

    Source:
        Methodology, L1 (stochastic multicriteria acceptability analysis).
    """
    parts = [
        _labels_of_one(question, facts, drawn).assign(question_code=code)
        for code, question in split(questions, gates).items()
    ]
    return pd.concat(parts, ignore_index=True)


def _labels_of_one(question: Question, facts: pd.DataFrame, drawn: Drawn) -> pd.DataFrame:
    used = facts[facts["criterion_code"].isin(question.codes())]
    wide = used.pivot(index="metier_code", columns="criterion_code", values="value")
    wide = wide.reindex(columns=question.codes()).astype("float64")
    known = wide[wide.notna().all(axis="columns")]
    weights = question.criteria.set_index("criterion_code")["weight"]
    values = _arrays(known, drawn, DRAWS)
    around = weights.to_numpy() * float(question.criteria["concentration"].iloc[0])
    shares = _shares(question, values, around)
    even = _shares(question, values, np.ones(len(weights)))
    table = shares.assign(uniform_acceptability_pct=100 * even["share"])
    table = (
        table.join(_doubts(question, values, shares["share"]))
        .set_index(known.index)
        .reindex(wide.index)
    )
    table = table.join(_origins(used))
    table["label"] = _label(table)
    point = {code: known[code].to_numpy() for code in question.codes()}
    turning = table.index[table["label"] == ON_WEIGHTS]
    by_criterion = pd.DataFrame(scores(question, point), known.index, weights.index)
    turns = flips(
        by_criterion.loc[turning], weights, float(question.criteria["cutoff_score"].iloc[0])
    ).reindex(wide.index)
    return table.assign(
        score=(by_criterion @ weights).reindex(wide.index),
        acceptability_pct=100 * table["share"],
        flip_criterion_code=turns["flip_criterion_code"].fillna(""),
        flip_weight=turns["flip_weight"],
        status=table["label"].map({NOT_LABELLED: "s", NOT_ASSESSABLE: "nd"}).fillna("value"),
    ).reset_index()


def first_accepted(question: Question, facts: pd.DataFrame, values: Drawn) -> pd.Series:
    """Return the place of the first of some values that puts each métier on the list.

    Args:
        question: A question.
        facts: As for `labels`; they stand for what `values` does not give.
        values: By criterion, métiers × values.

    Returns:
        By métier; missing where none does, or something is not known.
    """
    wide = facts.pivot(index="metier_code", columns="criterion_code", values="value")
    known = wide.reindex(columns=question.codes()).astype("float64").dropna()
    width = max(table.shape[1] for table in values.values())
    given = _arrays(known, values, width)
    weights = question.criteria[["weight"]].to_numpy("float64").T
    is_in = accepted(question, given, weights)[..., 0]
    first = np.where(is_in.any(axis=1), is_in.argmax(axis=1), np.nan)
    return pd.Series(first, known.index)


def _arrays(known: pd.DataFrame, drawn: Drawn, width: int) -> dict[str, Floats]:
    """Return what each criterion is worth, métiers × draws: the draws, or the value known."""
    return {
        str(code): np.broadcast_to(
            drawn[str(code)].loc[known.index].to_numpy() if code in drawn else known[[code]],
            (len(known), width),
        )
        for code in known
    }


def _shares(question: Question, values: Mapping[str, Floats], shapes: Floats) -> pd.DataFrame:
    """Return the share of draws that accept each métier, and of its variance that data explain."""
    is_in = accepted(question, values, draw_weights(shapes, WEIGHT_DRAWS))
    by_data, by_weights = (is_in.mean(axis=axis).var(axis=1).round(12) for axis in (2, 1))
    whole = by_data + by_weights
    part = np.divide(by_data, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return pd.DataFrame({"share": is_in.mean(axis=(1, 2)), "data_variance_share_pct": 100 * part})


def _doubts(question: Question, values: Mapping[str, Floats], share: pd.Series) -> pd.DataFrame:
    """Return the gate missed most often and the interval of the score.

    No gate where it explains less than half of the draws that do not accept: the score does.
    """
    missed = pd.DataFrame(
        {gate: 1 - is_passed.mean(axis=1) for gate, is_passed in passes(question, values).items()}
    )
    totals = scores(question, values) @ question.criteria["weight"].to_numpy()
    low, high = np.quantile(totals, [0.1, 0.9], axis=1)
    table = pd.DataFrame({"score_lower": low, "score_upper": high})
    if missed.empty:
        return table.assign(missed_gate=np.nan, missed_gate_pct=np.nan)
    is_missed = (missed.max(axis=1) > 0) & (missed.max(axis=1) >= (1 - share) / 2)
    return table.assign(
        missed_gate=missed.idxmax(axis=1).astype("float64").where(is_missed),
        missed_gate_pct=(100 * missed.max(axis=1)).where(is_missed),
    )


def _origins(used: pd.DataFrame) -> pd.DataFrame:
    """Return what each métier's label rests on: last year, nature, origin, grade, secrets."""
    is_own = used["origin"] == "own"
    marks = used[["metier_code", "year"]].assign(
        is_estimated=used["nature"] == "estimate",
        is_own=is_own,
        is_secret=is_own & (used["status"] == "s"),
        reliability_grade=used["reliability_grade"].fillna(""),
        is_wide=(used["upper"] > LARGEST_RATIO * used["lower"]) & used["nature"].eq("estimate"),
    )
    found = marks.groupby("metier_code").max()
    return found.assign(
        nature=found["is_estimated"].map({True: "estimate", False: "observed"}),
        origin=found["is_own"].map({True: "own", False: "public"}),
    )


def _label(table: pd.DataFrame) -> pd.Series:
    share = table["share"]
    rules = {
        NOT_LABELLED: table["is_secret"],
        NOT_ASSESSABLE: share.isna(),
        OUT: share <= OUT_TO + TIE,
        IN: (share >= IN_FROM - TIE) & ~table["is_wide"],
        ON_ESTIMATE: table["is_wide"] | (table["data_variance_share_pct"] >= 50),
    }
    return pd.Series(np.select(list(rules.values()), list(rules), ON_WEIGHTS), table.index)


def flips(scored: pd.DataFrame, weights: pd.Series, cutoff: float) -> pd.DataFrame:
    """Return the weight whose smallest change takes each métier across the cut-off.

    The other weights keep their proportions: a métier crosses where the criterion's weight w
    solves w·u + (1 - w)·s = cutoff, u being its score and s that without the criterion.

    Args:
        scored: Scores, métiers × criteria.
        weights: By criterion, summing to 1.
        cutoff: Score from which a métier is on the list.

    Returns:
        `flip_criterion_code` and `flip_weight` by métier; empty where no single weight does.

    Examples:
        >>> scored = pd.DataFrame({"a": [0.9, 0.2], "b": [0.3, 0.3]})
        >>> flips(scored, pd.Series({"a": 0.5, "b": 0.5}), 0.5).round(6).to_numpy().tolist()
        [['a', 0.333333], ['', nan]]
    """
    rest = scored.mul(weights).rsub(scored @ weights, axis="index") / (1 - weights)
    at = (cutoff - rest) / (scored - rest)
    at = at.where(((scored - rest).abs() > TIE) & (at >= 0) & (at <= 1))
    nearest = (at - weights).abs().fillna(np.inf).to_numpy().argmin(axis=1)
    weight = at.to_numpy()[np.arange(len(at)), nearest]
    code = np.where(np.isnan(weight), "", at.columns[nearest])
    table = pd.DataFrame({"flip_criterion_code": code, "flip_weight": weight}, index=scored.index)
    return table.astype({"flip_criterion_code": "str"})
