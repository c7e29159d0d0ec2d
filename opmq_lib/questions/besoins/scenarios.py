"""Section of `02_besoins`: what each scenario changes, and how projections were made coherent."""

from collections.abc import Hashable, Mapping

import pandas as pd

from opmq_lib.questions.besoins import page as besoins
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Html
from opmq_lib.tables.indicators import ALL_METIERS, codes, select

Results = Mapping[str, pd.DataFrame]
Labels = Mapping[str, str]


def scenarios_table(results: Results) -> Html:
    """Return posts to fill under each scenario, and if everybody left a year later."""
    if not besoins.has_needs(results):
        return Html("")
    sets = results[besoins.LINES].drop_duplicates("scenario_code")
    names = dict(zip(sets["scenario_code"], sets["scenario_label"], strict=True))
    reference, *others = names
    lines = {"": names[reference]} | {f".{code}": names[code] for code in others}
    lines[".later_pension"] = "Variante : départs un an plus tard dans la vie"
    years = besoins.horizons(results)
    rows = []
    for variant, label in lines.items():
        cells: list[str] = []
        for year in years:
            row = besoins.row_at(results, besoins.POSTS + variant, ALL_METIERS, year)
            cells += (
                [pieces.ABSENT, pieces.ABSENT]
                if row is None
                else [besoins.heads_at(results, row), besoins.interval_at(results, row)]
            )
        rows.append([french.typography(french.label(label)), *cells])
    header = [
        text
        for year in years
        for text in (f"Postes à pourvoir à {year}", french.typography(f"Intervalle à 80 %, {year}"))
    ]
    return pieces.table(
        f"Postes à pourvoir depuis {besoins.base_year(results)} selon le scénario",
        ["Scénario", *header],
        rows,
        french.typography(
            f"Personnes, {besoins.WHOLE.lower()}. Aucune probabilité n’est attachée à un "
            f"scénario ; l’intervalle est celui de chaque scénario. Exemples, non votés. "
            f"{besoins.SOURCE}"
        ),
    )


def banner(results: Results) -> Html:
    """Return the warning that what ships was voted by nobody, if nothing was."""
    if results[besoins.LINES]["vote"].fillna("").ne("").any():
        return Html("")
    return pieces.banner(
        french.typography(
            "<strong>Scénarios donnés en exemple, non votés.</strong> Aucune instance paritaire ne "
            "les a adoptés. Chaque ligne ci-dessous est un paramètre à discuter et à changer."
        )
    )


def lines_table(results: Results, labels: Labels, groups: Labels) -> Html:
    """Return exactly what each scenario changes.

    Args:
        results: The result tables.
        labels: French label of each métier, family and branch.
        groups: Names of the branches of each industry group.
    """
    rows = []
    table = results[besoins.LINES]
    texts = table.astype("object").where(table.notna(), "").to_dict("records")
    for row, line in zip(table.index.tolist(), texts, strict=True):
        name = french.label(str(line["scenario_label"]))
        if not line["driver"]:
            rows.append([french.typography(name), "Rien : les tendances se prolongent"] + [""] * 3)
            continue
        rows.append(
            [
                french.typography(name),
                french.typography(french.label(str(line["line_label"]))),
                _scope(line, labels, groups),
                "emploi projeté" if line["driver"] == "employment" else "départs",
                _path(table, row, line),
            ]
        )
    return pieces.table(
        "Ce que change chaque scénario, ligne par ligne",
        ["Scénario", "Ligne", "Champ", "Ce qui est multiplié", "Par combien, quand"],
        rows,
        french.typography(
            "Multiplicateurs de ce que projette la référence, en ligne droite entre les années "
            "données. Exemples, non votés. Nombres : table besoins_scenarios.csv."
        ),
    )


def coherence_table(results: Results, labels: Labels) -> Html:
    """Return métiers whose projection coherence moved so much that it wants a comment."""
    moved = select(results[besoins.TABLE], besoins.ADJUSTED)
    moved = moved.sort_values("value", key=lambda pct: pct.abs(), ascending=False, kind="stable")
    flagged = moved[moved["value"].abs() > besoins.COMMENT_PCT].index.tolist()
    if moved.empty:
        return Html("")
    if not flagged:
        return pieces.findings(
            [
                french.typography(
                    f"Aucune projection de métier n’a été corrigée de plus de "
                    f"{besoins.COMMENT_PCT} % pour retrouver celle de sa famille."
                )
            ]
        )
    return pieces.table(
        french.typography(f"Projections corrigées de plus de {besoins.COMMENT_PCT} %, à commenter"),
        [
            "Métier (FAP)",
            french.typography(f"Correction de l’emploi projeté en {besoins.last_horizon(results)}"),
        ],
        [
            [labels[code], pieces.percent(besoins.TABLE, results[besoins.TABLE], row)]
            for row, code in zip(flagged, codes(moved.loc[flagged]), strict=True)
        ],
        french.typography(
            "Chaque métier est ramené à la projection de sa famille, suivie depuis 1983. Les "
            f"postes de la branche sont la somme de ceux de ses métiers. {besoins.SOURCE}"
        ),
    )


def _scope(line: Mapping[Hashable, object], labels: Labels, groups: Labels) -> str:
    """Return in words whom a line touches."""
    named = {
        "Branches": [groups.get(code, code) for code in str(line["industry_group_codes"]).split()]
        + [labels.get(code, code) for code in str(line["branch_codes"]).split()],
        "Métiers": [labels.get(code, code) for code in str(line["metier_codes"]).split()],
    }
    told = [
        f"{kind} : {french.enumeration(names)}." if names else f"{kind} : tous."
        for kind, names in named.items()
    ]
    return french.typography(" ".join(told).replace("Branches : tous", "Branches : toutes"))


def _path(table: pd.DataFrame, row: int, line: Mapping[Hashable, object]) -> str:
    """Return a line's multipliers and their years, each the cell it was read from."""
    told = []
    for point in str(line["points"]).split():
        year, value = point.split(":")
        text = french.number(float(value), 2)
        cell = f'<span class="n" data-cell="{besoins.LINES}:{row}:points">{text}</span>'
        told.append(f"×{french.NBSP}{cell} en {year}")
    last = pieces.cell(
        besoins.LINES, table, row, french.number(float(str(line["multiplier"])), 2), "multiplier"
    )
    start, end = (int(float(str(line[name]))) for name in ("start_year", "end_year"))
    told.append(f"×{french.NBSP}{last} en {end}")
    return f"{', puis '.join(told)} (1 en {start})"
