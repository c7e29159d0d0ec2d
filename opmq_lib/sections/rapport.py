"""Assembles `00_rapport`: the questions’ sections, and what is missing; no figure of its own."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from opmq_lib import display, french
from opmq_lib.display import Html
from opmq_lib.figures import Figure
from opmq_lib.params import Question

QUESTIONS = {"core": "cœur", "strategic": "stratégique"}
MISSING_QUESTIONS = (
    "Besoins : combien de postes à pourvoir, pourquoi, pour quels métiers ?",
    "Compétences : lesquelles manquent, apparaissent, sont couvertes par une certification ?",
    "Demandes : que demandent les entreprises que l’offre de services ne couvre pas ?",
    "Études : qui a demandé quoi, où en est-on ?",
)


def banner(criteria: Sequence[Question]) -> Html:
    """Return the state of the report, and whether anything in it still awaits a vote."""
    sentences = ["<strong>Brouillon</strong> : ce rapport n’a pas été soumis à la CPNEFP."]
    if any(question.vote is None for question in criteria):
        sentences.append(
            "<strong>Exemple, non voté</strong> : les critères, bornes et poids montrés plus bas "
            "n’ont été votés par personne."
        )
    return display.banner(*map(french.typography, sentences))


def assemble(
    results: Mapping[str, pd.DataFrame],
    piece: Callable[..., Html | Figure],
    *arguments: Any,
    **options: Any,
) -> Html | Figure:
    """Return a piece of a question's section, or a sentence saying that it has not been computed.

    Args:
        results: The question's result tables; empty when it has not run.
        piece: A function of the question's section; receives the results first.
        arguments: Its other arguments.
        options: Its options.
    """
    if not results:
        return display.banner(
            french.typography(
                "Section pas encore calculée pour cette branche : exécuter d’abord "
                "<code>opmq run</code>."
            )
        )
    return piece(results, *arguments, **options)


def criteria_table(criteria: Sequence[Question]) -> Html:
    """Return the criteria of the branch, as examples until they are voted."""
    rows = [
        [
            f"{escape(criterion.label)} ({QUESTIONS[question.question_code]})",
            f"{french.number(criterion.low, 2)} à {french.number(criterion.high, 2)} "
            f"({escape(criterion.unit)})",
            french.percent(100 * criterion.weight),
            "non voté" if question.vote is None else f"voté le {question.vote.date:%d/%m/%Y}",
        ]
        for question in criteria
        for criterion in question.criteria
    ]
    return display.table(
        "Critères d’exemple pour ouvrir la discussion",
        ["Critère", "Bornes", "Poids", "Vote"],
        rows,
        french.typography(
            "Deux questions, deux votes. Source : fichier de paramètres de la branche."
        ),
    )


def missing_questions() -> Html:
    """Return the questions of the study that this edition does not answer yet."""
    return display.findings(
        [
            french.typography(f"{question} <em>Pas encore dans cette édition.</em>")
            for question in MISSING_QUESTIONS
        ]
    )
