"""Qualifications of a branch, on the page of `01_emplois` and in the report: then, now, ahead."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pandas as pd

from opmq_lib.questions.emplois.page import TABLE, WORDS, percent_interval
from opmq_lib.show import figures, french, pieces
from opmq_lib.show.pieces import Cells, Html, Results
from opmq_lib.show.svg import Fan
from opmq_lib.tables.indicators import ALL_METIERS, row_of, select

QUALIFICATIONS = {
    "unskilled": "Ouvriers et employés non qualifiés",
    "skilled": "Ouvriers et employés qualifiés",
    "technicians": "Techniciens et agents de maîtrise",
    "managers": "Cadres et ingénieurs",
    "other": "Autres codes",
}
NOW, AHEAD = "qualification_share_pct", "projected_qualification_share_pct"
MOVED, MOVING = "qualification_change_points", "projected_qualification_change_points"


def figure(results: Results, width: int = 290) -> Html:
    """Draw the share of each qualification since the first year, and where it may go.

    Args:
        results: Tables of `01_emplois`.
        width: Width of each panel.
    """
    table = results[TABLE]
    f = _moves(table)
    if f is None:
        return Html("")
    cells = Cells(TABLE, table)
    f.points, f.share = cells.show(f.row, points), cells.percent(f.row)

    def share(row: int) -> str:
        is_wide = cells.is_unreliable(row)
        return cells.ends(row, french.percent) if is_wide else french.percent(table["value"][row])

    shares = (
        f"{f.names[level]} : {' puis '.join(share(rows.index[at]) for at in f.shown)}"
        for level, rows in f.past.items()
    )
    fans = [_fan(f.names[level], f.past[level], table.loc[row]) for level, row in f.ends.items()]
    return figures.figure(
        (WORDS.trends_title(f), WORDS.trends_how(f), WORDS.trends_source()),
        fans,
        [figures.panels(fans, french.percent, width)],
        _table(f, cells),
        f"{WORDS.trends_years(f)} {' ; '.join(shares)}.",
    )


def points(value: float) -> str:
    """Return points of percentage, with their sign."""
    return french.signed(value, 1)


def _moves(table: pd.DataFrame) -> Any:
    """Return what is drawn of qualifications: rows of each, the one that moved most, sure moves."""
    now, ends, moved, moving = (
        select(table, name, metier_code=ALL_METIERS) for name in (NOW, AHEAD, MOVED, MOVING)
    )
    if now.empty or ends.empty or moved.empty:
        return None
    names = {level: name for level, name in QUALIFICATIONS.items() if ends["level"].eq(level).any()}
    first, last = (int(year) for year in (now["year"].min(), now["year"].max()))
    most = moved if first < last else now  # one year: no change, the largest share
    row = int(most["value"].abs().argmax())
    sure = moving[(moving["lower"] > 0) | (moving["upper"] < 0)]["level"]
    return SimpleNamespace(
        names=names,
        past={level: now[now["level"] == level].sort_values("year") for level in names},
        ends={level: int(ends.index[ends["level"] == level][0]) for level in names},
        first=first,
        last=last,
        shown=(0, -1) if first < last else (-1,),
        ahead=int(ends["year"].max()),
        row=int(most.index[row]),
        name=QUALIFICATIONS[str(most["level"].iloc[row])],
        sure=[names[level].lower() for level in sure if level in names],
    )


def _fan(name: str, past: pd.DataFrame, end: Any) -> Fan:
    known = [(int(year), value) for year, value in zip(past["year"], past["value"], strict=True)]
    ahead = int(end["year"])
    return Fan(name, known, [(ahead, end["value"])], [[(ahead, end["lower"], end["upper"])]])


def _table(f: Any, cells: Cells) -> Html:
    """Return qualifications: share then and now, the two causes of the change, projection."""

    def moved(name: str) -> Callable[[str], str]:
        return lambda level: cells.show(
            row_of(cells.table, f"qualification_{name}_points", year=f.last, level=level), points
        )

    changes = {
        "Évolution (points)": moved("change"),
        "dont poids des domaines": moved("mix"),
        "dont dans chaque domaine": moved("within"),
    }
    columns: dict[str, Callable[[str], str]] = {
        "Qualification": f.names.__getitem__,
        f"Part {f.first}": lambda level: cells.percent(int(f.past[level].index[0])),
        f"Part {f.last}": lambda level: cells.percent(int(f.past[level].index[-1])),
        **(changes if f.first < f.last else {}),
        f"Part {f.ahead}, huit chances sur dix": lambda level: (
            percent_interval(cells, f.ends[level]) + cells.letter(f.ends[level])
        ),
    }
    return pieces.table(WORDS.qualifications_table(f), columns, f.names)
