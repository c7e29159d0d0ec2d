"""What is known of a branch as a whole, on the page of `01_emplois`: trend, companies, wages."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
from markupsafe import Markup

from opmq_lib.methods.employment.portraits import SIZES
from opmq_lib.questions.emplois.page import WORDS, facts
from opmq_lib.questions.shared import ALL_BRANCHES
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html, Results
from opmq_lib.tables import COLUMNS
from opmq_lib.tables.indicators import select

TABLE = "emplois_portrait"
COUNTS = {
    "employees_headcount": "Salariés",
    "employees_fte": "Équivalents temps plein",
    "firms_count": "Entreprises",
    "establishments_count": "Établissements",
}
PEOPLE = {
    "all": "Ensemble",
    "women": "Femmes",
    "men": "Hommes",
    "managers": "Cadres",
    "intermediate": "Professions intermédiaires",
    "clerks": "Employés",
    "workers": "Ouvriers",
}
TOTAL = "supplied_total_headcount"
SHARE, GAP = "firms_share_pct", "wage_gap_pct"
WAGE, NEAR = "wage_eur_per_month", "under_1_05_smic_share_pct"
GAP_TITLE = "Écart de salaire des femmes aux hommes"
ROUNDED_TO = 10


def trend(results: Results) -> Html:
    """Return whose evolution an estimate shows: the country's, or that of the branch's totals."""
    f = facts(results)
    if f.is_observed or not f.is_known:
        return Html("")
    return pieces.banner(WORDS.trend(select(results[TABLE], TOTAL)["year"].astype(int).tolist()))


def firms_table(results: Results) -> Html:
    """Return headcount, companies by size and wage gap, beside all of industry.

    Args:
        results: With the table `emplois_portrait` (`chain.portrait`); without any row the piece
            says once that nothing is published.
    """
    table = results[TABLE]
    if table.empty:
        return pieces.banner(WORDS.no_portrait())
    cells = Cells(TABLE, table)
    names = {(indicator, ""): title for indicator, title in COUNTS.items()}
    names |= {(SHARE, size): COLUMNS[f"share_firms_{size}_pct"].label for size in SIZES}
    names[GAP, ""] = GAP_TITLE

    def column(*, whole: bool) -> Any:
        def show(fact: tuple[str, str]) -> str:
            row = row_of(results, *fact, whole=whole)
            return cells.number(row) if fact[0] in COUNTS else cells.percent(row)

        return show

    columns = {"Grandeur": names.__getitem__}
    columns |= {"Branche": column(whole=False), "Industrie": column(whole=True)}
    return pieces.table(WORDS.firms_table(_year(table)), columns, names)


def wages_table(results: Results) -> Html:
    """Return wages and shares near the minimum wage by sex and class, beside all of industry."""
    table = results[TABLE]
    if table.empty:
        return Html("")
    cells = Cells(TABLE, table)

    def column(indicator: str, show: Callable[[int | None], str], *, whole: bool) -> Any:
        return lambda who: show(row_of(results, indicator, who, whole=whole))

    columns = {
        "Salariés": PEOPLE.__getitem__,
        "Salaire, branche": column(WAGE, partial(wage, cells), whole=False),
        "Salaire, industrie": column(WAGE, partial(wage, cells), whole=True),
        "Moins de 1,05 Smic, branche": column(NEAR, cells.percent, whole=False),
        "Moins de 1,05 Smic, industrie": column(NEAR, cells.percent, whole=True),
    }
    return pieces.table(WORDS.wages_table(_year(table)), columns, PEOPLE)


def wage(cells: Cells, row: int | None) -> Markup:
    """Return a wage, to the nearest ten euros as the producer gives it."""
    return cells.show(row, in_tens)


def in_tens(value: float) -> str:
    """Return a wage to the nearest ten euros."""
    return french.rounded(value, ROUNDED_TO)


def row_of(results: Results, indicator: str, level: str, *, whole: bool) -> int | None:
    """Return the number of the row of a fact, of the branch or of all of them."""
    rows = select(results[TABLE], indicator, level=level)
    rows = rows[(rows["branch_code"] == ALL_BRANCHES) == whole]
    return int(rows.index[0]) if len(rows) else None


def _year(table: pd.DataFrame) -> int:
    return int(select(table, WAGE)["year"].max())
