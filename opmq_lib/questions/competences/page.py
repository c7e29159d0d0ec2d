"""Facts and figures of `05_competences`: which certifications to look at; skills, and gaps."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pandas as pd
from markupsafe import Markup

from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables import indicators

Column = Callable[[Any], str]

TABLE, PORTFOLIO, REASON_TABLE = "competences", "portfolio", "to_look_at"
CALENDAR, BLOCS, SHARED = "expiry_calendar", "bloc_coverage", "consolidation_certifications"
SIGNALS, GAPS, POSTS = "skill_signals", "skill_gaps", "skill_posts"
SHARE = "employment_share_pct"
SHOWN = 12
LEADS = ("", "12_months_", "24_months_")
WORDS = words(__package__)
REASONS = {
    "expired": "enregistrement terminé",
    "expiring": "enregistrement qui se termine bientôt",
    "no_metier": "aucun métier visé (ROME)",
    "domain_only": "un domaine ROME au lieu d’un métier",
    "old_record": "notice non mise à jour depuis cinq ans ou plus",
    "shared": "ressemblance avec une certification d’une autre branche",
}
STATES = {
    "expired": "terminé",
    "within_12_months": "fin dans les 12 mois",
    "within_24_months": "fin dans les 24 mois",
    "later": "fin dans plus de 24 mois",
    "nd": "fin non disponible",
}


def facts(results: Results) -> Any:
    """Return what the words depend on: what is known of certifications, blocs, gaps and posts."""
    days = results[BLOCS].drop_duplicates("lead_months")
    years = results[POSTS]["year"]
    return SimpleNamespace(
        has_metiers=counted(results, "metiers_looked_at_count") != pieces.ABSENT,
        has_portfolio=not results[PORTFOLIO].empty,
        has_survey=not results[GAPS].empty,
        has_blocs=counted(results, "bloc_coverage_pct") != pieces.ABSENT,
        days=dict(zip(days["lead_months"].astype(int), days["covered_on"], strict=True)),
        year=None if years.empty else int(years.max()),
        shown=SHOWN,
    )


def banner(results: Results) -> Html:
    """Return what must be known before any figure of certification or skill, if there is one."""
    f = facts(results)
    return pieces.banner(WORDS.banner(f)) if f.has_metiers or f.has_portfolio else Html("")


def findings(results: Results, labels: Labels) -> Html:
    """Return what to look at first and why; names in alphabetical order, never a ranking."""
    titles = results[REASON_TABLE].groupby("reason_code")["title"].agg(list)
    reasons = [
        (counted(results, f"{code}_certifications_count"), REASONS[code], _quoted(titles[code]))
        for code in REASONS
        if code in titles
    ]
    without = uncertified(results, labels)
    unaimed = counted(results, "no_metier_certifications_count") if "no_metier" in titles else ""
    owned = counted(results, "certifications_count")
    return pieces.lede(WORDS.findings(facts(results), owned, reasons, without, unaimed))


def reasons_table(results: Results) -> Html:
    """Return the certifications to look at, by reason, alphabetical within a reason."""
    table = results[REASON_TABLE]
    columns = {
        "Certification": _text(table, "title"),
        "Raison": _text(table, "reason_code", REASONS.__getitem__),
    }
    nothing = WORDS.no_reason() if facts(results).has_portfolio else ""
    return _listed(WORDS.reasons_table(), columns, table.index, nothing)


def calendar_table(results: Results) -> Html:
    """Return when the branch's registrations end, soonest first, or what it takes to know."""
    table = results[CALENDAR]
    columns = {
        "Certification": _text(table, "title"),
        "Fiche": _text(table, "fiche_code"),
        "Fin": _text(table, "ends_on", lambda day: french.day(day) if day else pieces.ABSENT),
        "Mois restants": _number(CALENDAR, table, "months_left"),
        "À prévoir": _text(table, "state", STATES.__getitem__),
    }
    nothing = WORDS.no_calendar() if facts(results).has_portfolio else ""
    return _listed(WORDS.calendar_table(), columns, table.index, nothing)


def coverage_table(results: Results, labels: Labels) -> Html:
    """Return the métiers that the branch's lists name, and how many certifications aim at each."""
    table = results[TABLE]
    shares = indicators.select(table, SHARE)
    rows = dict(zip(shares["metier_code"], shares.index, strict=True))
    cells = Cells(TABLE, table)

    columns = {
        "Métier (FAP)": labels.__getitem__,
        "Part des emplois de la branche": lambda code: cells.show(rows[code], french.share),
        "Intervalle à 80 %": lambda code: _interval(cells, rows[code]),
        "Certifications de la branche": lambda code: counted(results, "certifications_count", code),
        "Certifications existantes, tous organismes": lambda code: counted(
            results, "existing_certifications_count", code
        ),
    }
    nothing = _unless_unknown(results, WORDS.no_metier)
    return _listed(WORDS.coverage_table(), columns, shares["metier_code"], nothing)


def uncovered_table(results: Results) -> Html:
    """Return main skills of métiers of the lists that no certification's métier carries."""
    if results[PORTFOLIO].empty:
        return Html("")
    return _signals(results, "uncovered", WORDS.uncovered_table())


def emerging_table(results: Results) -> Html:
    """Return the skills that the ROME flags émergente among the métiers of the branch."""
    return _signals(results, "emerging_flag", WORDS.emerging_table())


def blocs_table(results: Results, labels: Labels) -> Html:
    """Return bloc coverage in words then métier by métier, or what it takes to have one."""
    f, table = facts(results), results[BLOCS]
    if not f.has_blocs:
        return pieces.banner(_unless_unknown(results, WORDS.no_blocs))
    cells, last = Cells(BLOCS, table), max(f.days)
    rows = table.reset_index().set_index(["rome_code", "lead_months"])["index"].to_dict()

    def share(months: int) -> Column:
        return lambda code: cells.show(
            rows[code, months], lambda value: french.percent(100 * value), "coverage_ratio"
        )

    def count(column: str) -> Column:
        number = _number(BLOCS, table, column)
        return lambda code: number(rows[code, last])

    columns = {
        "Métier (ROME)": lambda code: labels.get(code, code),
        "Couverture, jour de l’édition": share(0),
        **{f"Dans {months} mois": share(months) for months in f.days if months},
        "Compétences qu’un bloc lu couvre": count("read_skills_count"),
        "Compétences principales": count("skills_count"),
        f"Blocs qui finissent d’ici à {last} mois": count("ending_blocs_count"),
    }
    covered = [
        Markup("{} le {}").format(each, french.day(day))
        for each, day in zip(_bloc_shares(results), f.days.values(), strict=True)
    ]
    counts = [
        counted(results, name) for name in ("read_blocs_count", "undecided_bloc_proposals_count")
    ]
    listed = pieces.table(WORDS.blocs_table(), columns, table["rome_code"].unique())
    return Html(pieces.findings(WORDS.blocs(covered, *counts)).html + listed.html)


def posts_table(results: Results) -> Html:
    """Return the skills that the most projected posts to fill ask for, or why there is none."""
    table = results[POSTS]
    if table.empty:
        return pieces.banner(_unless_unknown(results, WORDS.no_posts))
    cells = Cells(POSTS, table)
    columns = {
        "Compétence": _text(table, "label"),
        "Postes": cells.headcount,
        "Intervalle à 80 %": cells.interval,
        "Métiers (ROME)": _number(POSTS, table, "metiers_count"),
    }
    listed = pieces.table(WORDS.posts_table(facts(results)), columns, table.index[:SHOWN])
    share = counted(results, "posts_with_profile_share_pct")
    return Html(pieces.findings(WORDS.posts(share)).html + listed.html)


def gaps_table(results: Results, labels: Labels, skills: Labels) -> Html:
    """Return the gaps that the branch's survey supports, or how to have one."""
    table = results[GAPS]
    cells = Cells(GAPS, table)
    columns = {
        "Compétence": _text(table, "skill_code", lambda code: skills.get(code, code)),
        "Métier": _text(table, "metier_code", lambda code: labels.get(code, code)),
        "Besoin": _number(GAPS, table, "needed"),
        "Disponible": _number(GAPS, table, "available"),
        "Écart (−1 à 1)": _number(GAPS, table, "gap", 2),
        "Intervalle à 80 %": lambda row: cells.ends(row, lambda value: french.number(value, 2)),
    }
    nothing = _unless_unknown(results, WORDS.no_gaps)
    return _listed(WORDS.gaps_table(), columns, table.index, nothing)


def portfolio_table(results: Results) -> Html:
    """Return every certification of the branch: level, métiers aimed at, last change."""
    table = results[PORTFOLIO]
    if table.empty:
        return Html("")
    columns = {
        "Certification": _text(table, "title"),
        "Nature": _text(table, "kind"),
        "Niveau": _number(PORTFOLIO, table, "framework_level"),
        "Métiers visés": _number(PORTFOLIO, table, "metiers_count"),
        "Notice mise à jour": _text(table, "updated_on", french.day),
    }
    return pieces.table(WORDS.portfolio_table(), columns, table.index)


def overlaps_table(results: Results, labels: Labels) -> Html:
    """Return the certifications that several branches could share, for `10_consolidation`.

    Args:
        results: With `consolidation_certifications` (`chain.skills_consolidation`).
        labels: French name of each branch.
    """
    table = results[SHARED]
    columns = {
        "Certification": _text(table, "title"),
        "Branche": _text(table, "branch_code", labels.__getitem__),
        "Autre certification": _text(table, "other_title"),
        "Autre branche": _text(table, "other_branch_code", labels.__getitem__),
        "Métiers communs": _number(SHARED, table, "shared_metiers_count"),
    }
    return _listed(WORDS.overlaps_table(), columns, table.index, WORDS.no_overlap())


def uncertified(results: Results, labels: Labels) -> list[tuple[str, Markup]]:
    """Return métiers of the lists without certification of the branch, and how many exist."""
    counts = indicators.select(results[TABLE], "certifications_count")
    is_none = (counts["value"] == 0) & (counts["metier_code"] != indicators.ALL_METIERS)
    return [
        (f"« {french.label(labels.get(code, code))} »", existing)
        for code in counts.loc[is_none, "metier_code"]
        for existing in [counted(results, "existing_certifications_count", code)]
    ]


def _signals(results: Results, signal: str, text: str) -> Html:
    table = results[SIGNALS]
    rows = table.index[table["signal"] == signal][:SHOWN]
    share = Cells(SIGNALS, table)
    columns = {
        "Compétence": _text(table, "label"),
        "Part des emplois de la branche": lambda row: share.show(row, french.share),
        "Intervalle à 80 %": lambda row: _interval(share, row),
        "Métiers (ROME)": _number(SIGNALS, table, "metiers_count"),
    }
    return _listed(text, columns, rows, _unless_unknown(results, WORDS.no_signal))


def _interval(cells: Cells, row: int) -> str:
    """Return the ends of a share, where they are not shown in place of it."""
    if cells.read(row, "lower") is None or cells.is_unreliable(row):
        return "–"
    return cells.ends(row, lambda value: french.rounded(value, 1), french.share)


def _unless_unknown(results: Results, words: Callable[[], str]) -> str:
    """Return why a part has nothing, unless the page opens on it: no métier is known."""
    return words() if facts(results).has_metiers else ""


def _listed(
    words: str, columns: Mapping[str, Column], rows: pd.Index | pd.Series, nothing: str
) -> Html:
    return pieces.banner(nothing) if rows.empty else pieces.table(words, columns, rows)


def counted(results: Results, indicator: str, code: str = indicators.ALL_METIERS) -> Markup:
    """Return an indicator of a métier, or of all."""
    table = results[TABLE]
    return Cells(TABLE, table).number(indicators.row_of(table, indicator, code))


def _bloc_shares(results: Results) -> list[Markup]:
    """Return the share of main skills that a live bloc covers, today, in 12 and in 24 months."""
    table = results[TABLE]
    rows = [indicators.row_of(table, f"bloc_coverage_{when}pct") for when in LEADS]
    return [Cells(TABLE, table).percent(row) for row in rows]


def _text(table: pd.DataFrame, column: str, form: Callable[[str], str] = french.label) -> Column:
    return lambda row: form(str(table[column].loc[row]))


def _number(name: str, table: pd.DataFrame, column: str, decimals: int = 0) -> Column:
    numbers = {column: table[column].astype("float64"), "status": table.get("status", "nd")}
    cells = Cells(name, table.assign(**numbers))
    return lambda row: cells.show(row, lambda value: french.number(value, decimals), column)


def _quoted(names: list[str]) -> list[str]:
    return [f"« {french.label(name)} »" for name in names]
