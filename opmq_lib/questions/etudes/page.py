"""Section of `12_etudes`: who asked for which study, where it stands, what is not covered."""

from collections.abc import Hashable, Mapping
from html import escape
from typing import Any

import pandas as pd

from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Html

Results = Mapping[str, pd.DataFrame]
Labels = Mapping[str, str]

TABLE, LISTED, METIERS = "etudes", "etudes_liste", "etudes_metiers"
TOTAL = "ensemble"
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
SOURCE = french.typography("Source : registre des études. Nombres : table etudes.csv.")
_NOTHING = (
    "<strong>Pas de registre des études dans cette édition.</strong> Le registre dit qui a demandé "
    "quelle étude, pour quelles branches, où elle en est et quand elle sera trop ancienne ; il "
    "évite que deux branches financent deux fois la même question.",
    "Pour le tenir : remplir le modèle (<code>opmq studies template</code>) et le nommer dans "
    "<code>parameters/edition.yml</code>. Aucune étude n’est inventée.",
)


def has_register(results: Results) -> bool:
    """Return whether there is a register to show."""
    return TABLE in results and not results[TABLE].empty


def banner(results: Results) -> Html:
    """Return what the register covers, or how to keep one."""
    if not has_register(results):
        return pieces.banner(*map(french.typography, _NOTHING))
    return pieces.banner(
        french.typography(
            "Une étude couvre une branche et un thème si elle est validée et si son terrain a "
            "moins de 36 mois (convention du projet). Une étude confidentielle n’est "
            "comptée que dans le total des études : rien d’autre n’en est dit, et elle ne couvre "
            "rien ici."
        )
    )


def findings(results: Results, labels: Labels, branch_code: str = TOTAL) -> Html:
    """Return coverage, late studies and themes to study together; of one branch if asked."""
    if not has_register(results):
        return pieces.findings(
            [
                french.typography(
                    "Aucune étude enregistrée : taux de couverture non disponible (nd)."
                )
            ]
        )
    table = results[TABLE]
    rate = _row(results, "study_coverage_ratio", branch_code)
    told = [
        f"{_count(results, rate, 'numerator_count')} croisements de branche et de thème sur "
        f"{_count(results, rate, 'denominator_count')} ont une étude valide (taux de couverture : "
        f"{pieces.shown(pieces.number, TABLE, table, rate, 2)}).",
        f"{_number(results, 'studies_count', branch_code)} études au registre ; parmi les "
        f"publiques, {_number(results, 'studies_count.late', branch_code)} en retard, "
        f"{_number(results, 'studies_count.outdated', branch_code)} trop anciennes et "
        f"{_number(results, 'studies_count.undated', branch_code)} sans date de terrain.",
    ]
    joint = table[(table["indicator"] == "joint_candidate_branches_count") & (table["value"] >= 2)]
    if branch_code == TOTAL and len(joint):
        names = [
            f"« {escape(labels[theme])} » ({pieces.number(TABLE, table, row)} branches)"
            for row, theme in zip(joint.index.tolist(), map(str, joint["theme_code"]), strict=True)
        ]
        told.append(f"À étudier ensemble plutôt que séparément : {french.enumeration(names)}.")
    return pieces.findings([french.typography(sentence) for sentence in told])


def studies_table(results: Results, labels: Labels, branch_code: str = TOTAL) -> Html:
    """Return the public studies, newest first; those of one branch if asked."""
    if not has_register(results):
        return Html("")
    listed = results[LISTED].fillna("")
    rows = [
        [
            _title(row),
            escape(row["requested_by"]),
            _named(row["branch_codes"], labels),
            _named(row["theme_codes"], labels),
            escape(row["question"]),
            escape(row["method"]) or pieces.ABSENT,
            STATUSES[row["status"]]
            + (f", {FOLLOW_UPS[row['follow_up']]}" if row["follow_up"] else ""),
            _day(row["requested_on"]),
            _day(row["due_on"]),
            _day(row["fieldwork_end_on"]),
            COSTS.get(row["cost_band"], pieces.ABSENT),
            escape(row["deliverables"]) or pieces.ABSENT,
            escape(row["reused_by"]) or pieces.ABSENT,
        ]
        for row in listed.to_dict("records")
        if branch_code == TOTAL or {branch_code, TOTAL} & set(row["branch_codes"].split())
    ]
    if not rows:
        return pieces.banner(french.typography("Aucune étude publique au registre."))
    return pieces.table(
        "Registre des études",
        ["Étude", "Demandée par", "Branches", "Thèmes", "Question", "Méthode", "État",
         "Demandée le", "Échéance", "Fin du terrain", "Coût", "Livrables", "Réutilisations"],
        rows,
        french.typography("Études publiques, de la plus récente à la plus ancienne. Table "
                          "etudes_liste.csv."),
    )  # fmt: skip


def coverage_table(results: Results, labels: Labels, theme_labels: Labels) -> Html:
    """Return valid studies by branch and theme: 0 is a gap, several requesters an overlap."""
    if not has_register(results):
        return Html("")
    table = results[TABLE]
    counts = table[table["indicator"] == "valid_studies_count"]
    at = dict(
        zip(
            zip(counts["branch_code"], counts["theme_code"], strict=True), counts.index, strict=True
        )
    )
    branches = sorted(set(counts["branch_code"]), key=lambda code: labels[code])
    return pieces.table(
        "Études valides par branche et par thème",
        ["Branche", *theme_labels.values(), "Taux"],
        [
            [
                escape(labels[code]),
                *(pieces.number(TABLE, table, at[code, theme]) for theme in theme_labels),
                pieces.shown(
                    pieces.number, TABLE, table, _row(results, "study_coverage_ratio", code), 2
                ),
            ]
            for code in branches
        ],
        french.typography(
            f"0 : lacune. 2 ou plus : vérifier qu’elles ne se recouvrent pas. {SOURCE}"
        ),
    )


def recurring_table(results: Results, theme_labels: Labels) -> Html:
    """Return how many branches study each theme, and how many could join an open study."""
    if not has_register(results):
        return Html("")
    return pieces.table(
        "Thèmes qui reviennent",
        ["Thème", "Branches qui l’ont au registre", "Branches dont l’étude, ouverte, est séparée"],
        [
            [
                escape(label),
                _number(results, "branches_studying_count", TOTAL, theme),
                _number(results, "joint_candidate_branches_count", TOTAL, theme),
            ]
            for theme, label in theme_labels.items()
        ],
        french.typography(
            f"Deux ou plus dans la dernière colonne : étude commune possible. {SOURCE}"
        ),
    )


def metiers_table(results: Results, labels: Labels) -> Html:
    """Return the métiers that studies of several branches look at."""
    if not has_register(results) or results[METIERS].empty:
        return Html("")
    table = results[METIERS]
    return pieces.table(
        "Métiers étudiés par plusieurs branches",
        ["Métier (FAP)", "Branches"],
        [
            [escape(labels.get(code, code)), pieces.number(METIERS, table, row)]
            for row, code in zip(table.index.tolist(), table["metier_code"], strict=True)
        ],
        french.typography("Source : registre des études. Nombres : table etudes_metiers.csv."),
    )


def _row(results: Results, indicator: str, branch: str, theme: str = "all") -> int | None:
    table = results[TABLE]
    chosen = table["indicator"].eq(indicator) & table["branch_code"].eq(branch)
    rows = table.index[chosen & table["theme_code"].eq(theme)].tolist()
    return rows[0] if rows else None


def _number(results: Results, indicator: str, branch: str, theme: str = "all") -> str:
    row = _row(results, indicator, branch, theme)
    return pieces.shown(pieces.number, TABLE, results[TABLE], row)


def _count(results: Results, row: int | None, column: str) -> str:
    if row is None:
        return pieces.ABSENT
    value = pieces.read(results[TABLE], row, column)
    return pieces.cell(TABLE, results[TABLE], row, french.number(value or 0), column)


def _title(row: Mapping[Hashable, Any]) -> str:
    title, link = escape(str(row["title"])), str(row["link"])
    return f'<a href="{escape(link)}">{title}</a>' if link.startswith("https://") else title


def _named(codes: str, labels: Labels) -> str:
    names = {**labels, TOTAL: "toutes les branches"}
    return escape(", ".join(names.get(code, code) for code in codes.split()))


def _day(text: str) -> str:
    return french.day(text) if text else pieces.ABSENT
