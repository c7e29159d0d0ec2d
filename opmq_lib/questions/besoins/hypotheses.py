"""Facts of `02_besoins`: what each scenario changes, and how projections were made coherent."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from opmq_lib.questions.besoins import page as besoins
from opmq_lib.questions.besoins.page import WORDS
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.tables.indicators import ALL_METIERS, row_of, select

LINES, COMMENT_PCT = "besoins_scenarios", 10
DRIVERS = {"employment": "emploi projeté", "departures": "départs"}
LATER = {"later_pension": "Variante : départs un an plus tard dans la vie"}


def banner(results: Results) -> Html:
    """Return the warning that what ships was voted by nobody, if nothing was."""
    if results[LINES]["vote"].fillna("").ne("").any():
        return Html("")
    return pieces.banner(WORDS.scenarios_banner())


def scenarios_table(results: Results) -> Html:
    """Return posts to fill under each scenario, and if everybody left a year later."""
    f, cells, table = besoins.facts(results), besoins.cells_of(results), results[besoins.TABLE]
    if not f.has_needs:
        return Html("")
    reference, *others = results[LINES]["scenario_code"].unique()
    names = results[LINES].groupby("scenario_code")["scenario_label"].first().map(french.label)
    variants = {"": names[reference]} | {code: names[code] for code in others} | LATER

    def column(show: Any, year: int) -> Any:
        return lambda variant: show(
            cells, row_of(table, besoins.POSTS, ALL_METIERS, year, variant=variant)
        )

    columns: dict[str, Any] = {"Scénario": variants.__getitem__}
    for year in f.horizons:
        columns[f"Postes à pourvoir à {year}"] = column(besoins.heads, year)
        columns[f"Intervalle à 80 %, {year}"] = column(besoins.interval, year)
    return pieces.table(WORDS.scenarios_table(f), columns, variants)


def lines_table(results: Results, labels: Labels, groups: Labels) -> Html:
    """Return exactly what each scenario changes.

    Args:
        results: The result tables.
        labels: French label of each métier, family and branch.
        groups: Names of the branches of each industry group.
    """
    table = results[LINES]
    lines = table.astype("object").where(table.notna(), "").to_dict("index")

    def of_line(show: Any, otherwise: str = "") -> Any:
        return lambda row: show(row) if lines[row]["driver"] else otherwise

    columns = {
        "Scénario": lambda row: french.label(lines[row]["scenario_label"]),
        "Ligne": of_line(
            lambda row: french.label(lines[row]["line_label"]), "Rien : les tendances se prolongent"
        ),
        "Champ": of_line(lambda row: _scope(lines[row], labels, groups)),
        "Ce qui est multiplié": of_line(lambda row: DRIVERS[lines[row]["driver"]]),
        "Par combien, quand": of_line(lambda row: _path(table, row, lines[row])),
    }
    return pieces.table(WORDS.lines_table(), columns, lines)


def coherence_table(results: Results, labels: Labels) -> Html:
    """Return métiers whose projection coherence moved so much that it wants a comment."""
    moved = select(results[besoins.TABLE], "coherence_adjustment_pct")
    moved = moved.sort_values("value", key=lambda pct: pct.abs(), ascending=False, kind="stable")
    if moved.empty:
        return Html("")
    far, f = moved.loc[moved["value"].abs() > COMMENT_PCT, "metier_code"], besoins.facts(results)
    columns = {
        "Métier (FAP)": lambda row: labels[far[row]],
        f"Correction de l’emploi projeté en {f.end}": besoins.cells_of(results).percent,
    }
    if far.empty:
        return pieces.findings(WORDS.no_adjustment(COMMENT_PCT))
    return pieces.table(WORDS.coherence_table(f, COMMENT_PCT), columns, far.index)


def _scope(line: Mapping[Hashable, Any], labels: Labels, groups: Labels) -> Markup:
    """Return in words whom a line touches."""
    branches = [groups.get(code, code) for code in line["industry_group_codes"].split()]
    branches += [labels.get(code, code) for code in line["branch_codes"].split()]
    metiers = [labels.get(code, code) for code in line["metier_codes"].split()]
    return Markup(WORDS.scope(branches, metiers))


def _path(table: pd.DataFrame, row: int, line: Mapping[Hashable, Any]) -> Markup:
    """Return a line's multipliers and their years, each the cell it was read from."""
    cells, points = Cells(LINES, table), [point.split(":") for point in line["points"].split()]
    span = Markup(f'<span class="n" data-cell="{LINES}:{row}:points">{{}}</span>')
    shown = [(span.format(french.number(float(value), 2)), year) for year, value in points]
    last = cells.show(row, lambda value: french.number(value, 2), "multiplier")
    start, end = (int(float(line[name])) for name in ("start_year", "end_year"))
    return Markup(WORDS.path([*shown, (last, end)], start))
