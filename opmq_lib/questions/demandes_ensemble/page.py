"""Facts and figures of `13_demandes_ensemble` that those of `06_demandes` lack."""

from typing import Any

from opmq_lib.questions.demandes.page import (
    ALL,
    FOCUS,
    SHARE,
    SHRUNK,
    TABLE,
    TOTAL,
    Columns,
    first_row,
    has_review,
    share_columns,
    value_columns,
)
from opmq_lib.show import pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import select

WORDS = words(__package__)


def branches_table(results: Results, labels: Labels) -> Html:
    """Return unmet share under 50 of each branch, raw and shrunk, in alphabetical order."""
    if not has_review(results):
        return Html("")
    table = results[TABLE]
    cells = Cells(TABLE, table)

    def rows_of(indicator: str) -> Any:
        shares = select(table, indicator, size_band=FOCUS, topic_code=ALL)
        return lambda code: first_row(select(shares, indicator, branch_code=code))

    columns: Columns = [
        ("Branche", lambda code: labels[code]),
        *share_columns(cells, rows_of(SHARE), "Non couvertes"),
        *value_columns(cells, rows_of(SHRUNK), "Part rapprochée des autres (en %)"),
    ]
    branches = sorted(set(table["branch_code"]) - {TOTAL}, key=lambda code: labels[code])
    return pieces.table(WORDS.branches_table(), columns, branches)
