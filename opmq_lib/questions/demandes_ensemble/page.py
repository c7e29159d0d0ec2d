"""Facts and figures of `13_demandes_ensemble` that those of `06_demandes` lack."""

from typing import Any

from opmq_lib.questions.demandes import page as demandes
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import row_of, select

WORDS = words(__package__)


def branches_table(results: Results, labels: Labels) -> Html:
    """Return what is not covered under 50 in each branch, and the gap with the others."""
    if not demandes.has_review(results):
        return Html("")
    table = results[demandes.TABLE]
    cells = Cells(demandes.TABLE, table)

    def rows_of(indicator: str) -> Any:
        chosen = {"size_band": demandes.FOCUS, "topic_code": demandes.ALL, "reason": demandes.ALL}
        shares = select(table, indicator, variant="", **chosen)
        return lambda code: row_of(shares, indicator, None, branch_code=code)

    gaps = select(table, "gap_points", variant="by_company", reason=demandes.ALL)
    held = gaps.set_index("branch_code")["retained"].map({"yes": "oui", "no": "non"}).fillna("")

    def gap_of(code: str) -> int | None:
        return row_of(gaps, "gap_points", None, branch_code=code)

    columns: demandes.Columns = [
        ("Branche", lambda code: labels[code]),
        *demandes.count_column(cells, rows_of(demandes.SHARE), "Ont demandé"),
        *demandes.value_columns(cells, rows_of(demandes.SHARE), "Demandes non couvertes (en %)"),
        *demandes.value_columns(
            cells, rows_of(demandes.SHRUNK), "Part rapprochée des autres (en %)"
        ),
        ("Écart avec les 50 ou plus (points)", lambda code: demandes.ends(cells, gap_of(code))),
        ("Écart retenu", lambda code: held.get(code, "")),
    ]
    branches = sorted(
        set(table["branch_code"]) - {demandes.TOTAL}, key=lambda code: french.order(labels[code])
    )
    return pieces.table(WORDS.branches_table(), columns, branches)
