"""Assembles `00_rapport`: every question’s own pieces, and what is missing; no figure of its own.

`QUESTIONS` is the list to read: a new question is one entry here, and its name in the `reads` of
the notebook.
"""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple

import pandas as pd
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
from opmq_lib.show.pieces import Html
from opmq_lib.sources import study
from opmq_lib.tables import indicators

Results = Mapping[str, pd.DataFrame]
Found = Mapping[str, Results]
DRAFT: Final = "brouillon"
COMMON: Final = "commun"


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
        show: A function of `display`.
        decimals: Decimals, for functions that take them.
    """

    label: str
    table: str
    where: Mapping[str, str]
    show: Callable[..., str]
    decimals: int | None = None


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
        essentials=lambda found, told: Html(
            emplois.findings(found, told.labels).html + emplois.qualification_findings(found).html
        ),
        details=(
            lambda found, _: emplois.banner(found),
            lambda found, _: emplois.key_figures(found),
            lambda found, told: emplois.metiers_table(found, told.labels, count=5),
            lambda found, _: emplois.qualifications_table(found),
        ),
        compared=(
            Compared(
                "Salariés de la branche", "emplois", {"indicator": "branch_headcount"},
                pieces.number,
            ),
        ),
    ),
    Question(
        "02_besoins",
        "Besoins : combien de postes à pourvoir, pourquoi",
        essentials=lambda found, told: besoins.findings(found, told.labels),
        details=(
            lambda found, _: besoins.banner(found),
            lambda found, _: besoins.key_figures(found),
            lambda found, told: besoins.near_table(found, told.labels),
            lambda found, told: besoins.posts_table(found, told.labels),
        ),
        compared=tuple(
            Compared(
                label, besoins.TABLE,
                {"indicator": indicator, "metier_code": indicators.ALL_METIERS},
                pieces.headcount,
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
        essentials=lambda found, told: tensions.findings(found, told.labels),
        details=(
            lambda found, _: tensions.banner(found),
            lambda found, told: tensions.factors_table(found, told.labels, count=5),
        ),
    ),
    Question(
        "04_coeurs_strategiques",
        "Cœurs de métiers et métiers stratégiques",
        essentials=lambda found, told: coeurs.findings(found, told.labels),
        details=(
            lambda found, _: coeurs.banner(found),
            lambda found, _: coeurs.criteria_table(found, "core"),
            lambda found, _: coeurs.criteria_table(found, "strategic"),
        ),
    ),
    Question(
        "05_competences",
        "Compétences et certifications",
        essentials=lambda found, told: competences.findings(found, told.labels),
        details=(
            lambda found, _: competences.banner(found),
            lambda found, _: competences.reasons_table(found),
        ),
        compared=(
            Compared(
                "Certifications de la branche", competences.TABLE,
                {"indicator": "certifications_count", "metier_code": indicators.ALL_METIERS},
                pieces.number,
            ),
        ),
    ),
    Question(
        "06_demandes",
        "Demandes que l’offre ne couvre pas",
        essentials=lambda found, told: demandes.essentials(found, told.labels),
        details=(
            lambda found, _: demandes.banner(found),
            lambda found, told: demandes.topics_table(found, told.labels),
            lambda found, _: demandes.gap(found),
            lambda found, told: demandes.follow_up_table(found, told.labels),
        ),
        compared=(
            Compared(
                "Entreprises de moins de 50 salariés non couvertes (en %)", "demandes",
                {"indicator": "unmet_share_pct", "size_band": "under_50", "topic_code": "all"},
                pieces.number,
            ),
        ),
    ),
    Question(
        "12_etudes",
        "Études",
        essentials=lambda found, told: etudes.findings(found, told.labels, told.branch_code),
        details=(
            lambda found, _: etudes.banner(found),
            lambda found, told: etudes.studies_table(found, told.labels, told.branch_code),
        ),
        compared=(
            Compared(
                "Taux de couverture des études, toutes branches", "etudes",
                {"indicator": "study_coverage_ratio", "branch_code": "ensemble"},
                pieces.number, 2,
            ),
        ),
        is_common=True,
    ),
)  # fmt: skip
"""The questions of the report, in order."""


def context(branch_code: str) -> Context:
    """Return what the pieces of a branch's report need beside results."""
    labels = study.metier_labels() | study.rome_labels() | {"autres_metiers": "Autres métiers"}
    labels |= study.branch_labels() | study.topic_labels() | study.theme_labels()
    return Context(branch_code, labels, study.criteria(branch_code))


def read(edition_id: str | None, branch_code: str) -> dict[str, Results]:
    """Return the result tables of every question, by notebook; empty where it has not run.

    Args:
        edition_id: An edition of `outputs/`; none gives nothing at all.
        branch_code: The branch.
    """
    if edition_id is None:
        return {}
    return {
        each.notebook: study.read_results(
            edition_id, COMMON if each.is_common else branch_code, each.notebook
        )
        for each in QUESTIONS
    }


def banner(
    criteria: Sequence[VotedQuestion], found: Found | None = None, state: str = DRAFT
) -> Html:
    """Return the validation state of the report, and what in it is an example or fictitious."""
    sentences = [
        f"<strong>{state.capitalize()}</strong> : "
        + (
            "ce rapport n’a pas été soumis à la CPNEFP."
            if state == DRAFT
            else "état enregistré de cette édition."
        )
    ]
    if any(question.vote is None for question in criteria):
        sentences.append(
            "<strong>Exemple, non voté</strong> : les critères, bornes et poids montrés plus bas "
            "n’ont été votés par personne."
        )
    missing = missing_questions(found) if found else []
    if missing:
        headings = [each.heading for each in QUESTIONS if each.notebook in missing]
        named = french.enumeration([f"« {escape(heading)} »" for heading in headings])
        sentences.append(f"<strong>Incomplet</strong> : pas encore calculé, {named}.")
    tables = [table for results in (found or {}).values() for table in results.values()]
    if any((table["origin"] == "fictitious").any() for table in tables if "origin" in table):
        sentences.insert(0, "<strong>Données fictives</strong> pour les demandes des entreprises.")
    return pieces.banner(*map(french.typography, sentences))


def assemble(
    results: Results, piece: Callable[..., Html | Figure], *arguments: Any, **options: Any
) -> Html | Figure:
    """Return a piece of a question's section, or a sentence saying that it has not been computed.

    Args:
        results: The question's result tables; empty when it has not run.
        piece: A function of the question's section; receives the results first.
        arguments: Its other arguments.
        options: Its options.
    """
    if not results:
        return pieces.banner(
            french.typography(
                "Section pas encore calculée dans cette édition : exécuter d’abord "
                "<code>opmq run</code>."
            )
        )
    return piece(results, *arguments, **options)


def essentials(found: Found, told: Context) -> Html:
    """Return what must be remembered of every question; one sentence where there is no answer."""
    return Html("".join(_titled(each, _essentials(each, found, told)) for each in QUESTIONS))


def details(found: Found, told: Context) -> Html:
    """Return the details of every question that has an answer, in the order of `QUESTIONS`."""
    blocks = []
    for each in QUESTIONS:
        results = found.get(each.notebook, {})
        shown = "".join(_html(piece(results, told)) for piece in each.details if results)
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
        return pieces.banner(
            french.typography("Aucune édition précédente à laquelle comparer celle-ci.")
        )
    rows = [
        row
        for each in QUESTIONS
        for number in each.compared
        if (row := _compared(number, found.get(each.notebook, {}), previous.get(each.notebook, {}),
                             previous_edition_id))
    ]  # fmt: skip
    if not rows:
        return pieces.banner(
            french.typography(
                f"Édition précédente ({escape(previous_edition_id)}) : aucun résultat comparable "
                "n’y est enregistré."
            )
        )
    return pieces.table(
        f"Cette édition et la précédente ({previous_edition_id})",
        ["Grandeur", "Précédente", "Cette édition", "Lecture"],
        rows,
        french.typography(
            "Entre parenthèses, l’intervalle de chaque nombre. Une évolution n’est dite que si les "
            "deux intervalles sont disjoints. Source : tables de résultats des deux éditions."
        ),
    )


def missing_questions(found: Found) -> list[str]:
    """Return the notebooks of the questions that this edition does not answer.

    Examples:
        >>> missing_questions({})[:2]
        ['01_emplois', '02_besoins']
    """
    return [each.notebook for each in QUESTIONS if not found.get(each.notebook)]


def _essentials(each: Question, found: Found, told: Context) -> str:
    results = found.get(each.notebook, {})
    if not results:
        return f"<p>{french.typography('Pas encore calculé dans cette édition.')}</p>"
    return _html(each.essentials(results, told))


def _titled(each: Question, body: str, kind: str = "essentiel") -> str:
    identifier = f"{kind}-{each.notebook.partition('_')[2].replace('_', '-')}"
    return f'<h3 id="{identifier}">{french.typography(escape(each.heading))}</h3>{body}'


def _html(piece: Html | Figure) -> str:
    if isinstance(piece, Figure):
        message = "the report shows tables and sentences; figures stay on their question's page"
        raise TypeError(message)
    return piece.html


def _compared(
    number: Compared, found: Results, previous: Results, previous_edition_id: str
) -> list[str] | None:
    now, then = _place(number, found), _place(number, previous)
    if now is None or then is None:
        return None
    both = ((previous[number.table], then), (found[number.table], now))
    names = (f"{previous_edition_id}/{number.table}", number.table)
    options = [] if number.decimals is None else [number.decimals]
    cells = [
        number.show(name, table, row, *options) + _interval(number, name, table, row)
        for name, (table, row) in zip(names, both, strict=True)
    ]
    return [escape(number.label), *cells, _reading(both)]


def _place(number: Compared, results: Results) -> int | None:
    if number.table not in results:
        return None
    table = results[number.table]
    chosen = pd.Series(data=True, index=table.index)
    for column, value in number.where.items():
        chosen &= table[column] == value
    rows = table[chosen]
    if "year" in rows:
        rows = rows.sort_values("year", ascending=False, kind="stable")
    return int(rows.index[0]) if len(rows) else None


def _interval(number: Compared, name: str, table: pd.DataFrame, row: int) -> str:
    if "lower" not in table or pieces.read(table, row, "lower") is None:
        return ""
    show = pieces.interval if number.show is pieces.headcount else pieces.bounds
    return f" ({show(name, table, row)})"


def _reading(both: Sequence[tuple[pd.DataFrame, int]]) -> str:
    values = [pieces.read(table, row) for table, row in both]
    if any(value is None for value in values):
        return "non comparable"
    (then_low, then_high), (low, high) = (_ends(table, row) for table, row in both)
    if low > then_high:
        return "en hausse"
    return "en baisse" if high < then_low else "aucune évolution montrée"


def _ends(table: pd.DataFrame, row: int) -> tuple[float, float]:
    value = float(pieces.read(table, row) or 0)
    if "lower" not in table:
        return value, value
    low, high = pieces.read(table, row, "lower"), pieces.read(table, row, "upper")
    return (value if low is None else low), (value if high is None else high)
