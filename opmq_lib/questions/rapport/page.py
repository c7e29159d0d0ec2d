"""Facts of `00_rapport`: what a CPNEFP needs to decide, from the result tables of every question.

`SECTIONS` of the notebook are the functions below, in order; each returns nothing where the
question it reads has nothing to say. `unknown` gathers, once, what is missing.
"""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import pandas as pd
from markupsafe import Markup

from opmq_lib.methods import core
from opmq_lib.questions.besoins import page as besoins
from opmq_lib.questions.changements import page as changements
from opmq_lib.questions.changements.chain import FACTS, NOTES, WAYS
from opmq_lib.questions.coeurs_strategiques import moved
from opmq_lib.questions.coeurs_strategiques import page as coeurs
from opmq_lib.questions.coeurs_strategiques.reasons import Of
from opmq_lib.questions.competences import page as competences
from opmq_lib.questions.demandes import page as demandes
from opmq_lib.questions.emplois import page as emplois
from opmq_lib.questions.que_faire import page as que_faire
from opmq_lib.questions.rapport.figures import Answers
from opmq_lib.questions.travaux import chain as works
from opmq_lib.questions.travaux import page as travaux
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import ALL_METIERS, row_of, rows_of, select, where

WORDS = words(__package__)
TOTAL: Final = {"metier_code": ALL_METIERS}
QUESTIONS: Final = {
    "07_que_faire": "Que faire ?",
    "01_emplois": "Emplois et qualifications",
    "02_besoins": "Besoins",
    "03_tensions": "Tensions",
    "04_coeurs_strategiques": "Cœurs de métiers",
    "05_competences": "Compétences et certifications",
    "06_demandes": "Demandes des entreprises",
    "12_travaux": "Travaux",
}
"""The notebooks that the report reads, by name, with what a reader calls them."""
SHOWN_NAMES, SHOWN_SKILLS = 4, 2


class Compared(NamedTuple):
    """One number that is set beside that of the previous edition.

    Attributes:
        label: What it is, in French.
        notebook: Template whose results hold it.
        table: Result table that holds it.
        indicator: Its indicator; of several years, the last.
        show: A method of `Cells`.
        where: Column → value that choose its row among those of the indicator.
        options: Other arguments of the method, such as the decimals.
    """

    label: str
    notebook: str
    table: str
    indicator: str
    show: Callable[..., str] = Cells.number
    where: Mapping[str, str] = {}
    options: tuple[int, ...] = ()


COMPARED: Final = (
    Compared("Salariés de la branche", "01_emplois", emplois.TABLE, "branch_headcount"),
    *(
        Compared(
            f"{label}, jusqu’à l’horizon",
            "02_besoins",
            besoins.TABLE,
            name,
            Cells.headcount,
            TOTAL | {"variant": ""},
        )
        for label, name in {
            "Postes à pourvoir": besoins.POSTS,
            "Départs de fin de carrière": besoins.LEFT,
        }.items()
    ),
    Compared(
        "Certifications de la branche",
        "05_competences",
        competences.TABLE,
        "certifications_count",
        where=TOTAL,
    ),
    Compared(
        "Demandes des moins de 50 salariés non couvertes (en %)",
        "06_demandes",
        demandes.TABLE,
        demandes.SHARE,
        where={"size_band": "under_50", "topic_code": "all", "reason": "all", "variant": ""},
    ),
    Compared(
        "Taux de couverture des études, toutes branches",
        "12_travaux",
        works.TABLE,
        "study_coverage_ratio",
        where={"branch_code": "ensemble"},
        options=(2,),
    ),
)
"""Numbers set beside those of the previous edition, in order."""


def banner(answers: Answers) -> Html:
    """Return what in the report is fictitious; nothing where nothing is."""
    tables = [table for results in answers.values() for table in results.values()]
    has_fictitious = any(
        (table["origin"] == "fictitious").any() for table in tables if "origin" in table
    )
    return pieces.banner(WORDS.banner(has_fictitious)) if has_fictitious else Html("")


def headline(answers: Answers) -> Html:
    """Return the one sentence to remember: who leaves, how surely, how many métiers to look at."""
    listed = answers.get("07_que_faire", {})
    shown = len(que_faire.shown_rows(listed)) if listed else 0
    has_run = bool(answers.get("02_besoins"))
    f = SimpleNamespace(**whole(answers), shown=shown, has_run=has_run)
    return pieces.piece(
        f'<p class="opmq-lede">{" ".join(pieces.paragraphs(WORDS.headline(f)))}</p>'
    )


def shortlist(answers: Answers, labels: Labels) -> Html:
    """Return the métiers to look at first, with what one decides on; then those left out."""
    listed = answers.get("07_que_faire", {})
    if not listed:
        return Html("")
    metiers, f = _metiers(answers, labels), que_faire.facts(listed)
    if not metiers:
        return Html(que_faire.banner(listed).html + que_faire.left_out(listed, labels).html)
    years = SimpleNamespace(**besoins.years(answers.get("02_besoins", {})), national=f.national)
    table = "".join(pieces.paragraphs(WORDS.shortlist(metiers, years)))
    left_out = que_faire.left_out(listed, labels).html
    unstable = que_faire.banner(listed).html if f.is_unstable else ""
    followed = que_faire.follow_up_table(listed, labels).html
    return pieces.piece(f'{unstable}{table}<div class="opmq-aside">{left_out}</div>{followed}')


def whole(answers: Answers) -> dict[str, Any]:
    """Return the headcount of the branch, its departures and their rate, as text; empty if `nd`.

    `heads` is the headcount as a number, 0 if `nd`.
    """
    jobs, needs = answers.get("01_emplois", {}), answers.get("02_besoins", {})
    said: dict[str, Any] = dict.fromkeys(("headcount", "year", "departures", "rate", "ends"), "")
    row = row_of(jobs[emplois.TABLE], "branch_headcount") if jobs else None
    said["heads"] = 0
    if row is not None and jobs[emplois.TABLE].at[row, "status"] == "value":
        cells = Cells(emplois.TABLE, jobs[emplois.TABLE])
        said["headcount"], said["heads"] = cells.number(row), int(cells.read(row) or 0)
        said["year"] = str(int(jobs[emplois.TABLE]["year"][row]))
    said |= besoins.years(needs)
    if needs:
        table, cells = needs[besoins.TABLE], besoins.cells_of(needs)
        count, rate = (
            row_of(table, name, variant="") for name in (besoins.LEFT, besoins.LEFT_RATE)
        )
        if count is not None:
            said["departures"] = cells.show(count, french.two_digits)
            said["ends"] = cells.ends(count, french.two_digits)
        said["rate"] = cells.number(rate, 1) if rate is not None else ""
    return said


def _metiers(answers: Answers, labels: Labels) -> list[Any]:
    """Return what the list says of each of its métiers, in order, needs and ages beside."""
    metiers = que_faire.said_of(answers["07_que_faire"], labels)
    needs = answers.get("02_besoins", {})
    table = needs.get(besoins.TABLE, pd.DataFrame(columns=["indicator", "metier_code"]))
    cells = Cells(besoins.TABLE, table)
    posts, old, left = (
        rows_of(table, name, variant="") for name in (besoins.POSTS_RATE, besoins.OLD, besoins.LEFT)
    )
    for m in metiers:
        row = left.get(m.code)
        m.posts = cells.ends(posts.get(m.code), french.one_decimal)
        m.old = cells.percent(old.get(m.code))
        m.count = cells.show(row, french.two_digits)
        is_apart = row is not None and not cells.is_unreliable(row)
        m.count_ends = cells.ends(row, french.two_digits) if is_apart else ""
    return metiers


def skills(answers: Answers, labels: Labels) -> Html:
    """Return core métiers, then certifications of the branch and métiers that none aims at."""
    lists, known = answers.get("04_coeurs_strategiques", {}), answers.get("05_competences", {})
    cores: list[Markup] = []
    if lists and not lists[coeurs.LABELS].empty:
        codes = core.attested(Of(lists, "core").labelled(core.IN))["metier_code"]
        cores = [pieces.metier(code, labels[code]) for code in codes]
    is_example = bool(lists) and bool(coeurs.is_unvoted(lists).any())
    count = looked = ""
    without: list[Markup] = []
    shared: list[str] = []
    if known and not known[competences.PORTFOLIO].empty:
        count = competences.counted(known, "certifications_count")
        looked = competences.counted(known, "metiers_looked_at_count")
        pairs = competences.uncertified(known, labels)[:SHOWN_NAMES]
        without = [Markup("{} ({})").format(name, existing) for name, existing in pairs]
        table = known[competences.REASON_TABLE]
        titles = table.loc[table["reason_code"] == "shared", "title"].head(SHOWN_NAMES)
        shared = [f"« {french.label(title)} »" for title in titles]
    said = WORDS.skills(cores, is_example, count, looked, without, shared)
    return pieces.text(said) if pieces.paragraphs(said) else Html("")


def requests(answers: Answers, labels: Labels) -> Html:
    """Return what companies under 50 ask for and do not get, where a register says so."""
    review = answers.get("06_demandes", {})
    if not review or not demandes.has_review(review):
        return Html("")
    return Html(
        demandes.in_short(review, labels).html + demandes.topics_figure(review, labels).html
    )


def changes(answers: Answers, labels: Labels) -> Html:
    """Return what changes in each métier of the list, on a line; then signed notes."""
    results = answers.get("05_competences", {})
    facts = results.get(FACTS, pd.DataFrame())
    if facts.empty or not facts["fact_code"].eq("macro").any():
        return Html("")
    notes = "" if results[NOTES].empty else changements.notes(results, labels).html
    cells, ways = Cells(FACTS, facts), results[WAYS]
    near = ways.dropna(subset="near_rank").sort_values("near_rank")

    places = facts.reset_index().set_index(["fact_code", "metier_code"])["index"]

    def share(name: str, code: str) -> Markup:
        at: Any = places.get((name, code))
        is_known = at is not None and cells.read(int(at)) is not None
        return cells.percent(int(at)) if is_known else Markup("")

    def change(code: str) -> Any:
        emerging = where(facts, fact_code="emerging", metier_code=code)["label"]
        origins = near.loc[near["target_metier_code"] == code, "metier_code"].head(1)
        return SimpleNamespace(
            link=pieces.metier(code, labels[code]),
            emerging=[
                french.uncapitalised(french.label(each)) for each in emerging.head(SHOWN_SKILLS)
            ],
            ecological=share("ecological", code),
            digital=share("digital", code),
            near=Markup("").join(pieces.metier(each, labels[each]) for each in origins),
        )

    vintage = facts.loc[facts["fact_code"] == "macro", "vintage"].iloc[0]
    said = WORDS.changes([change(code) for code in facts["metier_code"].unique()], vintage)
    return Html(pieces.prose(said).html + notes)


def works_done(answers: Answers, labels: Labels, branch_code: str) -> Html:
    """Return where the works of the branch stand, and what became of decisions and requests."""
    results = answers.get("12_travaux", {})
    if not results or not travaux.has_register(results):
        return Html("")
    followed = demandes.FOLLOW_UP in results
    made = [
        travaux.in_short(results, labels, branch_code),
        travaux.works_table(results, labels, branch_code),
        travaux.decisions_table(results, labels, branch_code),
        *([demandes.follow_up_table(results, labels)] if followed else []),
    ]
    return Html("".join(each.html for each in made))


def comparison(
    answers: Answers, previous: Answers, previous_edition_id: str | None, labels: Labels
) -> Html:
    """Return the numbers of this edition beside those of the previous one, and labels that moved.

    A change is told only where the two intervals do not touch, or where neither number has one.

    Args:
        answers: Results of this edition, by notebook.
        previous: Results of the previous edition, by notebook.
        previous_edition_id: Its name; none: there is none.
        labels: French names.
    """
    rows = [
        (number, then, now)
        for number in COMPARED
        if (now := _place(number, answers.get(number.notebook, {}), number.table))
        and (then := _place(number, previous.get(number.notebook, {}),
                            f"{previous_edition_id}/{number.table}"))
    ]  # fmt: skip
    listed, before = (each.get("04_coeurs_strategiques", {}) for each in (answers, previous))
    labelled = moved.table(listed, before, labels, previous_edition_id)
    if not rows:
        return labelled
    columns = {
        "Grandeur": lambda each: each[0].label,
        "Précédente": lambda each: _with_interval(each[0], *each[1]),
        "Cette édition": lambda each: _with_interval(each[0], *each[2]),
        "Lecture": lambda each: _reading(*each[1:]),
    }
    compared = pieces.table(WORDS.comparison(previous_edition_id), columns, rows)
    return Html(compared.html + labelled.html)


def unknown(answers: Answers, previous: Answers) -> Html:
    """Return, once for the whole report, what these numbers do not say and what would fill it."""
    jobs, known = answers.get("01_emplois", {}), answers.get("05_competences", {})
    f = SimpleNamespace(is_estimated=False, is_poor=False, base=None)
    if jobs:
        of = emplois.facts(jobs)
        f = SimpleNamespace(
            is_estimated=of.is_known and not of.is_observed, is_poor=of.is_poor, base=of.base
        )
    needs = answers.get("02_besoins", {})
    f.has_needs = bool(needs) and besoins.facts(needs).has_needs
    review, done = answers.get("06_demandes", {}), answers.get("12_travaux", {})
    empty = {
        "les demandes des entreprises": bool(review) and not demandes.has_review(review),
        "les travaux": bool(done) and not travaux.has_register(done),
        "les organismes de ses certifications": bool(known) and known[competences.PORTFOLIO].empty,
        "les notes signées": NOTES in known and known[NOTES].empty,
    }
    f.registers = [name for name, is_empty in empty.items() if is_empty]
    f.missing = [name for notebook, name in QUESTIONS.items() if not answers.get(notebook)]
    f.previous = any(previous.values())
    said = pieces.findings(WORDS.unknown(f)).html
    return Html(said.replace('<ul class="opmq-finding">', '<ul class="opmq-limits">'))


def room() -> Html:
    """Return the lines that a sitting fills by hand, on paper alone."""
    return pieces.prose(WORDS.room())


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
