"""Facts of `02_besoins`: what each scenario and variant changes."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from opmq_lib.questions.besoins import page as besoins
from opmq_lib.questions.besoins.page import WORDS
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.tables.indicators import ALL_METIERS, row_of

LINES = "besoins_scenarios"
VARIANTS = {
    besoins.OWN_TREND: "Variante : notre tendance d’emploi",
    "later_pension": "Variante : départs un an plus tard dans la vie",
}


def banner(results: Results) -> Html:
    """Return the warning that nothing that ships was voted, unless it was; `nd` without posts."""
    f = besoins.facts(results)
    if not f.has_needs:
        return pieces.banner(WORDS.nothing(f))
    if results[LINES]["vote"].fillna("").ne("").any():
        return Html("")
    return pieces.banner(WORDS.scenarios_banner())


def scenarios_table(results: Results) -> Html:
    """Return needs under each scenario, by our own trend, and if people leave later."""
    f, cells, table = besoins.facts(results), besoins.cells_of(results), results[besoins.TABLE]
    if not f.has_needs:
        return Html("")
    reference, *others = results[LINES]["scenario_code"].unique()
    names = results[LINES].groupby("scenario_code")["scenario_label"].first().map(french.label)
    variants = {"": names[reference]} | {code: names[code] for code in others} | VARIANTS

    def column(show: Any, name: str) -> Any:
        return lambda variant: show(cells, row_of(table, name, ALL_METIERS, f.end, variant=variant))

    columns: dict[str, Any] = {
        "Scénario": variants.__getitem__,
        "Départs par an pour 100 emplois": column(besoins.rate, besoins.LEFT_RATE),
        "Création nette": column(besoins.rate, besoins.CREATED_RATE),
        "Postes à pourvoir": column(besoins.rate, besoins.POSTS_RATE),
        "Postes, intervalle à 80 %": column(besoins.rate_interval, besoins.POSTS_RATE),
        "Postes, en personnes (intervalle à 80 %)": column(besoins.interval, besoins.POSTS),
    }
    return pieces.table(WORDS.scenarios_table(f), columns, variants)


def lines_table(results: Results, labels: Labels, groups: Labels) -> Html:
    """Return exactly what each scenario changes.

    Args:
        results: The result tables.
        labels: French label of each métier, family and branch.
        groups: Names of the branches of each industry group.
    """
    if not besoins.facts(results).has_needs:
        return Html("")
    table = results[LINES]
    lines = table.astype("object").where(table.notna(), "").to_dict("index")

    def of_line(show: Any, otherwise: str = "") -> Any:
        return lambda row: show(row) if lines[row]["line_label"] else otherwise

    columns = {
        "Scénario": lambda row: french.label(lines[row]["scenario_label"]),
        "Ligne": of_line(lambda row: french.label(lines[row]["line_label"]), "Rien"),
        "Champ": of_line(lambda row: _scope(lines[row], labels, groups)),
        "Emploi multiplié par, quand": of_line(lambda row: _path(table, row, lines[row])),
    }
    return pieces.table(WORDS.lines_table(), columns, lines)


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
