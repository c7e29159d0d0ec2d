"""Facts and figures of `13_demandes_ensemble` that those of `06_demandes` lack."""

from typing import Any

from opmq_lib.questions.demandes import page as demandes
from opmq_lib.show import pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import row_of, select

WORDS = words(__package__)


def branches_table(results: Results, labels: Labels) -> Html:
    """Return unmet share under 50 of each branch, raw and shrunk, in alphabetical order."""
    if not demandes.has_review(results):
        return Html("")
    table = results[demandes.TABLE]
    cells = Cells(demandes.TABLE, table)

    def rows_of(indicator: str) -> Any:
        shares = select(table, indicator, size_band=demandes.FOCUS, topic_code=demandes.ALL)
        return lambda code: row_of(shares, indicator, None, branch_code=code)

    columns: demandes.Columns = [
        ("Branche", lambda code: labels[code]),
        *demandes.share_columns(cells, rows_of(demandes.SHARE), "Non couvertes"),
        *demandes.value_columns(
            cells, rows_of(demandes.SHRUNK), "Part rapprochée des autres (en %)"
        ),
    ]
    branches = sorted(set(table["branch_code"]) - {demandes.TOTAL}, key=lambda code: labels[code])
    return pieces.table(WORDS.branches_table(), columns, branches)
