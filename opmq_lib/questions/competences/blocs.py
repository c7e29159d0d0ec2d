"""Bloc coverage in `05_competences`: what live blocs of the register were read as covering."""

from collections.abc import Callable, Mapping
from html import escape

import pandas as pd

from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Html
from opmq_lib.tables import indicators

Results = Mapping[str, pd.DataFrame]
Labels = Mapping[str, str]

TABLE, INDICATORS = "bloc_coverage", "competences"
RATIO = "coverage_ratio"


def is_known(results: Results) -> bool:
    """Return whether an export and readings of its blocs say what blocs cover."""
    return percent(results) != pieces.ABSENT


def percent(results: Results, lead_months: int = 0) -> str:
    """Return the share of main skills that a live bloc covers, all métiers looked at together."""
    when = f"{lead_months}_months_" if lead_months else ""
    return _told(pieces.percent, results, f"bloc_coverage_{when}pct")


def coverage_table(results: Results, labels: Labels) -> Html:
    """Return bloc coverage in words then métier by métier, or what it takes to have one."""
    table = results[TABLE]
    if not is_known(results):
        told = (
            "<strong>Couverture par les blocs non disponible (nd).</strong> Le RNCP nomme les "
            "blocs sans dire quelles compétences ils couvrent : une personne le lit. Nommer un "
            "export dans le fichier de la branche (<code>rncp_export</code>), écrire la feuille "
            "(<code>opmq skills blocs export.zip -o lectures.csv</code>), y répondre, la nommer à "
            "son tour (<code>bloc_readings</code>)."
        )
        return pieces.banner(french.typography(told))
    days = dict(zip(table["lead_months"], table["covered_on"].map(french.day), strict=True))
    rows = {
        (line["rome_code"], line["lead_months"]): row
        for row, line in enumerate(table.to_dict("records"))
    }
    last = max(days)
    listed = pieces.table(
        "Couverture par les blocs, par métier",
        [
            "Métier (ROME)",
            "Couverture, jour de l’édition",
            *(f"Dans {months} mois" for months in days if months),
            "Compétences qu’un bloc lu couvre",
            "Compétences principales",
            f"Blocs qui finissent d’ici à {last} mois",
        ],
        [
            [
                escape(labels.get(code, code), quote=False),
                *(_share(table, rows[code, months]) for months in days),
                *(
                    _count(table, rows[code, last], column)
                    for column in ("read_skills_count", "skills_count", "ending_blocs_count")
                ),
            ]
            for code in dict.fromkeys(table["rome_code"])
        ],
        french.typography(
            "Couverture au niveau des blocs : une personne a lu qu’un bloc couvre "
            "la compétence, et la fiche du bloc est en vigueur ce jour-là. Le jour de fin compte "
            "encore ; un bloc sans date de fin, terminé ou à venir ne compte pas ; un "
            "renouvellement n’est pas supposé ; nd : rien n’a été lu des compétences du "
            "métier. Compétences principales ou émergentes de la fiche "
            "ROME, toutes du même poids, la source n’en donnant pas. Sources : export du RNCP "
            "(France compétences), lectures de la branche, ROME 4.0 (France Travail). Nombres : "
            f"table {TABLE}.csv."
        ),
    )
    return Html(_words(results, days).html + listed.html)


def _words(results: Results, days: Mapping[int, str]) -> Html:
    now, *later = [f"{percent(results, months)} le {day}" for months, day in days.items()]
    read = _told(pieces.number, results, "read_blocs_count")
    left = _told(pieces.number, results, "undecided_bloc_proposals_count")
    told = [
        "<strong>Part des compétences principales des métiers regardés qu’un bloc lu et en vigueur "
        f"couvre : {now}</strong> ; si rien n’est renouvelé, {french.enumeration(later)}. Une "
        "compétence compte autant de fois que de métiers regardés la portent.",
        f"Blocs lus : {read}. Propositions encore sans décision : {left}. Ni elles ni les blocs "
        "que personne n’a lus ne comptent : la couverture est un minimum.",
    ]
    return pieces.findings([french.typography(sentence) for sentence in told])


def _told(show: Callable[..., str], results: Results, indicator: str) -> str:
    table = results[INDICATORS]
    return pieces.shown(show, INDICATORS, table, indicators.row_of(table, indicator))


def _share(table: pd.DataFrame, row: int) -> str:
    value = pieces.read(table, row, RATIO)
    text = "" if value is None else french.percent(100 * value)
    return pieces.cell(TABLE, table, row, text, RATIO)


def _count(table: pd.DataFrame, row: int, column: str) -> str:
    value = pieces.read(table, row, column)
    return pieces.cell(TABLE, table, row, "" if value is None else french.number(value), column)
