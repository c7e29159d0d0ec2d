"""A committee at work, in JupyterLab: sliders on weights and goalposts, the list follows at once.

Nothing here is published, and nothing that the sliders say is written anywhere: a decision is
written in the voting form (`opmq vote form`).
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets
import pandas as pd

from opmq_lib.methods import core
from opmq_lib.questions.coeurs_strategiques.page import MEANINGS, NAMES, QUESTIONS
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Html

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
        said = "Les curseurs du comité sont dans le notebook, ouvert avec <code>opmq lab</code>."
        return pieces.banner(french.typography(said))
    tabs = dict(list(questions.groupby("question_code")))
    return ipywidgets.Tab(
        [_question_panel(question, values, labels) for question in tabs.values()],
        titles=[QUESTIONS[str(code)] for code in tabs],
    )


def moved(
    question: pd.DataFrame,
    weights: Sequence[float],
    goalposts: Sequence[tuple[float, float]],
    cutoff_score: float,
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
        >>> found = moved(asked, [3, 1], [(0.6, 1), (0, 2)], 0.6)
        >>> found["weight"].tolist(), found["threshold"].isna().tolist()
        ([0.75, 0.25], [True, True])
    """
    low, high = ([pair[end] for pair in goalposts] for end in (0, 1))
    is_kept = question["threshold"].between(low, high)
    return question.assign(
        weight=[weight / sum(weights) for weight in weights],
        low=low,
        high=high,
        threshold=question["threshold"].where(is_kept),
        cutoff_score=cutoff_score,
    )


def listed(labelled: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Return the métiers by label, in alphabetical order, as HTML.

    Args:
        labelled: Labels of one question, from `core.labels`.
        labels: French name of each métier.
    """
    parts = []
    for label in core.LABELS:
        rows = labelled[labelled["label"] == label]
        names = sorted(
            f"{escape(labels.get(code, code))}"
            + ("" if pd.isna(share) else f" ({french.percent(share)})")
            for code, share in zip(rows["metier_code"], rows["acceptability_pct"], strict=True)
        )
        if names:
            items = "".join(f"<li>{name}</li>" for name in names)
            parts.append(f"<h4>{NAMES[label]}</h4><p>{MEANINGS[label]}</p><ul>{items}</ul>")
    return french.typography("".join(parts))


def _question_panel(
    question: pd.DataFrame, values: pd.DataFrame, labels: Mapping[str, str]
) -> ipywidgets.Widget:
    criteria = question.to_dict("records")
    weights = [
        _slider(ipywidgets.FloatSlider, f"Poids : {each['label']}", each["weight"], (0, 1, 0.05))
        for each in criteria
    ]
    goalposts = [
        _slider(
            ipywidgets.FloatRangeSlider,
            f"Bornes : {each['label']} ({each['unit']})",
            (each["low"], each["high"]),
            _range_of(values, each),
        )
        for each in criteria
    ]
    cutoff = question["cutoff_score"].iloc[0]
    entry = _slider(ipywidgets.FloatSlider, "Score d’entrée", cutoff, (0.05, 0.95, 0.05))
    shown = ipywidgets.HTML()

    def update(_: object = None) -> None:
        if not any(slider.value for slider in weights) or any(
            slider.value[0] >= slider.value[1] for slider in goalposts
        ):
            said = "Un poids au moins doit dépasser 0, et les deux bornes doivent différer."
            shown.value = f"<p>{said}</p>"
            return
        asked = moved(
            question,
            [slider.value for slider in weights],
            [slider.value for slider in goalposts],
            entry.value,
        )
        scored = core.reasons(asked, values)
        shown.value = listed(core.labels(asked, scored, draws=core.SLIDER_DRAWS), labels)

    for slider in (*weights, *goalposts, entry):
        slider.observe(update, names="value")
    update()
    title = french.typography(
        "<b>Essai du comité : rien n’est voté ni publié ici.</b> Poids relatifs, puis bornes :"
    )
    return ipywidgets.VBox([ipywidgets.HTML(title), *weights, *goalposts, entry, shown])


def _slider(
    kind: type[ipywidgets.Widget], name: str, value: Any, scale: tuple[float, float, float]
) -> ipywidgets.Widget:
    least, most, step = scale
    return kind(
        value=value,
        min=least,
        max=most,
        step=step,
        description=french.typography(name),
        style={"description_width": "26em"},
        layout={"width": "48em"},
        continuous_update=False,
    )


def _range_of(values: pd.DataFrame, criterion: Mapping[Any, Any]) -> tuple[float, float, float]:
    """Return both ends of what a criterion is worth, its goalposts included, and a step."""
    known = values.loc[values["criterion_code"] == criterion["criterion_code"], ["lower", "upper"]]
    least = min(criterion["low"], float(known.min().min(skipna=True)))
    most = max(criterion["high"], float(known.max().max(skipna=True)))
    return least, most, (most - least) / STEPS
