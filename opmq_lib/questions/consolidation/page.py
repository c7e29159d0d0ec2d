"""Facts and figures of `10_consolidation`: what branches have in common and what differs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from opmq_lib.questions.besoins import page as besoins
from opmq_lib.show import french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import ALL_METIERS, codes, largest_first, row_of, select

LISTS = ("shortlist", "core")
TABLE, HEADCOUNT, DOMAINS = "consolidation", "branch_headcount", "domain_share_pct"
SHOWN, LEAST_SHARE_PCT = 10, 0.5
WORDS = words(__package__)


def of_question(results: Results, piece: Callable[..., Any], labels: Labels) -> Any:
    """Return a piece of another question's page, or that it has not been computed."""
    return piece(results, labels) if results else pieces.banner(WORDS.not_run())


def headline(results: Results, labels: Labels) -> Html:
    """Return the departures of all branches, the métiers that recur in their lists, what to do."""
    table, cells = results[TABLE], _cells(results)
    if table.empty:
        return _nothing()
    needs = Cells(besoins.CONSOLIDATED, results[besoins.CONSOLIDATED])
    row = row_of(needs.table, besoins.LEFT, branch_code=besoins.EVERY)
    year = int(needs.table["year"].max()) if row is not None else None
    left = [needs.headcount(row), needs.interval(row)]
    said = [WORDS.departures(year, *left)] if year else []
    for name in LISTS:
        rows = _recurring(results, name)
        lists = cells.number(row_of(table, f"{name}_branches_count"))
        first = [(labels[rows["metier_code"][row]], cells.number(row)) for row in rows.index[:3]]
        said += [WORDS.recurring(name, first, lists)] if first else []
    return pieces.lede("\n\n".join([*said, WORDS.next_step()]))


def banner(results: Results, labels: Labels) -> Html:
    """Return what the page rests on, and which branches are not known."""
    table = results[TABLE]
    if table.empty:
        return Html("")
    metiers, branches = (int(select(table, name)["year"].max()) for name in (DOMAINS, HEADCOUNT))
    unknown = select(table, HEADCOUNT, status="nd")["branch_code"].map(labels)
    names = [f"« {name} »" for name in sorted(unknown, key=french.order)]
    return pieces.banner(WORDS.banner(metiers, branches, names))


def most_shared(results: Results, labels: Labels) -> Html:
    """Return the métier that is among the largest of most branches."""
    rows = _common(results).head(1)
    counted = [
        (labels[rows["metier_code"][row]], _cells(results).number(row)) for row in rows.index
    ]
    return pieces.text(WORDS.most_shared(*counted[0]) if counted else "")


def domains_table(results: Results, labels: Labels, metiers: Sequence[str] = ()) -> Html:
    """Return the share of each professional domain, or of those given, in each branch's métiers."""
    shares = select(results[TABLE], DOMAINS)
    if shares.empty:
        return _nothing()
    wide = shares.pivot(index="branch_code", columns="metier_code", values="value").fillna(0.0)
    order = wide.sum().sort_values(ascending=False).reset_index()
    is_large = order["metier_code"].map(wide.max()) >= LEAST_SHARE_PCT
    shown = codes(pieces.chosen(order, metiers or codes(order[is_large]), 0))
    lines = wide.sort_values(shown[0], ascending=False).index.tolist()
    leading = wide.idxmax(axis="columns").value_counts()
    text = WORDS.domains_table(labels[str(leading.index[0])], int(leading.iloc[0]), len(lines))
    return pieces.heat(text, _cells(results), shares, labels, lines, shown)


def branches_table(results: Results, labels: Labels) -> Html:
    """Return headcount and largest métier of each branch, in alphabetical order."""
    table, cells = results[TABLE], _cells(results)
    row, share = (
        {code: int(at) for at, code in zip(rows.index, rows["branch_code"], strict=True)}
        for rows in (select(table, HEADCOUNT), select(table, "largest_metier_share_pct"))
    )

    if not row:
        return _nothing()
    year = int(select(table, HEADCOUNT)["year"].max())

    def metier(branch: str) -> str:
        known = branch in share
        code = str(table["metier_code"].loc[share[branch]]) if known else ""
        return pieces.metier(code, labels[code]) if known else pieces.ABSENT

    columns = {
        "Branche": labels.__getitem__,
        f"Salariés au 31 décembre {year}": lambda branch: cells.number(row[branch]),
        "Métier le plus nombreux (estimation)": metier,
        "Part de la branche": lambda branch: cells.percent(share.get(branch)),
    }
    return _table(
        WORDS.branches_table(), columns, sorted(row, key=lambda code: french.order(labels[code]))
    )


def own_metiers_table(results: Results, labels: Labels) -> Html:
    """Return what each branch has that no other has among its ten first: nothing is averaged."""
    rows = select(results[TABLE], "own_metier_share_pct")
    columns = {
        "Branche": lambda row: labels[rows["branch_code"].loc[row]],
        "Métier (FAP)": lambda row: pieces.metier(
            rows["metier_code"].loc[row], labels[rows["metier_code"].loc[row]]
        ),
        "Part de la branche (en %)": _cells(results).number,
    }
    names = rows["branch_code"].map(labels)
    order = sorted(rows.index, key=lambda row: french.order(names[row]))
    return _table(WORDS.own_metiers_table(), columns, order)


def shared_metiers_table(results: Results, labels: Labels) -> Html:
    """Return the métiers among the ten largest of most branches, with their national tension."""
    cells, metier = _cells(results), _common(results)["metier_code"].head(SHOWN)
    columns = {
        "Métier (FAP)": lambda row: labels[metier[row]],
        "Branches où il est parmi les dix plus nombreux": cells.number,
        "Classe de tension nationale (1 à 5)": lambda row: cells.number(
            row_of(results[TABLE], "tension_class", metier[row])
        ),
    }
    return _table(WORDS.shared_metiers_table(), columns, metier.index)


def recurring_table(results: Results, labels: Labels, name: str) -> Html:
    """Return in how many branches each métier is on a list, and the sum of its presences.

    Args:
        results: Of the question.
        labels: French names of métiers.
        name: `shortlist` (what to look at first) or `core`.
    """
    cells, rows = _cells(results), _recurring(results, name).head(SHOWN)
    metier = rows["metier_code"]
    columns = {
        "Métier (FAP)": lambda row: labels[metier[row]],
        "Branches": cells.number,
        "Présences ajoutées": lambda row: cells.number(
            row_of(results[TABLE], f"{name}_presence_count", metier[row]), 1
        ),
    }
    return _table(WORDS.recurring_table(name), columns, rows.index)


def outside_table(results: Results, labels: Labels) -> Html:
    """Return the métiers of which the branches hold the largest part (residual column)."""
    outside = select(results[TABLE], "outside_branches_share_pct")
    metier = outside.sort_values(["value", "metier_code"])["metier_code"].head(SHOWN)
    columns = {
        "Métier (FAP)": lambda row: labels[metier[row]],
        "Emploi national hors des branches (en %)": _cells(results).number,
    }
    return _table(WORDS.outside_table(), columns, metier.index)


def _recurring(results: Results, name: str) -> pd.DataFrame:
    rows = select(results[TABLE], f"{name}_branches_count")
    return rows[rows["metier_code"] != ALL_METIERS]


def _common(results: Results) -> pd.DataFrame:
    return largest_first(select(results[TABLE], "branches_in_top_ten_count"))


def _cells(results: Results) -> Cells:
    return Cells(TABLE, results[TABLE])


def _table(text: str, columns: Mapping[str, Any], rows: Any) -> Html:
    return pieces.table(text, columns, rows) if len(rows) else _nothing()


def _nothing() -> Html:
    return pieces.banner(WORDS.nothing())
