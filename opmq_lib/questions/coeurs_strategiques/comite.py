"""A committee at work, in JupyterLab: sliders on weights and goalposts, the list follows at once.

Nothing here is published, and nothing that the sliders say is written anywhere: a decision is
written in the voting form (`opmq vote form`).
"""

from collections.abc import Mapping, Sequence
from html import escape

import ipywidgets
import pandas as pd

from opmq_lib.methods import core
from opmq_lib.params import Criterion, Question
from opmq_lib.questions.coeurs_strategiques.chain import Assessed
from opmq_lib.questions.coeurs_strategiques.page import MEANINGS, NAMES, QUESTIONS
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Html

STEPS = 100


def panel(
    given: Assessed, questions: Sequence[Question], labels: Mapping[str, str], sliders: bool
) -> ipywidgets.Widget | Html:
    """Return one tab of sliders per question, or on a page a sentence that says where they are.

    Args:
        given: What the labels of the branch rest on.
        questions: The questions of the branch.
        labels: French name of each métier.
        sliders: Whether somebody can move them: in JupyterLab, not on a page.
    """
    if not sliders:
        said = "Les curseurs du comité sont dans le notebook, ouvert avec <code>opmq lab</code>."
        return pieces.banner(french.typography(said))
    tabs = ipywidgets.Tab([_question_panel(given, each, labels) for each in questions])
    tabs.titles = [QUESTIONS[question.question_code] for question in questions]
    return tabs


def moved(
    question: Question,
    weights: Sequence[float],
    goalposts: Sequence[tuple[float, float]],
    cutoff_score: float,
) -> Question:
    """Return a question with other weights, scaled to sum to 1, goalposts and cut-off; no vote.

    Args:
        question: What the sliders start from.
        weights: One per criterion, not all 0.
        goalposts: Low and high per criterion, low under high.
        cutoff_score: Score from which a métier is on the list.

    Examples:
        >>> from opmq_lib.params import NOT_VOTED
        >>> each = {"label": "x", "unit": "%", "low": 0.0, "high": 1.0, "direction": "higher"}
        >>> pair = tuple(Criterion(criterion_code=c, weight=0.5, **each) for c in "ab")
        >>> asked = Question(question_code="core", cutoff_score=0.5, concentration=2.0,
        ...     criteria=pair, vote=None, basis=NOT_VOTED)
        >>> [each.weight for each in moved(asked, [3, 1], [(0, 1), (0, 2)], 0.6).criteria]
        [0.75, 0.25]
    """
    total = sum(weights)
    criteria = tuple(
        criterion.model_copy(
            update={"weight": weight / total, "low": low, "high": high, "threshold": None}
            if not (criterion.threshold is None or low <= criterion.threshold <= high)
            else {"weight": weight / total, "low": low, "high": high}
        )
        for criterion, weight, (low, high) in zip(
            question.criteria, weights, goalposts, strict=True
        )
    )
    return question.model_copy(update={"criteria": criteria, "cutoff_score": cutoff_score})


def listed(found: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Return the métiers by label, in alphabetical order, as HTML.

    Args:
        found: Labels of one question, from `core.assess`.
        labels: French name of each métier.
    """
    parts = []
    for label in core.LABELS:
        rows = found[found["label"] == label]
        if rows.empty:
            continue
        names = sorted(
            f"{escape(labels.get(code, code))}"
            + ("" if pd.isna(share) else f" ({french.percent(share)})")
            for code, share in zip(rows["metier_code"], rows["acceptability_pct"], strict=True)
        )
        items = "".join(f"<li>{name}</li>" for name in names)
        parts.append(f"<h4>{NAMES[label]}</h4><p>{MEANINGS[label]}</p><ul>{items}</ul>")
    return french.typography("".join(parts))


def _question_panel(
    given: Assessed, question: Question, labels: Mapping[str, str]
) -> ipywidgets.Widget:
    weights = [_weight_slider(criterion) for criterion in question.criteria]
    goalposts = [_goalposts_slider(given.values, criterion) for criterion in question.criteria]
    cutoff = ipywidgets.FloatSlider(
        value=question.cutoff_score,
        min=0.05,
        max=0.95,
        step=0.05,
        description="Score d’entrée",
        style={"description_width": "12em"},
        continuous_update=False,
    )
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
            cutoff.value,
        )
        found, _reasons = core.assess(
            asked, given.values, given.metier_codes, given.hidden, draws=core.SLIDER_DRAWS
        )
        shown.value = listed(found, labels)

    for slider in (*weights, *goalposts, cutoff):
        slider.observe(update, names="value")
    update()
    title = french.typography(
        "<b>Essai du comité : rien n’est voté ni publié ici.</b> Poids relatifs, puis bornes :"
    )
    return ipywidgets.VBox([ipywidgets.HTML(title), *weights, *goalposts, cutoff, shown])


def _weight_slider(criterion: Criterion) -> ipywidgets.FloatSlider:
    return ipywidgets.FloatSlider(
        value=criterion.weight,
        min=0,
        max=1,
        step=0.05,
        description=f"Poids{french.NBSP}: {criterion.label}",
        style={"description_width": "18em"},
        layout={"width": "36em"},
        continuous_update=False,
    )


def _goalposts_slider(values: pd.DataFrame, criterion: Criterion) -> ipywidgets.FloatRangeSlider:
    known = values.loc[values["criterion_code"] == criterion.criterion_code, ["lower", "upper"]]
    least = min(criterion.low, float(known.min().min(skipna=True)))
    most = max(criterion.high, float(known.max().max(skipna=True)))
    return ipywidgets.FloatRangeSlider(
        value=(criterion.low, criterion.high),
        min=least,
        max=most,
        step=(most - least) / STEPS,
        description=f"Bornes{french.NBSP}: {criterion.label} ({criterion.unit})",
        style={"description_width": "26em"},
        layout={"width": "48em"},
        continuous_update=False,
    )
