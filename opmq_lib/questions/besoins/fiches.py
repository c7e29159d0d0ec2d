"""GPEC sheets of `02_besoins`: one printable sheet per family of métiers, in words first.

For the person in charge of staff in a firm of thirty: what is known of the family in the branch,
and what is not yet.
"""

from collections.abc import Mapping
from html import escape

import pandas as pd

from opmq_lib.questions.besoins import page as besoins
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Html
from opmq_lib.tables import indicators
from opmq_lib.tables.indicators import codes, select

Results = Mapping[str, pd.DataFrame]
Labels = Mapping[str, str]

FAMILY_LENGTH, SHOWN_METIERS, FEWEST_JOBS = 3, 4, 10
CLASS = "tension_class"
SKILLS_NOTE = (
    "Compétences : les principales des fiches ROME du métier. Certifications : celles de la "
    "branche qui visent le métier ; ce qu’elles enseignent n’est pas lu ici."
)
PROFILES, CERTIFICATIONS = "besoins_profils", "certifications_count"


def sheets(results: Results, labels: Labels, count: int = 12) -> Html:
    """Return one sheet per family of the branch, largest first.

    Args:
        results: The tables of `02_besoins`; what other rooms have not answered is `nd`.
        labels: French label of each métier and family.
        count: Families shown; the others are named at the end.
    """
    if not besoins.has_needs(results):
        return Html("")
    jobs = indicators.largest_first(select(results[besoins.TABLE], besoins.JOBS))
    jobs = jobs[jobs["value"] >= FEWEST_JOBS]
    families = jobs.groupby(jobs["metier_code"].str[:FAMILY_LENGTH])["value"].sum()
    ordered = [str(code) for code in families.sort_values(ascending=False).index]
    parts = [
        _sheet(results, labels, family, [code for code in codes(jobs) if code.startswith(family)])
        for family in ordered[:count]
    ]
    if rest := french.enumeration([labels[code] for code in ordered[count:]]):
        sentence = french.typography(f"Sans fiche, moins nombreuses ici : {rest}.")
        parts.append(f"<p>{escape(sentence)}</p>")
    return Html("".join(parts))


def _sheet(results: Results, labels: Labels, family: str, members: list[str]) -> str:
    shown, more = members[:SHOWN_METIERS], len(members) - SHOWN_METIERS
    nature = "observés" if besoins.is_observed(results) else "estimés"
    base, end = besoins.base_year(results), besoins.last_horizon(results)
    intro = (
        f"Emplois {nature} dans la branche en {base} ; postes à pourvoir de {base} à {end}, "
        "intervalle à 80 % ; tension au niveau national, de 1 (faible) à 5 (forte)."
    )
    items = "".join(f"<li>{_metier(results, labels, code)}</li>" for code in shown)
    others = french.plural(more, "autre métier moins nombreux", "autres métiers moins nombreux")
    rest = f"<p>{others}.</p>" if more > 0 else ""
    return (
        f'<section class="opmq-sheet"><h3>{escape(labels[family])}</h3>'
        f"<p>{french.typography(intro)}</p><ul>{items}</ul>{rest}"
        f"<p>{french.typography(SKILLS_NOTE)}</p></section>"
    )


def _metier(results: Results, labels: Labels, code: str) -> str:
    told = [
        f"{_jobs(results, code)} emplois",
        _ages(results, code),
        _posts(results, code),
        _departures(results, code),
        _tension(results, code),
    ]
    text = f"<strong>{escape(labels[code])}</strong> : {' ; '.join(told)}."
    return french.typography(f"{text} {_skills(results, code)} {_certifications(results, code)}")


def _skills(results: Results, code: str) -> str:
    table = results[PROFILES]
    names = table.loc[table["metier_code"] == code, "label"]
    listed = " ; ".join(escape(french.label(str(name)), quote=False) for name in names)
    return f"Compétences : {listed or pieces.ABSENT}."


def _certifications(results: Results, code: str) -> str:
    table = results[besoins.TABLE]
    row = indicators.row_of(table, CERTIFICATIONS, code)
    return f"Certifications : {pieces.shown(pieces.number, besoins.TABLE, table, row)}."


def _jobs(results: Results, code: str) -> str:
    table = results[besoins.TABLE]
    row = indicators.row_of(table, besoins.JOBS, code)
    return pieces.shown(pieces.headcount, besoins.TABLE, table, row)


def _ages(results: Results, code: str) -> str:
    table = results[besoins.TABLE]
    row = indicators.row_of(table, besoins.OLD, code)
    if row is None or pieces.read(table, row) is None:
        return f"âges {pieces.ABSENT}"
    where = "" if table.at[row, "nature"] == "observed" else " au niveau national"
    share = pieces.percent(besoins.TABLE, table, row)
    return f"{share} des personnes ont 50 ans ou plus{where}"


def _posts(results: Results, code: str) -> str:
    table = results[besoins.TABLE]
    row = indicators.row_of(table, besoins.POSTS, code, besoins.last_horizon(results))
    if row is None or pieces.read(table, row) is None:
        return f"postes à pourvoir {pieces.ABSENT}"
    line = table.loc[[row]]
    opposite = pd.DataFrame({"lower": -line["upper"], "upper": -line["lower"]})
    word = "rien ne dit s’il y aura plus de postes à pourvoir que de postes supprimés"
    if besoins.above_zero(line).all():
        word = "il y aurait des postes à pourvoir"
    elif besoins.above_zero(opposite).all():
        word = "des postes ne seraient pas remplacés"
    return f"{word} ({besoins.interval_at(results, row)})"


def _departures(results: Results, code: str) -> str:
    table = results[besoins.TABLE]
    row = indicators.row_of(table, besoins.LEFT, code, besoins.last_horizon(results))
    if row is None or pieces.read(table, row) is None:
        return f"départs de fin de carrière {pieces.ABSENT}"
    return f"{besoins.interval_at(results, row)} personnes partiraient en fin de carrière"


def _tension(results: Results, code: str) -> str:
    table = results[besoins.TABLE]
    row = indicators.row_of(table, CLASS, code)
    if row is None or pieces.read(table, row) is None:
        return f"tension {pieces.ABSENT}"
    year = int(table["year"].loc[row])
    return f"tension {pieces.number(besoins.TABLE, table, row)} sur 5 en {year}"
