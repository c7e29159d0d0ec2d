"""Facts of `12_etudes`: who asked for which study, where it stands, what is not covered."""

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import row_of, select

TABLE, LISTED, METIERS = "etudes", "etudes_liste", "etudes_metiers"
TOTAL = "ensemble"
WORDS = words(__package__)
STATUSES = {
    "requested": "demandée",
    "under_way": "en cours",
    "delivered": "remise",
    "validated": "validée",
    "abandoned": "abandonnée",
}
FOLLOW_UPS = {"late": "en retard", "outdated": "trop ancienne", "undated": "terrain sans date"}
COSTS = {
    "under_10k": "moins de 10 k€",
    "10k_50k": "10 à 50 k€",
    "50k_150k": "50 à 150 k€",
    "over_150k": "plus de 150 k€",
}


def has_register(results: Results) -> bool:
    """Return whether there is a register to show."""
    return TABLE in results and not results[TABLE].empty


def banner(results: Results) -> Html:
    """Return what the register covers, or how to keep one."""
    return pieces.banner(WORDS.banner() if has_register(results) else WORDS.no_register())


def findings(results: Results, labels: Labels, branch_code: str = TOTAL) -> Html:
    """Return coverage, late studies and themes to study together; of one branch if asked."""
    if not has_register(results):
        return pieces.findings(WORDS.no_study())
    cells = _cells(results)
    rate = _row(results, "study_coverage_ratio", branch_code)
    covered, eligible = (
        cells.show(rate, french.number, f"{part}_count") for part in ("numerator", "denominator")
    )
    studies = {
        name: cells.number(_row(results, "studies_count", branch_code, variant=name))
        for name in ("", *FOLLOW_UPS)
    }
    together = select(results[TABLE], "joint_candidate_branches_count")["value"] >= 2
    joint = [
        Markup("« {} » ({} branches)").format(
            labels[str(results[TABLE].at[row, "theme_code"])], cells.number(row)
        )
        for row in together.index[together]
        if branch_code == TOTAL
    ]
    return pieces.findings(WORDS.findings(cells, rate, covered, eligible, studies, joint))


def studies_table(results: Results, labels: Labels, branch_code: str = TOTAL) -> Html:
    """Return the public studies, newest first; those of one branch if asked."""
    if not has_register(results):
        return Html("")
    studies = [
        study
        for study in results[LISTED].astype("object").fillna("").to_dict("records")
        if branch_code == TOTAL or {branch_code, TOTAL} & set(study["branch_codes"].split())
    ]
    if not studies:
        return pieces.banner(WORDS.no_public_study())

    def text(column: str) -> Callable[[Any], str]:
        return lambda study: study[column] or pieces.ABSENT

    def names(column: str) -> Callable[[Any], str]:
        known = {**labels, TOTAL: "toutes les branches"}
        return lambda study: ", ".join(known.get(code, code) for code in study[column].split())

    def day(column: str) -> Callable[[Any], str]:
        return lambda study: french.day(study[column]) if study[column] else pieces.ABSENT

    columns = {
        "Étude": _title,
        "Demandée par": lambda study: study["requested_by"],
        "Branches": names("branch_codes"),
        "Thèmes": names("theme_codes"),
        "Question": lambda study: study["question"],
        "Méthode": text("method"),
        "État": _state,
        "Demandée le": day("requested_on"),
        "Échéance": day("due_on"),
        "Fin du terrain": day("fieldwork_end_on"),
        "Coût": lambda study: COSTS.get(study["cost_band"], pieces.ABSENT),
        "Livrables": text("deliverables"),
        "Réutilisations": text("reused_by"),
    }
    return pieces.table(WORDS.studies_table(), columns, studies)


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
    branches = sorted(set(counts["branch_code"]), key=lambda code: labels[code])
    return pieces.table(WORDS.coverage_table(), columns, branches)


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
        "Branches dont l’étude, ouverte, est séparée": branches("joint_candidate_branches_count"),
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


def _title(study: Mapping[str, str]) -> str:
    link, title = study["link"], study["title"]
    is_safe = link.startswith("https://")
    return Markup('<a href="{}">{}</a>').format(link, title) if is_safe else title


def _state(study: Mapping[str, str]) -> str:
    stands = FOLLOW_UPS.get(study["follow_up"])
    return STATUSES[study["status"]] + (f", {stands}" if stands else "")
