"""The official projections of a branch's families of métiers, on the page of `02_besoins`."""

from typing import Any

from opmq_lib.methods.needs.official import FAMILIES, official_family
from opmq_lib.questions.besoins import page as besoins
from opmq_lib.questions.besoins.page import WORDS
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.tables.indicators import row_of, select

TABLE = "besoins_officiels"
FLOWS = {
    besoins.CREATED: "Créations nettes",
    besoins.LEFT: "Départs en fin de carrière",
    besoins.POSTS: "Postes à pourvoir",
}
ROUNDED_TO = 100


def official_table(results: Results, labels: Labels) -> Html:
    """Return base employment, net creation, departures and posts of each family of the branch.

    Args:
        results: With the table `besoins_officiels` (`chain.official`).
        labels: French label of each family (FAP-87); those projected together are all named.
    """
    table = results[TABLE]
    cells, bases = Cells(TABLE, table), select(table, besoins.JOBS)
    if bases.empty:
        return Html("")
    base, end = int(bases["year"].max()), int(select(table, besoins.POSTS)["year"].max())

    def column(indicator: str) -> Any:
        return lambda code: cells.show(
            row_of(table, indicator, code), lambda heads: french.rounded(heads, ROUNDED_TO)
        )

    columns: dict[str, Any] = {
        "Famille de métiers": lambda code: _name(code, labels),
        f"Emplois {base}": column(besoins.JOBS),
    }
    columns |= {title: column(flow) for flow, title in FLOWS.items()}
    jobs = select(results[besoins.TABLE], besoins.JOBS)
    in_branch = jobs.groupby(official_family(jobs["metier_code"]))["value"].sum()
    order = bases["metier_code"].map(in_branch).sort_values(ascending=False).index
    rows = bases.loc[order, "metier_code"].tolist()
    return pieces.table(WORDS.official_table(base, end), columns, rows)


def _name(code: str, labels: Labels) -> str:
    members = [family for family, together in FAMILIES.items() if together == code]
    return " ; ".join(labels[member] for member in members or [code])
