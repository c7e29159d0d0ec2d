"""Facts and figures of `02_besoins`: posts to fill from the edition on, per 100 jobs first."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from opmq_lib.show import figures, french, pieces
from opmq_lib.show.pieces import Cells, Html, Labels, Results
from opmq_lib.show.words import words
from opmq_lib.tables.indicators import ALL_METIERS, codes, largest_first, row_of, select

TABLE, CONSOLIDATED = "besoins", "consolidation_besoins"
QUANTITIES = CREATED, LEFT, POSTS = (
    "net_creation_headcount",
    "career_end_departures_headcount",
    "posts_to_fill_headcount",
)
RATES = CREATED_RATE, LEFT_RATE, POSTS_RATE = (
    "net_creation_rate_pct",
    "departure_rate_pct",
    "posts_rate_pct",
)
JOBS, ALL_JOBS, OLD = (
    "employment_headcount",
    "studied_employment_headcount",
    "share_50_and_over_pct",
)
PROJECTS = {
    "recruitment_projects_count": "Projets",
    "seasonal_projects_count": "dont saisonniers",
    "hard_to_fill_share_pct": "Jugés difficiles (en %)",
}
ENTRIES = {
    POSTS: "Postes à pourvoir",
    "young_beginners_headcount": "Jeunes débutants entrant dans ces métiers",
    "net_mobility_headcount": "Mobilité nette entrante, depuis d’autres métiers",
    "potential_imbalance_headcount": "Déséquilibre potentiel",
}
RATE_CAUSES = {
    LEFT_RATE: "Départs de fin de carrière",
    CREATED_RATE: "Création nette",
    POSTS_RATE: "Postes à pourvoir",
}
CAUSES = {
    CREATED: "Création nette (intervalle à 80 %)",
    LEFT: "Départs de fin de carrière (intervalle à 80 %)",
}
SHOWN, OLD_AGE = 10, 50
WHOLE = "Ensemble des métiers étudiés"
EVERY, WHOLE_STUDY = "ensemble", "Ensemble des branches"
WORDS = words(__package__)


def facts(results: Results) -> Any:
    """Return what the words depend on: years, and what employment and ages are."""
    jobs, posts = select(results[TABLE], JOBS), results["besoins_projections"]
    bases = set(posts["ages_basis"]) - {"none", "mixed"}
    return SimpleNamespace(
        has_needs=not jobs.empty,
        is_observed=bool((jobs["nature"] == "observed").all()),
        ages_basis=bases.pop() if len(bases) == 1 else "mixed" if bases else "none",
        base=None if jobs.empty else int(jobs["year"].max()),
        start=None if posts.empty else int(posts["start_year"].max()),
        end=None if posts.empty else int(posts["year"].max()),
    )


def banner(results: Results) -> Html:
    """Return what must be known before any figure: vintage, estimate, whose ages."""
    return pieces.banner(WORDS.banner(facts(results)))


def definitions() -> Html:
    """Return what the two layers mean, and why they are never added."""
    return pieces.findings(WORDS.definitions())


def legend(results: Results) -> Html:
    """Return what the letters of the page mean."""
    return pieces.grades_legend(results[TABLE])


def key_figures(results: Results) -> Html:
    """Return departures and posts to fill per 100 jobs a year, then as counts."""
    f, cells = facts(results), cells_of(results)
    if not f.has_needs:
        return Html("")
    shown = [
        (LEFT_RATE, "Départs par an pour 100 emplois", rate, rate_interval),
        (POSTS_RATE, "Postes à pourvoir par an pour 100 emplois", rate, rate_interval),
        (LEFT, "Départs de fin de carrière", heads, interval),
        (POSTS, "Postes à pourvoir", heads, interval),
    ]
    figures = []
    for name, label, show, ends in shown:
        row = row_at(results, name, ALL_METIERS, f.end)
        note = WORDS.key_figure_note(ends(cells, row))
        figures.append((f"{label}, {f.start}-{f.end}", show(cells, row), note))
    return pieces.key_figures(figures)


def findings(results: Results, labels: Labels) -> Html:
    """Return up to five findings, none that its interval does not support."""
    f, table, cells = facts(results), results[TABLE], cells_of(results)
    if not f.has_needs:
        return _nothing(results)
    rows = [row_at(results, cause, ALL_METIERS, f.end) for cause in (CREATED, LEFT)]
    known = [row for row in rows if row is not None and cells.read(row) is not None]
    rate_row = row_at(results, LEFT_RATE, ALL_METIERS, f.end)
    text = [
        WORDS.departures(f, graded_rate_interval(cells, rate_row), graded_interval(cells, row))
        for row in known
        if row == rows[1]
    ]
    if len(known) == len(rows):
        (low, high), (least, _) = table.loc[known, ["lower", "upper"]].to_numpy().tolist()
        text += [WORDS.causes(least > max(abs(low), abs(high)), (low > 0) - (high < 0))]
    largest = _complete(results, f.end).head(SHOWN)
    names = "« " + largest["metier_code"].map(dict(labels)) + " »"
    sides = [direction(low, high) for low, high in largest[["lower", "upper"]].to_numpy()]
    up, down = (names[[side == sign for side in sides]].tolist() for sign in (1, -1))
    old = select(table, OLD).dropna(subset=["value"])
    old = largest_first(old[old["metier_code"].isin(_largest(results)[:SHOWN])]).head(1)
    oldest = [
        WORDS.oldest(old["nature"].loc[row] == "observed", cells.percent(row), labels[code])
        for row, code in zip(old.index, codes(old), strict=True)
    ]
    text += [WORDS.to_fill(up), WORDS.not_replaced(down), *oldest]
    return pieces.findings("\n\n".join(text))


def causes_figure(
    results: Results, labels: Labels, metiers: Sequence[str] = (), ax: Axes | None = None
) -> Figure | Html:
    """Draw posts to fill of the largest métiers, or of those given, by cause."""
    f = facts(results)
    rows = pieces.chosen(_complete(results, f.end), metiers, SHOWN)
    if rows.empty:
        return _nothing(results)
    ends = rows[["lower", "upper"]].to_numpy()
    sure = sum(direction(low, high) > 0 for low, high in ends)
    text = WORDS.causes_figure(f, sure, len(rows))
    return figures.posts_causes(rows, labels, text, ax)


def rates_table(results: Results, labels: Labels) -> Html:
    """Return departures, net creation and posts per 100 jobs a year, métier by métier."""
    f, cells = facts(results), cells_of(results)
    if not f.has_needs:
        return Html("")

    def column(show: Callable[[Cells, int | None], Markup], name: str) -> Any:
        return lambda code: show(cells, row_at(results, name, code, f.end))

    columns: dict[str, Any] = {"Métier (FAP)": {**labels, ALL_METIERS: WHOLE}.__getitem__}
    for name, title in RATE_CAUSES.items():
        columns[title] = column(rate, name)
        columns[f"{title}, intervalle à 80 %"] = column(rate_interval, name)
    return pieces.table(WORDS.rates_table(f), columns, _shown(results, POSTS_RATE, f.end))


def posts_table(results: Results, labels: Labels) -> Html:
    """Return net creation, departures and posts of the largest métiers and of all of them."""
    f, table, cells = facts(results), results[TABLE], cells_of(results)
    if not f.has_needs:
        return Html("")
    coarsest = max(cells.step(row) for row in select(table, JOBS).index)
    names = {**labels, ALL_METIERS: WHOLE}

    def jobs(code: str) -> Markup:
        if code == ALL_METIERS:
            return cells.headcount(row_of(table, ALL_JOBS, year=f.base), coarsest)
        return cells.headcount(row_of(table, JOBS, code, f.base))

    columns = {"Métier (FAP)": names.__getitem__, f"Emplois {f.base}": jobs}
    columns |= _posts_columns(cells, lambda name, code: row_at(results, name, code, f.end))
    return pieces.table(WORDS.posts_table(f), columns, _shown(results, POSTS, f.end))


def _shown(results: Results, indicator: str, end: int) -> list[str]:
    """Return the largest métiers that have an indicator, and all of them together."""
    shown = [*_largest(results)[:SHOWN], ALL_METIERS]
    return [code for code in shown if row_at(results, indicator, code, end) is not None]


def pyramid_figure(results: Results, ax: Axes | None = None) -> Figure | Html:
    """Draw the branch's age pyramid."""
    rows = select(results[TABLE], "age_headcount").dropna(subset=["value"])
    if rows.empty:
        return _nothing(results)
    first = rows["age_band"].astype(int).tolist()
    bands = [f"{age}-{after - 1} ans" for age, after in pairwise(first)]
    is_old = rows["age_band"].astype(int) >= OLD_AGE
    share = 100 * rows.loc[is_old, "value"].sum() / rows["value"].sum()
    return figures.age_pyramid(
        rows.assign(band=[*bands, f"{first[-1]} ans ou plus"], old=is_old),
        WORDS.pyramid_figure(facts(results), share, (rows["nature"] == "observed").all()),
        ax,
    )


def imbalance_table(results: Results) -> Html:
    """Return what would be left once beginners and mobility are counted, `nd` where unknown."""
    f, cells = facts(results), cells_of(results)
    if not f.has_needs:
        return Html("")

    def column(year: int) -> Any:
        return lambda name: heads(cells, row_at(results, name, ALL_METIERS, year))

    columns = {"": ENTRIES.__getitem__, f"{f.start}-{f.end}": column(f.end)}
    return pieces.table(WORDS.imbalance_table(f), columns, ENTRIES)


def intentions_table(results: Results, labels: Labels) -> Html:
    """Return recruitment projects of the branch's largest métiers: the other layer."""
    cells, projects = cells_of(results), select(results[TABLE], next(iter(PROJECTS)))
    year = int(projects["year"].max())
    most = projects.sort_values(["upper", "metier_code"], ascending=[False, True])
    known = set(codes(projects))
    shown = [code for code in _largest(results) or codes(most) if code in known][:SHOWN]

    def column(name: str) -> Any:
        def show(code: str) -> Markup:
            row = row_at(results, name, code, year)
            is_exact = row is None or cells.read(row) is not None
            return cells.number(row) if is_exact else cells.bounds(row)

        return show

    columns = {"Métier (FAP-2009)": labels.__getitem__}
    columns |= {title: column(name) for name, title in PROJECTS.items()}
    return pieces.table(WORDS.intentions_table(year), columns, shown)


def consolidated_table(results: Results, labels: Labels) -> Html:
    """Return posts to fill of every branch, for `10_consolidation`.

    Args:
        results: With the table `consolidation_besoins` (`chain.consolidation`).
        labels: French name of each branch.
    """
    table = results[CONSOLIDATED]
    whole = select(table, *QUANTITIES, *RATES, metier_code=ALL_METIERS, variant="")
    if whole.empty:
        return pieces.banner(WORDS.no_branch())
    end, cells = int(whole["year"].max()), Cells(CONSOLIDATED, table)
    rows = whole[whole["year"] == end]
    place = rows.reset_index().set_index(["indicator", "branch_code"])["index"]
    columns: dict[str, Any] = {"Branche": {**labels, EVERY: WHOLE_STUDY}.__getitem__}
    columns["Départs par an pour 100 emplois"] = lambda branch: graded_rate_interval(
        cells, place.get((LEFT_RATE, branch))
    )
    columns |= _posts_columns(cells, lambda name, branch: place.get((name, branch)))
    order = select(rows, POSTS).sort_values("value", ascending=False)["branch_code"]
    return pieces.table(
        WORDS.consolidated_table(end), columns, sorted(order, key=lambda code: code == EVERY)
    )


def _posts_columns(cells: Cells, place: Callable[[str, str], Any]) -> dict[str, Any]:
    """Return the columns of posts and their causes, from where an indicator stands."""

    def column(show: Callable[[Cells, int | None], Markup], name: str) -> Any:
        return lambda key: show(cells, place(name, key))

    causes = {title: column(graded_interval, cause) for cause, title in CAUSES.items()}
    posts = {
        "Postes à pourvoir": column(heads, POSTS),
        "Intervalle à 80 %": column(interval, POSTS),
    }
    return causes | posts


def heads(cells: Cells, row: int | None) -> Markup:
    """Return heads that may be negative, no finer than their interval allows unless that is 0."""

    def form(value: float) -> str:
        size = cells.step(row) if row is not None else 1
        if value and round(value / size) == 0:
            size = min(size, max(10, 10 ** math.floor(math.log10(abs(value)))))
        near = round(value / size) * size
        return french.rounded(value, size) if value and not near else french.number(near)

    return cells.show(row, form)


def interval(cells: Cells, row: int | None) -> Markup:
    """Return an interval of heads that may be negative, no finer than it allows."""
    size = 1 if row is None else cells.step(row)
    return cells.ends(row, lambda value: french.number(round(value / size) * size))


def rate(cells: Cells, row: int | None) -> Markup:
    """Return a rate per 100 jobs a year."""
    return cells.number(row, 1)


def rate_interval(cells: Cells, row: int | None) -> Markup:
    """Return the interval of a rate per 100 jobs a year."""
    return cells.ends(row, lambda value: french.number(value, 1))


def graded_interval(cells: Cells, row: int | None) -> Markup:
    """Return an interval of heads with its letter, where it has one."""
    return interval(cells, row) + (Markup("") if row is None else cells.letter(row))


def graded_rate_interval(cells: Cells, row: int | None) -> Markup:
    """Return the interval of a rate with its letter, where it has one."""
    return rate_interval(cells, row) + (Markup("") if row is None else cells.letter(row))


def direction(low: float, high: float) -> int:
    """Return 1 or -1 where an interval, as it is shown, stays on that side of zero; else 0."""
    size = french.step(low, high)
    return (round(low / size) > 0) - (round(high / size) < 0)


def row_at(results: Results, indicator: str, code: str, year: int) -> int | None:
    """Return the number of the row of an indicator of the reference, if there is one."""
    return row_of(results[TABLE], indicator, code, year, variant="")


def cells_of(results: Results) -> Cells:
    """Return the numbers of `besoins.csv`."""
    return Cells(TABLE, results[TABLE])


def _complete(results: Results, year: int) -> pd.DataFrame:
    """Return posts of métiers with both causes, largest métier first."""
    rows = select(results[TABLE], *QUANTITIES, year=year, variant="")
    wide = rows.pivot(index="metier_code", columns="indicator", values="value")
    ends = select(rows, POSTS).set_index("metier_code")[["lower", "upper"]]
    named = wide.rename(columns={CREATED: "created", LEFT: "left", POSTS: "value"}).join(ends)
    return (
        named.loc[[code for code in _largest(results) if code in wide.index]].dropna().reset_index()
    )


def _largest(results: Results) -> list[str]:
    return codes(largest_first(select(results[TABLE], JOBS)))


def _nothing(results: Results) -> Html:
    return pieces.banner(WORDS.nothing(facts(results)))
