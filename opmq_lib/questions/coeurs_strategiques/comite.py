"""A committee at work, in JupyterLab: sliders on gates, weights and goalposts, the list follows.

Nothing here is published, and nothing that the sliders say is written anywhere: a decision is
written in the voting form (`opmq vote form`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets
import pandas as pd

from opmq_lib.questions.coeurs_strategiques import chain, page
from opmq_lib.questions.coeurs_strategiques.chain import Known
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Html
from opmq_lib.tables.indicators import where

Goalposts = Sequence[tuple[float, float]]

WEIGHTS, CUTOFFS = (0.0, 1.0, 0.05), (0.05, 0.95, 0.05)
STEPS = 100


def panel(
    questions: pd.DataFrame,
    gates: pd.DataFrame,
    known: Known,
    labels: Mapping[str, str],
    sliders: bool,
) -> ipywidgets.Widget | Html:
    """Return one tab of sliders per question, or on a page a sentence that says where they are.

    Args:
        questions: One row per question and criterion.
        gates: One row per line of a gate.
        known: What is known of the métiers of the branch.
        labels: French name of each métier.
        sliders: Whether somebody can move them: in JupyterLab, not on a page.
    """
    if not sliders or known.looked_at.empty:
        return pieces.banner(page.WORDS.page_sliders())
    codes = list(questions["question_code"].unique())
    tabs = [
        _tab(where(questions, question_code=code), where(gates, question_code=code), known, labels)
        for code in codes
    ]
    return ipywidgets.Tab(tabs, titles=[page.WORDS.QUESTIONS[code] for code in codes])


def moved(
    question: pd.DataFrame, weights: Sequence[float], goalposts: Goalposts, cutoff_score: float
) -> pd.DataFrame:
    """Return a question with other weights, scaled to sum to 1, goalposts and cut-off.

    Args:
        question: What the sliders start from, one row per criterion.
        weights: One per criterion, not all 0.
        goalposts: Low and high per criterion, low under high.
        cutoff_score: Score from which a métier is on the list.

    Examples:
        >>> asked = pd.DataFrame({"question_code": "core", "criterion_code": ["a", "b"]})
        >>> asked = moved(asked, [3, 1], [(0.6, 1), (0, 2)], 0.6)
        >>> asked["weight"].tolist(), asked["high"].tolist()
        ([0.75, 0.25], [1, 2])
    """
    low, high = ([pair[end] for pair in goalposts] for end in (0, 1))
    weight = [each / sum(weights) for each in weights]
    return question.assign(weight=weight, low=low, high=high, cutoff_score=cutoff_score)


def _tab(
    question: pd.DataFrame, gates: pd.DataFrame, known: Known, labels: Mapping[str, str]
) -> ipywidgets.Widget:
    code = str(question["question_code"].iloc[0])
    least, weights, goalposts = [], [], []
    for line in gates.to_dict("records"):
        name = "Condition {gate}, voie {way} : {label} ({unit})".format_map(line)
        ends = _ends(known.facts, line["criterion_code"], line["least"], line["least"])
        least.append(_slider(ipywidgets.FloatSlider, name, line["least"], _steps(*ends)))
    for each in question.to_dict("records"):
        low, high = _ends(known.facts, each["criterion_code"], each["low"], each["high"])
        if each["scale"] == "log":
            low = each["low"] / 10
        weight, posts = f"Poids : {each['label']}", f"Bornes : {each['label']} ({each['unit']})"
        weights.append(_slider(ipywidgets.FloatSlider, weight, each["weight"], WEIGHTS))
        at = (each["low"], each["high"])
        goalposts.append(_slider(ipywidgets.FloatRangeSlider, posts, at, _steps(low, high)))
    cutoff = question["cutoff_score"].iloc[0]
    entry = _slider(ipywidgets.FloatSlider, "Score d’entrée", cutoff, CUTOFFS)
    shown = ipywidgets.HTML()

    def update(_: object = None) -> None:
        weight, posts = ([slider.value for slider in each] for each in (weights, goalposts))
        if not any(weight) or any(low >= high for low, high in posts):
            shown.value = page.WORDS.bad_sliders()
            return
        asked = moved(question, weight, posts, entry.value)
        required = gates.assign(least=[slider.value for slider in least])
        labelled = chain.labels(asked, required, known)
        tables = chain.results("essai", asked, required, known, labelled)
        shown.value = page.lists(tables, labels, code).html

    for slider in (*least, *weights, *goalposts, entry):
        slider.observe(update, names="value")
    update()
    title = ipywidgets.HTML(pieces.piece(page.WORDS.sliders()).html)
    return ipywidgets.VBox([title, *least, *weights, *goalposts, entry, shown])


def _ends(facts: pd.DataFrame, code: str, low: float, high: float) -> tuple[float, float]:
    """Return the ends of a slider, which hold all that is known and two values."""
    known = facts.loc[facts["criterion_code"] == code, ["lower", "upper"]]
    return min(low, known.min().min()), max(high, known.max().max())


def _steps(low: float, high: float) -> tuple[float, float, float]:
    return low, high, (high - low) / STEPS


def _slider(
    kind: type[ipywidgets.Widget], name: str, value: Any, scale: tuple[float, float, float]
) -> ipywidgets.Widget:
    return kind(
        value=value,
        min=scale[0],
        max=scale[1],
        step=scale[2],
        description=french.typography(name),
        style={"description_width": "26em"},
        layout={"width": "48em"},
        continuous_update=False,
    )
