"""Facts of `12_travaux`: what was asked for, done, late, decided; what studies do not cover."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from opmq_lib.methods.works import DONE
from opmq_lib.questions.travaux.chain import DECIDED, LISTED, METIERS, TABLE
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import row_of, select
from opmq_lib.tables.schemas import WORDINGS

TOTAL = "ensemble"
WORDS = words(__package__)
KINDS, STATUSES, COSTS = (WORDINGS["works"][name] for name in ("kind", "status", "cost_band"))
STAGES = {
    "done_since": "fait depuis l’édition précédente",
    "done": "fait",
    "under_way": "en cours",
    "late": "en retard",
    "decided": "décidé, pas commencé",
    "requested": "demandé",
    "abandoned": "abandonné",
}
DATED = {"outdated": "terrain trop ancien", "undated": "terrain sans date"}


def has_register(results: Results) -> bool:
    """Return whether there is a register to show."""
    return TABLE in results and not results[TABLE].empty


def banner(results: Results) -> Html:
    """Return what the register covers, or how to keep one."""
    if not has_register(results):
        return pieces.text(WORDS.no_register())
    is_fictitious = bool((results[LISTED]["origin"] == "fictitious").any())
    return pieces.banner(WORDS.banner(is_fictitious))


def findings(results: Results, labels: Labels, branch_code: str = TOTAL) -> Html:
    """Return where works stand, coverage by studies, late ones; of one branch if asked."""
    return pieces.lede(_said_first(results, labels, branch_code))


def in_short(results: Results, labels: Labels, branch_code: str) -> Html:
    """Return the same as paragraphs of another page."""
    return pieces.text(_said_first(results, labels, branch_code))


def _said_first(results: Results, labels: Labels, branch_code: str) -> str:
    if not has_register(results):
        return str(WORDS.no_study())
    cells = _cells(results)
    rate = _row(results, "study_coverage_ratio", branch_code)
    covered, eligible = (
        cells.show(rate, french.number, f"{part}_count") for part in ("numerator", "denominator")
    )
    studies = {
        name: cells.number(_row(results, "studies_count", branch_code, variant=name))
        for name in ("", "late", *DATED)
    }
    rows = {name: _row(results, "works_count", branch_code, variant=name) for name in STAGES}
    stages = {name: cells.number(row) for name, row in rows.items()}
    since = rows["done_since"]
    has_before = since is not None and cells.read(since) is not None
    together = select(results[TABLE], "joint_candidate_branches_count")["value"] >= 2
    joint = [
        Markup("« {} » ({} branches)").format(
            labels[str(results[TABLE].at[row, "theme_code"])], cells.number(row)
        )
        for row in together.index[together]
        if branch_code == TOTAL
    ]
    said = [
        WORDS.stages(stages, has_before),
        WORDS.findings(covered, eligible, studies, joint),
    ]
    return "\n\n".join(said)


def works_table(results: Results, labels: Labels, branch_code: str = TOTAL) -> Html:
    """Return the public works, by where they stand then newest first.

    Of one branch, if asked: without the details that `12_travaux` has.
    """
    if not has_register(results):
        return Html("")
    works = _of_branch(results[LISTED], branch_code)
    order = {stage: at for at, stage in enumerate(STAGES)}
    works.sort(key=lambda work: order[work["stage"]])
    if not works:
        return pieces.banner(WORDS.no_public_work())

    def text(column: str) -> Callable[[Any], str]:
        return lambda work: work[column] or pieces.ABSENT

    known = {**labels, TOTAL: "toutes les branches"}

    def names(column: str) -> Callable[[Any], str]:
        return lambda work: ", ".join(known.get(code, code) for code in work[column].split())

    def day(column: str) -> Callable[[Any], str]:
        return lambda work: french.day(work[column]) if work[column] else pieces.ABSENT

    def once_done(shown: Callable[[Any], str]) -> Callable[[Any], str]:
        return lambda work: shown(work) if work["status"] in DONE else pieces.NOT_APPLICABLE

    columns = {
        "Travail": _title,
        "Nature": lambda work: KINDS[work["kind"]],
        "Où il en est": _state,
        "Ce qui en est sorti": once_done(text("outcome")),
        "Demandé par": text("requested_by"),
        "Demandé le": day("requested_on"),
        "Décidé le": day("decided_on"),
        "Échéance": day("due_on"),
        "Fait le": once_done(day("delivered_on")),
        "Suite de": lambda work: work["decision_code"] or work["recommendation_code"] or "–",
    }
    details = {
        "Branches": names("branch_codes"),
        "Thèmes": names("theme_codes"),
        "Question": text("question"),
        "Méthode": text("method"),
        "Fin du terrain": day("fieldwork_end_on"),
        "Coût": lambda work: COSTS.get(work["cost_band"], pieces.ABSENT),
        "Livrables": text("deliverables"),
        "Réutilisations": text("reused_by"),
    }
    columns |= details if branch_code == TOTAL else {}
    return pieces.table(WORDS.works_table(), columns, works)


def decisions_table(results: Results, labels: Labels, branch_code: str = TOTAL) -> Html:
    """Return what CPNEFP decided on shortlists, and what became of it; of one branch if asked."""
    table = results.get(DECIDED, pd.DataFrame())
    if table.empty:
        return Html("")
    rows = table.astype("object").fillna("").to_dict("records")
    rows = [row for row in rows if branch_code in (TOTAL, row["branch_code"])]

    columns = {
        "Métier": lambda row: labels.get(row["metier_code"], row["metier_code"]),
        "Branche": lambda row: labels.get(row["branch_code"], row["branch_code"]),
        "Liste de": lambda row: row["edition_id"],
        "Décision": WORDS.decided,
        "Quand": lambda row: f"{french.day(row['decided_on'])}, {row['minutes_reference']}",
        "Ce qu’elle est devenue": lambda row: WORDS.became(row, STAGES),
    }
    return pieces.table(WORDS.decisions_table(), columns, rows) if rows else Html("")


def alone(
    results: Results, labels: Labels, branch_code: str, edition_id: str, edition_date: str
) -> str:
    """Return the works of a branch as one page of HTML that stands alone, to send or print."""
    made = [
        banner(results),
        findings(results, labels, branch_code),
        works_table(results, labels, branch_code),
        decisions_table(results, labels, branch_code),
    ]
    body = Markup("".join(piece.html for piece in made))
    return pieces.piece(
        WORDS.alone(labels[branch_code], edition_id, french.day(edition_date), body)
    ).html


def coverage_table(results: Results, labels: Labels, theme_labels: Labels) -> Html:
    """Return valid studies by branch and theme: 0 is a gap, several requesters an overlap."""
    if not has_register(results):
        return Html("")
    cells = _cells(results)
    counts = select(results[TABLE], "valid_studies_count")
    at = counts.reset_index().set_index(["branch_code", "theme_code"])["index"]

    def valid(theme: str) -> Callable[[str], str]:
        return lambda code: cells.number(int(at[code, theme]))

    columns = {
        "Branche": lambda code: labels[code],
        **{label: valid(theme) for theme, label in theme_labels.items()},
        "Taux": lambda code: cells.number(_row(results, "study_coverage_ratio", code), 2),
    }
    branches = sorted(set(counts["branch_code"]), key=lambda code: french.order(labels[code]))
    return pieces.table(WORDS.coverage_table(), columns, branches, is_grid=True)


def recurring_table(results: Results, theme_labels: Labels) -> Html:
    """Return how many branches study each theme, and how many could join an open study."""
    if not has_register(results):
        return Html("")
    cells = _cells(results)

    def branches(indicator: str) -> Callable[[str], str]:
        return lambda theme: cells.number(_row(results, indicator, TOTAL, theme))

    columns = {
        "Thème": lambda theme: theme_labels[theme],
        "Branches qui l’ont au registre": branches("branches_studying_count"),
        "Branches qui ont chacune une étude non finie": branches("joint_candidate_branches_count"),
    }
    return pieces.table(WORDS.recurring_table(), columns, theme_labels)


def metiers_table(results: Results, labels: Labels) -> Html:
    """Return the métiers that studies of several branches look at."""
    if not has_register(results) or results[METIERS].empty:
        return Html("")
    cells, codes = Cells(METIERS, results[METIERS]), results[METIERS]["metier_code"]
    columns = {
        "Métier (FAP)": lambda row: labels.get(codes[row], codes[row]),
        "Branches": cells.number,
    }
    return pieces.table(WORDS.metiers_table(), columns, codes.index.tolist())


def _row(
    results: Results,
    indicator: str,
    branch_code: str,
    theme_code: str = "all",
    variant: str | None = None,
) -> int | None:
    of: dict[str, Any] = {"branch_code": branch_code, "theme_code": theme_code, "variant": variant}
    return row_of(results[TABLE], indicator, None, **of)


def _cells(results: Results) -> Cells:
    return Cells(TABLE, results[TABLE])


def _of_branch(listed: pd.DataFrame, branch_code: str) -> list[dict[str, str]]:
    works: Any = listed.astype("object").fillna("").to_dict("records")
    named = {branch_code, TOTAL}
    return [
        work for work in works if branch_code == TOTAL or named & set(work["branch_codes"].split())
    ]


def _title(work: Mapping[str, str]) -> str:
    link, title = work["link"], work["title"]
    is_safe = link.startswith("https://")
    return Markup('<a href="{}">{}</a>').format(link, title) if is_safe else title


def _state(work: Mapping[str, str]) -> str:
    return ", ".join(filter(None, (STAGES[work["stage"]], DATED.get(work["follow_up"]))))
