"""Piece of `01_emplois`: how qualifications have evolved, why, and where they are going."""

from collections.abc import Mapping

import pandas as pd

from opmq_lib.questions.emplois import page as emplois
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Html
from opmq_lib.tables import indicators
from opmq_lib.tables.indicators import ALL_METIERS

Results = Mapping[str, pd.DataFrame]

CLASSES = {
    "unskilled": "Ouvriers et employés non qualifiés",
    "skilled": "Ouvriers et employés qualifiés",
    "technicians": "Techniciens et agents de maîtrise",
    "managers": "Cadres et ingénieurs",
    "other": "Autres codes",
}
SHARE, PROJECTED = "qualification_share_pct.", "projected_qualification_share_pct."
CHANGE, MIX, WITHIN = (f"qualification_{name}_points." for name in ("change", "mix", "within"))


def findings(results: Results) -> Html:
    """Return which classes have gained or lost, and which will by the projection's interval."""
    if not emplois.has_employment(results):
        return Html("")
    table = results[emplois.TABLE]
    first, base, end = _years(results)
    told = []
    for name, label in CLASSES.items():
        now = _row(table, SHARE + name, base)
        later = _row(table, PROJECTED + name, end)
        if now is None or later is None or pieces.read(table, later, "lower") is None:
            continue
        value, low, high = (
            round(pieces.read(table, row, column) or 0.0)
            for row, column in ((now, "value"), (later, "lower"), (later, "upper"))
        )
        verb = "progresserait" if low > value else "reculerait" if high < value else ""
        if verb:
            told.append(
                f"La part des {label[0].lower()}{label[1:]}, "
                f"{pieces.percent(emplois.TABLE, table, now)} des emplois en {base}, {verb} d’ici "
                f"à {end} : {_interval(table, later)} (intervalle à 80 %)."
            )
    if not told:
        told = [
            f"De {base} à {end}, l’intervalle ne permet de dire pour aucune qualification si sa "
            f"part montera ou baissera ; depuis {first}, le tableau montre ce qui s’est passé."
        ]
    return pieces.findings([french.typography(sentence) for sentence in told])


def structure_table(results: Results) -> Html:
    """Return the four classes: share then and now, the two causes of the change, projection."""
    if not emplois.has_employment(results):
        return Html("")
    table = results[emplois.TABLE]
    first, base, end = _years(results)
    rows = []
    for name, label in CLASSES.items():
        if _row(table, SHARE + name, base) is None:
            continue
        rows.append(
            [
                label,
                *(
                    pieces.shown(pieces.percent, emplois.TABLE, table, _row(table, key, year))
                    for key, year in ((SHARE + name, first), (SHARE + name, base))
                ),
                *(
                    pieces.shown(_points, emplois.TABLE, table, _row(table, key + name, base))
                    for key in (CHANGE, MIX, WITHIN)
                ),
                _interval(table, _row(table, PROJECTED + name, end)),
            ]
        )
    return pieces.table(
        f"Qualifications des métiers étudiés, de {first} à {base}, et projection à {end}",
        [
            "Qualification",
            f"Part {first}",
            f"Part {base}",
            "Évolution (points)",
            "dont poids des domaines",
            "dont dans chaque domaine",
            french.typography(f"Part {end}, intervalle à 80 %"),
        ],
        rows,
        french.typography(
            "Part des emplois des métiers étudiés. La qualification est celle que porte le code du "
            "métier (quatrième caractère de la FAP). L’évolution est la somme des deux colonnes "
            "suivantes : des domaines professionnels pèsent plus ou moins, et dans chaque domaine "
            "la qualification change. Diplômes : nd, aucune source ouverte ne les donne par "
            f"branche et par métier. {emplois.SOURCE}"
        ),
    )


def _points(name: str, table: pd.DataFrame, row: int) -> str:
    value = pieces.read(table, row)
    text = "" if value is None else french.number(value, 1)
    return pieces.cell(name, table, row, f"+{text}" if (value or 0) >= 0.05 else text)


def _interval(table: pd.DataFrame, row: int | None) -> str:
    if row is None or pieces.read(table, row, "lower") is None:
        return pieces.ABSENT
    low, high = (
        pieces.cell(
            emplois.TABLE, table, row, french.number(pieces.read(table, row, end) or 0.0), end
        )
        for end in ("lower", "upper")
    )
    return f"{low} à{french.NBSP}{high}{french.NBSP}%"


def _years(results: Results) -> tuple[int, int, int]:
    """Return the first year, the last observed one and the horizon."""
    table = results[emplois.TABLE]
    shares = table[table["indicator"].str.startswith(SHARE)]["year"]
    ends = table[table["indicator"].str.startswith(PROJECTED)]["year"]
    last = int(shares.max())
    return int(shares.min()), last, last if ends.empty else int(ends.max())


def _row(table: pd.DataFrame, indicator: str, year: int) -> int | None:
    return indicators.row_of(table, indicator, ALL_METIERS, year)
