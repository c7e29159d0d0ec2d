"""Assembles `00_rapport`: every question’s own pieces, and what is missing; no figure of its own.

`QUESTIONS` is the list to read: a new question is one entry here, and its name in `chain` and in
the `reads` of the notebook.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from inspect import signature
from typing import Final, NamedTuple

from markupsafe import Markup
from matplotlib.figure import Figure

from opmq_lib.questions.besoins import page as besoins
from opmq_lib.questions.changements import page as changements
from opmq_lib.questions.coeurs_strategiques import page as coeurs
from opmq_lib.questions.competences import page as competences
from opmq_lib.questions.demandes import page as demandes
from opmq_lib.questions.emplois import page as emplois
from opmq_lib.questions.emplois import portrait
from opmq_lib.questions.que_faire import page as que_faire
from opmq_lib.questions.tensions import page as tensions
from opmq_lib.questions.travaux import chain as works
from opmq_lib.questions.travaux import page as travaux
from opmq_lib.show import pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import ALL_METIERS, select

Answers = Mapping[str, Results]
DRAFT: Final = "brouillon"
TOTAL: Final = {"metier_code": ALL_METIERS}
WORDS = words(__package__)


class Compared(NamedTuple):
    """One number that is set beside that of the previous edition.

    Attributes:
        label: What it is, in French.
        table: Result table that holds it.
        indicator: Its indicator; of several years, the last.
        show: A method of `Cells`.
        where: Column → value that choose its row among those of the indicator.
        options: Other arguments of the method, such as the decimals.
    """

    label: str
    table: str
    indicator: str
    show: Callable[..., str] = Cells.number
    where: Mapping[str, str] = {}
    options: tuple[int, ...] = ()


class Question(NamedTuple):
    """One question of the report.

    Attributes:
        notebook: Template whose results it reads.
        heading: French heading.
        essentials: What must be remembered, on a few lines: pieces of the question's page. A piece
            receives its results, and of `labels` and `branch_code` what it asks for.
        details: Pieces shown after, in order.
        compared: Numbers set beside those of the previous edition.
        part: Which part of the notebook it is, where two questions read the same.
    """

    notebook: str
    heading: str
    essentials: Sequence[Callable[..., Html | Figure]]
    details: Sequence[Callable[..., Html | Figure]] = ()
    compared: Sequence[Compared] = ()
    part: str = ""


def recommendations(results: Results, labels: Labels) -> Html:
    """Return what became of earlier recommendations, where the review of requests has some."""
    known = demandes.FOLLOW_UP in results
    return demandes.follow_up_table(results, labels) if known else Html("")


QUESTIONS: Final = (
    Question(
        "07_que_faire",
        "Que faire ?",
        [
            que_faire.banner,
            que_faire.findings,
            que_faire.cards,
            que_faire.left_out,
            que_faire.follow_up_table,
        ],
        [que_faire.read_me],
    ),
    Question(
        "01_emplois",
        "Évolution des emplois et des qualifications",
        [emplois.findings, emplois.qualification_findings],
        [
            emplois.banner,
            emplois.key_figures,
            portrait.trend,
            portrait.firms_table,
            portrait.wages_table,
            partial(emplois.metiers_table, count=5),
            emplois.qualifications_table,
        ],
        [Compared("Salariés de la branche", emplois.TABLE, "branch_headcount")],
    ),
    Question(
        "02_besoins",
        "Besoins : qui part, combien de postes à pourvoir",
        [besoins.findings],
        [besoins.banner, besoins.key_figures, besoins.rates_table, besoins.posts_table],
        [
            Compared(
                f"{label}, jusqu’à l’horizon",
                besoins.TABLE,
                name,
                Cells.headcount,
                TOTAL | {"variant": ""},
            )
            for label, name in {
                "Postes à pourvoir": besoins.POSTS,
                "Départs de fin de carrière": besoins.LEFT,
            }.items()
        ],
    ),
    Question(
        "03_tensions",
        "Métiers en tension",
        [tensions.findings],
        [
            tensions.banner,
            partial(tensions.standing_table, count=5),
            partial(tensions.factors_table, count=5),
        ],
    ),
    Question(
        "04_coeurs_strategiques",
        "Cœurs de métiers et métiers stratégiques",
        [coeurs.findings],
        [
            coeurs.banner,
            partial(coeurs.listed, question="core"),
            partial(coeurs.criteria_table, question="core"),
            partial(coeurs.listed, question="strategic"),
            partial(coeurs.criteria_table, question="strategic"),
        ],
    ),
    Question(
        "05_competences",
        "Compétences et certifications",
        [competences.findings],
        [competences.banner, competences.reasons_table],
        [
            Compared(
                "Certifications de la branche",
                competences.TABLE,
                "certifications_count",
                where=TOTAL,
            )
        ],
    ),
    Question(
        "05_competences",
        "Ce qui change",
        [changements.findings, changements.notes],
        [changements.banner, changements.metiers, changements.near_table],
        part="changements",
    ),
    Question(
        "06_demandes",
        "Demandes que l’offre ne couvre pas",
        [demandes.findings],
        [demandes.banner, demandes.topics_table, demandes.gap],
        [
            Compared(
                "Demandes des moins de 50 salariés non couvertes (en %)",
                demandes.TABLE,
                demandes.SHARE,
                where={
                    "size_band": "under_50",
                    "topic_code": "all",
                    "reason": "all",
                    "variant": "",
                },
            )
        ],
    ),
    Question(
        "12_travaux",
        "Travaux",
        [travaux.findings],
        [travaux.banner, travaux.works_table, travaux.decisions_table, recommendations],
        [
            Compared(
                "Taux de couverture des études, toutes branches",
                works.TABLE,
                "study_coverage_ratio",
                where={"branch_code": "ensemble"},
                options=(2,),
            )
        ],
    ),
)
"""The questions of the report, in order."""


def legend(answers: Answers) -> Html:
    """Return what the letters of the report mean."""
    return pieces.grades_legend(*(table for each in answers.values() for table in each.values()))


def banner(answers: Answers, state: str = DRAFT) -> Html:
    """Return the validation state of the report, and what in it is an example or fictitious."""
    missing = [f"« {each.heading} »" for each in QUESTIONS if not answers.get(each.notebook)]
    tables = {name: table for results in answers.values() for name, table in results.items()}
    has_fictitious = any(
        (table["origin"] == "fictitious").any() for table in tables.values() if "origin" in table
    )
    is_example = coeurs.CRITERIA in tables and coeurs.is_unvoted(tables).any()
    return pieces.banner(WORDS.banner(state, DRAFT, is_example, missing, has_fictitious))


def essentials(answers: Answers, labels: Labels, branch_code: str) -> Html:
    """Return what must be remembered of every question; one sentence where there is no answer."""
    shown = [
        _shown(each.essentials, answers.get(each.notebook), labels, branch_code)
        or pieces.text(WORDS.not_run()).html
        for each in QUESTIONS
    ]
    return pieces.piece("".join(map(_titled, QUESTIONS, shown)))


def details(answers: Answers, labels: Labels, branch_code: str) -> Html:
    """Return the details of every question that has an answer, in the order of `QUESTIONS`."""
    return pieces.piece(
        "".join(
            _titled(each, shown, "details")
            for each in QUESTIONS
            if (shown := _shown(each.details, answers.get(each.notebook), labels, branch_code))
        )
    )


def comparison(answers: Answers, previous: Answers, previous_edition_id: str | None) -> Html:
    """Return the numbers of this edition beside those of the previous one.

    A change is told only where the two intervals do not touch, or where neither number has one.

    Args:
        answers: Results of this edition, by notebook.
        previous: Results of the previous edition, by notebook.
        previous_edition_id: Its name; none: there is none.
    """
    if previous_edition_id is None:
        return pieces.banner(WORDS.no_previous())
    rows = [
        (number, then, now)
        for each in QUESTIONS
        for number in each.compared
        if (now := _place(number, answers.get(each.notebook, {}), number.table))
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


def _shown(
    shown: Sequence[Callable[..., Html | Figure]],
    results: Results | None,
    labels: Labels,
    branch_code: str,
) -> str:
    """Return pieces one after the other; nothing without results."""
    given = {"labels": labels, "branch_code": branch_code}
    made = [
        piece(results, **{name: given[name] for name in given.keys() & signature(piece).parameters})
        for piece in shown
        if results
    ]
    if any(isinstance(piece, Figure) for piece in made):
        message = "the report shows tables and sentences; figures stay on their question's page"
        raise TypeError(message)
    return "".join(piece.html for piece in made if isinstance(piece, Html))


def _titled(each: Question, body: str, kind: str = "essentiel") -> str:
    of = (kind, each.notebook.partition("_")[2].replace("_", "-"), each.part)
    identifier = "-".join(filter(None, of))
    return f'<h3 id="{identifier}">{escape(each.heading)}</h3>{body}'


def _place(number: Compared, results: Results, name: str) -> tuple[Cells, int] | None:
    """Return where a number stands in the results of an edition, if it does."""
    if number.table not in results:
        return None
    table = results[number.table]
    rows = select(table, number.indicator, **number.where)
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
