"""Assembles `00_rapport`: every question’s own pieces, and what is missing; no figure of its own.

`QUESTIONS` is the list to read: a new question is one entry here, and its name in the `reads` of
the notebook.
"""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from opmq_lib.params import Question as VotedQuestion
from opmq_lib.questions.besoins import page as besoins
from opmq_lib.questions.coeurs_strategiques import page as coeurs
from opmq_lib.questions.competences import page as competences
from opmq_lib.questions.demandes import page as demandes
from opmq_lib.questions.emplois import page as emplois
from opmq_lib.questions.etudes import page as etudes
from opmq_lib.questions.tensions import page as tensions
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html
from opmq_lib.show.words import words
from opmq_lib.tables import indicators

Results = Mapping[str, pd.DataFrame]
Found = Mapping[str, Results]
DRAFT: Final = "brouillon"
WORDS = words(__package__)


class Context(NamedTuple):
    """What pieces need beside results.

    Attributes:
        branch_code: The branch of the report.
        labels: French label of every code: métiers (FAP-2009), branches, topics, themes.
        criteria: The branch's two questions on core and strategic métiers, voted or not.
    """

    branch_code: str
    labels: Mapping[str, str]
    criteria: Sequence[VotedQuestion]


Piece = Callable[[Results, Context], Html | Figure]


class Compared(NamedTuple):
    """One number that is set beside that of the previous edition.

    Attributes:
        label: What it is, in French.
        table: Result table that holds it.
        where: Column → value that choose its row; of several years, the last.
        show: A method of `Cells`.
        options: Its other arguments, such as the decimals.
    """

    label: str
    table: str
    where: Mapping[str, str]
    show: Callable[..., str]
    options: tuple[int, ...] = ()


class Question(NamedTuple):
    """One question of the report.

    Attributes:
        notebook: Template whose results it reads.
        heading: French heading.
        essentials: What must be remembered, on a few lines.
        details: Pieces shown after, in order.
        compared: Numbers set beside those of the previous edition.
        is_common: Whether the notebook runs once for all branches.
    """

    notebook: str
    heading: str
    essentials: Piece
    details: tuple[Piece, ...] = ()
    compared: tuple[Compared, ...] = ()
    is_common: bool = False


QUESTIONS: Final = (
    Question(
        "01_emplois",
        "Évolution des emplois et des qualifications",
        essentials=lambda results, context: Html(
            emplois.findings(results, context.labels).html + emplois.qualification_findings(results).html
        ),
        details=(
            lambda results, _: emplois.banner(results),
            lambda results, _: emplois.key_figures(results),
            lambda results, context: emplois.metiers_table(results, context.labels, count=5),
            lambda results, _: emplois.qualifications_table(results),
        ),
        compared=(
            Compared(
                "Salariés de la branche", "emplois", {"indicator": "branch_headcount"},
                Cells.number,
            ),
        ),
    ),
    Question(
        "02_besoins",
        "Besoins : combien de postes à pourvoir, pourquoi",
        essentials=lambda results, context: besoins.findings(results, context.labels),
        details=(
            lambda results, _: besoins.banner(results),
            lambda results, _: besoins.key_figures(results),
            lambda results, context: besoins.near_table(results, context.labels),
            lambda results, context: besoins.posts_table(results, context.labels),
        ),
        compared=tuple(
            Compared(
                label, besoins.TABLE,
                {"indicator": indicator, "metier_code": indicators.ALL_METIERS},
                Cells.headcount,
            )
            for label, indicator in (
                ("Postes à pourvoir, jusqu’à l’horizon", besoins.POSTS),
                ("Départs de fin de carrière, jusqu’à l’horizon", besoins.LEFT),
            )
        ),
    ),
    Question(
        "03_tensions",
        "Métiers en tension",
        essentials=lambda results, context: tensions.findings(results, context.labels),
        details=(
            lambda results, _: tensions.banner(results),
            lambda results, context: tensions.factors_table(results, context.labels, count=5),
        ),
    ),
    Question(
        "04_coeurs_strategiques",
        "Cœurs de métiers et métiers stratégiques",
        essentials=lambda results, context: coeurs.findings(results, context.labels),
        details=(
            lambda results, _: coeurs.banner(results),
            lambda results, _: coeurs.criteria_table(results, "core"),
            lambda results, _: coeurs.criteria_table(results, "strategic"),
        ),
    ),
    Question(
        "05_competences",
        "Compétences et certifications",
        essentials=lambda results, context: competences.findings(results, context.labels),
        details=(
            lambda results, _: competences.banner(results),
            lambda results, _: competences.reasons_table(results),
        ),
        compared=(
            Compared(
                "Certifications de la branche", competences.TABLE,
                {"indicator": "certifications_count", "metier_code": indicators.ALL_METIERS},
                Cells.number,
            ),
        ),
    ),
    Question(
        "06_demandes",
        "Demandes que l’offre ne couvre pas",
        essentials=lambda results, context: demandes.findings(results, context.labels),
        details=(
            lambda results, _: demandes.banner(results),
            lambda results, context: demandes.topics_table(results, context.labels),
            lambda results, _: demandes.gap(results),
            lambda results, context: demandes.follow_up_table(results, context.labels),
        ),
        compared=(
            Compared(
                "Entreprises de moins de 50 salariés non couvertes (en %)", "demandes",
                {"indicator": "unmet_share_pct", "size_band": "under_50", "topic_code": "all"},
                Cells.number,
            ),
        ),
    ),
    Question(
        "12_etudes",
        "Études",
        essentials=lambda results, context: etudes.findings(results, context.labels, context.branch_code),
        details=(
            lambda results, _: etudes.banner(results),
            lambda results, context: etudes.studies_table(results, context.labels, context.branch_code),
        ),
        compared=(
            Compared(
                "Taux de couverture des études, toutes branches", "etudes",
                {"indicator": "study_coverage_ratio", "branch_code": "ensemble"},
                Cells.number, (2,),
            ),
        ),
        is_common=True,
    ),
)  # fmt: skip
"""The questions of the report, in order."""


def banner(
    criteria: Sequence[VotedQuestion], found: Found | None = None, state: str = DRAFT
) -> Html:
    """Return the validation state of the report, and what in it is an example or fictitious."""
    missing = missing_questions(found) if found else []
    named = [f"« {each.heading} »" for each in QUESTIONS if each.notebook in missing]
    tables = [table for results in (found or {}).values() for table in results.values()]
    has_example = any(question.vote is None for question in criteria)
    has_fictitious = any(
        (table["origin"] == "fictitious").any() for table in tables if "origin" in table
    )
    return pieces.banner(WORDS.banner(state, DRAFT, has_example, named, has_fictitious))


def essentials(found: Found, context: Context) -> Html:
    """Return what must be remembered of every question; one sentence where there is no answer."""
    return Html("".join(_titled(each, _essentials(each, found, context)) for each in QUESTIONS))


def details(found: Found, context: Context) -> Html:
    """Return the details of every question that has an answer, in the order of `QUESTIONS`."""
    blocks = []
    for each in QUESTIONS:
        results = found.get(each.notebook, {})
        shown = "".join(_html(piece(results, context)) for piece in each.details if results)
        if shown:
            blocks.append(_titled(each, shown, "details"))
    return Html("".join(blocks))


def comparison(found: Found, previous: Found, previous_edition_id: str | None) -> Html:
    """Return the numbers of this edition beside those of the previous one.

    A change is told only where the two intervals do not touch, or where neither number has one.

    Args:
        found: Results of this edition, by notebook.
        previous: Results of the previous edition, by notebook.
        previous_edition_id: Its name; none: there is none.
    """
    if previous_edition_id is None:
        return pieces.banner(WORDS.no_previous())
    rows = [
        (number, then, now)
        for each in QUESTIONS
        for number in each.compared
        if (now := _place(number, found.get(each.notebook, {}), number.table))
        and (then := _place(number, previous.get(each.notebook, {}),
                            f"{previous_edition_id}/{number.table}"))
    ]  # fmt: skip
    if not rows:
        return pieces.banner(WORDS.nothing_to_compare(previous_edition_id))
    columns = {
        "Grandeur": lambda each: each[0].label,
        "Précédente": lambda each: _with_interval(each[0], *each[1]),
        "Cette édition": lambda each: _with_interval(each[0], *each[2]),
        "Lecture": lambda each: _reading(*each[1:]),
    }
    return pieces.table(WORDS.comparison(previous_edition_id), columns, rows)


def missing_questions(found: Found) -> list[str]:
    """Return the notebooks of the questions that this edition does not answer.

    Examples:
        >>> missing_questions({})[:2]
        ['01_emplois', '02_besoins']
    """
    return [each.notebook for each in QUESTIONS if not found.get(each.notebook)]


def _essentials(each: Question, found: Found, context: Context) -> str:
    results = found.get(each.notebook, {})
    return _html(each.essentials(results, context) if results else pieces.text(WORDS.not_run()))


def _titled(each: Question, body: str, kind: str = "essentiel") -> str:
    identifier = f"{kind}-{each.notebook.partition('_')[2].replace('_', '-')}"
    return f'<h3 id="{identifier}">{french.typography(escape(each.heading))}</h3>{body}'


def _html(piece: Html | Figure) -> str:
    if isinstance(piece, Figure):
        message = "the report shows tables and sentences; figures stay on their question's page"
        raise TypeError(message)
    return piece.html


def _place(number: Compared, results: Results, name: str) -> tuple[Cells, int] | None:
    """Return where a number stands in the results of an edition, if it does."""
    if number.table not in results:
        return None
    table = results[number.table]
    chosen = pd.Series(data=True, index=table.index)
    for column, value in number.where.items():
        chosen &= table[column] == value
    rows = table[chosen]
    if "year" in rows:
        rows = rows.sort_values("year", ascending=False, kind="stable")
    return (Cells(name, table), int(rows.index[0])) if len(rows) else None


def _with_interval(number: Compared, cells: Cells, row: int) -> str:
    value = number.show(cells, row, *number.options)
    if _end(cells, row, "lower") is None:
        return value
    is_headcount = number.show is Cells.headcount
    ends = cells.interval(row) if is_headcount else cells.bounds(row)
    return Markup("{} ({})").format(value, ends)


def _reading(then: tuple[Cells, int], now: tuple[Cells, int]) -> str:
    if any(cells.read(row) is None for cells, row in (then, now)):
        return "non comparable"
    (then_low, then_high), (low, high) = (
        [cells.read(row) if (end := _end(cells, row, name)) is None else end
         for name in ("lower", "upper")]
        for cells, row in (then, now)
    )  # fmt: skip
    if (low or 0) > (then_high or 0):
        return "en hausse"
    return "en baisse" if (high or 0) < (then_low or 0) else "aucune évolution montrée"


def _end(cells: Cells, row: int, column: str) -> float | None:
    return cells.read(row, column) if column in cells.table else None
