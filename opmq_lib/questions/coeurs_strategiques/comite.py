"""A committee at work, in JupyterLab: sliders on weights and goalposts, the list follows at once.

Nothing here is published, and nothing that the sliders say is written anywhere: a decision is
written in the voting form (`opmq vote form`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets
import pandas as pd

from opmq_lib.methods import core
from opmq_lib.questions.coeurs_strategiques import page
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Html

Goalposts = Sequence[tuple[float, float]]

WEIGHTS, CUTOFFS = (0.0, 1.0, 0.05), (0.05, 0.95, 0.05)
STEPS = 100


def panel(
    questions: pd.DataFrame, values: pd.DataFrame, labels: Mapping[str, str], sliders: bool
) -> ipywidgets.Widget | Html:
    """Return one tab of sliders per question, or on a page a sentence that says where they are.

    Args:
        questions: One row per question and criterion.
        values: What each criterion is worth for each métier.
        labels: French name of each métier.
        sliders: Whether somebody can move them: in JupyterLab, not on a page.
    """
    if not sliders:
        return pieces.banner(page.WORDS.page_sliders())
    codes = list(questions["question_code"].unique())
    tabs = [
        _tab(questions[questions["question_code"] == code], values, labels, code) for code in codes
    ]
    return ipywidgets.Tab(tabs, titles=[page.WORDS.QUESTIONS[code] for code in codes])


def moved(
    question: pd.DataFrame, weights: Sequence[float], goalposts: Goalposts, cutoff_score: float
) -> pd.DataFrame:
    """Return a question with other weights, scaled to sum to 1, goalposts and cut-off.

    A threshold that the goalposts no longer hold is dropped.

    Args:
        question: What the sliders start from, one row per criterion.
        weights: One per criterion, not all 0.
        goalposts: Low and high per criterion, low under high.
        cutoff_score: Score from which a métier is on the list.

    Examples:
        >>> asked = pd.DataFrame({"question_code": "core", "criterion_code": ["a", "b"],
        ...     "threshold": [0.5, None]})
        >>> asked = moved(asked, [3, 1], [(0.6, 1), (0, 2)], 0.6)
        >>> asked["weight"].tolist(), asked["threshold"].isna().tolist()
        ([0.75, 0.25], [True, True])
    """
    low, high = ([pair[end] for pair in goalposts] for end in (0, 1))
    weight = [each / sum(weights) for each in weights]
    threshold = question["threshold"].where(question["threshold"].between(low, high))
    return question.assign(
        weight=weight, low=low, high=high, threshold=threshold, cutoff_score=cutoff_score
    )


def _tab(
    question: pd.DataFrame, values: pd.DataFrame, labels: Mapping[str, str], code: str
) -> ipywidgets.Widget:
    weights, goalposts = [], []
    for each in question.itertuples():
        known = values.loc[values["criterion_code"] == each.criterion_code, ["lower", "upper"]]
        least, most = min(each.low, known.min().min()), max(each.high, known.max().max())
        scale, name = (least, most, (most - least) / STEPS), f"{each.label} ({each.unit})"
        ends = (each.low, each.high)
        weights.append(
            _slider(ipywidgets.FloatSlider, f"Poids : {each.label}", each.weight, WEIGHTS)
        )
        goalposts.append(_slider(ipywidgets.FloatRangeSlider, f"Bornes : {name}", ends, scale))
    cutoff = question["cutoff_score"].iloc[0]
    entry = _slider(ipywidgets.FloatSlider, "Score d’entrée", cutoff, CUTOFFS)
    shown = ipywidgets.HTML()

    def update(_: object = None) -> None:
        weight, posts = ([slider.value for slider in each] for each in (weights, goalposts))
        if not any(weight) or any(low >= high for low, high in posts):
            shown.value = page.WORDS.bad_sliders()
            return
        asked = moved(question, weight, posts, entry.value)
        scored = core.reasons(asked, values)
        labelled = core.labels(asked, scored, draws=core.SLIDER_DRAWS).assign(voted="none")
        tables = {page.LABELS: labelled, page.REASONS: scored, page.CRITERIA: asked}
        shown.value = page.labels_list(tables, labels, code).html

    for slider in (*weights, *goalposts, entry):
        slider.observe(update, names="value")
    update()
    title = ipywidgets.HTML(pieces.piece(page.WORDS.sliders()).html)
    return ipywidgets.VBox([title, *weights, *goalposts, entry, shown])


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
