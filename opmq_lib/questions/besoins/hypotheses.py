"""Facts of `02_besoins`: what each scenario and variant changes."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from opmq_lib.questions.besoins import page as besoins
from opmq_lib.questions.besoins.page import WORDS
from opmq_lib.show import figures, french, pieces, svg
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.svg import Dot
from opmq_lib.tables.indicators import ALL_METIERS, row_of

LINES = "besoins_scenarios"
NAMES = {
    besoins.LEFT_RATE: "Départs en fin de carrière",
    besoins.CREATED_RATE: "Création nette",
    besoins.POSTS_RATE: "Postes à pourvoir",
}
VARIANTS = {
    besoins.OWN_TREND: "Variante : notre tendance d’emploi",
    "later_pension": "Variante : départs un an plus tard dans la vie",
}


def banner(results: Results) -> Html:
    """Return the warning that nothing that ships was voted, unless it was."""
    if results[LINES]["vote"].fillna("").ne("").any():
        return Html("")
    return pieces.banner(WORDS.scenarios_banner())


def scenarios_table(results: Results) -> Html:
    """Return needs under each scenario, by our own trend, and if people leave later."""
    f, cells, table = besoins.facts(results), besoins.cells_of(results), results[besoins.TABLE]
    if not f.has_needs:
        return Html("")
    variants = _names(results)

    def column(show: Any, name: str) -> Any:
        return lambda variant: show(cells, row_of(table, name, ALL_METIERS, f.end, variant=variant))

    columns: dict[str, Any] = {
        "Scénario": variants.__getitem__,
        "Départs par an pour 100 emplois": column(Cells.rate, besoins.LEFT_RATE),
        "Création nette": column(Cells.rate, besoins.CREATED_RATE),
        "Postes à pourvoir": column(Cells.rate, besoins.POSTS_RATE),
        "Postes, intervalle à 80 %": column(Cells.rate_interval, besoins.POSTS_RATE),
        "Postes, en personnes (intervalle à 80 %)": column(Cells.interval, besoins.POSTS),
    }
    return pieces.table(WORDS.scenarios_table(f), columns, variants)


def scenarios(results: Results) -> Html:
    """Return departures, net creation and posts under the scenario that the reader chooses."""
    f, cells, table = besoins.facts(results), besoins.cells_of(results), results[besoins.TABLE]
    if not f.has_needs:
        return Html("")
    names = _names(results)

    def drawn(variant: str) -> Html:
        rows = [row_of(table, each, ALL_METIERS, f.end, variant=variant) for each in NAMES]
        known = [row for row in rows if row is not None and cells.read(row) is not None]
        if len(known) < len(rows):
            return Html("")
        values = table.loc[known]
        dots = [
            Dot(
                NAMES[each],
                row["value"],
                row["lower"],
                row["upper"],
                french.one_decimal(row["value"]),
                f"{french.one_decimal(row['lower'])} à {french.one_decimal(row['upper'])}",
                is_hot=each == besoins.POSTS_RATE,
            )
            for each, row in zip(NAMES, values.to_dict("records"), strict=True)
        ]
        wide = svg.dots(dots, 0, is_wide=True, form=french.one_decimal)
        said = " ; ".join(f"{dot.label} : {dot.shown} ({dot.ends})" for dot in dots)
        shown = "".join(figures.both(wide, svg.dots(dots, 0)))
        title = WORDS.scenario_title(cells.rate(known[-1]), cells.rate_interval(known[-1]))
        return pieces.piece(
            f'<figure class="opmq-figure"><h3>{title}</h3>'
            f'<div class="opmq-drawing" role="img" aria-label="{said}">{shown}</div></figure>'
        )

    options = [(names[variant], drawn(variant)) for variant in names]
    table_of_all = pieces.folded(WORDS.scenarios_folded(), scenarios_table(results))
    return Html(
        banner(results).html
        + pieces.choice("scenario", WORDS.scenario_choice(), options).html
        + table_of_all.html
    )


def _names(results: Results) -> dict[str, str]:
    """Return the French name of each scenario and variant, the reference first."""
    reference, *others = results[LINES]["scenario_code"].unique()
    names = results[LINES].groupby("scenario_code")["scenario_label"].first().map(french.label)
    return {"": names[reference]} | {code: names[code] for code in others} | VARIANTS


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
